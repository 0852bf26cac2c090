import { NULL, type Address } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { HYBRID_THRESHOLD, hybridPool, type HybridPool } from '../src/index.ts';

function side(hybrid: HybridPool, address: Address): 'pool' | 'arena' {
  expect(hybrid.small.owns(address)).not.toBe(hybrid.large.owns(address));
  return hybrid.small.owns(address) ? 'pool' : 'arena';
}

test.each([[1, 'pool'], [16, 'pool'], [64, 'pool'], [128, 'pool'], [256, 'pool'], [257, 'arena'], [512, 'arena'], [1024, 'arena'], [100_000, 'arena']] as const)(
  '%i bytes come from the %s',
  (size, expected) => {
    const hybrid = hybridPool();
    expect([hybrid.threshold, side(hybrid, hybrid.allocate(size))]).toEqual([HYBRID_THRESHOLD, expected]);
    expect(HYBRID_THRESHOLD).toBe(256);
  },
);

describe('40,000 objects, 10,000 each of 16, 24, 32 and 512 bytes', () => {
  const SIZES = [16, 24, 32, 512];
  const EACH = 10_000;

  function build(): { readonly hybrid: HybridPool; readonly objects: { readonly address: Address; readonly size: number }[] } {
    const hybrid = hybridPool(WasmMemory.create({ reserve: 2 ** 25 }));
    const sizes = Random.fromSeed(40).shuffle(SIZES.flatMap((size) => Array.from({ length: EACH }, () => size)));
    const objects = sizes.map((size) => ({ address: hybrid.allocate(size), size }));
    return { hybrid, objects };
  }

  test('go three quarters to the pool and a quarter to the arena, 703 and 5000 KiB', () => {
    const { hybrid, objects } = build();
    expect(objects.every(({ address }) => address !== NULL)).toBe(true);
    const routed = { pool: { count: 0, bytes: 0 }, arena: { count: 0, bytes: 0 } };
    for (const { address, size } of objects) {
      const to = routed[side(hybrid, address)];
      to.count += 1;
      to.bytes += size;
    }
    expect([routed.pool.count / objects.length, routed.arena.count / objects.length]).toEqual([0.75, 0.25]);
    expect([Math.trunc(routed.pool.bytes / 1024), routed.pool.bytes]).toEqual([703, EACH * (16 + 24 + 32)]);
    expect(routed.arena.bytes / 1024).toBe(5000);
    const { small, large } = hybrid.stats();
    expect(small.classes.map(({ live }) => live)).toEqual([EACH, 2 * EACH, 0, 0, 0]);
    expect(small.classes.map(({ slabs }) => slabs)).toEqual([3, 10, 0, 0, 0]);
    // The prefix of a retained block is eight bytes.
    expect([large.liveCount, large.liveBytes]).toEqual([EACH, EACH * (512 + 8)]);
    hybrid.checkInvariants();
  });

  test('keep their content, and are freed one by one or all at once', () => {
    const { hybrid, objects } = build();
    const { u8 } = hybrid.memory;
    objects.forEach(({ address, size }, i) => u8.fill(i, address, address + size));
    expect(objects.every(({ address, size }, i) => u8[address] === (i & 0xff) && u8[address + size - 1] === (i & 0xff))).toBe(true);
    for (const { address, size } of objects.slice(0, 20_000)) hybrid.deallocate(address, size);
    const { small, large, liveBytes } = hybrid.stats();
    expect(small.classes.reduce((sum, { live }) => sum + live, 0) + large.liveCount).toBe(20_000);
    expect([large.retainedCount + large.liveCount, liveBytes > 0]).toEqual([EACH, true]);
    hybrid.reset();
    expect(hybrid.stats()).toMatchObject({ liveBytes: 0, large: { retainedCount: 0, retainedBytes: 0 } });
    hybrid.checkInvariants();
  });

  test('are built again after a reset in the same memory', () => {
    const { hybrid, objects } = build();
    const memory = hybrid.memory as unknown as WasmMemory;
    const { liveBytes } = memory.stats();
    for (let round = 0; round < 3; round += 1) {
      hybrid.reset();
      for (const { size } of objects) expect(hybrid.allocate(size)).not.toBe(NULL);
      expect(memory.stats().liveBytes).toBe(liveBytes);
    }
    hybrid.release();
    expect(memory.stats().liveBytes).toBe(0);
  });
});
