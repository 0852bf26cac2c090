/**
 * The oldest of a few hundred blocks freed and a new one allocated, over and over. Loaded once for all assemblies it is a call site that they share; loaded
 * once for each, under a URL of its own, it is as if each had a function of its own in the program's source.
 */

import type { Allocator } from '@allokit/allocator';

/** Does `count` replacements. @returns The sum of the addresses: proof that they were needed. */
export type Replace = (heap: Allocator, addresses: Uint32Array, sizes: Int32Array, count: number) => number;

export interface LoopModule {
  readonly replace: Replace;
  /** The same for one heap only, which is then a constant. */
  readonly bind: (heap: Allocator) => (addresses: Uint32Array, sizes: Int32Array, count: number) => number;
}

export function replace(heap: Allocator, addresses: Uint32Array, sizes: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    const slot = i & (addresses.length - 1);
    heap.deallocate(addresses[slot]!);
    const address = heap.allocate(sizes[i]!);
    addresses[slot] = address;
    sum += address;
  }
  return sum;
}

export function bind(heap: Allocator): (addresses: Uint32Array, sizes: Int32Array, count: number) => number {
  return (addresses, sizes, count) => {
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const slot = i & (addresses.length - 1);
      heap.deallocate(addresses[slot]!);
      const address = heap.allocate(sizes[i]!);
      addresses[slot] = address;
      sum += address;
    }
    return sum;
  };
}
