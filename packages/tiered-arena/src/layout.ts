/**
 * Where everything lies in memory, in 32-bit words. What several threads write is written by atomic operations; what only its thread writes is plain.
 *
 *     arena     header | fields | tier records | thread records            at the arena's address
 *     segment   header | ready bits | groups | page table | tags | pages   the first of each tier behind the arena's state, others where growth found room
 *
 * **Page table**: one word a page. It is the truth about who has what; cursors, hints and ready bits only shorten searches.
 *
 *     FREE  0
 *     HELD  thread << 3                         a thread is about to take the page or to give it back; or: it belongs to the block that begins before it
 *     SLAB  class << 3 | log2 pages << 6 | n << 12   the n-th page of a slab
 *     LARGE pages << 3                          the first page of a block of whole pages; HELD pages follow
 *
 * **Group**: 32 slots of a slab, two words. `free`: one bit for each slot that can be had. `owner`: 0 where there is no slab, OPEN when anybody may have the
 * group, or the thread that allocates from it. That thread keeps the slots it took in its own record, `local`: the common path touches nothing that others
 * write. Groups of neighbouring pages lie in different lines of the cache.
 *
 *     a slot is live  <=>  its bit is in neither `free` nor the owner's `local`
 */

import { HEADER_SIZE } from '@allokit/allocator';
import { CLASS_COUNT } from './size-class.ts';

/** What lies at an arena's address. */
export const HEADER = { kind: 'TIER', version: 1 };

// The arena's fields.
const FIELDS = HEADER_SIZE / 4;
/** Tiers there are. */
export const TIER_COUNT = FIELDS;
/** Threads that can be attached at once. */
export const THREAD_COUNT_MAX = FIELDS + 1;
/** Log2 of the bytes in a page. */
export const PAGE_SIZE_LOG2 = FIELDS + 2;
/** 1 when handles carry a generation. */
export const CHECKED = FIELDS + 3;
/** Attachments so far: what makes thread numbers unique. */
export const ATTACH_COUNT = FIELDS + 4;
/** The thread that takes memory from the parent, or 0. */
export const GROWER = FIELDS + 5;
/** Bytes of the parent's block. */
export const BLOCK_SIZE = FIELDS + 6;
/** 1 when a thread died while it took memory from the parent, which is damaged since. */
export const GROWTH_LOST = FIELDS + 7;
/** What the grower got from the parent and did not enter yet, or 0. */
export const GROWTH_BLOCK = FIELDS + 8;
/** Bytes of it. */
export const GROWTH_BLOCK_SIZE = FIELDS + 9;

/** Where the tier records start. */
export const TIERS = 16;
/** The most tiers there can be. */
export const TIER_COUNT_MAX = 8;
/** The most segments a tier can have. */
export const SEGMENT_COUNT_MAX = 16;
/** Bytes that a tier's name can have. */
export const NAME_SIZE_MAX = 24;

// A tier's record.
/** Log2 of the alignment in bytes. */
export const TIER_ALIGNMENT_LOG2 = 0;
/** Bytes of a new segment at the least; 0 where the tier does not grow. */
export const TIER_GROWTH = 1;
/** Pages that the tier can have at the most. */
export const TIER_PAGE_COUNT_MAX = 2;
/** Segments there are. */
export const TIER_SEGMENT_COUNT = 3;
/** Requests answered with `NULL`. */
export const TIER_FAILURES = 4;
/** 1 when the tier was released. */
export const TIER_CLOSED = 5;
/** Bytes of the name. */
export const TIER_NAME_SIZE = 6;
/** The name in UTF-8. */
export const TIER_NAME = 8;
/** Addresses of the segments. */
export const TIER_SEGMENTS = 16;
/** Words of a tier's record. */
export const TIER_WORDS = 32;

// A thread's record: what only this thread writes, but for its number and the notices.
/** The thread's number, or 0 for a place that can be had. */
export const THREAD_ID = 0;
/** The address it allocated last. */
export const THREAD_LAST = 1;
/** What it is doing to pages: see {@link Intent}. */
export const INTENT = 2;
/** The address of the segment it does it in. */
export const INTENT_SEGMENT = 3;
/** The first page. */
export const INTENT_PAGE = 4;
/** The number of pages. */
export const INTENT_COUNT = 5;
/** The thread that cleans up behind it, or 0. */
export const RECLAIMER = 6;
/** Where what it keeps for each tier starts. */
export const THREAD_TIERS = 16;

// What a thread keeps for a tier.
/** An offset from which on everything was freed by another thread, or `NO_NOTICE`. Others write it. */
export const NOTICE = 0;
/** Blocks that were served from memory used before, as far as the thread's own frees did not serve them: bytes in 64 bits. */
export const RECYCLED_BYTES = 2;
/** Where the classes start. */
export const CLASSES = 4;
/** Words for each class. */
export const CLASS_WORDS = 4;
/** The group it allocates from, as a word index; 0 for none. */
export const GROUP = 0;
/** The slots of the group that it took, one bit each. */
export const LOCAL = 1;
/** The address of the group's first slot. */
export const BASE = 2;
/** How many groups it let go of: as long as this stays, so does the group whose slots `LOCAL` tells of. */
export const TENURE = 3;
/** Words for each tier. */
export const THREAD_TIER_WORDS = CLASSES + CLASS_COUNT * CLASS_WORDS;

/** A notice that nothing was freed. */
export const NO_NOTICE = -1;

/** What a thread is doing to pages, for whoever has to clean up behind it. */
export const Intent = {
  /** Nothing. */
  none: 0,
  /** Taking free pages one after the other: those marked as held by it, from the first on, are its own. */
  claim: 1,
  /** All pages are its own, or a slab or a block that nobody was told of stands there. */
  own: 2,
  /** Giving pages back one after the other: those marked as held by it are still its own. */
  release: 3,
  /** Taking a block or a slab apart: all pages are its own once the first is marked as held by it; groups it owns there are only borrowed. */
  takeBack: 4,
  /** Moving the end of a block: the pages are the block's if it reaches so far, otherwise its own. */
  edge: 5,
} as const;

// A segment's header.
/** Bytes of the parent's block that the segment lies in; 0 for those in the arena's own. */
export const SEGMENT_BLOCK_SIZE = 0;
/** Pages there are. */
export const SEGMENT_PAGE_COUNT = 1;
/** The address of the first page. */
export const SEGMENT_BASE = 2;
/** No page at or above was taken since the last reset or compaction, but for what is being taken now. */
export const SEGMENT_CURSOR = 3;
/** The highest the cursor ever was. */
export const SEGMENT_PEAK = 4;
/** 1 when a slab may have become empty. */
export const SEGMENT_HAS_EMPTY = 5;
/** The tier it belongs to. */
export const SEGMENT_TIER = 6;
/** For n in 0..7: below this page no 2^n free pages follow one another, as far as is known. */
export const SEGMENT_HINTS = 8;
/** Words of a segment's header. */
export const SEGMENT_HEADER_WORDS = 32;
/** How many hints there are. */
export const HINT_COUNT = 8;

// The page table.
/** The bits that say what an entry is. */
export const KIND_MASK = 7;
/** Can be had. */
export const FREE = 0;
/** Belongs to a thread for the moment, or to the block that begins before it. */
export const HELD = 1;
/** A page of a slab. */
export const SLAB = 2;
/** The first page of a block. */
export const LARGE = 3;
/** How far the rest of an entry is shifted. */
export const KIND_BITS = 3;
/** In a slab's entry: log2 of its pages. */
export const SLAB_PAGES_SHIFT = 6;
/** In a slab's entry: which of its pages this is. */
export const SLAB_INDEX_SHIFT = 12;
/** What all entries of a slab have in common, which is the entry of its first page. */
export const SLAB_HEAD_MASK = 2 ** SLAB_INDEX_SHIFT - 1;

// A group.
/** Words of a group. */
export const GROUP_WORDS = 2;
/** Log2 of the words in a line of groups, which is one of a cache. */
export const GROUP_LINE_LOG2 = 4;
/** Groups in a line. */
export const GROUPS_PER_LINE = 2 ** GROUP_LINE_LOG2 / GROUP_WORDS;
/** One bit for each slot that can be had. */
export const GROUP_FREE = 0;
/** Who allocates from it. */
export const GROUP_OWNER = 1;
/** An owner: there is no slab. */
export const ABSENT = 0;
/** An owner: anybody. */
export const OPEN = 1;
/** Slots of a group at the most. */
export const GROUP_SLOTS_LOG2 = 5;

/** Words of a thread's record: its own cache lines, so that one thread's common path never waits for another's. */
export function threadWords(tierCount: number): number {
  return Math.ceil((THREAD_TIERS + tierCount * THREAD_TIER_WORDS) / 32) * 32;
}
