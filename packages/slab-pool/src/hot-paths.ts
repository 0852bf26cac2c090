/**
 * What `allocate` and `deallocate` of a pool do in the usual case, as source text for `compile`: the first halves of both methods, and to be kept like
 * them.
 */

import type { HotPaths } from '@allokit/allocator';
import {
  ALLOCATED,
  CURRENT,
  FREE_OBJECT,
  GRANULE,
  INDEX,
  INDEX_LENGTH,
  LIVE,
  LIVE_BITS,
  NEEDS_NOTICE,
  OBJECT_SIZE,
  SLAB_CLASS,
} from './layout.ts';

/** What never changes about a pool. */
export interface HotPathConstants {
  /** The word index of its state. */
  readonly state: number;
  readonly slabLog2: number;
  readonly liveBitMask: number;
  readonly sizeMax: number;
}

/**
 * @param pool - The name of the pool.
 * @param classOffsets - The name of its table from granules to classes.
 */
export function hotPaths(pool: string, classOffsets: string, { state, slabLog2, liveBitMask, sizeMax }: HotPathConstants): HotPaths {
  return {
    allocate: `
      if (size > ${sizeMax}) return 0;
      const words = ${pool}.words;
      const record = ${state} + ${classOffsets}[(size + ${GRANULE - 1}) >>> 4];
      let slab = words[record + ${CURRENT}];
      let object = words[slab + ${FREE_OBJECT}];
      if (!object) {
        if (object !== 0 || !${pool}.advance(record)) return 0;
        slab = words[record + ${CURRENT}];
        object = words[slab + ${FREE_OBJECT}];
      }
      const allocated = (words[record + ${ALLOCATED}] + 1) | 0;
      if (allocated < 0) return 0;
      words[slab + ${FREE_OBJECT}] = words[object];
      words[slab + ${LIVE_BITS} + ((object >>> 7) & ${liveBitMask})] |= 1 << (object >>> 2);
      words[slab + ${LIVE}] += 1;
      words[record + ${ALLOCATED}] = allocated;
      return (object << 2) >>> 0;
    `,
    deallocate: `
      const words = ${pool}.words;
      const number = address >>> ${slabLog2};
      if (number < words[${state + INDEX_LENGTH}]) {
        const slab = words[words[${state + INDEX}] + number];
        if (slab === 0) return 0;
        const object = address >>> 2;
        const at = slab + ${LIVE_BITS} + ((object >>> 7) & ${liveBitMask});
        const bits = words[at];
        const bit = 1 << (object >>> 2);
        const record = words[slab + ${SLAB_CLASS}];
        if (!(bits & bit) || address & ${GRANULE - 1}) return -1;
        if (size !== undefined && !((size | 0) === size && size > 0 && size <= words[record + ${OBJECT_SIZE}])) return -1;
        const live = words[slab + ${LIVE}] - 1;
        words[at] = bits ^ bit;
        words[object] = words[slab + ${FREE_OBJECT}];
        words[slab + ${FREE_OBJECT}] = object;
        words[slab + ${LIVE}] = live;
        if (((live - 1) | live) & ${NEEDS_NOTICE}) ${pool}.notice(slab);
        else words[record + ${CURRENT}] = slab;
        return 1;
      }
      // A view that died knows no index: then who owns the address is a question for the pool itself.
      return words.length !== 0 ? 0 : -1;
    `,
  };
}
