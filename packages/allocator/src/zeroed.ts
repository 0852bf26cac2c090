/** C's `calloc`: an array of zeros, and a multiplication that is checked. */

import { NULL, SIZE_MAX, checkSize, type Address } from './address.ts';
import type { BlockSource } from './allocator.ts';
import { zeroBytes } from './bytes.ts';

/**
 * Allocates `count * size` bytes that read as zero. O(count * size) beyond the allocation.
 *
 * @param count - How many elements.
 * @param size - Bytes in each.
 * @param alignment - As for `BlockSource.allocate`.
 * @returns The address, or `NULL` when there is no room, or nothing was asked for.
 * @throws As `BlockSource.allocate` does; RangeError also when the product exceeds 2^32 - 1.
 */
export function allocateZeroed(allocator: BlockSource, count: number, size: number, alignment?: number): Address {
  checkSize(count, 'count');
  checkSize(size, 'size');
  const total = count * size;
  if (total > SIZE_MAX) throw new RangeError(`count * size must be at most ${SIZE_MAX} bytes, got ${count} * ${size}`);
  const address = allocator.allocate(total, alignment);
  if (address !== NULL) zeroBytes(allocator.memory, address, total);
  return address;
}
