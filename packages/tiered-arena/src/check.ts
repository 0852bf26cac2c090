/** Compares the tables of a tier with one another. */

import { AllocatorError } from '@allokit/allocator';
import {
  ABSENT,
  FREE,
  GROUP,
  GROUP_FREE,
  GROUP_OWNER,
  HELD,
  INTENT,
  Intent,
  KIND_BITS,
  KIND_MASK,
  LARGE,
  LOCAL,
  OPEN,
  SEGMENT_CURSOR,
  SEGMENT_PAGE_COUNT,
  SEGMENT_TIER,
  SLAB,
  SLAB_INDEX_SHIFT,
} from './layout.ts';
import { classOf, classRecord, groupsOf, isSlabHead } from './groups.ts';
import { pagesFrom } from './pages.ts';
import type { Segment } from './segment.ts';
import { CLASS_LARGE } from './size-class.ts';
import type { Tier } from './tier.ts';

type Fail = (what: string) => never;

/** Throws what is wrong with a tier. O(pages). */
export function checkTier(tier: Tier): void {
  const { thread } = tier;
  const fail: Fail = (what) => {
    throw new AllocatorError('corrupt', `tier ${JSON.stringify(tier.name)}: ${what}`);
  };
  // What is under way may leave pages held and groups unannounced; a thread that died leaves it so until it is reclaimed.
  const isQuiet = thread.records().every((record) => thread.words[record + INTENT] === Intent.none);
  const segments = tier.segments();
  if (segments.length === 0) fail('there is no segment');
  for (const segment of segments) {
    if (segment.base + segment.size > thread.memory.committed) fail(`the segment at ${segment.base} ends at ${segment.base + segment.size}, beyond the memory`);
    if (thread.words[segment.head + SEGMENT_TIER] !== tier.index || thread.words[segment.head + SEGMENT_PAGE_COUNT] !== segment.pageCount) fail(`the header of the segment at ${segment.address} changed`);
    checkSegment(tier, segment, { isQuiet, fail });
  }
  checkHolders(tier, fail);
}

function checkSegment(tier: Tier, segment: Segment, { isQuiet, fail }: { readonly isQuiet: boolean; readonly fail: Fail }): void {
  const { words } = tier.thread;
  const groupsPerPage = 1 << segment.groupsPerPageLog2;
  let end = 0;
  for (let page = 0; page < segment.pageCount; ) {
    const entry = words[segment.entries + page]!;
    const count = pagesFrom(entry);
    if (count < 1 || page + count > segment.pageCount) fail(`page ${page} begins ${count} pages, ${segment.pageCount - page} are left`);
    const kind = entry & KIND_MASK;
    if (entry !== FREE) end = page + count;
    if (kind === SLAB) checkSlab(tier, segment, { page, entry, isQuiet, fail });
    else if (kind === LARGE) checkBlock(words, segment, { page, entry, fail });
    else if (kind === HELD && isQuiet) fail(`page ${page} is held by thread ${entry >>> KIND_BITS}, which does nothing`);
    else if (kind !== HELD && entry !== FREE) fail(`page ${page} is ${entry}, which means nothing`);
    const groupCount = kind === SLAB ? groupsOf(entry, segment.pageSizeLog2).count : 0;
    for (let i = groupCount; i < groupsPerPage * count && isQuiet; i += 1) {
      if (words[segment.group(page, i) + GROUP_OWNER] !== ABSENT) fail(`group ${i} of page ${page} is no slab's, yet has an owner`);
    }
    page += count;
  }
  if (isQuiet && end > words[segment.head + SEGMENT_CURSOR]!) fail(`the cursor is at page ${words[segment.head + SEGMENT_CURSOR]!}, pages up to ${end} are in use`);
}

function checkBlock(words: Int32Array, segment: Segment, { page, entry, fail }: { readonly page: number; readonly entry: number; readonly fail: Fail }): void {
  for (let i = 1; i < entry >>> KIND_BITS; i += 1) {
    if ((words[segment.entries + page + i]! & KIND_MASK) !== HELD) fail(`page ${page + i} belongs to the block at page ${page}, but is not held`);
  }
}

function checkSlab(tier: Tier, segment: Segment, { page, entry, isQuiet, fail }: {
  readonly page: number;
  readonly entry: number;
  readonly isQuiet: boolean;
  readonly fail: Fail;
}): void {
  const { thread } = tier;
  const { words } = thread;
  // Its first page is written last, and the first to go.
  if (!isSlabHead(entry) && !isQuiet) return;
  if (!isSlabHead(entry)) fail(`page ${page} is page ${entry >>> SLAB_INDEX_SHIFT} of a slab that begins nowhere`);
  const sizeClass = classOf(entry);
  if (sizeClass >= CLASS_LARGE) fail(`the slab at page ${page} has class ${sizeClass}`);
  for (let i = 1; i < pagesFrom(entry); i += 1) {
    if (words[segment.entries + page + i] !== (entry | (i << SLAB_INDEX_SHIFT))) fail(`page ${page + i} should be page ${i} of the slab at page ${page}`);
  }
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  const only = thread.ids().length === 1;
  for (let i = 0; i < count; i += 1) {
    const group = segment.group(page, i);
    const owner = words[group + GROUP_OWNER]!;
    const free = words[group + GROUP_FREE]!;
    if ((free & ~slots) !== 0) fail(`group ${i} of the slab at page ${page} has free slots that do not exist`);
    if (owner === OPEN) {
      const number = segment.groupNumber(group);
      const ready = words[segment.ready + sizeClass * segment.readyWords + (number >>> 5)]!;
      if (only && free !== 0 && (ready & (1 << (number & 31))) === 0) fail(`group ${i} of the slab at page ${page} has free slots that nobody finds`);
      continue;
    }
    if (owner === ABSENT || thread.recordOf(owner) === 0) fail(`group ${i} of the slab at page ${page} belongs to thread ${owner}, which is not there`);
    const record = classRecord(thread.tierRecord(tier.index, thread.recordOf(owner)), sizeClass);
    const borrowed = words[thread.recordOf(owner) + INTENT] !== Intent.none;
    if (words[record + GROUP] !== group && !borrowed) fail(`group ${i} of the slab at page ${page} belongs to thread ${owner}, which has another`);
    if (words[record + GROUP] === group && (words[record + LOCAL]! & free) !== 0 && only) fail(`slots of group ${i} of the slab at page ${page} are free twice`);
  }
}

function checkHolders(tier: Tier, fail: Fail): void {
  const { thread } = tier;
  for (const id of thread.ids()) {
    // A thread that is making a slab has its first group before there is one.
    if (thread.words[thread.recordOf(id) + INTENT] === Intent.none) checkHolder(tier, id, fail);
  }
}

function checkHolder(tier: Tier, id: number, fail: Fail): void {
  const { thread } = tier;
  const tierRecord = thread.tierRecord(tier.index, thread.recordOf(id));
  for (let c = 0; c < CLASS_LARGE; c += 1) {
    const record = classRecord(tierRecord, c);
    const group = thread.words[record + GROUP]!;
    if (group === 0) continue;
    const isOfTier = tier.segments().some(({ groups, entries }) => group >= groups && group < entries);
    if (!isOfTier) fail(`thread ${id} says it has group ${group}, which is none of the tier's`);
    const segment = tier.segmentOfGroup(group);
    const entry = thread.words[segment.entries + (segment.groupNumber(group) >>> segment.groupsPerPageLog2)]!;
    const isOwner = thread.words[group + GROUP_OWNER] === id;
    if (isOwner && (!isSlabHead(entry) || classOf(entry) !== c)) fail(`thread ${id} has group ${group} for class ${c}, the slab has another`);
    if (isOwner && (thread.words[record + LOCAL]! & ~groupsOf(entry, segment.pageSizeLog2).slots) !== 0) fail(`thread ${id} has slots of group ${group} that do not exist`);
  }
}
