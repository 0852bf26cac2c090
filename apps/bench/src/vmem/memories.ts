/** Memories for one use: made, handed out, and given back to the system before the next one is. */

import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

import { WasmMemory, type PagedMemory, type WasmMemoryOptions } from '@allokit/vmem';
import { NativeMemory, type NativeMemoryOptions } from '@allokit/vmem/native';

import { collectGarbage } from '../thread/collector.ts';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

/** Any memory that can be made, whatever stands behind it. */
export interface MemoryKind {
  readonly name: string;
  /** Makes a memory of `reserve` bytes, of which `commit` are committed, for as long as `work` lasts. */
  readonly use: <T>(size: { readonly reserve: number; readonly commit: number }, work: (memory: PagedMemory) => Promise<T>) => Promise<T>;
}

/** Collections after which memory that is still there must be held by somebody. */
const COLLECTIONS_MAX = 200;

/** Bytes that the process may have grown by otherwise: threads that have ended leave some behind. */
const NOISE = 48 * MIB;

/** Hands out a native memory. Rejects with AllocatorError `unsupported` without koffi. */
export async function withNative<T>(options: NativeMemoryOptions, work: (memory: NativeMemory) => Promise<T>): Promise<T> {
  const memory = NativeMemory.create(options);
  try {
    return await work(memory);
  } finally {
    memory.release();
  }
}

/** Hands out a WebAssembly memory. There is no call that gives it back but the collector's, which is waited for. */
export async function withWasm<T>(options: WasmMemoryOptions, work: (memory: WasmMemory) => Promise<T>): Promise<T> {
  const before = rssBytes();
  try {
    return await work(WasmMemory.create(options));
  } finally {
    await waitUntilCollected(before + NOISE);
  }
}

export const NATIVE: MemoryKind = { name: 'NativeMemory', use: withNative };
export const WASM: MemoryKind = { name: 'WasmMemory', use: withWasm };

/** Physical memory of this process: on Linux exactly, elsewhere and on old kernels as nearly as the system says it. */
export function rssBytes(): number {
  try {
    // What Node.js reads is counted in batches for each processor, and off by as much.
    const kilobytes = /^Rss: +(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss();
}

async function waitUntilCollected(rssMax: number): Promise<void> {
  for (let i = 0; i < COLLECTIONS_MAX; i += 1) {
    collectGarbage();
    // The engine unmaps on another thread.
    if (process.memoryUsage.rss() <= rssMax) return;
    await setTimeout(10);
  }
  throw new Error('the engine does not give a WebAssembly memory back');
}
