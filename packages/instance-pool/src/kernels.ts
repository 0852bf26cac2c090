/** The WebAssembly that restores, compares and hashes memories: compiled once for shared and once for unshared ones, instantiated for each memory. */

import { AllocatorError } from '@allokit/allocator';
import { KERNELS, KERNELS_LIMITS } from './kernels.wasm.ts';

/** What the kernels do with a memory. Sizes and addresses are in bytes, multiples of 4 KiB but for `restoreRange`. */
export interface Kernels {
  /** Restores `[start, end)` from the image, and with zeros behind `imageSize`. */
  readonly restoreRange: (start: number, end: number, imageSize: number) => void;
  /** Restores the pages whose numbers stand in the marks from `list` on, and takes their marks away. */
  readonly restoreMarked: (list: number, count: number, memorySize: number, imageSize: number) => void;
  /** Restores those pages of `[from, to)` that differ, and returns how many did. */
  readonly restoreDifferent: (from: number, to: number, imageSize: number) => number;
  /** Where the last page ends that is not all zeros, in `[0, end)`. */
  readonly contentEnd: (end: number) => number;
  /** Copies `[0, end)` into an image that is all zeros. */
  readonly capture: (end: number) => void;
  /** XXH64 of `[0, end)`. */
  readonly hash: (end: number) => bigint;
}

const SHARED_LIMITS = [0x03, 0x00, 0x80, 0x80, 0x04];
const UNSHARED_LIMITS = [0x00, 0x80, 0x80, 0x80, 0x00];

const modules: { shared?: WebAssembly.Module; unshared?: WebAssembly.Module } = {};
let noMarks: WebAssembly.Memory | undefined;

/**
 * The kernels of one memory.
 *
 * @throws AllocatorError `unsupported` where the engine has no SIMD or no modules with several memories.
 */
export function kernelsFor(memory: WebAssembly.Memory, image: WebAssembly.Memory, marks?: WebAssembly.Memory): Kernels {
  const key = isShared(memory) ? 'shared' : 'unshared';
  modules[key] ??= compile(isShared(memory));
  noMarks ??= new WebAssembly.Memory({ initial: 0 });
  const { exports } = new WebAssembly.Instance(modules[key], { pool: { memory, image, marks: marks ?? noMarks } });
  return exports as unknown as Kernels;
}

/** Whether other threads can have the memory. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
}

function compile(shared: boolean): WebAssembly.Module {
  const bytes = Uint8Array.from(atob(KERNELS), (letter) => letter.charCodeAt(0));
  bytes.set(shared ? SHARED_LIMITS : UNSHARED_LIMITS, KERNELS_LIMITS.memory);
  bytes.set(UNSHARED_LIMITS, KERNELS_LIMITS.image);
  bytes.set(UNSHARED_LIMITS, KERNELS_LIMITS.marks);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new AllocatorError('unsupported', 'a reset needs an engine with SIMD and with several memories in a module', { cause });
  }
}
