/**
 * The size classes: eight of them from 32 bytes, doubling. One formula for allocating and freeing, because a block that is freed under another class than
 * it was allocated under is a block too small for whoever gets it next.
 *
 *     class        0    1    2    3    4     5     6     7
 *     slot        32   64  128  256  512  1024  2048     whole pages, of any number
 */

/** How many classes there are. */
export const CLASS_COUNT = 8;
/** The class of what is too large for a slot: runs of whole pages. */
export const CLASS_LARGE = 7;
/** Log2 of the smallest slot in bytes. */
export const SLOT_SIZE_MIN_LOG2 = 5;
/** The largest slot in bytes. */
export const SLOT_SIZE_MAX = 2048;

if (1 << (SLOT_SIZE_MIN_LOG2 + CLASS_LARGE - 1) !== SLOT_SIZE_MAX) throw new RangeError('the classes must double from the smallest slot to the largest');

/**
 * The class that serves `size` bytes: `clamp(ceil(log2(max(size, 32) / 32)), 0, 7)`. O(1).
 *
 * @param size - In bytes, at least 1.
 * @param slotSizeMin - The tier's smallest slot, a power of two of at least 32: its alignment, where that is more.
 */
export function sizeClass(size: number, slotSizeMin = 32): number {
  const exponent = 32 - SLOT_SIZE_MIN_LOG2 - Math.clz32((size - 1) | (slotSizeMin - 1));
  return exponent < CLASS_LARGE ? exponent : CLASS_LARGE;
}
