/** The slow half of every `reallocate`: when a block cannot be resized where it stands, allocate, copy, free. */

import { NULL, type Address } from './address.ts';
import type { Allocator } from './allocator.ts';
import { copyBytes } from './bytes.ts';

/**
 * Moves a live block to a new one of `newSize` bytes and frees the old one. O(min(oldSize, newSize)) beyond the two calls.
 *
 * @param from - Owns the old block, which must be live and hold `oldSize` bytes: check before.
 * @param to - Hands out the new one; may be the same allocator. Both on one memory.
 * @returns The new address, or `NULL` when `to` has no room: then the old block is as it was.
 * @throws As `to.allocate` and `from.deallocate` do; then the old block is as it was, and there is no new one.
 */
export function moveBlock(from: Allocator, to: Allocator, address: Address, oldSize: number, newSize: number, alignment?: number): Address {
  const target = alignment === undefined ? to.allocate(newSize) : to.allocate(newSize, alignment);
  if (target !== NULL) moveInto(from, to, address, oldSize, target, newSize);
  return target;
}

/**
 * Copies a live block to another and frees the old one. Where `from` refuses that, the new one is given back. O(min(oldSize, newSize)) beyond the call.
 *
 * @throws As `from.deallocate` does; then the old block is as it was.
 */
export function moveInto(from: Allocator, to: Allocator, address: Address, oldSize: number, target: Address, newSize: number): void {
  copyBytes(to.memory, target, address, oldSize < newSize ? oldSize : newSize);
  try {
    from.deallocate(address, oldSize);
  } catch (error) {
    to.deallocate(target, newSize);
    throw error;
  }
}
