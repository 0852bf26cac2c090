/** How a new arena is laid out in its parent's block, and written there. */

import { HEADER_ALIGNMENT, alignUp, writeHeader, type Address, type Memory } from '@allokit/allocator';
import {
  ATTACH_COUNT,
  BLOCK_SIZE,
  CHECKED,
  HEADER,
  PAGE_SIZE_LOG2,
  THREAD_COUNT_MAX,
  TIERS,
  TIER_ALIGNMENT_LOG2,
  TIER_COUNT,
  TIER_GROWTH,
  TIER_NAME,
  TIER_NAME_SIZE,
  TIER_PAGE_COUNT_MAX,
  TIER_SEGMENTS,
  TIER_SEGMENT_COUNT,
  TIER_WORDS,
  threadWords,
} from './layout.ts';
import type { Decided } from './options.ts';
import { Segment, baseAlignment, segmentSize } from './segment.ts';
import { threadRecordsStart } from './thread.ts';

/** Where everything goes, from the arena's address on. */
export function plan({ tiers, threads, pageSizeLog2, checked }: Decided): { readonly size: number; readonly alignment: number; readonly segments: readonly number[] } {
  let end = (threadRecordsStart(tiers.length) + threads * threadWords(tiers.length)) * 4;
  let alignment = HEADER_ALIGNMENT;
  const segments: number[] = [];
  for (const { alignmentLog2, pageCount } of tiers) {
    const geometry = { alignmentLog2, pageSizeLog2, checked };
    const start = alignUp(end, baseAlignment(geometry));
    segments.push(start);
    end = start + segmentSize(pageCount, geometry);
    alignment = Math.max(alignment, baseAlignment(geometry));
  }
  return { size: end, alignment, segments };
}

/** Writes an empty arena; its header last. O(pages). */
export function format(memory: Memory, address: Address, { decided, size, segments }: { readonly decided: Decided; readonly size: number; readonly segments: readonly number[] }): void {
  const { tiers, threads, pageSizeLog2, checked } = decided;
  const words = memory.i32;
  const state = address >>> 2;
  words.fill(0, state, state + threadRecordsStart(tiers.length) + threads * threadWords(tiers.length));
  words[state + TIER_COUNT] = tiers.length;
  words[state + THREAD_COUNT_MAX] = threads;
  words[state + PAGE_SIZE_LOG2] = pageSizeLog2;
  words[state + CHECKED] = checked ? 1 : 0;
  words[state + BLOCK_SIZE] = size | 0;
  // Not from 0, so that a handle on an arena that lay here before has no number of this one's.
  words[state + ATTACH_COUNT] = Math.floor(Math.random() * 2 ** 20);
  for (const [index, { name, alignmentLog2, pageCount, growth, pageCountMax }] of tiers.entries()) {
    const record = state + TIERS + index * TIER_WORDS;
    const at = address + segments[index]!;
    Segment.format(memory, at, { tier: index, pageCount, blockSize: 0, geometry: { alignmentLog2, pageSizeLog2, checked } });
    words[record + TIER_ALIGNMENT_LOG2] = alignmentLog2;
    words[record + TIER_GROWTH] = growth | 0;
    words[record + TIER_PAGE_COUNT_MAX] = pageCountMax;
    words[record + TIER_NAME_SIZE] = name.length;
    memory.u8.set(name, (record + TIER_NAME) * 4);
    words[record + TIER_SEGMENTS] = at | 0;
    words[record + TIER_SEGMENT_COUNT] = 1;
  }
  writeHeader(memory, address, HEADER);
}
