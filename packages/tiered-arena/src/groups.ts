/**
 * Groups of slots: how a thread comes by the slots that it hands out, and how others give slots back to a group that is not theirs.
 *
 *     take       owner OPEN -> thread, then local = free, then free -> 0     the slots are in `local` before they leave `free`: death in between loses none
 *     let go     free |= local, local = 0, then owner -> OPEN, then look at free again
 *     free       free |= bit by whoever is not the owner, then look at the owner
 *     adopt      owner OPEN -> thread by whoever frees a slot, then local = bit
 *
 * Let go and free are the classical pair: each writes one word and then reads the other's, in sequential consistency, so at least one of them sees that a group
 * with free slots has no owner, and sets its ready bit.
 */

import {
  CLASSES,
  CLASS_WORDS,
  BASE,
  GROUP,
  GROUP_FREE,
  GROUP_OWNER,
  GROUP_SLOTS_LOG2,
  KIND_BITS,
  KIND_MASK,
  LOCAL,
  OPEN,
  RECYCLED_BYTES,
  SEGMENT_CURSOR,
  SEGMENT_HAS_EMPTY,
  SLAB,
  SLAB_INDEX_SHIFT,
  SLAB_PAGES_SHIFT,
} from './layout.ts';
import type { Segment } from './segment.ts';
import { SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import type { Thread } from './thread.ts';

/** The entry of a slab's first page. */
export function slabEntry(sizeClass: number, pagesLog2: number): number {
  return SLAB | (sizeClass << KIND_BITS) | (pagesLog2 << SLAB_PAGES_SHIFT);
}

/** The class of the slots in a slab. */
export function classOf(entry: number): number {
  return (entry >>> KIND_BITS) & 7;
}

/** Whether the entry is that of a slab's first page. */
export function isSlabHead(entry: number): boolean {
  return (entry & KIND_MASK) === SLAB && entry >>> SLAB_INDEX_SHIFT === 0;
}

/** How many groups the slab with this entry, which may be that of any of its pages, has, and one bit for each slot of one. */
export function groupsOf(entry: number, pageSizeLog2: number): { readonly count: number; readonly slots: number } {
  const slotCountLog2 = pageSizeLog2 + ((entry >>> SLAB_PAGES_SHIFT) & 63) - SLOT_SIZE_MIN_LOG2 - classOf(entry);
  return slotCountLog2 >= GROUP_SLOTS_LOG2 ? { count: 2 ** (slotCountLog2 - GROUP_SLOTS_LOG2), slots: -1 } : { count: 1, slots: 2 ** 2 ** slotCountLog2 - 1 };
}

/** Sets the bit by which others find a group with free slots. */
export function setReady(words: Int32Array, segment: Segment, sizeClass: number, group: number): void {
  const number = segment.groupNumber(group);
  const at = segment.ready + sizeClass * segment.readyWords + (number >>> 5);
  const bit = 1 << (number & 31);
  if ((Atomics.load(words, at) & bit) === 0) Atomics.or(words, at, bit);
}

/** Has the next search for empty slabs look. Where that was said already, a word that all threads share is only read. */
function noteEmpty(words: Int32Array, { head }: Segment): void {
  if (Atomics.load(words, head + SEGMENT_HAS_EMPTY) === 0) Atomics.store(words, head + SEGMENT_HAS_EMPTY, 1);
}

/** Where a thread keeps what it has of a class. */
export function classRecord(tierRecord: number, sizeClass: number): number {
  return tierRecord + CLASSES + sizeClass * CLASS_WORDS;
}

/**
 * Makes a group anybody's, with all that `local` has of it.
 *
 * @param local - Slots to give back with it.
 */
export function openGroup(words: Int32Array, segment: Segment, { sizeClass, group, local, slots }: {
  /** The class of its slots. */
  readonly sizeClass: number;
  /** The group. */
  readonly group: number;
  /** Slots to give back with it. */
  readonly local: number;
  /** All slots it has. */
  readonly slots: number;
}): void {
  if (local !== 0) Atomics.or(words, group + GROUP_FREE, local);
  Atomics.store(words, group + GROUP_OWNER, OPEN);
  const free = Atomics.load(words, group + GROUP_FREE);
  if (free !== 0) setReady(words, segment, sizeClass, group);
  if (free === slots) noteEmpty(words, segment);
}

/**
 * Frees slots in a group that is not this thread's. Wait-free: O(1).
 *
 * @returns Those of them that were free already.
 */
export function freeInGroup(words: Int32Array, segment: Segment, { sizeClass, group, bits, slots }: {
  /** The class of its slots. */
  readonly sizeClass: number;
  /** The group. */
  readonly group: number;
  /** The slots to free. */
  readonly bits: number;
  /** All slots it has. */
  readonly slots: number;
}): number {
  const before = Atomics.or(words, group + GROUP_FREE, bits);
  if (before === 0 && Atomics.load(words, group + GROUP_OWNER) === OPEN) setReady(words, segment, sizeClass, group);
  if ((before | bits) === slots) noteEmpty(words, segment);
  return before & bits;
}

/** Moves the free slots of a group that is this thread's to `local`, which must be empty. Returns whether there were any. */
export function takeSlots(words: Int32Array, record: number, tierRecord: number, sizeClass: number): boolean {
  const group = words[record + GROUP]!;
  for (;;) {
    const free = Atomics.load(words, group + GROUP_FREE);
    if (free === 0) return false;
    words[record + LOCAL] = free;
    if (Atomics.compareExchange(words, group + GROUP_FREE, free, 0) !== free) continue;
    countRecycled(words, tierRecord, countBits(free) * 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2));
    return true;
  }
}

/** Finds a group with free slots that nobody has, and takes it. O(pages in use / 32); where the search is thorough, O(pages / 32). */
export function acquireGroup(thread: Thread, segment: Segment, { tierRecord, sizeClass, isThorough }: {
  /** What the thread keeps for the tier. */
  readonly tierRecord: number;
  /** The class of the slots. */
  readonly sizeClass: number;
  /** Whether to look above the cursor too, which may be too low for a moment. */
  readonly isThorough: boolean;
}): boolean {
  const { words } = thread;
  const ready = segment.ready + sizeClass * segment.readyWords;
  const end = isThorough ? segment.readyWords : Math.min(segment.readyWords, ((words[segment.head + SEGMENT_CURSOR]! << segment.groupsPerPageLog2) + 31) >>> 5);
  for (let i = 0; i < end; i += 1) {
    for (let tried = 0, bits = words[ready + i]!; bits !== 0; bits = words[ready + i]! & ~tried) {
      const bit = bits & -bits;
      tried |= bit;
      if (tryAcquire(thread, segment, { tierRecord, sizeClass, number: (i << 5) + 31 - Math.clz32(bit), staysReady: false })) return true;
    }
  }
  return false;
}

/**
 * Takes a group that this thread let go of with free slots, if it is still to be had. Its ready bit stays, because threads that come and go in groups of their
 * own would otherwise wait for one another's changes to a word that tells all of them nothing new; who is misled by the bit clears it.
 */
export function reacquireGroup(thread: Thread, segment: Segment, { tierRecord, sizeClass, group }: {
  /** What the thread keeps for the tier. */
  readonly tierRecord: number;
  /** The class of its slots then. */
  readonly sizeClass: number;
  /** The group. */
  readonly group: number;
}): boolean {
  const { words } = thread;
  if (words[group + GROUP_OWNER] !== OPEN || words[group + GROUP_FREE] === 0) return false;
  return tryAcquire(thread, segment, { tierRecord, sizeClass, number: segment.groupNumber(group), staysReady: true });
}

function tryAcquire(thread: Thread, segment: Segment, { tierRecord, sizeClass, number, staysReady }: {
  readonly tierRecord: number;
  readonly sizeClass: number;
  readonly number: number;
  readonly staysReady: boolean;
}): boolean {
  const { words } = thread;
  const page = number >>> segment.groupsPerPageLog2;
  const index = number - (page << segment.groupsPerPageLog2);
  const group = segment.group(page, index);
  const record = classRecord(tierRecord, sizeClass);
  words[record + LOCAL] = 0;
  words[record + BASE] = (segment.pageAddress(page) + index * 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2 + GROUP_SLOTS_LOG2)) | 0;
  words[record + GROUP] = group;
  if (!staysReady) Atomics.and(words, segment.ready + sizeClass * segment.readyWords + (number >>> 5), ~(1 << (number & 31)));
  if (Atomics.compareExchange(words, group + GROUP_OWNER, OPEN, thread.id) === OPEN) {
    // Only now is it certain that the slab is there and stays there.
    const entry = Atomics.load(words, segment.entries + page);
    const isSlab = isSlabHead(entry);
    if (isSlab && classOf(entry) === sizeClass && takeSlots(words, record, tierRecord, sizeClass)) return true;
    if (isSlab) openGroup(words, segment, { sizeClass: classOf(entry), group, local: 0, slots: groupsOf(entry, segment.pageSizeLog2).slots });
    // A slab that is being made: its maker sets the ready bits when it is done.
    else Atomics.compareExchange(words, group + GROUP_OWNER, thread.id, OPEN);
  }
  words[record + GROUP] = 0;
  return false;
}

/**
 * Takes the group of a slot that this thread frees, which was anybody's, so that the slot is ready for its next allocation. This thread must have no group of
 * the class. The slot being live, its slab stays.
 *
 * @returns `false` when another thread took the group first.
 */
export function adoptGroup(thread: Thread, tierRecord: number, { sizeClass, group, address }: {
  /** The class of its slots. */
  readonly sizeClass: number;
  /** The group. */
  readonly group: number;
  /** The address of its first slot. */
  readonly address: number;
}): boolean {
  const { words } = thread;
  const record = classRecord(tierRecord, sizeClass);
  words[record + BASE] = address | 0;
  words[record + GROUP] = group;
  if (Atomics.compareExchange(words, group + GROUP_OWNER, OPEN, thread.id) === OPEN) return true;
  words[record + GROUP] = 0;
  return false;
}

/** How many bits are set. O(1). */
export function countBits(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x5555_5555);
  count = (count & 0x3333_3333) + ((count >>> 2) & 0x3333_3333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Counts bytes that are used again. */
export function countRecycled(words: Int32Array, tierRecord: number, bytes: number): void {
  const at = tierRecord + RECYCLED_BYTES;
  const low = (words[at]! >>> 0) + bytes;
  words[at] = low | 0;
  if (low >= 2 ** 32) words[at + 1]! += 1;
}
