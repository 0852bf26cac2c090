/** The figures of a tier, counted when they are asked for: the common path counts nothing. */

import type { AllocatorStats } from '@allokit/allocator';
import {
  FREE,
  GROUP_FREE,
  GROUP_OWNER,
  KIND_BITS,
  KIND_MASK,
  LARGE,
  OPEN,
  RECYCLED_BYTES,
  SEGMENT_CURSOR,
  SEGMENT_PEAK,
  TIER_FAILURES,
} from './layout.ts';
import { classOf, countBits, groupsOf, isSlabHead } from './groups.ts';
import { takenSlots } from './notices.ts';
import { pagesFrom } from './pages.ts';
import type { Segment } from './segment.ts';
import { CLASS_COUNT, CLASS_LARGE, SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import type { Tier } from './tier.ts';

/** The figures of a tier, in bytes unless they are counts. */
export interface TierStats extends AllocatorStats {
  /** Bytes from the tier's start to its cursor, free ones below it included. */
  readonly used: number;
  /** The most `used` ever was. */
  readonly peak: number;
  /** `max(0, liveBytes - used)`: 0 unless blocks lie above the cursor, which they do for a moment at the most. */
  readonly saved: number;
  /** Live blocks of each class: slots of 32, 64, .. 2048 bytes, and blocks of whole pages. */
  readonly classCounts: readonly number[];
  /** Bytes handed out again after they were freed, as threads took them: what a thread frees and gets again in its own group is not counted. */
  readonly recycledBytes: number;
  /** Bytes below the cursor that are free. */
  readonly freeBytes: number;
  /** The part of the free pages that is not in the longest free run, in 0..1; slots do not count. */
  readonly fragmentation: number;
  /** Segments there are. */
  readonly segmentCount: number;
}

interface Counts {
  readonly classCounts: number[];
  liveBytes: number;
  freePages: number;
  longestFreeRun: number;
}

/** Counts. O(pages). */
export function tierStats(tier: Tier): TierStats {
  const { thread } = tier;
  const { words } = thread;
  const segments = tier.segments();
  const pageSize = 2 ** tier.geometry.pageSizeLog2;
  const counts: Counts = { classCounts: new Array<number>(CLASS_COUNT).fill(0), liveBytes: 0, freePages: 0, longestFreeRun: 0 };
  for (const segment of segments) countSegment(tier, segment, counts);
  const used = pageSize * segments.reduce((sum, { head }) => sum + Atomics.load(words, head + SEGMENT_CURSOR), 0);
  return {
    capacity: segments.reduce((sum, { size }) => sum + size, 0),
    liveBytes: counts.liveBytes,
    failureCount: Atomics.load(words, tier.tierState + TIER_FAILURES) >>> 0,
    used,
    peak: pageSize * segments.reduce((sum, { head }) => sum + Atomics.load(words, head + SEGMENT_PEAK), 0),
    saved: Math.max(0, counts.liveBytes - used),
    classCounts: counts.classCounts,
    recycledBytes: recycledBytes(tier),
    freeBytes: Math.max(0, used - counts.liveBytes),
    fragmentation: counts.freePages === 0 ? 0 : 1 - counts.longestFreeRun / counts.freePages,
    segmentCount: segments.length,
  };
}

function countSegment(tier: Tier, segment: Segment, counts: Counts): void {
  const { words } = tier.thread;
  let run = 0;
  for (let page = 0; page < segment.pageCount; ) {
    const entry = Atomics.load(words, segment.entries + page);
    const pages = pagesFrom(entry);
    if (entry === FREE) {
      run += 1;
      counts.freePages += 1;
      counts.longestFreeRun = Math.max(counts.longestFreeRun, run);
    } else {
      run = 0;
    }
    if ((entry & KIND_MASK) === LARGE) {
      counts.liveBytes += (entry >>> KIND_BITS) * 2 ** segment.pageSizeLog2;
      counts.classCounts[CLASS_LARGE]! += 1;
    } else if (isSlabHead(entry)) {
      const live = liveSlots(tier, segment, page, entry);
      counts.liveBytes += live * 2 ** (classOf(entry) + SLOT_SIZE_MIN_LOG2);
      counts.classCounts[classOf(entry)]! += live;
    }
    page += pages;
  }
}

/** How many slots of a slab are live. */
function liveSlots(tier: Tier, segment: Segment, page: number, entry: number): number {
  const { words } = tier.thread;
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  let live = 0;
  for (let i = 0; i < count; i += 1) {
    const group = segment.group(page, i);
    const owner = Atomics.load(words, group + GROUP_OWNER);
    const taken = owner === OPEN ? 0 : takenSlots(tier, segment, { owner, sizeClass: classOf(entry), group });
    live += countBits(slots & ~(Atomics.load(words, group + GROUP_FREE) | taken));
  }
  return live;
}

function recycledBytes(tier: Tier): number {
  const { thread } = tier;
  let sum = 0;
  for (let place = 0; place < thread.placeCount; place += 1) {
    const at = thread.tierRecord(tier.index, thread.recordAt(place)) + RECYCLED_BYTES;
    sum += (thread.words[at]! >>> 0) + thread.words[at + 1]! * 2 ** 32;
  }
  return sum;
}
