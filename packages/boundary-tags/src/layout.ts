/**
 * Where everything lies in a heap of boundary-tagged fragments, in 32-bit words. Word indices and sizes in words stay below 2^30 for a memory of 4 GiB, so all
 * arithmetic on them is on small positive integers; bytes appear only at the public border.
 *
 *     state                              region (one or more)
 *     +---------------+                  +------+-------+------+------+- - -+------+-----+
 *     | header        |                  | next | begin | frag | frag |     | frag | end |
 *     | fields        |                  | size | used  |      |      |     |      |used |
 *     | marks of bins |                  +------+-------+------+------+- - -+------+-----+
 *     | bin sentinels |                  ^ 16-byte aligned; fragments start 8 bytes before such a boundary
 *     +---------------+
 *
 *     used fragment                      free fragment
 *     -2   size | 1                      -2   size
 *     -1   block before                  -1   block before
 *      0   payload, 16-byte aligned       0   next in bin
 *      1   ...                            1   previous in bin
 *
 * A fragment is known by its block: the index of its payload's first word, from which its fields are counted. The one behind is not stored: it
 * is `block + size`. Fragments that are marked used and never freed stand at both ends of a region, and a list of free fragments is a ring through a
 * sentinel in the state, so that no operation has to ask whether a neighbour exists.
 */

import type { HEADER_SIZE } from '@allokit/allocator';

/** Bytes before a block that belong to the heap. */
export const FRAGMENT_HEADER_SIZE = 8;
/** Bytes in the smallest fragment, and the alignment of every block. */
export const FRAGMENT_SIZE_MIN = 16;
/** Words in the smallest fragment; every fragment has a multiple of them. */
export const FRAGMENT_WORDS_MIN = FRAGMENT_SIZE_MIN / 4;

/** In a fragment's first word: it belongs to a live block. */
export const USED = 1;
/** Words from a block to its fragment's size; the link to the next one in the bin is at 0. */
export const SIZE = -2;
/** Words from a block to the index of the block before it in its region. */
export const BEFORE = -1;
/** Words from a block to the link to the previous one in the bin. */
export const PREVIOUS = 1;

// The state's fields, in words from its start.
/** The fields follow the header. */
const FIELDS: typeof HEADER_SIZE extends 16 ? 4 : never = 4;
/** The parent's block that the state lies in, in words; 0 when the caller placed the heap. */
export const BLOCK_WORDS = FIELDS;
/** Words that a growth adds at least; 0 when the heap cannot grow. */
export const GROWTH_STEP_WORDS = FIELDS + 1;
/** Words that the heap may reach by growing. */
export const GROWTH_LIMIT_WORDS = FIELDS + 2;
/** The first region. */
export const FIRST_REGION = FIELDS + 3;
/** The region that growth extends first. */
export const LAST_REGION = FIELDS + 4;
/** Which bins, or groups of bins, may hold a fragment: the heap's own, of whatever meaning. */
export const BIN_MASK = FIELDS + 5;
/** Words in fragments. */
export const CAPACITY = FIELDS + 6;
/** Words in used fragments. */
export const ALLOCATED = FIELDS + 7;
/** The most they ever were. */
export const ALLOCATED_PEAK = FIELDS + 8;
/** The largest request so far in bytes, served or not, as an unsigned word. */
export const REQUEST_PEAK = FIELDS + 9;
/** Requests that found no room. */
export const FAILURES = FIELDS + 10;
/** Words that the heap was created with: trimming leaves them. */
export const CREATED_WORDS = FIELDS + 11;
/** How much of itself a heap adds at least when it grows, in units of 1 / {@link WHOLE_SHARE}. */
export const GROWTH_SHARE = FIELDS + 12;
/** A growth by as much as there is. */
export const WHOLE_SHARE = 2 ** 30;
/** Where the words of the heap's own begin. */
export const OWN_FIELDS = FIELDS + 13;

/** Words from a region's start to that of the next, 0 in the last one. */
export const REGION_NEXT = 0;
/** Words from a region's start to its length. */
export const REGION_WORDS = 1;
/** Words from a region's start to the block of the fragment that stands in front. */
export const REGION_BEGIN = 4;
/**
 * Words from the first region's start to a count of trims, whatever it starts from: in the payload of the fragment in front, which nobody has. A handle that
 * remembers a region compares it, because another one may have given the region back.
 */
export const TRIM_COUNT = REGION_BEGIN;
/** Words from a region's start to the first block that can be handed out. */
export const REGION_FIRST = REGION_BEGIN + FRAGMENT_WORDS_MIN;
/** Words of a region that are not fragments: fields, the sentinel in front, the header of the one behind. */
export const REGION_OVERHEAD_WORDS = REGION_FIRST;

/** The part of the layout that `allocate` and `deallocate` of a heap read and write. */
export type HotLayout = Readonly<Record<
  'FRAGMENT_HEADER_SIZE' | 'FRAGMENT_SIZE_MIN' | 'USED' | 'SIZE' | 'BEFORE' | 'PREVIOUS' | 'BIN_MASK' | 'ALLOCATED' | 'ALLOCATED_PEAK' | 'REQUEST_PEAK',
  number
>>;

const HOT: HotLayout = { FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, USED, SIZE, BEFORE, PREVIOUS, BIN_MASK, ALLOCATED, ALLOCATED_PEAK, REQUEST_PEAK };

/**
 * Compares a heap's own copy of the layout with the one here. A heap writes out the constants of its hot paths, because a bundler computes what follows from
 * constants only where it sees their values, and V8 loads all others from memory; and it calls this when its module loads.
 *
 * @throws RangeError that names what differs.
 */
export function checkHotLayout(own: HotLayout): void {
  for (const name of Object.keys(HOT) as (keyof HotLayout)[]) {
    if (own[name] !== HOT[name]) throw new RangeError(`${name} must be ${HOT[name]}, got ${own[name]}`);
  }
}

if (FRAGMENT_SIZE_MIN < FRAGMENT_HEADER_SIZE + 8) throw new RangeError('a free fragment must hold its two links');
if (REGION_FIRST % FRAGMENT_WORDS_MIN !== 0) throw new RangeError('blocks must start on a 16-byte boundary');
