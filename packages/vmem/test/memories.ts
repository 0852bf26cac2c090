/** Every kind of memory there is, made in one way, and found again. */

import { BufferMemory, WasmMemory, type BufferMemoryOptions, type PagedMemory } from '../src/index.ts';

/** A kind of memory. */
export interface MemoryKind {
  readonly name: string;
  /** Bytes that it grows by at least: the engine's, whatever the page size. */
  readonly unit: number;
  readonly shared: boolean;
  readonly create: (options: Omit<BufferMemoryOptions, 'shared'>) => PagedMemory;
}

function wasm(name: string, shared: boolean): MemoryKind {
  return { name, unit: 65_536, shared, create: (options) => WasmMemory.create({ ...options, shared }) };
}

function buffer(name: string, shared: boolean): MemoryKind {
  return { name, unit: 1, shared, create: (options) => BufferMemory.create({ ...options, shared }) };
}

/** All four. */
export const MEMORIES: readonly MemoryKind[] = [
  wasm('WebAssembly memory', false),
  wasm('shared WebAssembly memory', true),
  buffer('buffer', false),
  buffer('shared buffer', true),
];

/** Another handle on the same bytes. */
export function attach(memory: PagedMemory): PagedMemory {
  return memory instanceof WasmMemory ? WasmMemory.attach(memory.wasm, memory.address) : BufferMemory.attach(memory.buffer);
}
