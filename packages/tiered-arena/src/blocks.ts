/** Blocks of whole pages: what becomes of an entry of the page table when such a block is made, freed, or made longer or shorter where it stands. */

import { AllocatorError, formatAddress, type Address } from '@allokit/allocator';
import { HELD, Intent, KIND_BITS, KIND_MASK, LARGE, THREAD_LAST } from './layout.ts';
import { heldBy, releaseRun, tryClaim } from './pages.ts';
import type { Segment } from './segment.ts';
import type { Thread } from './thread.ts';

/** The entry of the first page of a block of so many pages. */
export function largeEntry(pageCount: number): number {
  return (pageCount << KIND_BITS) | LARGE;
}

/** Makes a block of pages that were claimed. O(1). */
export function publishBlock(thread: Thread, segment: Segment, page: number, count: number): Address {
  const { words } = thread;
  const address = segment.pageAddress(page);
  Atomics.store(words, segment.entries + page, largeEntry(count));
  words[thread.record + THREAD_LAST] = address | 0;
  thread.done();
  return address;
}

/**
 * Makes free pages of a block. O(pages), a few nanoseconds each.
 *
 * @param entry - What the page table said of it. Of two threads that free it at once, one finds another entry.
 * @returns Whether it was this thread that freed it.
 */
export function freeBlock(thread: Thread, segment: Segment, page: number, entry: number): boolean {
  const { words } = thread;
  const count = entry >>> KIND_BITS;
  thread.declare(Intent.takeBack, segment, page, count);
  if (Atomics.compareExchange(words, segment.entries + page, entry, heldBy(thread.id)) !== entry) {
    thread.done();
    return false;
  }
  thread.proceed(Intent.own);
  releaseRun(thread, segment, page, count);
  return true;
}

/** Moves the end of a block of pages. Returns `false` when the pages behind it are not free. O(pages). */
export function moveEnd(thread: Thread, segment: Segment, page: number, { from, to }: {
  /** Pages it has. */
  readonly from: number;
  /** Pages it should have. */
  readonly to: number;
}): boolean {
  return to < from ? truncate(thread, segment, page, { from, to }) : to === from || extend(thread, segment, page, { from, to });
}

function truncate(thread: Thread, segment: Segment, page: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const { words } = thread;
  const first = segment.entries + page + to;
  thread.declare(Intent.edge, segment, page + to, from - to);
  // While the block covers them it makes no difference by whom its pages are held.
  words.fill(heldBy(thread.id), first, first + from - to);
  exchangeEntry(thread, segment, page, { from, to });
  thread.proceed(Intent.own);
  releaseRun(thread, segment, page + to, from - to);
  return true;
}

function extend(thread: Thread, segment: Segment, page: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  if (page + to > segment.pageCount || !tryClaim(thread, segment, page + from, to - from)) return false;
  thread.proceed(Intent.edge);
  exchangeEntry(thread, segment, page, { from, to });
  thread.done();
  return true;
}

/** Another thread must not free the block meanwhile. Where it does nevertheless, what was claimed is given back first. */
function exchangeEntry(thread: Thread, segment: Segment, page: number, { from, to }: { readonly from: number; readonly to: number }): void {
  if (Atomics.compareExchange(thread.words, segment.entries + page, largeEntry(from), largeEntry(to)) === largeEntry(from)) return;
  if (to > from) {
    thread.proceed(Intent.own);
    releaseRun(thread, segment, page + from, to - from);
  } else {
    thread.done();
  }
  throw new AllocatorError('double-free', `another thread freed the block at ${formatAddress(segment.pageAddress(page))} while it was being resized`);
}

/** Whether a block reaches over a page. O(pages of the block before it). */
export function isCovered(words: Int32Array, segment: Segment, page: number): boolean {
  for (let head = page - 1; head >= 0; head -= 1) {
    const entry = Atomics.load(words, segment.entries + head);
    if ((entry & KIND_MASK) === LARGE) return head + (entry >>> KIND_BITS) > page;
    if ((entry & KIND_MASK) !== HELD) return false;
  }
  return false;
}
