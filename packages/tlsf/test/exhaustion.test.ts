import { NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { describe, expect, test } from 'vitest';
import { HEAP_SIZE_DEFAULT } from '@allokit/boundary-tags';
import { Tlsf } from '../src/index.ts';
import { picture } from './fragments.ts';
import { buffer } from './memories.ts';

const GIB = 2 ** 30;

describe.each([
  ['WebAssembly memory', (): PagedMemory => WasmMemory.create({ reserve: GIB + 2 ** 20 })],
  ['buffer', (): PagedMemory => BufferMemory.create({ reserve: GIB + 2 ** 24 })],
  ['native memory', (): PagedMemory => NativeMemory.create({ reserve: GIB + 2 ** 20, commit: 'all' })],
])('1 GiB of %s', (_name, create) => {
  test('holds 52,387 blocks of 20 KiB, each with 16 bytes more', () => {
    const memory = create();
    const heap = Tlsf.create(memory);
    expect(HEAP_SIZE_DEFAULT).toBe(GIB);
    const blocks: number[] = [];
    for (let i = 0; i < 100_000; i += 1) {
      const address = heap.allocate(20 * 1024);
      if (address === NULL) break;
      blocks.push(address);
    }
    expect(blocks.length).toBe(52_387);
    expect(heap.stats()).toMatchObject({ failureCount: 1, liveBytes: 52_387 * 20_496, peakBytes: 52_387 * 20_496, peakRequest: 20_480 });
    heap.checkInvariants();
    for (const block of Random.fromSeed(1).shuffle(blocks)) heap.deallocate(block);
    heap.checkInvariants();
    expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
    expect(heap.stats()).toMatchObject({ liveBytes: 0, externalFragmentation: 0, largestFree: heap.stats().capacity - 8 });
    heap.release();
    memory.release();
  });

  test('serves all of it in one block, or in two halves', () => {
    const memory = create();
    const heap = Tlsf.create(memory);
    const { capacity } = heap.stats();
    expect(heap.allocate(capacity - 7)).toBe(NULL);
    const whole = heap.allocate(capacity - 8);
    expect([heap.usableSize(whole), heap.stats().largestFree]).toEqual([capacity - 8, 0]);
    heap.deallocate(whole);
    const half = Math.floor(capacity / 32) * 16 - 8;
    expect([heap.allocate(half), heap.allocate(half)]).not.toContain(NULL);
    expect(heap.stats().largestFree).toBeLessThanOrEqual(8);
    memory.release();
  });
});

test('a million pairs of 100 bytes leave nothing behind', () => {
  const heap = Tlsf.create(buffer(), { size: 2 ** 16 });
  const first = heap.allocate(100);
  heap.deallocate(first);
  let same = 0;
  for (let i = 0; i < 1_000_000; i += 1) {
    const address = heap.allocate(100);
    if (address === first) same += 1;
    heap.deallocate(address);
  }
  expect(same).toBe(1_000_000);
  expect(heap.stats()).toMatchObject({ liveBytes: 0, failureCount: 0, peakBytes: 112, peakRequest: 100, externalFragmentation: 0 });
  heap.checkInvariants();
});

/** A model in bytes: every byte of the heap knows which block owns it, and what it must hold. */
class Bytes {
  readonly #blocks = new Map<number, { readonly size: number; readonly pattern: number }>();
  readonly #heap: Tlsf;
  #patternNext = 1;

  constructor(heap: Tlsf) {
    this.#heap = heap;
  }

  get addresses(): number[] {
    return [...this.#blocks.keys()];
  }

  add(address: number, size: number): void {
    const pattern = this.#patternNext;
    this.#patternNext = (pattern % 255) + 1;
    this.#blocks.set(address, { size, pattern });
    this.#heap.memory.u8.fill(pattern, address, address + size);
  }

  /** Every block holds what was written into it: so none overlaps another, nor the heap's own words. */
  check(): void {
    const { u8 } = this.#heap.memory;
    for (const [address, { size, pattern }] of this.#blocks) {
      for (let at = address; at < address + size; at += 1) {
        if (u8[at] !== pattern) expect.fail(`byte ${at} of the block at ${address} is ${u8[at]!}, not ${pattern}`);
      }
    }
  }

  remove(address: number): void {
    this.#blocks.delete(address);
    this.#heap.deallocate(address);
  }
}

test.each([11, 12, 13])('random requests into a thousand failures, then down to nothing, seed %i', (seed) => {
  const random = Random.fromSeed(seed);
  const heap = Tlsf.create(buffer(), { size: 8192 });
  const model = new Bytes(heap);
  let failures = 0;
  while (failures < 1000) {
    if (random.chance(6, 10)) {
      const size = random.logUniform(1, 2000);
      const address = heap.allocate(size);
      if (address === NULL) failures += 1;
      else model.add(address, size);
    } else {
      const live = model.addresses;
      if (live.length > 0) model.remove(random.choice(live));
    }
    heap.checkInvariants();
    model.check();
  }
  expect(heap.stats().failureCount).toBe(1000);
  for (const address of random.shuffle(model.addresses)) {
    model.remove(address);
    heap.checkInvariants();
    model.check();
  }
  expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
  expect(heap.stats()).toMatchObject({ liveBytes: 0, externalFragmentation: 0 });
});
