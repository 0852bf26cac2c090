/** The memory of a heap that has all it needs from the start, as a program has that knows its demand. */

import { WasmMemory } from '@allokit/vmem';

/**
 * A memory of which `commit` bytes are there at once, out of `reserve`.
 *
 * One that grows replaces its buffer, and from the first time that happens V8 asks at every access to any typed array whether its buffer still lives. That
 * would be timed along with whatever comes later, in the heap and in the loop. Pages that nobody touches cost nothing.
 */
export function committedMemory(commit: number, reserve = commit): WasmMemory {
  return WasmMemory.create({ reserve, commit: Math.min(commit, reserve) });
}
