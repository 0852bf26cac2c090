/**
 * TLSF's bins: 32 to each doubling, of equal width; below 1 KiB one to each size there is. What `allocate` and `deallocate` do in one piece, for
 * everything that is not as hot.
 *
 *     level   bins         granules of 16 bytes        width of a bin
 *     0       1 .. 31      1, 2 .. 31                  1
 *     1       32 .. 63     32, 33 .. 63                1
 *     2       64 .. 95     64..65, 66..67 .. 126..127  2
 *     3       96 .. 127    128..131 ..                 4
 */

import type { Bins } from '@allokit/boundary-tags';
import {
  BINS,
  BINS_PER_LEVEL,
  BIN_COUNT,
  BIN_MASK,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_SIZE_MIN,
  HEADER,
  LEVEL_COUNT,
  MASKS,
  SIZE,
  STATE_SIZE,
  TLSF_REQUEST_SIZE_MAX,
} from './layout.ts';

const { clz32 } = Math;

/** The bin that is marked and always empty, and its level. */
const LAST_BIN = BIN_COUNT - 1;
const LAST_LEVEL = LEVEL_COUNT - 1;

/** The index of a bin's sentinel. */
export function sentinelOf(state: number, bin: number): number {
  return state + BINS + 2 * bin;
}

/** The bin of a free fragment of `size` words: the six leading bits of its granules, after so many bins as there are for fewer bits. */
export function binOf(size: number): number {
  const shift = 26 - clz32(size | 128);
  return (size >>> shift) + (shift << 5) - 64;
}

/** The first bin whose every fragment has at least `size` words: the one after that of the next smaller size. */
function binFor(size: number): number {
  return binOf(size - 1) + 1;
}

/** How a TLSF heap searches. */
export const GOOD_FIT: Bins = {
  name: 'tlsf',
  header: HEADER,
  stateSize: STATE_SIZE,
  requestSizeMax: TLSF_REQUEST_SIZE_MAX,
  numbers: Array.from({ length: BIN_COUNT }, (_, bin) => bin),
  sentinelOf,
  binOf,

  fragmentWords: (size) => Math.ceil((size + FRAGMENT_HEADER_SIZE) / FRAGMENT_SIZE_MIN) * (FRAGMENT_SIZE_MIN / 4),

  // Whatever is the first of its bin is found by a search that asks for no more than it has.

  searchWords: (size) => size,

  foundWords: (size) => Math.min(size, (TLSF_REQUEST_SIZE_MAX + FRAGMENT_HEADER_SIZE) / 4),

  // The mark of a bin, and of a level, is bit 31 - n % 32: which is ~n as far as a shift looks.

  mark(words, state, bin) {
    const level = bin >>> 5;
    words[state + MASKS + level]! |= 1 << ~bin;
    words[state + BIN_MASK]! |= 1 << ~level;
  },

  unmark(words, state, bin) {
    const level = bin >>> 5;
    words[state + MASKS + level]! &= ~(1 << ~bin);
    if (words[state + MASKS + level] === 0) words[state + BIN_MASK]! &= ~(1 << ~level);
  },

  isMarked: (words, state, bin) => bin < LAST_BIN && (words[state + MASKS + (bin >>> 5)]! & (1 << ~bin)) !== 0,

  clearMarks(words, state) {
    words.fill(0, state + MASKS, state + MASKS + LAST_LEVEL);
    words[state + MASKS + LAST_LEVEL] = 1 << ~LAST_BIN;
    words[state + BIN_MASK] = 1 << ~LAST_LEVEL;
  },

  /** The latest of the first bin that has one, from where on every one suits; else the latest of the bin before, if that one suits. */
  find(words, state, size) {
    const bin = binFor(size);
    let level = bin >>> 5;
    let marks = words[state + MASKS + level]! & (-1 >>> bin);
    if (marks === 0) {
      level = clz32(words[state + BIN_MASK]! & (0x7fff_ffff >>> level));
      marks = words[state + MASKS + level]!;
    }
    const sentinel = sentinelOf(state, level * BINS_PER_LEVEL + clz32(marks));
    const block = words[sentinel]!;
    if (block !== sentinel) return block;
    const ownSentinel = sentinelOf(state, binOf(size));
    const own = words[ownSentinel]!;
    return own !== ownSentinel && words[own + SIZE]! >= size ? own : 0;
  },

  highestInUse(words, state) {
    for (let level = LAST_LEVEL - 1; level >= 0; level -= 1) {
      const marks = words[state + MASKS + level]!;
      // The last mark of a level is its lowest bit.
      if (marks !== 0) return level * BINS_PER_LEVEL + clz32(marks & -marks);
    }
    return undefined;
  },

  wrongMark(words, state) {
    const levels = words[state + BIN_MASK]!;
    if ((levels & (-1 >>> LEVEL_COUNT)) !== 0) return 'a level is marked that does not exist';
    for (let level = 0; level < LEVEL_COUNT; level += 1) {
      const isMarked = (levels & (1 << ~level)) !== 0;
      const isInUse = words[state + MASKS + level] !== 0;
      if (isMarked !== isInUse) return `level ${level} is ${isMarked ? 'marked, but none of its bins' : 'not marked, but one of its bins'}`;
    }
    if (words[state + MASKS + LAST_LEVEL] !== 1 << ~LAST_BIN) return 'the marks of the last level are not what they always are';
    for (let bin = 0; bin < LAST_BIN; bin += 1) {
      const sentinel = sentinelOf(state, bin);
      if (words[sentinel] === sentinel && GOOD_FIT.isMarked(words, state, bin)) return `bin ${bin} is marked, but empty`;
    }
    return undefined;
  },
};

if (binOf(2 ** 30 - FRAGMENT_SIZE_MIN / 4) !== LAST_BIN - 1) throw new RangeError('there must be a bin for every fragment, and one more');
