/**
 * Runs of whole pages, taken and given back by any thread at any time.
 *
 *     take      FREE FREE FREE  =>  HELD FREE FREE  =>  HELD HELD HELD      one compare-exchange a page, in order of address; all back when one fails
 *     give      HELD HELD HELD  =>  FREE FREE FREE                          plain stores: nobody else writes to a page that is held
 *
 * Neighbouring free pages are one free run without anybody joining them: the page table has no other notion of a run. A compare-exchange from FREE cannot
 * suffer from ABA, since what it wants to know is whether the page is free now.
 */

import {
  FREE,
  HELD,
  HINT_COUNT,
  Intent,
  KIND_BITS,
  KIND_MASK,
  LARGE,
  SEGMENT_CURSOR,
  SEGMENT_HINTS,
  SEGMENT_PEAK,
  SLAB,
  SLAB_INDEX_SHIFT,
  SLAB_PAGES_SHIFT,
} from './layout.ts';
import type { Segment } from './segment.ts';
import type { Thread } from './thread.ts';

/** How far a free run is followed downwards when a page in it becomes free: the hints may miss what lies farther down until a search fails. */
const BACKWARD_MAX = 64;

/** The entry of a page that a thread holds. */
export function heldBy(id: number): number {
  return (id << KIND_BITS) | HELD;
}

/**
 * How many pages the entry at the head of something covers: 1 for what is no head. At least 1, so that no walk stands still, whatever was written over the
 * table.
 */
export function pagesFrom(entry: number): number {
  switch (entry & KIND_MASK) {
    case LARGE:
      return Math.max(1, entry >>> KIND_BITS);
    case SLAB:
      return Math.max(1, (1 << ((entry >>> SLAB_PAGES_SHIFT) & 63)) - (entry >>> SLAB_INDEX_SHIFT));
    default:
      return 1;
  }
}

/**
 * Takes `count` free pages that follow one another. The thread's intent is `claim` before the first is taken and `own` when all are. O(runs) beyond O(count),
 * from a hint on; O(1) more where nothing was freed since the cursor moved.
 *
 * @param step - The first page's address must be a multiple of so many pages.
 * @returns The first page, or -1.
 */
export function claimRun(thread: Thread, segment: Segment, count: number, step: number): number {
  if (count > segment.pageCount) return -1;
  const hint = segment.head + SEGMENT_HINTS + Math.min(HINT_COUNT - 1, 31 - Math.clz32(count));
  const start = Atomics.load(thread.words, hint);
  const page = search(thread, segment, { start, end: segment.pageCount, count, step, hint });
  return page >= 0 || start === 0 ? page : search(thread, segment, { start: 0, end: Math.min(segment.pageCount, start + count + step), count, step, hint: 0 });
}

interface Search {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly step: number;
  /** Where the hint for such runs lies, or 0. */
  readonly hint: number;
}

function search(thread: Thread, segment: Segment, { start, end, count, step, hint }: Search): number {
  const { words } = thread;
  const { entries } = segment;
  const worthKeeping = 2 ** (31 - Math.clz32(count));
  const firstBase = segment.base / 2 ** segment.pageSizeLog2;
  let skipped = -1;
  let page = start;
  while (page < end) {
    const entry = words[entries + page]!;
    if (entry !== FREE) {
      page += pagesFrom(entry);
      continue;
    }
    const aligned = step === 1 ? page : (Math.ceil((firstBase + page) / step) * step) - firstBase;
    let free = page + 1;
    while (free < end && free < aligned + count && words[entries + free] === FREE) free += 1;
    if (free < aligned + count) {
      if (skipped < 0 && free - page >= worthKeeping) skipped = page;
      page = free;
      continue;
    }
    if (tryClaim(thread, segment, aligned, count)) {
      const next = skipped >= 0 ? skipped : aligned === page ? aligned + count : page;
      if (hint !== 0 && next > start) Atomics.compareExchange(words, hint, start, next);
      return aligned;
    }
    page = aligned + 1;
  }
  return -1;
}

/** Takes these very pages, all or none. */
export function tryClaim(thread: Thread, segment: Segment, page: number, count: number): boolean {
  const { words } = thread;
  const held = heldBy(thread.id);
  thread.declare(Intent.claim, segment, page, count);
  for (let i = 0; i < count; i += 1) {
    if (Atomics.compareExchange(words, segment.entries + page + i, FREE, held) === FREE) continue;
    for (let k = i - 1; k >= 0; k -= 1) Atomics.store(words, segment.entries + page + k, FREE);
    thread.done();
    return false;
  }
  thread.proceed(Intent.own);
  // After the pages are taken: whoever lowers the cursor at this moment looks at them again after that.
  raiseCursor(words, segment, page + count);
  return true;
}

/**
 * Gives back pages that are this thread's own: its intent says `own`. O(count).
 *
 * In two steps, because others take the first pages while the last ones are still being given: what is still ours must be told apart at any moment.
 */
export function releaseRun(thread: Thread, segment: Segment, page: number, count: number): void {
  const { words } = thread;
  const from = segment.entries + page;
  words.fill(heldBy(thread.id), from, from + count);
  thread.proceed(Intent.release);
  // Word by word: on native memory `fill` is the C library's, which may write a word twice, and in between it can have become another thread's.
  for (let i = 1; i < count; i += 1) words[from + i] = FREE;
  Atomics.store(words, from, FREE);
  noteFree(words, segment, page, count);
  thread.done();
}

/** Tells the hints and the cursor of free pages. */
export function noteFree(words: Int32Array, segment: Segment, page: number, count: number): void {
  const { entries, head } = segment;
  let first = page;
  while (first > 0 && page - first < BACKWARD_MAX && words[entries + first - 1] === FREE) first -= 1;
  for (let i = 0; i < HINT_COUNT; i += 1) lower(words, head + SEGMENT_HINTS + i, first);
  lowerCursor(words, segment, page + count);
}

/** Pulls the cursor back over the free pages below `end`, if it stands there. */
function lowerCursor(words: Int32Array, segment: Segment, end: number): void {
  const { head, entries } = segment;
  if (Atomics.load(words, head + SEGMENT_CURSOR) !== end) return;
  const page = endOfUse(words, segment, end);
  if (Atomics.compareExchange(words, head + SEGMENT_CURSOR, end, page) !== end) return;
  // A page that was taken between our look and our change would lie above the cursor for good.
  for (let i = end - 1; i >= page; i -= 1) {
    if (Atomics.load(words, entries + i) === FREE) continue;
    raise(words, head + SEGMENT_CURSOR, i + 1);
    return;
  }
}

/** Where the last page in use below `end` ends. */
export function endOfUse(words: Int32Array, { entries }: Segment, end: number): number {
  let page = end;
  while (page > 0 && words[entries + page - 1] === FREE) page -= 1;
  return page;
}

/** Moves the cursor, and the highest it ever was, up to a page. */
export function raiseCursor(words: Int32Array, { head }: Segment, page: number): void {
  raise(words, head + SEGMENT_CURSOR, page);
  raise(words, head + SEGMENT_PEAK, page);
}

function raise(words: Int32Array, at: number, value: number): void {
  for (let seen = words[at]!; seen < value; ) {
    const found = Atomics.compareExchange(words, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}

function lower(words: Int32Array, at: number, value: number): void {
  for (let seen = words[at]!; seen > value; ) {
    const found = Atomics.compareExchange(words, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}
