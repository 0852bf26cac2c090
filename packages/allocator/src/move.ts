/** Blocks changing hands: the slow half of every `reallocate`, and what a child returns to its parent. */

import { NULL, type Address } from './address.ts';
import type { Allocator, Parent } from './allocator.ts';
import { copyBytes } from './bytes.ts';

/**
 * Moves a live block to a new one of `newSize` bytes and frees the old one. O(min(oldSize, newSize)) beyond the two calls.
 *
 * @param from - Owns the old block, which must be live and hold `oldSize` bytes: check before.
 * @param to - Hands out the new one; may be the same allocator. Both on one memory.
 * @returns The new address, or `NULL` when `to` has no room: then the old block is as it was.
 */
export function moveBlock(from: Allocator, to: Allocator, address: Address, oldSize: number, newSize: number, alignment?: number): Address {
  const target = alignment === undefined ? to.allocate(newSize) : to.allocate(newSize, alignment);
  if (target === NULL) return NULL;
  copyBytes(to.memory, target, address, oldSize < newSize ? oldSize : newSize);
  from.deallocate(address, oldSize);
  return target;
}

/**
 * Gives a block back to the parent it came from, or leaves it there when the parent takes nothing back before its own reset.
 *
 * @param size - As it was allocated.
 */
export function giveBack(parent: Parent, address: Address, size: number): void {
  if ('deallocate' in parent) parent.deallocate(address, size);
}
