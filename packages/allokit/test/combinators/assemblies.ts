/** What the combinators are tested on: every kind of memory, and small allocators in them. */

import type { Allocator, Memory } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory, WasmMemory } from '@allokit/vmem';

/** A memory that is also the root allocator. */
export type Root = Memory & Allocator;

/** Every kind of memory there is, small enough for a suite and large enough for 128 pages: they have 64 KiB here and 4 there. */
export const MEMORIES: readonly { readonly name: string; readonly reserve: number; readonly create: () => Root }[] = [
  { name: 'WebAssembly memory', reserve: 2 ** 23, create: () => WasmMemory.create({ reserve: 2 ** 23 }) },
  { name: 'shared WebAssembly memory', reserve: 2 ** 23, create: () => WasmMemory.create({ reserve: 2 ** 23, shared: true }) },
  { name: 'buffer', reserve: 2 ** 19, create: () => BufferMemory.create({ reserve: 2 ** 19 }) },
  { name: 'shared buffer', reserve: 2 ** 19, create: () => BufferMemory.create({ reserve: 2 ** 19, shared: true }) },
];

/** A heap of `size` bytes in a memory of its own. */
export function heap(size = 2 ** 18): O1Heap {
  return O1Heap.create(BufferMemory.create({ reserve: 2 ** 20 }), { size });
}

/** Two heaps in one memory. */
export function twoHeaps(size = 2 ** 18): [O1Heap, O1Heap] {
  const memory = BufferMemory.create({ reserve: 2 ** 20 });
  return [O1Heap.create(memory, { size }), O1Heap.create(memory, { size })];
}

/** Writes `size` bytes that depend on `seed`. */
export function write(memory: Memory, address: number, size: number, seed: number): void {
  const bytes = memory.u8;
  for (let i = 0; i < size; i += 1) bytes[address + i] = (seed * 31 + i * 7) & 0xff;
}

/** Whether `write` wrote these bytes. */
export function reads(memory: Memory, address: number, size: number, seed: number): boolean {
  const bytes = memory.u8;
  for (let i = 0; i < size; i += 1) if (bytes[address + i] !== ((seed * 31 + i * 7) & 0xff)) return false;
  return true;
}
