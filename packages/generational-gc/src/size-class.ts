/** The sizes of the old space's cells: multiples of 8 up to 256 bytes, then eight to a doubling, so that a cell wastes less than an eighth of itself. */

import { CELL_SIZE_MIN, SMALL_SIZE_MAX } from './header.ts';

/** Up to so many bytes, every multiple of 8 has a class of its own. */
const EXACT_MAX = 256;
const STEPS_PER_DOUBLING = 8;

/** Bytes of a cell in each class, ascending. */
export const CELL_SIZES: readonly number[] = cellSizes();

/** The class for each number of bytes, in units of 8. */
export const CLASS_OF_UNITS: Uint8Array = classTable();

function cellSizes(): number[] {
  const sizes: number[] = [];
  for (let size = CELL_SIZE_MIN; size <= SMALL_SIZE_MAX; size += size < EXACT_MAX ? 8 : 2 ** (31 - Math.clz32(size)) / STEPS_PER_DOUBLING) sizes.push(size);
  return sizes;
}

function classTable(): Uint8Array {
  // With a buffer of its own, or V8 would keep a short array inside its heap, where its address is no constant.
  const table = new Uint8Array(new ArrayBuffer(SMALL_SIZE_MAX / 8 + 1));
  let units = 0;
  CELL_SIZES.forEach((size, i) => {
    for (; units <= size / 8; units += 1) table[units] = i;
  });
  return table;
}

if (CELL_SIZES.at(-1) !== SMALL_SIZE_MAX) throw new RangeError('the largest small object must have a class');
