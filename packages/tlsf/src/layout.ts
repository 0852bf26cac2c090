/**
 * What a TLSF heap's state has of its own: marks on two levels, and the sentinels of the bins. The rest of the layout, and pictures of it, are in
 * `@allokit/boundary-tags`.
 *
 *     BIN_MASK    levels        bit 31 - l: level l has a bin that is not empty
 *     MASKS       level 0       bit 31 - s: bin s of level 0 is not empty
 *                 level 1       ...
 *                 ..
 *     BINS        bin 0         next, previous: the sentinel of a ring
 *                 bin 1         ...
 *                 ..
 */

import { alignUp } from '@allokit/allocator';
import { OWN_FIELDS, checkHotLayout, heapSizeMin } from '@allokit/boundary-tags';

/** What the state's header says. */
export const HEADER = { kind: 'TLSF', version: 1 };

// What `allocate` and `deallocate` use is written out once more: see `checkHotLayout`.

/** Bytes before a block that belong to the heap. */
export const FRAGMENT_HEADER_SIZE = 8;
/** Bytes in the smallest fragment, the unit of all of them, and the alignment of every block. */
export const FRAGMENT_SIZE_MIN = 16;
/** In a fragment's first word: it belongs to a live block. */
export const USED = 1;
/** Words from a block to its fragment's fields; the link to the next one in the bin is at 0. */
export const SIZE = -2;
export const BEFORE = -1;
export const PREVIOUS = 1;
/** The mask of the levels. */
export const BIN_MASK = 9;
/** Words in used fragments. */
export const ALLOCATED = 11;
export const ALLOCATED_PEAK = 12;
/** The largest request so far in bytes, served or not, as an unsigned word. */
export const REQUEST_PEAK = 13;
/** One word a level: the mask of its bins. */
export const MASKS = 17;

/**
 * Bins to a level, which is a doubling of sizes but for the first: as many as a mask has bits, so that a shift by a bin's number is one by its place in its
 * level. A search then passes over fragments of less than 1/32 more than is needed. Half as many bins would take 3 KiB less of state, and pass over twice that.
 */
export const BINS_PER_LEVEL = 32;
/** Levels for fragments of up to 4 GiB, and one more of a single bin, which is marked and always empty: so a search always ends at a bin. */
export const LEVEL_COUNT = 25;
/** Every bin, that of the last level included. Bin 0 would be for fragments of no size. */
export const BIN_COUNT = (LEVEL_COUNT - 1) * BINS_PER_LEVEL + 1;
/** Where level 0 ends, 32 granules: in bytes and in words. */
export const LEVEL_0_SIZE = 512;
export const LEVEL_0_WORDS = 128;
/** What makes the number of a bin of the six leading bits of a size, and of how many bits there are: of words, and of the last byte of a request. */
export const BIN_BY_WORDS = 26 * 32 - 2 * 32;
export const BIN_BY_LAST_BYTE = 26 * 32 - 4 * 32 + 1;
/** A set of all levels but the first. Shifted by a level: of all behind it. */
export const ALL_BUT_FIRST = 0x7fff_ffff;
/** Two words a bin: the links of its sentinel, a block of which nothing else exists. */
export const BINS = 42;

/** Bytes of the state. */
export const STATE_SIZE = alignUp((BINS + 2 * BIN_COUNT) * 4, FRAGMENT_SIZE_MIN);
/** Bytes of the smallest heap: its state, and a region of one fragment. */
export const TLSF_SIZE_MIN = heapSizeMin(STATE_SIZE);
/** The largest request that any heap can serve: all of an address space but what the heap needs. */
export const TLSF_REQUEST_SIZE_MAX = 2 ** 32 - TLSF_SIZE_MIN;

checkHotLayout({ FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, USED, SIZE, BEFORE, PREVIOUS, BIN_MASK, ALLOCATED, ALLOCATED_PEAK, REQUEST_PEAK });
if (MASKS !== OWN_FIELDS || BINS !== MASKS + LEVEL_COUNT) throw new RangeError('the masks and the sentinels must follow what all heaps have');
