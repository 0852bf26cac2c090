/** What attaching looks at: whatever was written over an arena's state, nothing in it may lead out of the memory, or round in circles. */

import { AllocatorError, formatAddress, type Address, type Memory, type Parent } from '@allokit/allocator';
import { classOf, groupsOf } from './groups.ts';
import {
  FREE,
  GROUP_OWNER,
  GROUP_WORDS,
  HELD,
  KIND_BITS,
  KIND_MASK,
  LARGE,
  PAGE_SIZE_LOG2,
  SLAB,
  SLAB_INDEX_SHIFT,
  SLAB_PAGES_SHIFT,
  THREAD_COUNT_MAX,
  TIERS,
  TIER_ALIGNMENT_LOG2,
  TIER_COUNT,
  TIER_COUNT_MAX,
  TIER_SEGMENTS,
  TIER_SEGMENT_COUNT,
  TIER_WORDS,
  threadWords,
} from './layout.ts';
import { pagesFrom } from './pages.ts';
import { Segment, tierGeometry } from './segment.ts';
import { CLASS_LARGE } from './size-class.ts';
import { threadRecordsStart } from './thread.ts';

type Fail = (what: string) => never;
/**
 * Refuses such a state. Others may be at work in it: only what holds at any moment is looked at. O(pages).
 *
 * @throws AllocatorError `corrupt`, or `bad-header` where the parent does not know the block.
 */
export function checkState(parent: Parent, address: Address): void {
  const { memory } = parent;
  const words = memory.i32;
  const state = address >>> 2;
  const tierCount = words[state + TIER_COUNT]!;
  const threads = words[state + THREAD_COUNT_MAX]!;
  const fail: Fail = (what) => {
    throw new AllocatorError('corrupt', `the arena at ${formatAddress(address)}: ${what}`);
  };
  if (tierCount < 1 || tierCount > TIER_COUNT_MAX) fail(`${tierCount} tiers`);
  if (threads < 2 || threads > 1024) fail(`${threads} places for threads`);
  const end = address + (threadRecordsStart(tierCount) + threads * threadWords(tierCount)) * 4;
  if (end > memory.committed) fail(`its state ends at ${end}, beyond the memory`);
  const pageSizeLog2 = words[state + PAGE_SIZE_LOG2]!;
  if (pageSizeLog2 < 12 || pageSizeLog2 > 16) fail(`pages of 2^${pageSizeLog2} bytes`);
  for (let tier = 0; tier < tierCount; tier += 1) checkTierRecord(memory, state, { tier, fail });
  if (!parent.owns(address)) throw new AllocatorError('bad-header', `the parent does not own ${formatAddress(address)}`);
}

function checkTierRecord(memory: Memory, state: number, { tier, fail }: { readonly tier: number; readonly fail: Fail }): void {
  const record = state + TIERS + tier * TIER_WORDS;
  const count = Atomics.load(memory.i32, record + TIER_SEGMENT_COUNT);
  // In this order: what another thread has just added lies in memory that it had added before.
  memory.refresh();
  const { i32: words, committed } = memory;
  const alignmentLog2 = words[record + TIER_ALIGNMENT_LOG2]!;
  if (alignmentLog2 < 0 || alignmentLog2 > 16) fail(`tier ${tier} aligns to 2^${alignmentLog2} bytes`);
  if (count < 1 || count > TIER_WORDS - TIER_SEGMENTS) fail(`tier ${tier} has ${count} segments`);
  for (let i = 0; i < count; i += 1) {
    const address = words[record + TIER_SEGMENTS + i]! >>> 0;
    const segment = address % 16 === 0 && address + 128 <= committed ? new Segment(words, address, 0, tierGeometry(words, state, tier)) : undefined;
    const fits = segment !== undefined && segment.pageCount > 0 && segment.base > address && segment.base + segment.size <= committed && segment.base >= (segment.entries + segment.pageCount) * 4;
    if (!fits) fail(`segment ${i} of tier ${tier} at ${formatAddress(address)} does not lie in the memory`);
    else checkTables(words, segment, fail);
  }
}

function checkTables(words: Int32Array, segment: Segment, fail: Fail): void {
  const { pageCount, entries, groups, pageSizeLog2 } = segment;
  for (let page = 0; page < pageCount; page += 1) {
    const entry = Atomics.load(words, entries + page);
    const kind = entry & KIND_MASK;
    const fits =
      entry === FREE ||
      (kind === HELD && entry > 0) ||
      (kind === LARGE && entry >>> KIND_BITS > 0 && page + (entry >>> KIND_BITS) <= pageCount) ||
      (kind === SLAB && isSlabPage(entry, page, pageCount) && groupsOf(entry, pageSizeLog2).count <= 1 << segment.groupsPerPageLog2);
    if (!fits) fail(`the page at ${formatAddress(segment.pageAddress(page))} cannot be what its entry says, 0x${(entry >>> 0).toString(16)}`);
  }
  for (let group = groups; group < entries; group += GROUP_WORDS) {
    const owner = Atomics.load(words, group + GROUP_OWNER);
    if (owner < 0) fail(`a group of slots belongs to thread ${owner}`);
  }
}

function isSlabPage(entry: number, page: number, pageCount: number): boolean {
  const index = entry >>> SLAB_INDEX_SHIFT;
  return classOf(entry) < CLASS_LARGE && page >= index && index < 2 ** ((entry >>> SLAB_PAGES_SHIFT) & 63) && page + pagesFrom(entry) <= pageCount;
}
