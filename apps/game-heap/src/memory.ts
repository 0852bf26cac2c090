/** Where a heap lies: in memory of the operating system, or in a WebAssembly memory. */

import { NativeMemory } from '@allokit/vmem/native';
import { AllocatorError, WasmMemory, type PagedMemory } from 'allokit';

/** Of what the memory is made. */
export type MemoryKind = 'native' | 'wasm';

/** Bytes for the memory's own state, so that the heap gets all of the size that was asked for. Addresses, of which hardly a page is used. */
const STATE_SIZE = 2 ** 19;

/** Claims addresses for a heap of `size` bytes; nothing of it is committed but the memory's own state. */
export function reserveFor(kind: MemoryKind, size: number): PagedMemory {
  const reserve = size + STATE_SIZE;
  return kind === 'native' ? NativeMemory.create({ reserve }) : WasmMemory.create({ reserve });
}

/** The kind that was asked for, or WebAssembly memory with the reason why not. Loads what native memory needs, so that its first use is not slow. */
export function available(kind: MemoryKind): { readonly kind: MemoryKind; readonly reason?: string } {
  if (kind === 'wasm') return { kind };
  try {
    NativeMemory.create({ reserve: STATE_SIZE }).release();
    return { kind };
  } catch (error) {
    if (!(error instanceof AllocatorError)) throw error;
    return { kind: 'wasm', reason: error.message };
  }
}
