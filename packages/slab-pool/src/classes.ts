/** Sets of size classes. */

import { GRANULE } from './layout.ts';

/** The largest of the fine classes, in bytes. */
const FINE_MAX = 2048;
/** Fine classes to a doubling: rounding up then wastes at most an eighth. Up to 128 bytes the granule decides. */
const FINE_PER_DOUBLING = 8;

/** The classes when nothing is said: powers of two, so that every object is aligned to its size. */
export const CLASS_SIZES_DEFAULT: readonly number[] = [16, 32, 64, 128, 256];

/**
 * 40 classes for blocks of any size up to 2 KiB: 16, 32 .. 128, then eight to a doubling, 144, 160 .. 256, 288, 320 .. 2048. Beside the granule of 16 bytes, an
 * object wastes at most an eighth of itself. There is at least one slab a class in use: take small ones.
 */
export const CLASS_SIZES_FINE: readonly number[] = fineSizes();

function fineSizes(): number[] {
  const sizes: number[] = [];
  for (let size = GRANULE; size <= FINE_MAX; size += Math.max(GRANULE, 2 ** Math.floor(Math.log2(size)) / FINE_PER_DOUBLING)) sizes.push(size);
  return sizes;
}
