/** What `allocate` and `deallocate` of a heap do in the usual case, as source text for `compile`: the two methods written out, and to be kept like them. */

import type { HotPaths } from '@allokit/allocator';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BINS,
  BIN_MASK,
  FRAGMENT_HEADER_SIZE,
  PREVIOUS,
  REQUEST_PEAK,
  SENTINEL_BY_ZEROS,
  SIZE,
  USED,
  WORDS_BY_ZEROS,
} from './layout.ts';

/** Takes the free fragment `block` out of its bin. */
function remove(block: string): string {
  return `{
    const next = words[${block}];
    const previous = words[${block} + ${PREVIOUS}];
    words[previous] = next;
    words[next + ${PREVIOUS}] = previous;
  }`;
}

/** Puts the fragment `block` of `length` words into its bin. */
function insert(block: string, length: string, state: number): string {
  return `{
    const bin = Math.clz32(${length});
    const sentinel = bin * 2 + ${state + BINS};
    const next = words[sentinel];
    words[${block} + ${SIZE}] = ${length};
    words[${block}] = next;
    words[${block} + ${PREVIOUS}] = sentinel;
    words[next + ${PREVIOUS}] = ${block};
    words[sentinel] = ${block};
    words[${block} + ${length} + ${BEFORE}] = ${block};
    words[${state + BIN_MASK}] |= 1 << bin;
  }`;
}

/**
 * @param heap - The name of the heap.
 * @param state - The word index of its state.
 */
export function hotPaths(heap: string, state: number): HotPaths {
  return {
    allocate: `
      const words = ${heap}.words;
      const zeros = Math.clz32(size + ${FRAGMENT_HEADER_SIZE - 1});
      const sentinel = ${state + SENTINEL_BY_ZEROS} - Math.clz32(words[${state + BIN_MASK}] & ((4 << zeros) - 1)) * 2;
      const block = words[sentinel];
      if (!(block > sentinel)) return 0;
      const next = words[block];
      words[sentinel] = next;
      words[next + ${PREVIOUS}] = sentinel;
      const wanted = ${WORDS_BY_ZEROS} >>> zeros;
      const rest = words[block + ${SIZE}] - wanted;
      if (rest) {
        const behind = block + wanted;
        words[behind + ${BEFORE}] = block;
        ${insert('behind', 'rest', state)}
      }
      words[block + ${SIZE}] = wanted | ${USED};
      const allocated = words[${state + ALLOCATED}] + wanted;
      words[${state + ALLOCATED}] = allocated;
      if (allocated > words[${state + ALLOCATED_PEAK}] || size > words[${state + REQUEST_PEAK}]) ${heap}.notePeaks(allocated, size);
      return (block << 2) >>> 0;
    `,
    deallocate: `
      const words = ${heap}.words;
      const block = address >>> 2;
      if (size !== undefined || block * 4 !== address || block < ${heap}.recentStart || block >= ${heap}.recentEnd) return -1;
      let length = words[block + ${SIZE}] - ${USED};
      const before = words[block + ${BEFORE}];
      const behind = block + length;
      const sizeBefore = words[before + ${SIZE}];
      const sizeBehind = words[behind + ${SIZE}];
      if (((length | block) & 3) | (words[behind + ${BEFORE}] ^ block) | ((before + (sizeBefore & ${~USED})) ^ block)) return -1;
      words[${state + ALLOCATED}] -= length;
      let start = block;
      if (!(sizeBehind & ${USED})) {
        ${remove('behind')}
        length += sizeBehind;
      }
      if (!(sizeBefore & ${USED})) {
        ${remove('before')}
        length += sizeBefore;
        start = before;
      }
      ${insert('start', 'length', state)}
      return 1;
    `,
  };
}
