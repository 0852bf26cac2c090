/**
 * Where everything lies in an o1heap, in 32-bit words. Word indices and sizes in words stay below 2^30 for a memory of 4 GiB, so all
 * arithmetic on them is on small positive integers; bytes appear only at the public border.
 *
 *     state                              region (one or more)
 *     +---------------+                  +------+-------+------+------+- - -+------+-----+
 *     | header        |                  | next | begin | frag | frag |     | frag | end |
 *     | diagnostics   |                  | size | used  |      |      |     |      |used |
 *     | bin mask      |                  +------+-------+------+------+- - -+------+-----+
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

import { HEADER_SIZE, alignUp } from '@allokit/allocator';

/** What the state's header says. */
export const HEADER = { kind: 'O1HP', version: 2 };

/** Bytes before a block that belong to the heap. */
export const FRAGMENT_HEADER_SIZE = 8;
/** Bytes in the smallest fragment, and the alignment of every block. */
export const FRAGMENT_SIZE_MIN = 16;
/** Words in the smallest fragment. */
export const FRAGMENT_WORDS_MIN = FRAGMENT_SIZE_MIN / 4;
/** The largest request that any heap can serve: its fragment, rounded to a power of two, is 2 GiB. */
export const REQUEST_SIZE_MAX = 2 ** 31 - FRAGMENT_HEADER_SIZE;

/** In a fragment's first word: it belongs to a live block. */
export const USED = 1;
/** Words from a block to its fragment's fields; the link to the next one in the bin is at 0. */
export const SIZE = -2;
export const BEFORE = -1;
export const PREVIOUS = 1;

// The state's fields, in words from its start.
const FIELDS = 4;
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
/** Bit b is set when bin b may hold a fragment; clear when it holds none. */
export const BIN_MASK = FIELDS + 5;
/** Words in fragments. */
export const CAPACITY = FIELDS + 6;
/** Words in used fragments. */
export const ALLOCATED = FIELDS + 7;
export const ALLOCATED_PEAK = FIELDS + 8;
/** The largest request so far in bytes, served or not, as an unsigned word. */
export const REQUEST_PEAK = FIELDS + 9;
/** Requests that found no room. */
export const FAILURES = FIELDS + 10;
/** Words that the heap was created with: trimming leaves them. */
export const CREATED_WORDS = FIELDS + 11;
/** Two words a bin: the links of its sentinel, a block of which nothing else exists. The pair before is that of bin -1, which is always empty. */
export const BINS = FIELDS + 14;
/**
 * Bin b holds free fragments whose size in words has b leading zeros: of [2^(31-b), 2^(32-b)) words. So the larger the bin, the smaller its fragments, and the
 * smallest fragment's is the last. (No fragment is large enough for bins 0 and 1.)
 */
export const BIN_COUNT = 30;
/** How much of itself a heap adds at least when it grows, in units of 1 / {@link WHOLE_SHARE}. Behind the bins, so that these keep their places in the cache. */
export const GROWTH_SHARE = BINS + 2 * BIN_COUNT;
/** A growth by as much as there is. */
export const WHOLE_SHARE = 2 ** 30;
/** Bytes of the state. */
export const STATE_SIZE = alignUp((GROWTH_SHARE + 1) * 4, FRAGMENT_SIZE_MIN);

/** Words from a region's start to its fields. */
export const REGION_NEXT = 0;
export const REGION_WORDS = 1;
/** Words from a region's start to the block of the fragment that stands in front, and to the first one that can be handed out. */
export const REGION_BEGIN = 4;
export const REGION_FIRST = REGION_BEGIN + FRAGMENT_WORDS_MIN;
/** Words of a region that are not fragments: fields, the sentinel in front, the header of the one behind. */
export const REGION_OVERHEAD_WORDS = REGION_FIRST;

/** Bytes of the smallest heap: its state, and a region of one fragment. */
export const HEAP_SIZE_MIN = STATE_SIZE + REGION_OVERHEAD_WORDS * 4 + FRAGMENT_SIZE_MIN;

if (FIELDS * 4 !== HEADER_SIZE) throw new RangeError('the fields must follow the header');
if (FRAGMENT_SIZE_MIN < FRAGMENT_HEADER_SIZE + 8) throw new RangeError('a free fragment must hold its two links');
if (REGION_FIRST % FRAGMENT_WORDS_MIN !== 0) throw new RangeError('blocks must start on a 16-byte boundary');
if (BIN_COUNT !== Math.clz32(FRAGMENT_WORDS_MIN) + 1) throw new RangeError('the last bin must be that of the smallest fragment');
