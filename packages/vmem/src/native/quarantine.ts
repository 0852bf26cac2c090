/**
 * Addresses of released regions, kept for a while: whoever still works on them behind the scenes finds pages of zeros there, and not somebody else's memory.
 *
 * They cost addresses only. The oldest go back to the system when there are many, all of them when the system has none left, or no right to more memory.
 */

import { AllocatorError } from '@allokit/allocator';
import { isMainThread } from 'node:worker_threads';
import type { OperatingSystem } from '../operating-system.ts';

/** Addresses kept by each thread, in bytes: half a thousandth of what a process has; where a limit says that it has fewer, a sixteenth of these. */
const BYTES_MAX = isMainThread ? 2 ** 36 : 2 ** 33;
const SHARE_OF_LIMIT = 1 / 16;
/** Ranges kept by each thread: a process may have some 65,000, and what a worker keeps to its end is lost. */
const RANGES_MAX = isMainThread ? 1024 : 16;
/** Ranges kept of memories that were forgotten: bytes of them may have been moved away, and be in use as long as the process lives. */
const FORGOTTEN_MAX = 8192;
/** After this time, in milliseconds, nothing is taken to be at work any more when a worker ends. */
const REST_MS = 1000;

interface Range {
  readonly os: OperatingSystem;
  readonly address: bigint;
  readonly size: number;
  readonly sinceMs: number;
}

const released: Range[] = [];
const forgotten: Range[] = [];
let bytes = 0;
let bytesMax: number | undefined;

/** The quarantine of this thread. */
export const quarantine = {
  /** Keeps a range that nobody holds any more; one whose handle was forgotten, as long as possible. */
  add(os: OperatingSystem, address: bigint, size: number, isForgotten: boolean): void {
    const range = { os, address, size, sinceMs: performance.now() };
    if (isForgotten) {
      forgotten.push(range);
      if (forgotten.length > FORGOTTEN_MAX) unmap(forgotten.shift()!);
      return;
    }
    released.push(range);
    bytes += size;
    bytesMax ??= allowance(os);
    // The latest stays, however large.
    while (released.length > 1 && (bytes > bytesMax || released.length > RANGES_MAX)) unmapOldest();
  },

  /** Calls what needs addresses or memory; when there is none, what is kept makes room. */
  makingRoom<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      const isShortage = error instanceof AllocatorError && error.code === 'out-of-memory';
      if (!isShortage || released.length + forgotten.length === 0) throw error;
      while (released.length > 0) unmapOldest();
      while (forgotten.length > 0) unmap(forgotten.shift()!);
      return call();
    }
  },

  /** The thread ends, and nobody keeps account any more. */
  close(): void {
    const restedMs = performance.now() - REST_MS;
    while (released.length > 0 && released[0]!.sinceMs < restedMs) unmapOldest();
  },
};

function unmapOldest(): void {
  const range = released.shift()!;
  bytes -= range.size;
  unmap(range);
}

function unmap({ os, address, size }: Range): void {
  os.release(address, size);
}

function allowance(os: OperatingSystem): number {
  const limits = os.memoryLimits().filter(({ counts }) => counts === 'reserved' || counts === 'committed');
  return Math.min(BYTES_MAX, ...limits.map(({ limit }) => limit * SHARE_OF_LIMIT));
}
