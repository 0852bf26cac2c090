/**
 * Addresses of released regions, kept for a while: whoever still works on them behind the scenes finds pages of zeros there, and not somebody else's memory.
 *
 * They cost addresses only. The oldest go back to the system when there are many, all of them when the system has none left.
 */

import { AllocatorError } from '@allokit/allocator';
import type { OperatingSystem } from '../operating-system.ts';

/** Addresses kept by each thread, in bytes: half a thousandth of what a process has; where a limit says that it has fewer, a sixteenth of these. */
const BYTES_MAX = 2 ** 36;
const SHARE_OF_LIMIT = 1 / 16;
/** Ranges kept by each thread: a process may have some 65,000. */
const RANGES_MAX = 1024;

interface Range {
  readonly address: bigint;
  readonly size: number;
}

const ranges: Range[] = [];
let bytes = 0;
let bytesMax: number | undefined;

/** The quarantine of this thread. */
export const quarantine = {
  /** Keeps a range that nobody holds any more. */
  add(os: OperatingSystem, address: bigint, size: number): void {
    ranges.push({ address, size });
    bytes += size;
    bytesMax ??= allowance(os);
    while (bytes > bytesMax || ranges.length > RANGES_MAX) unmapOldest(os);
  },

  /** Reserves a new range; when the system has no room, those that are kept make some. */
  reserve(os: OperatingSystem, size: number, alignment: number): bigint {
    try {
      return os.reserve(size, alignment);
    } catch (error) {
      if (ranges.length === 0 || !(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      while (ranges.length > 0) unmapOldest(os);
      return os.reserve(size, alignment);
    }
  },
};

function unmapOldest(os: OperatingSystem): void {
  const { address, size } = ranges.shift()!;
  bytes -= size;
  os.release(address, size);
}

function allowance(os: OperatingSystem): number {
  const limits = os.memoryLimits().filter(({ counts }) => counts === 'reserved' || counts === 'committed');
  return Math.min(BYTES_MAX, ...limits.map(({ limit }) => limit * SHARE_OF_LIMIT));
}
