/**
 * A tier that is full takes a segment of its own from the parent. The one thing in an arena that a single thread does at a time: parents are not made for
 * several.
 *
 * Whoever comes second waits for a tenth of a second at the most, and takes what the first one brought. A thread that dies while it grows stops the arena from
 * growing until it is reclaimed, and nothing else.
 */

import { AllocatorError, NULL, formatAddress, type Address } from '@allokit/allocator';
import {
  GROWER,
  GROWTH_BLOCK,
  GROWTH_BLOCK_SIZE,
  GROWTH_LOST,
  SEGMENT_COUNT_MAX,
  TIER_GROWTH,
  TIER_PAGE_COUNT_MAX,
  TIER_SEGMENTS,
  TIER_SEGMENT_COUNT,
} from './layout.ts';
import { Segment, baseAlignment, pagesPerUnit, segmentSize } from './segment.ts';
import type { Thread } from './thread.ts';
import type { Tier } from './tier.ts';

/** How long a thread waits for another one to be done growing, and how long it sleeps each time where it may. */
const PATIENCE_MS = 100;
const NAP_MS = 0.2;
/** A tier grows by so much of what it has, or by more: else its segments would run out before the memory does. */
const GROWTH_SHARE = 0.5;

/**
 * Adds a segment in which `pageCount` pages fit.
 *
 * @param step - The first page's address must be a multiple of so many pages.
 * @returns Whether it is worth trying again: there is a new segment, of this thread's or another's.
 */
export function grow(tier: Tier, pageCount: number, step: number): boolean {
  const { thread } = tier;
  const growth = thread.words[tier.tierState + TIER_GROWTH]! >>> 0;
  const known = tier.segments().length;
  if (growth === 0 || thread.words[thread.state + GROWTH_LOST] === 1) return false;
  if (Atomics.compareExchange(thread.words, thread.state + GROWER, 0, thread.id) !== 0) {
    wait(thread);
    return tier.segments().length > known;
  }
  try {
    renewParent(thread);
    return Atomics.load(thread.words, tier.tierState + TIER_SEGMENT_COUNT) > known || addSegment(tier, pageCount + step - 1, growth);
  } finally {
    thread.words = thread.memory.i32;
    // Before anything that may throw: it is not to be left behind.
    Atomics.compareExchange(thread.words, thread.state + GROWER, thread.id, 0);
    tier.renew();
  }
}

function addSegment(tier: Tier, needed: number, growth: number): boolean {
  const { thread, geometry } = tier;
  const segments = tier.segments();
  const left = thread.words[tier.tierState + TIER_PAGE_COUNT_MAX]! - segments.reduce((sum, { pageCount }) => sum + pageCount, 0);
  if (segments.length === SEGMENT_COUNT_MAX || needed > left) return false;
  const unit = pagesPerUnit(geometry);
  const least = Math.ceil(growth / 2 ** geometry.pageSizeLog2);
  const share = Math.ceil(GROWTH_SHARE * segments.reduce((sum, { pageCount }) => sum + pageCount, 0));
  const sizes = [Math.max(share, least, needed), Math.max(least, needed), needed].map((count) => Math.min(Math.ceil(count / unit), Math.floor(left / unit)) * unit);
  for (const pageCount of new Set(sizes)) {
    const size = segmentSize(pageCount, geometry);
    if (size >= 2 ** 32 || pageCount < needed) continue;
    const address = thread.parent.allocate(size, baseAlignment(geometry));
    if (address === NULL) continue;
    enter(tier, address, pageCount, size);
    return true;
  }
  return false;
}

function enter(tier: Tier, address: Address, pageCount: number, size: number): void {
  const { thread } = tier;
  thread.memory.refresh();
  thread.words = thread.memory.i32;
  const { words, state } = thread;
  if (address + size > words.length * 4) throw new AllocatorError('corrupt', `the parent's block at ${formatAddress(address)} ends beyond the memory`);
  words[state + GROWTH_BLOCK_SIZE] = size | 0;
  Atomics.store(words, state + GROWTH_BLOCK, address | 0);
  Segment.format(thread.memory, address, { tier: tier.index, pageCount, blockSize: size, geometry: tier.geometry });
  const count = words[tier.tierState + TIER_SEGMENT_COUNT]!;
  words[tier.tierState + TIER_SEGMENTS + count] = address | 0;
  Atomics.store(words, tier.tierState + TIER_SEGMENT_COUNT, count + 1);
  Atomics.store(words, state + GROWTH_BLOCK, 0);
}

/** Others may have grown through the same parent: what this thread knows of it must be what is. */
function renewParent(thread: Thread): void {
  thread.memory.refresh();
  thread.words = thread.memory.i32;
  if (!('stats' in thread.parent)) return;
  try {
    thread.parent.stats();
  } catch (error) {
    // A lock that this thread may not wait for. What takes it later on looks for itself.
    if (!(error instanceof AllocatorError && error.code === 'unsupported')) throw error;
  }
}

/** Waits while another thread grows, but not for ever. Where nobody else can see the memory, there is nobody to wait for. */
function wait({ memory, words, state }: Thread): void {
  if (!memory.shared) return;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + PATIENCE_MS; Atomics.load(words, state + GROWER) !== 0 && performance.now() < end; ) {
    try {
      // On a word of its own, because native memory cannot be waited on.
      Atomics.wait(nap, 0, 0, NAP_MS);
    } catch {
      // The main thread of a browser must not sleep: it looks again at once.
    }
  }
}
