/**
 * Where everything lies in an o1heap, in 32-bit words. Word indices and sizes in words stay below 2^30 for a memory of 4 GiB, so all
 * arithmetic on them is on small positive integers; bytes appear only at the public border.
 *
 *     state                              region (one or more)
 *     +---------------+                  +------+-------+------+------+- - -+------+-----+
 *     | header        |                  | next | begin | frag | frag |     | frag | end |
 *     | diagnostics   |                  | size | used  |      |      |     |      |used |
 *     | bin mask      |                  +------+-------+------+------+- - -+------+-----+
 *     | bin sentinels |                  ^ 16-byte aligned; fragments start 8 bytes before the next such boundary
 *     +---------------+
 *
 *     used fragment                      free fragment
 *     word 0   size | 1                  word 0   size
 *          1   fragment before                1   fragment before
 *          2   payload, 16-byte aligned       2   next in bin
 *          3   ...                            3   previous in bin
 *
 * The fragment behind is not stored: it lies at `fragment + size`. Fragments that are marked used and never freed stand at both ends of a region,
 * and a list of free fragments is a ring through a sentinel in the state, so that no operation has to ask whether a neighbour exists.
 */

import { HEADER_SIZE, alignUp } from '@allokit/allocator';

/** What the state's header says. */
export const HEADER = { kind: 'O1HP', version: 1 };

/** Bytes before a block that belong to the heap. */
export const FRAGMENT_HEADER_SIZE = 8;
/** Words before a block that belong to the heap. */
export const FRAGMENT_HEADER_WORDS = FRAGMENT_HEADER_SIZE / 4;
/** Bytes in the smallest fragment, and the alignment of every block. */
export const FRAGMENT_SIZE_MIN = 16;
/** Words in the smallest fragment. */
export const FRAGMENT_WORDS_MIN = FRAGMENT_SIZE_MIN / 4;
/** log2 of the same in words: the shift from a fragment's size to its bin. */
export const FRAGMENT_WORDS_MIN_LOG2 = 2;
/** The largest request that any heap can serve: its fragment, rounded to a power of two, is 2 GiB. */
export const REQUEST_SIZE_MAX = 2 ** 31 - FRAGMENT_HEADER_SIZE;

/** In a fragment's first word: it belongs to a live block. */
export const USED = 1;
/** Words from a fragment to its fields. */
export const BEFORE = 1;
export const NEXT_FREE = 2;
export const PREVIOUS_FREE = 3;

// The state's fields, in words from its start.
const FIELDS = HEADER_SIZE / 4;
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
/** Where the region of the latest look-up starts and ends: most frees hit the same one again. */
export const RECENT_START = FIELDS + 5;
export const RECENT_END = FIELDS + 6;
/** Bit b is set when bin b is not empty. */
export const BIN_MASK = FIELDS + 7;
/** Words in fragments. */
export const CAPACITY = FIELDS + 8;
/** Words in used fragments. */
export const ALLOCATED = FIELDS + 9;
export const ALLOCATED_PEAK = FIELDS + 10;
/** The largest request so far in bytes, served or not, as an unsigned word. */
export const REQUEST_PEAK = FIELDS + 11;
/** Requests that found no room. */
export const FAILURES = FIELDS + 12;
/** Two words a bin: the links of its sentinel, a fragment of which nothing else exists. */
export const BINS = FIELDS + 13;
/** Bin b holds free fragments of [16 * 2^b, 32 * 2^b) bytes; the last one's would fill 4 GiB. */
export const BIN_COUNT = 28;
/** Bytes of the state. */
export const STATE_SIZE = alignUp((BINS + 2 * BIN_COUNT) * 4, FRAGMENT_SIZE_MIN);

/** Words from a region's start to its fields and its first sentinel. */
export const REGION_NEXT = 0;
export const REGION_WORDS = 1;
export const REGION_BEGIN = 2;
/** Words from a region's start to its first fragment. */
export const REGION_FIRST = REGION_BEGIN + FRAGMENT_WORDS_MIN;
/** Words of a region that are not fragments: fields, the sentinel in front, the sentinel behind. */
export const REGION_OVERHEAD_WORDS = REGION_FIRST + FRAGMENT_HEADER_WORDS;

/** Bytes of the smallest heap: its state, and a region of one fragment. */
export const HEAP_SIZE_MIN = STATE_SIZE + REGION_OVERHEAD_WORDS * 4 + FRAGMENT_SIZE_MIN;

if (FRAGMENT_SIZE_MIN < FRAGMENT_HEADER_SIZE + 8) throw new RangeError('a free fragment must hold its two links');
if ((REGION_FIRST + FRAGMENT_HEADER_WORDS) % FRAGMENT_WORDS_MIN !== 0) throw new RangeError('payloads must start on a 16-byte boundary');
if (1 << FRAGMENT_WORDS_MIN_LOG2 !== FRAGMENT_WORDS_MIN) throw new RangeError('bins must count in smallest fragments');
