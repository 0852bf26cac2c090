/**
 * A tier that is full takes a segment of its own from the parent. The one thing in an arena that a single thread does at a time: parents are not made for several.
 *
 * Whoever comes second waits a moment, and takes what the first one brought. A thread that dies while it grows stops the arena from growing until it is reclaimed, and nothing else.
 */

import { NULL, type Address } from '@allokit/allocator';
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
import { Segment, baseAlignment, segmentSize } from './segment.ts';
import type { Thread } from './thread.ts';
import type { Tier } from './tier.ts';

/** How often a thread looks whether another one is done growing, and how long it sleeps each time where it may. */
const PATIENCE = 100;
const PAUSE_MS = 1;

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
    return Atomics.load(thread.words, tier.tierState + TIER_SEGMENT_COUNT) > known || addSegment(tier, pageCount + step - 1, growth);
  } finally {
    thread.words = thread.memory.i32;
    Atomics.compareExchange(thread.words, thread.state + GROWER, thread.id, 0);
    tier.renew();
  }
}

function addSegment(tier: Tier, needed: number, growth: number): boolean {
  const { thread, geometry } = tier;
  const segments = tier.segments();
  const left = thread.words[tier.tierState + TIER_PAGE_COUNT_MAX]! - segments.reduce((sum, { pageCount }) => sum + pageCount, 0);
  if (segments.length === SEGMENT_COUNT_MAX || needed > left) return false;
  const wanted = Math.min(left, Math.max(needed, Math.ceil(growth / 2 ** geometry.pageSizeLog2)));
  for (const pageCount of wanted > needed ? [wanted, needed] : [needed]) {
    const size = segmentSize(pageCount, geometry);
    if (size >= 2 ** 32) continue;
    const address = thread.parent.allocate(size, baseAlignment(geometry));
    if (address === NULL) continue;
    enter(tier, address, pageCount, size);
    return true;
  }
  return false;
}

function enter(tier: Tier, address: Address, pageCount: number, size: number): void {
  const { thread } = tier;
  thread.words = thread.memory.i32;
  const { words, state } = thread;
  words[state + GROWTH_BLOCK_SIZE] = size | 0;
  Atomics.store(words, state + GROWTH_BLOCK, address | 0);
  Segment.format(thread.memory, address, { tier: tier.index, pageCount, blockSize: size, geometry: tier.geometry });
  const count = words[tier.tierState + TIER_SEGMENT_COUNT]!;
  words[tier.tierState + TIER_SEGMENTS + count] = address | 0;
  Atomics.store(words, tier.tierState + TIER_SEGMENT_COUNT, count + 1);
  Atomics.store(words, state + GROWTH_BLOCK, 0);
}

/** Waits while another thread grows, but not for ever. */
function wait({ words, state }: Thread): void {
  for (let i = 0; i < PATIENCE; i += 1) {
    const grower = Atomics.load(words, state + GROWER);
    if (grower === 0) return;
    try {
      Atomics.wait(words, state + GROWER, grower, PAUSE_MS);
    } catch {
      // The main thread of a browser must not sleep, and memory that is no SharedArrayBuffer cannot be slept on: look again at once.
    }
  }
}
