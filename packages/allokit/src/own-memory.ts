/** The memory of an assembly that is given none. */

import { WasmMemory, type WasmMemoryOptions } from '@allokit/vmem';

/**
 * Bytes of it that are committed from the start: 64 MiB. A program that stays below never has its buffer replaced: V8 then treats the view as a constant,
 * and never asks whether a typed array's buffer still lives. Growth costs both. Where the system does not charge for commitment, pages that nobody wrote take
 * no memory.
 */
export const OWN_MEMORY_COMMIT = 2 ** 26;

/** Makes it. */
export function ownMemory(options: WasmMemoryOptions): WasmMemory {
  return WasmMemory.create({ commit: OWN_MEMORY_COMMIT, ...options });
}
