/**
 * What a dead thread left behind becomes everybody's again. Each step reads what the dead thread had written before it acted, and can be repeated: a reclaimer
 * may die, too.
 */

import { AllocatorError, NULL, giveBack, type Address } from '@allokit/allocator';
import {
  ABSENT,
  FREE,
  GROUP,
  GROUP_FREE,
  GROUP_OWNER,
  GROWER,
  GROWTH_BLOCK,
  GROWTH_BLOCK_SIZE,
  GROWTH_LOST,
  HINT_COUNT,
  INTENT,
  INTENT_COUNT,
  INTENT_PAGE,
  INTENT_SEGMENT,
  Intent,
  KIND_MASK,
  LARGE,
  LOCAL,
  OPEN,
  SEGMENT_CURSOR,
  SEGMENT_HAS_EMPTY,
  SEGMENT_HINTS,
  TENURE,
  THREAD_LAST,
} from './layout.ts';
import { freeBlock, isCovered } from './blocks.ts';
import { classOf, classRecord, groupsOf, isSlabHead, openGroup, setReady } from './groups.ts';
import { obeyNotice } from './notices.ts';
import { endOfUse, heldBy, noteFree, pagesFrom, raiseCursor, releaseRun } from './pages.ts';
import type { Segment } from './segment.ts';
import { CLASS_LARGE } from './size-class.ts';
import type { Thread } from './thread.ts';
import type { Tier } from './tier.ts';

/** How often to look whether a live thread is done with pages that the dead one may have left. */
const PATIENCE = 1_000_000;

/**
 * Cleans up behind a thread.
 *
 * @param dead - A hand that stands in for it.
 * @returns The address that it allocated last, or `NULL`.
 */
export function cleanUp(tiers: readonly Tier[], living: Thread, dead: Thread): Address {
  recoverGrowth(tiers, living, dead);
  for (const tier of tiers) tier.segments();
  dead.words = living.words;
  settlePages(tiers, living, dead);
  for (const tier of tiers) {
    obeyNotice(tier, dead);
    const tierRecord = dead.tierRecord(tier.index);
    for (let c = 0; c < CLASS_LARGE; c += 1) openClass(tier, dead, classRecord(tierRecord, c), c);
    for (const segment of tier.segments()) restoreHints(living.words, segment);
  }
  return living.words[dead.record + THREAD_LAST]! >>> 0;
}

function openClass(tier: Tier, { words, id }: Thread, record: number, sizeClass: number): void {
  const group = words[record + GROUP]!;
  if (group !== 0 && Atomics.load(words, group + GROUP_OWNER) === id) {
    const segment = tier.segmentOfGroup(group);
    const page = segment.groupNumber(group) >>> segment.groupsPerPageLog2;
    const { slots } = groupsOf(Atomics.load(words, segment.entries + page), segment.pageSizeLog2);
    openGroup(words, segment, { sizeClass, group, local: words[record + LOCAL]!, slots });
  }
  words[record + TENURE]! += 1;
  // Without a group, too: who makes a slab has slots first, and the next thread in this place must not find them.
  words[record + LOCAL] = 0;
  words[record + GROUP] = 0;
}

/** Finishes or undoes what the thread was doing to pages. */
function settlePages(tiers: readonly Tier[], living: Thread, dead: Thread): void {
  const { words, record, id } = dead;
  const intent = words[record + INTENT]!;
  const address = words[record + INTENT_SEGMENT]! >>> 0;
  const segment = tiers.flatMap((tier) => tier.segments()).find((candidate) => candidate.address === address);
  if (intent === Intent.none || segment === undefined) return;
  const page = words[record + INTENT_PAGE]!;
  const count = words[record + INTENT_COUNT]!;
  const entry = Atomics.load(words, segment.entries + page);
  const isHeld = entry === heldBy(id);
  if (intent === Intent.own || (intent === Intent.takeBack && isHeld)) {
    settleOwn(dead, segment, { page, count, entry });
  } else if (intent === Intent.takeBack) {
    openBorrowed(dead, segment, page, entry);
  } else if (intent !== Intent.edge || !isEdgeOfBlock(living, segment, page)) {
    releaseHeld(dead, segment, page, count);
  }
  dead.done();
}

function settleOwn(dead: Thread, segment: Segment, { page, count, entry }: { readonly page: number; readonly count: number; readonly entry: number }): void {
  if ((entry & KIND_MASK) === LARGE) {
    freeBlock(dead, segment, page, entry);
  } else if (!isSlabHead(entry)) {
    // Groups of a slab that was being made or unmade. Nobody can have them for long: a thread that takes one finds no slab, and lets it go.
    for (let i = 0; i < 1 << segment.groupsPerPageLog2; i += 1) {
      Atomics.store(dead.words, segment.group(page, i) + GROUP_OWNER, ABSENT);
      Atomics.store(dead.words, segment.group(page, i) + GROUP_FREE, 0);
    }
    dead.proceed(Intent.own);
    releaseRun(dead, segment, page, count);
  }
}

/** Opens the groups that were taken to take a slab apart. */
function openBorrowed({ words, id }: Thread, segment: Segment, page: number, entry: number): void {
  for (let i = 0; i < 1 << segment.groupsPerPageLog2; i += 1) {
    const group = segment.group(page, i);
    if (Atomics.load(words, group + GROUP_OWNER) === id) {
      openGroup(words, segment, { sizeClass: classOf(entry), group, local: 0, slots: groupsOf(entry, segment.pageSizeLog2).slots });
    }
  }
}

/** Whether the pages belong to the block before them. Waits for threads that are just freeing it. */
function isEdgeOfBlock(living: Thread, segment: Segment, page: number): boolean {
  let patience = PATIENCE;
  while (patience > 0 && isBusy(living, segment, page)) patience -= 1;
  return isCovered(living.words, segment, page);
}

/** Whether a live thread is doing something to the page. */
function isBusy(living: Thread, { address }: Segment, page: number): boolean {
  const { words } = living;
  return living.records().some((record) => {
    const first = words[record + INTENT_PAGE]!;
    const intent = Atomics.load(words, record + INTENT);
    const isTaking = intent === Intent.takeBack || intent === Intent.own || intent === Intent.release;
    return isTaking && words[record + INTENT_SEGMENT]! >>> 0 === address && page >= first && page < first + words[record + INTENT_COUNT]!;
  });
}

/** Frees those of the pages that the thread still holds; where it was only taking them, as far as it had come. */
function releaseHeld({ words, record, id }: Thread, segment: Segment, page: number, count: number): void {
  const isPrefix = words[record + INTENT] === Intent.claim;
  for (let i = page; i < page + count; i += 1) {
    const found = Atomics.compareExchange(words, segment.entries + i, heldBy(id), FREE);
    // Behind a page that it did not get, its number marks the pages of older blocks.
    if (found !== heldBy(id) && isPrefix) break;
  }
  noteFree(words, segment, page, count);
}

/** A thread that died between freeing a slot and saying so left a group that nobody finds. */
function restoreHints(words: Int32Array, segment: Segment): void {
  for (let page = 0; page < segment.pageCount; ) {
    const entry = Atomics.load(words, segment.entries + page);
    if (isSlabHead(entry)) {
      const { count } = groupsOf(entry, segment.pageSizeLog2);
      for (let i = 0; i < count; i += 1) {
        const group = segment.group(page, i);
        if (Atomics.load(words, group + GROUP_OWNER) === OPEN && Atomics.load(words, group + GROUP_FREE) !== 0) setReady(words, segment, classOf(entry), group);
      }
    }
    page += pagesFrom(entry);
  }
  for (let i = 0; i < HINT_COUNT; i += 1) Atomics.store(words, segment.head + SEGMENT_HINTS + i, 0);
  Atomics.store(words, segment.head + SEGMENT_HAS_EMPTY, 1);
  raiseCursor(words, segment, endOfUse(words, segment, segment.pageCount));
  const cursor = Atomics.load(words, segment.head + SEGMENT_CURSOR);
  if (cursor > 0) noteFree(words, segment, cursor, 0);
}

/** Lets others grow again. Where the thread died inside of the parent, and the parent did not survive that, nobody grows any more. */
function recoverGrowth(tiers: readonly Tier[], living: Thread, { id }: Thread): void {
  const { words, state, parent } = living;
  if (Atomics.load(words, state + GROWER) !== id) return;
  const block = words[state + GROWTH_BLOCK]! >>> 0;
  try {
    if ('checkInvariants' in parent) parent.checkInvariants();
    const isEntered = tiers.some((tier) => tier.segments().some(({ address }) => address === block));
    if (block !== NULL && !isEntered) giveBack(parent, block, words[state + GROWTH_BLOCK_SIZE]! >>> 0);
  } catch (error) {
    // Somebody has the parent's lock, and nothing is known: the caller tries again.
    if (error instanceof AllocatorError && error.code === 'unsupported') throw error;
    Atomics.store(words, state + GROWTH_LOST, 1);
  }
  Atomics.store(words, state + GROWTH_BLOCK, 0);
  Atomics.compareExchange(words, state + GROWER, id, 0);
}
