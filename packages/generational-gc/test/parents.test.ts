/** Random programs over parents that refuse, and over memories that grow under the heap's feet. Another seed is given by ALLOKIT_SEED. */

import { NULL, type Address, type Allocator, type AllocatorStats, type Memory } from '@allokit/allocator';
import { environmentSeed, Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { GenerationalHeap, type HeapOptions } from '../src/index.ts';
import { Mutator } from './mutator.ts';

/** A memory that refuses some requests, and that may be grown, which kills all views, in any call. */
class Difficult implements Allocator {
  readonly root: WasmMemory = WasmMemory.create({ reserve: 2 ** 27 });
  readonly memory: Memory = this.root;
  readonly alignment = this.root.alignment;
  /** Requests so far. */
  count = 0;
  /** Whether to refuse the request of this number. */
  refuses: (count: number) => boolean = () => false;
  /** Whether to grow the memory in this call. */
  grows: () => boolean = () => false;

  allocate(size: number, alignment?: number): Address {
    this.#grow();
    this.count += 1;
    return this.refuses(this.count) ? NULL : this.root.allocate(size, alignment);
  }

  deallocate(address: Address, size?: number): void {
    this.root.deallocate(address, size);
    this.#grow();
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    return this.root.resize(address, oldSize, newSize);
  }

  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    return this.root.reallocate(address, oldSize, newSize, alignment);
  }

  usableSize(address: Address): number {
    return this.root.usableSize(address);
  }

  owns(address: Address): boolean {
    return this.root.owns(address);
  }

  reset(): void {
    this.root.reset();
  }

  release(): void {
    this.root.release();
  }

  stats(): AllocatorStats {
    return this.root.stats();
  }

  checkInvariants(): void {
    this.root.checkInvariants();
  }

  #grow(): void {
    if (this.grows()) this.root.wasm.grow(1);
  }
}

/** Runs a program while the parent is difficult, and proves that nothing was lost. Returns how many requests there were. */
function suffer(parent: Difficult, seed: number, options: HeapOptions, difficulties: Pick<Difficult, 'refuses' | 'grows'>): number {
  const heap = GenerationalHeap.create(parent, { limit: 2 ** 22, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 16, threshold: 2 ** 15, blockSize: 8192, stackSize: 4096, ...options });
  parent.count = 0;
  Object.assign(parent, difficulties);
  const mutator = new Mutator(heap, seed);
  mutator.run(1500, 100);
  const { count } = parent;
  heap.verify();
  parent.refuses = () => false;
  mutator.compareExactly();
  heap.release();
  parent.grows = () => false;
  expect(parent.stats().liveBytes).toBe(0);
  return count;
}

const seed = environmentSeed();
const seeds = seed === undefined ? [1, 2] : [seed];
const MODES: readonly HeapOptions[] = [{}, { stress: { action: 'step', everyBytes: 1000 } }, { stress: { action: 'compact', everyBytes: 4000 }, tenure: 1 }];

describe.each(MODES)('%o', (options) => {
  test.each(seeds)('a parent that refuses one request, the next time another: seed %i', (program) => {
    const count = suffer(new Difficult(), program, options, { refuses: () => false, grows: () => false });
    // A sample of them.
    const step = Math.max(1, Math.floor(count / 5));
    for (let nth = 1; nth <= count; nth += step) suffer(new Difficult(), program, options, { refuses: (n) => n === nth, grows: () => false });
    expect(count).toBeGreaterThan(8);
  });

  test.each(seeds)('a parent that refuses often, in a memory that grows: seed %i', (program) => {
    const random = Random.fromSeed(program);
    const count = suffer(new Difficult(), program, options, { refuses: () => random.chance(1, 3), grows: () => random.chance(1, 20) });
    expect(count).toBeGreaterThan(8);
  });
});
