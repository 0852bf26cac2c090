/**
 * What an o1heap's state has of its own: a mask of its bins, and their sentinels. The rest of the layout, and pictures of it, are in `@allokit/boundary-tags`.
 */

import { alignUp } from '@allokit/allocator';
import { FRAGMENT_WORDS_MIN, OWN_FIELDS, checkHotLayout, heapSizeMin } from '@allokit/boundary-tags';

/** What the state's header says. */
export const HEADER = { kind: 'O1HP', version: 3 };

// What `allocate` and `deallocate` use is written out once more: see `checkHotLayout`.

/** Bytes before a block that belong to the heap. */
export const FRAGMENT_HEADER_SIZE = 8;
/** Bytes in the smallest fragment, and the alignment of every block. */
export const FRAGMENT_SIZE_MIN = 16;
/** In a fragment's first word: it belongs to a live block. */
export const USED = 1;
/** Words from a block to its fragment's fields; the link to the next one in the bin is at 0. */
export const SIZE = -2;
export const BEFORE = -1;
export const PREVIOUS = 1;
/** Bit b is set when bin b may hold a fragment; clear when it holds none. */
export const BIN_MASK = 9;
/** Words in used fragments. */
export const ALLOCATED = 11;
export const ALLOCATED_PEAK = 12;
/** The largest request so far in bytes, served or not, as an unsigned word. */
export const REQUEST_PEAK = 13;
/** Two words a bin: the links of its sentinel, a block of which nothing else exists. The pair before is that of bin -1, which is always empty. */
export const BINS = 20;
/** The sentinel of the last bin in a set of bins, from the leading zeros of the set. For the empty set, that of bin -1. */
export const SENTINEL_BY_ZEROS = BINS + 2 * 31;
/** The words of the fragment that holds `n` bytes, from the leading zeros of n - 1. */
export const WORDS_BY_ZEROS = 2 ** 30;

/** The largest request that any heap can serve: its fragment, rounded to a power of two, is 2 GiB. */
export const REQUEST_SIZE_MAX = 2 ** 31 - FRAGMENT_HEADER_SIZE;
/**
 * Bin b holds free fragments whose size in words has b leading zeros: of [2^(31-b), 2^(32-b)) words. So the larger the bin, the smaller its fragments, and the
 * smallest fragment's is the last. (No fragment is large enough for bins 0 and 1.)
 */
export const BIN_COUNT = 30;
/** Bytes of the state. */
export const STATE_SIZE = alignUp((BINS + 2 * BIN_COUNT) * 4, FRAGMENT_SIZE_MIN);
/** Bytes of the smallest heap: its state, and a region of one fragment. */
export const HEAP_SIZE_MIN = heapSizeMin(STATE_SIZE);

checkHotLayout({ FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, USED, SIZE, BEFORE, PREVIOUS, BIN_MASK, ALLOCATED, ALLOCATED_PEAK, REQUEST_PEAK });
if (BINS - 2 < OWN_FIELDS) throw new RangeError('the sentinel of bin -1 must lie behind what all heaps have');
if (BIN_COUNT !== Math.clz32(FRAGMENT_WORDS_MIN) + 1) throw new RangeError('the last bin must be that of the smallest fragment');
