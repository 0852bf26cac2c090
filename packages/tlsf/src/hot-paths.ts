/** What `allocate` and `deallocate` of a heap do in the usual case, as source text for `compile`: the two methods written out, and to be kept like them. */

import type { HotPaths } from '@allokit/allocator';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  ALL_BUT_FIRST,
  BEFORE,
  BINS,
  BIN_BY_LAST_BYTE,
  BIN_BY_WORDS,
  BIN_MASK,
  FRAGMENT_HEADER_SIZE,
  LEVEL_0_SIZE,
  LEVEL_0_WORDS,
  MASKS,
  PREVIOUS,
  REQUEST_PEAK,
  SIZE,
  USED,
} from './layout.ts';

/** Takes the free fragment `block` out of its bin. */
function remove(block: string, state: number): string {
  return `{
    const next = words[${block}];
    const previous = words[${block} + ${PREVIOUS}];
    words[previous] = next;
    words[next + ${PREVIOUS}] = previous;
    if (next === previous) {
      const bin = (next - ${state + BINS}) >>> 1;
      const level = bin >>> 5;
      const marks = words[level + ${state + MASKS}] ^ (1 << ~bin);
      words[level + ${state + MASKS}] = marks;
      if (!marks) words[${state + BIN_MASK}] ^= 1 << ~level;
    }
  }`;
}

/** Puts the fragment `block` of `length` words into its bin. */
function insert(block: string, length: string, state: number): string {
  return `{
    const zeros = Math.clz32(${length} | ${LEVEL_0_WORDS});
    const bin = (${length} >>> (26 - zeros)) - (zeros << 5) + ${BIN_BY_WORDS};
    const sentinel = bin * 2 + ${state + BINS};
    const next = words[sentinel];
    words[${block} + ${SIZE}] = ${length};
    words[${block}] = next;
    words[${block} + ${PREVIOUS}] = sentinel;
    words[next + ${PREVIOUS}] = ${block};
    words[sentinel] = ${block};
    words[${block} + ${length} + ${BEFORE}] = ${block};
    words[(bin >>> 5) + ${state + MASKS}] |= 1 << ~bin;
    words[${state + BIN_MASK}] |= 1 << ~(bin >>> 5);
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
      const last = size + ${FRAGMENT_HEADER_SIZE - 1};
      const zeros = Math.clz32(last | ${LEVEL_0_SIZE});
      const bin = (last >>> (26 - zeros)) - (zeros << 5) + ${BIN_BY_LAST_BYTE};
      let level = bin >>> 5;
      let marks = words[level + ${state + MASKS}] & (-1 >>> bin);
      if (!marks) {
        level = Math.clz32(words[${state + BIN_MASK}] & (${ALL_BUT_FIRST} >>> level));
        marks = words[level + ${state + MASKS}];
      }
      const sentinel = ((level << 5) + Math.clz32(marks)) * 2 + ${state + BINS};
      const block = words[sentinel];
      if (!(block > sentinel)) return 0;
      ${remove('block', state)}
      const wanted = (last >>> 4) * 4 + 4;
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
        ${remove('behind', state)}
        length += sizeBehind;
      }
      if (!(sizeBefore & ${USED})) {
        ${remove('before', state)}
        length += sizeBefore;
        start = before;
      }
      ${insert('start', 'length', state)}
      return 1;
    `,
  };
}
