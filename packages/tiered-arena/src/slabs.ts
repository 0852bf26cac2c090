/**
 * Slabs: pages cut into slots of one class. Made when no group of the class has a free slot; made pages again when all slots of it are free and pages are
 * wanted.
 *
 *     make       pages HELD, all groups written, then the page table     until then nobody can free into it, and a group taken too early is let go
 *     dismantle  every group's owner OPEN -> thread, then the page table  one that is somebody's, or has a live slot, and all are let go again
 */

import {
  ABSENT,
  GROUP,
  GROUP_FREE,
  GROUP_OWNER,
  GROUP_SLOTS_LOG2,
  BASE,
  Intent,
  LOCAL,
  OPEN,
  SEGMENT_CURSOR,
  SEGMENT_HAS_EMPTY,
  SLAB_INDEX_SHIFT,
  TENURE,
} from './layout.ts';
import { classOf, classRecord, groupsOf, isSlabHead, openGroup, setReady, slabEntry } from './groups.ts';
import { claimRun, heldBy, pagesFrom, releaseRun } from './pages.ts';
import type { Segment } from './segment.ts';
import { SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import type { Thread } from './thread.ts';

/** Log2 of the pages that a slab of the class should have: enough for one full group, unless a page holds more. */
export function slabPagesLog2(sizeClass: number, pageSizeLog2: number): number {
  return Math.max(0, SLOT_SIZE_MIN_LOG2 + sizeClass + GROUP_SLOTS_LOG2 - pageSizeLog2);
}

/** Makes a slab of `2 ** pagesLog2` pages and takes its first group. Returns `false` when there are no such pages. O(groups) beyond the search. */
export function createSlab(thread: Thread, segment: Segment, { tierRecord, sizeClass, pagesLog2 }: {
  /** What the thread keeps for the tier. */
  readonly tierRecord: number;
  /** The class of its slots. */
  readonly sizeClass: number;
  /** Log2 of its pages. */
  readonly pagesLog2: number;
}): boolean {
  const pageCount = 1 << pagesLog2;
  const page = claimRun(thread, segment, pageCount, 1);
  if (page < 0) return false;
  const { words } = thread;
  const entry = slabEntry(sizeClass, pagesLog2);
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  const first = segment.group(page, 0);
  const record = classRecord(tierRecord, sizeClass);
  words[record + LOCAL] = slots;
  words[record + BASE] = segment.pageAddress(page) | 0;
  words[record + GROUP] = first;
  Atomics.store(words, first + GROUP_FREE, 0);
  Atomics.store(words, first + GROUP_OWNER, thread.id);
  for (let i = 1; i < count; i += 1) {
    Atomics.store(words, segment.group(page, i) + GROUP_FREE, slots);
    Atomics.store(words, segment.group(page, i) + GROUP_OWNER, OPEN);
  }
  for (let i = 1; i < pageCount; i += 1) Atomics.store(words, segment.entries + page + i, entry | (i << SLAB_INDEX_SHIFT));
  Atomics.store(words, segment.entries + page, entry);
  thread.done();
  for (let i = 1; i < count; i += 1) setReady(words, segment, sizeClass, segment.group(page, i));
  return true;
}

/**
 * Makes pages of a slab again, if none of its groups is anybody's and no slot is live.
 *
 * @returns Whether it did.
 */
export function dismantle(thread: Thread, segment: Segment, page: number, entry: number): boolean {
  const { words } = thread;
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  thread.declare(Intent.takeBack, segment, page, pagesFrom(entry));
  let taken = 0;
  while (taken < count && Atomics.compareExchange(words, segment.group(page, taken) + GROUP_OWNER, OPEN, thread.id) === OPEN) taken += 1;
  // The groups being ours, the slab cannot go; but it may have gone, and another one come, before they were.
  let isEmpty = taken === count && Atomics.load(words, segment.entries + page) === entry;
  for (let i = 0; i < count && isEmpty; i += 1) isEmpty = Atomics.load(words, segment.group(page, i) + GROUP_FREE) === slots;
  if (isEmpty) {
    dissolve(thread, segment, page, entry);
    return true;
  }
  letGo(thread, segment, { page, entry, taken });
  return false;
}

/** Makes pages of a slab all of whose groups are this thread's, whatever is live there. */
export function dissolve(thread: Thread, segment: Segment, page: number, entry: number): void {
  const { words } = thread;
  const { count } = groupsOf(entry, segment.pageSizeLog2);
  Atomics.store(words, segment.entries + page, heldBy(thread.id));
  thread.proceed(Intent.own);
  for (let i = 0; i < count; i += 1) {
    Atomics.store(words, segment.group(page, i) + GROUP_OWNER, ABSENT);
    Atomics.store(words, segment.group(page, i) + GROUP_FREE, 0);
  }
  releaseRun(thread, segment, page, pagesFrom(entry));
}

/** Opens the first groups of a slab again, which were taken to dismantle it. */
export function letGo(thread: Thread, segment: Segment, { page, entry, taken }: {
  /** The slab's first page. */
  readonly page: number;
  /** Its entry. */
  readonly entry: number;
  /** How many groups were taken. */
  readonly taken: number;
}): void {
  const { words } = thread;
  const found = Atomics.load(words, segment.entries + page);
  const sizeClass = classOf(isSlabHead(found) ? found : entry);
  for (let i = 0; i < taken; i += 1) openGroup(words, segment, { sizeClass, group: segment.group(page, i), local: 0, slots: groupsOf(found, segment.pageSizeLog2).slots });
  thread.done();
}

/** Dismantles every slab of a segment that can be. O(pages below the cursor), O(1) when nothing became empty since the last time. */
export function collect(thread: Thread, segment: Segment): boolean {
  const { words } = thread;
  if (Atomics.exchange(words, segment.head + SEGMENT_HAS_EMPTY, 0) === 0) return false;
  const end = Atomics.load(words, segment.head + SEGMENT_CURSOR);
  let isAny = false;
  for (let page = 0; page < end; ) {
    const entry = words[segment.entries + page]!;
    if (isSlabHead(entry) && looksEmpty(words, segment, page, entry) && dismantle(thread, segment, page, entry)) isAny = true;
    page += pagesFrom(entry);
  }
  return isAny;
}

function looksEmpty(words: Int32Array, segment: Segment, page: number, entry: number): boolean {
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  for (let i = 0; i < count; i += 1) {
    const group = segment.group(page, i);
    if (words[group + GROUP_OWNER] !== OPEN || words[group + GROUP_FREE] !== slots) return false;
  }
  return true;
}

/** Lets go of the group that this thread has of a class, if any. */
export function letGoOfClass(thread: Thread, segment: Segment, tierRecord: number, sizeClass: number): void {
  const { words } = thread;
  const record = classRecord(tierRecord, sizeClass);
  const group = words[record + GROUP]!;
  if (group === 0) return;
  const page = segment.groupNumber(group) >>> segment.groupsPerPageLog2;
  const { slots } = groupsOf(words[segment.entries + page]!, segment.pageSizeLog2);
  openGroup(words, segment, { sizeClass, group, local: words[record + LOCAL]!, slots });
  // Before there can be slots of another group: who takes one does two atomic operations in between.
  words[record + TENURE]! += 1;
  words[record + LOCAL] = 0;
  words[record + GROUP] = 0;
}
