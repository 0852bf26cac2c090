/**
 * What one thread has to tell another about slots that the other holds: from an offset on, everything was freed. Nobody but the owner writes to a group's
 * `local`, so a compaction leaves a notice, and the owner obeys it before it does anything else.
 */

import { BASE, GROUP, GROUP_FREE, GROUP_OWNER, LOCAL, NOTICE, NO_NOTICE, SLAB_INDEX_SHIFT, TENURE } from './layout.ts';
import { classRecord, groupsOf, isSlabHead } from './groups.ts';
import type { Segment } from './segment.ts';
import { CLASS_LARGE, SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import { slotSizeMinLog2 } from './segment.ts';
import { dismantle, letGoOfClass } from './slabs.ts';
import { retire } from './tags.ts';
import type { Thread } from './thread.ts';
import type { Tier } from './tier.ts';

/** Which slots of a group lie at or above an offset in the tier. */
export function slotsFrom(boundary: number, offset: number, sizeClass: number): number {
  const first = Math.ceil((boundary - offset) / 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2));
  return first >= 32 ? 0 : -1 << Math.max(0, first);
}

/** Where a group's first slot lies, as an offset in the tier. */
export function offsetOfGroup(segment: Segment, words: Int32Array, record: number): number {
  return segment.offset + (words[record + BASE]! >>> 0) - segment.base;
}

/** Tells a thread that everything from `boundary` on was freed. */
export function leaveNotice(words: Int32Array, tierRecord: number, boundary: number): void {
  const at = tierRecord + NOTICE;
  for (let seen = Atomics.load(words, at); seen >>> 0 > boundary; ) {
    const found = Atomics.compareExchange(words, at, seen, boundary | 0);
    if (found === seen) return;
    seen = found;
  }
}

/** Frees what the notice says, in the groups of this thread or of a dead one that it stands in for. The notice goes last: death before that loses nothing. */
export function obeyNotice(tier: Tier, thread: Thread = tier.thread): void {
  const { words } = thread;
  const tierRecord = thread.tierRecord(tier.index);
  const notice = Atomics.load(words, tierRecord + NOTICE);
  if (notice === NO_NOTICE) return;
  for (let c = 0; c < CLASS_LARGE; c += 1) {
    const record = classRecord(tierRecord, c);
    const group = words[record + GROUP]!;
    // One that died may have been about to take the group, or have let go of it already.
    if (group === 0 || Atomics.load(words, group + GROUP_OWNER) !== thread.id) continue;
    const segment = tier.segmentOfGroup(group);
    const page = segment.groupNumber(group) >>> segment.groupsPerPageLog2;
    const { slots } = groupsOf(words[segment.entries + page]!, segment.pageSizeLog2);
    const freed = slotsFrom(notice >>> 0, offsetOfGroup(segment, words, record), c) & slots;
    retireSlots(tier, segment, { address: words[record + BASE]! >>> 0, sizeClass: c, slots: freed & ~(words[record + LOCAL]! | Atomics.load(words, group + GROUP_FREE)) });
    words[record + LOCAL]! |= freed;
    Atomics.and(words, group + GROUP_FREE, ~freed);
    if (freed === slots && thread === tier.thread) giveUp(thread, segment, { tierRecord, sizeClass: c, page });
  }
  Atomics.compareExchange(words, tierRecord + NOTICE, notice, NO_NOTICE);
}

/**
 * Lets go of a group that is empty now, and of its slab with it, which the compaction could not take apart. Who calls seldom would keep it from everybody else.
 */
function giveUp(thread: Thread, segment: Segment, { tierRecord, sizeClass, page }: { readonly tierRecord: number; readonly sizeClass: number; readonly page: number }): void {
  // While the group is this thread's the slab stays; afterwards there may be another one, or none.
  const head = page - (Atomics.load(thread.words, segment.entries + page) >>> SLAB_INDEX_SHIFT);
  letGoOfClass(thread, segment, tierRecord, sizeClass);
  const entry = Atomics.load(thread.words, segment.entries + head);
  if (isSlabHead(entry)) dismantle(thread, segment, head, entry);
}

/** The free slots that a group's owner has for itself, those of a notice included that it did not obey yet. */
export function takenSlots(tier: Tier, segment: Segment, { owner, sizeClass, group }: {
  /** The group's owner. */
  readonly owner: number;
  /** The class of its slots. */
  readonly sizeClass: number;
  /** The group. */
  readonly group: number;
}): number {
  const { thread } = tier;
  const { words } = thread;
  const owners = thread.recordOf(owner);
  if (owners === 0) return 0;
  const tierRecord = thread.tierRecord(tier.index, owners);
  const record = classRecord(tierRecord, sizeClass);
  const tenure = Atomics.load(words, record + TENURE);
  if (Atomics.load(words, record + GROUP) !== group) return 0;
  const notice = Atomics.load(words, tierRecord + NOTICE);
  const freed = notice === NO_NOTICE ? 0 : slotsFrom(notice >>> 0, offsetOfGroup(segment, words, record), sizeClass);
  const taken = Atomics.load(words, record + LOCAL) | freed;
  // Once the owner has let go of the group, these may be slots of the next one it took; what was free of this one is in its `free`.
  return Atomics.load(words, record + TENURE) === tenure ? taken : 0;
}

/** Ends the generations of slots that a compaction frees. */
export function retireSlots(tier: Tier, segment: Segment, { address, sizeClass, slots }: {
  /** The group's first slot. */
  readonly address: number;
  /** Its class. */
  readonly sizeClass: number;
  /** Those that were live. */
  readonly slots: number;
}): void {
  if (segment.tags === 0) return;
  for (let rest = slots; rest !== 0; rest &= rest - 1) {
    const slot = 31 - Math.clz32(rest & -rest);
    retire(tier.memory, segment, address + slot * 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2), slotSizeMinLog2(tier.geometry));
  }
}
