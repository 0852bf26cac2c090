/** Half-fit's bins: one to each power of two. What `allocate` and `deallocate` do in one piece, for everything that is not as hot. */

import { ALLOCATED, CAPACITY, type Bins } from '@allokit/boundary-tags';
import { BINS, BIN_COUNT, BIN_MASK, FRAGMENT_HEADER_SIZE, HEADER, REQUEST_SIZE_MAX, STATE_SIZE } from './layout.ts';

/** The index of a bin's sentinel. */
export function sentinelOf(state: number, bin: number): number {
  return state + BINS + 2 * bin;
}

/** The last bin whose every fragment has at least `size` words. */
function binFor(size: number): number {
  return Math.clz32(size - 1) - 1;
}

/** Every bin, the one that is always empty first, then from the largest fragments to the smallest. */
const NUMBERS = Array.from({ length: BIN_COUNT + 1 }, (_, i) => i - 1);

/** How an o1heap searches. */
export const HALF_FIT: Bins = {
  name: 'o1heap',
  header: HEADER,
  stateSize: STATE_SIZE,
  requestSizeMax: REQUEST_SIZE_MAX,
  numbers: NUMBERS,
  sentinelOf,

  /** 29 - floor(log2(size / smallest)). */
  binOf: (size) => Math.clz32(size),

  /** The power of two that holds the block and its header. */
  fragmentWords: (size) => 2 ** (30 - Math.clz32(size + (FRAGMENT_HEADER_SIZE - 1))),

  searchWords: (size) => 2 ** (31 - binFor(size)),

  foundWords: (size) => Math.min(2 ** (31 - Math.clz32(size)), (REQUEST_SIZE_MAX + FRAGMENT_HEADER_SIZE) / 4),

  mark(words, state, bin) {
    words[state + BIN_MASK]! |= 1 << bin;
  },

  /** The mask may go on showing a bin that ran empty: whoever looks there next corrects it. */
  unmark: () => undefined,

  isMarked: (words, state, bin) => bin >= 0 && (words[state + BIN_MASK]! & (1 << bin)) !== 0,

  clearMarks(words, state) {
    words[state + BIN_MASK] = 0;
  },

  /** The first fragment of the smallest that are large enough. Clears the marks of bins that ran empty: at most one a bin, so bounded. */
  find(words, state, size) {
    for (;;) {
      const set = words[state + BIN_MASK]! & ((2 << binFor(size)) - 1);
      if (set === 0) return 0;
      const last = 31 - Math.clz32(set);
      const sentinel = sentinelOf(state, last);
      const block = words[sentinel]!;
      if (block !== sentinel) return block;
      words[state + BIN_MASK]! ^= 1 << last;
    }
  },

  highestInUse: (words, state) => NUMBERS.find((bin) => words[sentinelOf(state, bin)] !== sentinelOf(state, bin)),

  wrongMark(words, state) {
    const mask = words[state + BIN_MASK]!;
    const free = words[state + CAPACITY]! - words[state + ALLOCATED]!;
    if (mask === 0 && free > 0) return `${free * 4} bytes are free, but no bin is marked`;
    return mask >>> BIN_COUNT !== 0 || (mask & 3) !== 0 ? 'a bin is marked that does not exist' : undefined;
  },
};
