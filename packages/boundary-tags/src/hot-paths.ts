/**
 * What all heaps of fragments do in the usual case, as source text for `compile`. A kind of heap adds how it finds a fragment, and how its bins gain and lose
 * one. To be kept like the methods of those heaps.
 */

import type { HotPaths } from '@allokit/allocator';
import { ALLOCATED, ALLOCATED_PEAK, BEFORE, REQUEST_PEAK, SIZE, USED } from './layout.ts';

/** What differs between heaps: statements, which may use the names given, and `words`. */
export interface BinTexts {
  /**
   * Declares `block`, the first word of a free fragment that is large enough for a block of `size` bytes, and `wanted`, the words that it needs; the fragment
   * is out of its bin then. Returns 0 where none is found at once, before anything was written.
   */
  readonly take: string;
  /** Takes a free fragment, called by the first name, out of its bin. */
  readonly remove: (block: string) => string;
  /** Puts a fragment, of so many words, into its bin: its size, its links, and the word that leads back to it from behind. */
  readonly insert: (block: string, length: string) => string;
}

/**
 * The hot paths of a heap: both functions, but for its bins.
 *
 * @param heap - The name of the heap.
 * @param state - The word index of its state.
 */
export function fragmentHotPaths(heap: string, state: number, { take, remove, insert }: BinTexts): HotPaths {
  return {
    allocate: `
      const words = ${heap}.words;
      ${take}
      const rest = words[block + ${SIZE}] - wanted;
      if (rest) {
        const behind = block + wanted;
        words[behind + ${BEFORE}] = block;
        ${insert('behind', 'rest')}
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
      ${insert('start', 'length')}
      return 1;
    `,
  };
}
