/** How half-fit finds a fragment, and fills and empties its bins, as source text for `compile`: to be kept like the two hot methods. */

import type { HotPaths } from '@allokit/allocator';
import { fragmentHotPaths } from '@allokit/boundary-tags';
import { BEFORE, BINS, BIN_MASK, FRAGMENT_HEADER_SIZE, PREVIOUS, SENTINEL_BY_ZEROS, SIZE, WORDS_BY_ZEROS } from './layout.ts';

/**
 * @param heap - The name of the heap.
 * @param state - The word index of its state.
 */
export function hotPaths(heap: string, state: number): HotPaths {
  return fragmentHotPaths(heap, state, {
    take: `
      const zeros = Math.clz32(size + ${FRAGMENT_HEADER_SIZE - 1});
      const sentinel = ${state + SENTINEL_BY_ZEROS} - Math.clz32(words[${state + BIN_MASK}] & ((4 << zeros) - 1)) * 2;
      const block = words[sentinel];
      if (!(block > sentinel)) return 0;
      const next = words[block];
      words[sentinel] = next;
      words[next + ${PREVIOUS}] = sentinel;
      const wanted = ${WORDS_BY_ZEROS} >>> zeros;
    `,
    remove: (block) => `{
      const next = words[${block}];
      const previous = words[${block} + ${PREVIOUS}];
      words[previous] = next;
      words[next + ${PREVIOUS}] = previous;
    }`,
    insert: (block, length) => `{
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
    }`,
  });
}
