import { NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENERAL_PURPOSE_RESERVE, OWN_MEMORY_COMMIT, generalPurpose, type GeneralPurpose } from '../src/index.ts';

const SMALL_MAX = 2048;

function on(reserve: number): GeneralPurpose {
  return generalPurpose(BufferMemory.create({ reserve }));
}

test('needs nothing but a call', () => {
  const heap = generalPurpose();
  const { memory } = heap;
  expect([memory.reserved, memory.committed, memory.shared, memory instanceof WasmMemory]).toEqual([GENERAL_PURPOSE_RESERVE, OWN_MEMORY_COMMIT, false, true]);
  const [small, large] = [heap.allocate(100), heap.allocate(1_000_000)];
  memory.u8.fill(1, large, large + 1_000_000);
  expect([heap.usableSize(small), heap.usableSize(large)]).toEqual([112, 1_000_008]);
  heap.deallocate(small);
  heap.deallocate(large);
  expect(heap.stats().liveBytes).toBe(0);
});

test('up to 2 KiB from slabs, above from the heap', () => {
  const heap = on(2 ** 20);
  expect([heap.small instanceof SlabPool, heap.large instanceof Tlsf, heap.threshold]).toEqual([true, true, SMALL_MAX]);
  expect(heap.small.stats().classes.map(({ size }) => size).slice(0, 20)).toEqual([16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384]);
  expect([heap.small.stats().classes.length, heap.small.sizeMax]).toEqual([40, SMALL_MAX]);
  for (const [size, isSmall] of [[1, true], [2047, true], [SMALL_MAX, true], [SMALL_MAX + 1, false], [10_000, false]] as const) {
    const block = heap.allocate(size);
    expect([heap.small.owns(block), heap.large.owns(block)]).toEqual([isSmall, !isSmall]);
    heap.deallocate(block, size);
  }
  // Slabs align as far as their classes do; what they cannot is left to the heap.
  for (let alignment = 16; alignment <= 4096; alignment *= 2) expect(heap.allocate(10, alignment) % alignment).toBe(0);
});

test('a block wastes at most an eighth of itself inside, beside the granule of 16 bytes', () => {
  const heap = on(2 ** 22);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: SMALL_MAX }), (size) => {
      const block = heap.allocate(size);
      const usable = heap.usableSize(block);
      expect(usable - size).toBeLessThanOrEqual(Math.max(15, usable / 8));
      heap.deallocate(block, size);
    }),
    { numRuns: 500 },
  );
});

test('one side gets what the other no longer needs', () => {
  const heap = on(2 ** 20);
  const random = Random.fromSeed(8);
  const fill = (sizes: () => number): { readonly blocks: number[]; readonly bytes: number } => {
    const blocks: number[] = [];
    let bytes = 0;
    for (let size = sizes(), block = heap.allocate(size); block !== NULL; size = sizes(), block = heap.allocate(size)) {
      blocks.push(block);
      bytes += size;
    }
    return { blocks, bytes };
  };
  const yields: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    const { blocks, bytes } = round % 2 === 0 ? fill(() => random.between(1, SMALL_MAX)) : fill(() => random.between(3000, 8000));
    yields.push(bytes);
    heap.checkInvariants();
    for (const block of random.shuffle(blocks)) heap.deallocate(block);
    expect(heap.stats().liveBytes).toBe(0);
    heap.checkInvariants();
  }
  // Every round finds most of the memory, whatever the one before used it for.
  expect(Math.min(...yields)).toBeGreaterThan(2 ** 20 * 0.4);
  expect(Math.min(yields[2]!, yields[4]!)).toBeGreaterThan(0.9 * yields[0]!);
  expect(Math.min(yields[3]!, yields[5]!)).toBeGreaterThan(0.9 * yields[1]!);
});

test('blocks cross the border between the sides with their content', () => {
  const heap = on(2 ** 20);
  let block = heap.allocate(10);
  heap.memory.u8.set([1, 2, 3], block);
  let size = 10;
  for (const next of [100, SMALL_MAX, SMALL_MAX + 1, 50_000, 3000, SMALL_MAX, 8]) {
    block = heap.reallocate(block, size, next);
    size = next;
    expect(heap.small.owns(block)).toBe(next <= SMALL_MAX);
    expect([...heap.memory.u8.subarray(block, block + 3)]).toEqual([1, 2, 3]);
  }
  heap.deallocate(block, 8);
  expect(heap.stats().liveBytes).toBe(0);
});

describe('for hours', () => {
  test('a program with a steady demand ends up with a steady capacity', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, pageSize: 16_384 });
    const heap = generalPurpose(memory);
    const random = Random.fromSeed(21);
    const live: { readonly address: number; readonly size: number }[] = [];
    const liveMax = 500;
    let capacity = 0;
    for (let i = 0; i < 400_000; i += 1) {
      if (live.length === liveMax) {
        const [{ address, size }] = live.splice(random.below(liveMax), 1) as [(typeof live)[0]];
        if (memory.i32[address >>> 2] !== size) expect.fail(`the block at ${address} lost its content`);
        heap.deallocate(address, size);
      }
      const size = random.logUniform(4, 20_000);
      const address = heap.allocate(size);
      memory.i32[address >>> 2] = size;
      live.push({ address, size });
      if (i === 200_000) ({ capacity } = heap.stats());
    }
    heap.checkInvariants();
    memory.checkInvariants();
    expect(heap.stats().failureCount).toBe(0);
    expect(heap.stats().capacity).toBeLessThan(1.3 * capacity);
    heap.release();
    expect(memory.stats().liveBytes).toBe(0);
  });
});
