/** How good-fit finds a fragment, and fills and empties its bins, as source text for `compile`: to be kept like the two hot methods. */

import type { HotPaths } from '@allokit/allocator';
import { fragmentHotPaths } from '@allokit/boundary-tags';
import {
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
  SIZE,
} from './layout.ts';

/**
 * @param heap - The name of the heap.
 * @param state - The word index of its state.
 */
export function hotPaths(heap: string, state: number): HotPaths {
  const remove = (block: string): string => `{
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
  return fragmentHotPaths(heap, state, {
    take: `
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
      ${remove('block')}
      const wanted = (last >>> 4) * 4 + 4;
    `,
    remove,
    insert: (block, length) => `{
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
    }`,
  });
}
