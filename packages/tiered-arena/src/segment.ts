/** A range of pages and the tables that say what they are: where everything of it lies. The range never changes; who has what is in memory alone. */

import { alignUp, type Address, type Memory } from '@allokit/allocator';
import {
  CHECKED,
  GROUPS_PER_LINE,
  GROUP_LINE_LOG2,
  GROUP_SLOTS_LOG2,
  GROUP_WORDS,
  PAGE_SIZE_LOG2,
  SEGMENT_BASE,
  SEGMENT_BLOCK_SIZE,
  SEGMENT_HEADER_WORDS,
  SEGMENT_PAGE_COUNT,
  SEGMENT_TIER,
  TIERS,
  TIER_ALIGNMENT_LOG2,
  TIER_WORDS,
} from './layout.ts';
import { CLASS_LARGE, SLOT_SIZE_MIN_LOG2 } from './size-class.ts';

/** What a tier's alignment and the size of pages make of it. */
export interface Geometry {
  /** Log2 of the bytes in a page. */
  readonly pageSizeLog2: number;
  /** Log2 of the tier's alignment in bytes. */
  readonly alignmentLog2: number;
  /** Whether there are tags. */
  readonly checked: boolean;
}

/** What an arena's state says of a tier. */
export function tierGeometry(words: Int32Array, state: number, tier: number): Geometry {
  return {
    pageSizeLog2: words[state + PAGE_SIZE_LOG2]!,
    alignmentLog2: words[state + TIERS + tier * TIER_WORDS + TIER_ALIGNMENT_LOG2]!,
    checked: words[state + CHECKED] === 1,
  };
}

/** Log2 of a tier's smallest slot. */
export function slotSizeMinLog2({ alignmentLog2 }: Geometry): number {
  return Math.max(SLOT_SIZE_MIN_LOG2, alignmentLog2);
}

/** Log2 of how many groups a page can have. */
export function groupsPerPageLog2(geometry: Geometry): number {
  return Math.max(0, geometry.pageSizeLog2 - slotSizeMinLog2(geometry) - GROUP_SLOTS_LOG2);
}

/** What the first page is aligned to, in bytes. */
export function baseAlignment({ pageSizeLog2, alignmentLog2 }: Geometry): number {
  return 2 ** Math.max(pageSizeLog2, alignmentLog2);
}

/** A segment's pages are a multiple of this, so that all offsets in a tier are aligned as addresses are. */
export function pagesPerUnit({ pageSizeLog2, alignmentLog2 }: Pick<Geometry, 'pageSizeLog2' | 'alignmentLog2'>): number {
  return 2 ** Math.max(0, alignmentLog2 - pageSizeLog2);
}

/** Words of ready bits for one class. */
function readyWordsOf(pageCount: number, geometry: Geometry): number {
  return Math.ceil((pageCount << groupsPerPageLog2(geometry)) / 32);
}

/** Log2 of the lines that groups are spread over at the least, as far as there are groups. */
const GROUP_LINES_MIN_LOG2 = 6;

/**
 * Log2 of the cache lines that groups lie in: the first group of every line, then the second one of every line, and so on. Pages that were taken one after the
 * other, by different threads as likely as not, have their groups in different lines: else one thread would wait for another's changes to words that are none
 * of its business.
 */
function groupLinesLog2(groupCount: number): number {
  return Math.min(Math.ceil(Math.log2(groupCount)), Math.max(GROUP_LINES_MIN_LOG2, Math.ceil(Math.log2(groupCount / GROUPS_PER_LINE))));
}

/** The tables' parts, as word offsets from the segment's start. */
function tables(pageCount: number, geometry: Geometry): { readonly groups: number; readonly entries: number; readonly tags: number; readonly end: number } {
  const groups = SEGMENT_HEADER_WORDS + alignUp(CLASS_LARGE * readyWordsOf(pageCount, geometry), 32);
  const entries = groups + 2 ** (GROUP_LINE_LOG2 + groupLinesLog2(pageCount << groupsPerPageLog2(geometry)));
  const tags = entries + pageCount;
  const tagWords = geometry.checked ? Math.ceil((pageCount * 2 ** (geometry.pageSizeLog2 - Math.min(geometry.pageSizeLog2, slotSizeMinLog2(geometry)))) / 2) : 0;
  return { groups, entries, tags, end: tags + tagWords };
}

/** Bytes that a segment of so many pages takes, its address being aligned as its first page is. */
export function segmentSize(pageCount: number, geometry: Geometry): number {
  return alignUp(tables(pageCount, geometry).end * 4, baseAlignment(geometry)) + pageCount * 2 ** geometry.pageSizeLog2;
}

/** One segment of a tier. */
export class Segment {
  /** Where its header lies. */
  readonly address: Address;
  /** The same as a word index. */
  readonly head: number;
  /** The address of its first page. */
  readonly base: Address;
  /** Pages there are. */
  readonly pageCount: number;
  /** Bytes of its pages. */
  readonly size: number;
  /** Bytes of the tier's earlier segments: offsets in a tier go on from one segment to the next. */
  readonly offset: number;
  /** Log2 of the bytes in a page. */
  readonly pageSizeLog2: number;
  /** Log2 of how many groups a page can have. */
  readonly groupsPerPageLog2: number;
  /** Words of ready bits for one class. */
  readonly readyWords: number;
  /** Where the ready bits start, a word index. */
  readonly ready: number;
  /** Where the groups start, a word index. */
  readonly groups: number;
  /** Log2 of the lines that groups are spread over. */
  readonly groupLinesLog2: number;
  /** Where the page table starts, a word index. */
  readonly entries: number;
  /** Where the tags start, an index of 16-bit words; 0 where there are none. */
  readonly tags: number;

  /** The segment whose header lies at `address`. */
  constructor(words: Int32Array, address: Address, offset: number, geometry: Geometry) {
    const head = address >>> 2;
    const pageCount = words[head + SEGMENT_PAGE_COUNT]!;
    const { groups, entries, tags } = tables(pageCount, geometry);
    this.address = address;
    this.head = head;
    this.base = words[head + SEGMENT_BASE]! >>> 0;
    this.pageCount = pageCount;
    this.size = pageCount * 2 ** geometry.pageSizeLog2;
    this.offset = offset;
    this.pageSizeLog2 = geometry.pageSizeLog2;
    this.groupsPerPageLog2 = groupsPerPageLog2(geometry);
    this.readyWords = readyWordsOf(pageCount, geometry);
    this.ready = head + SEGMENT_HEADER_WORDS;
    this.groups = head + groups;
    this.groupLinesLog2 = groupLinesLog2(pageCount << this.groupsPerPageLog2);
    this.entries = head + entries;
    this.tags = geometry.checked ? (head + tags) * 2 : 0;
  }

  /** Writes an empty segment's tables. The memory need not be zero. O(pages). */
  static format(memory: Memory, address: Address, { tier, pageCount, blockSize, geometry }: {
    /** The tier it belongs to. */
    readonly tier: number;
    /** Pages it gets. */
    readonly pageCount: number;
    /** Bytes of the parent's block, if it has one of its own. */
    readonly blockSize: number;
    /** The tier's. */
    readonly geometry: Geometry;
  }): void {
    const words = memory.i32;
    const head = address >>> 2;
    const { end } = tables(pageCount, geometry);
    words.fill(0, head, head + end);
    words[head + SEGMENT_BLOCK_SIZE] = blockSize | 0;
    words[head + SEGMENT_PAGE_COUNT] = pageCount;
    words[head + SEGMENT_BASE] = alignUp(address + end * 4, baseAlignment(geometry)) | 0;
    words[head + SEGMENT_TIER] = tier;
  }

  /** The address of a page. */
  pageAddress(page: number): Address {
    return this.base + page * 2 ** this.pageSizeLog2;
  }

  /** The page that `address` lies in; the address must lie in the segment. */
  pageOf(address: Address): number {
    return (address - this.base) >>> this.pageSizeLog2;
  }

  /** The word index of a group of the slab that begins at a page. */
  group(page: number, index: number): number {
    const number = (page << this.groupsPerPageLog2) + index;
    const row = number >>> this.groupLinesLog2;
    return this.groups + ((number - (row << this.groupLinesLog2)) << GROUP_LINE_LOG2) + row * GROUP_WORDS;
  }

  /** The number of a group in the segment: what the ready bits count by. */
  groupNumber(group: number): number {
    const offset = group - this.groups;
    const line = offset >>> GROUP_LINE_LOG2;
    return (((offset - (line << GROUP_LINE_LOG2)) / GROUP_WORDS) << this.groupLinesLog2) + line;
  }
}
