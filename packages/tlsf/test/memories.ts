/** Every kind of memory there is. */

import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';

/** A kind of memory, in pages of 4 KiB. */
export interface MemoryKind {
  readonly name: string;
  readonly create: (reserve: number) => PagedMemory;
}

const pageSize = 4096;

/** All of them. */
export const MEMORIES: readonly MemoryKind[] = [
  { name: 'WebAssembly memory', create: (reserve) => WasmMemory.create({ reserve, pageSize }) },
  { name: 'shared WebAssembly memory', create: (reserve) => WasmMemory.create({ reserve, pageSize, shared: true }) },
  { name: 'buffer', create: (reserve) => BufferMemory.create({ reserve, pageSize }) },
  { name: 'shared buffer', create: (reserve) => BufferMemory.create({ reserve, pageSize, shared: true }) },
  { name: 'native memory', create: (reserve) => NativeMemory.create({ reserve, pageSize }) },
];

/** A buffer to build on when the kind does not matter. */
export function buffer(reserve = 2 ** 20): BufferMemory {
  return BufferMemory.create({ reserve });
}
