/** What a child returns to the allocator it was built on. */

import type { Address } from './address.ts';
import type { Parent } from './allocator.ts';

/**
 * Gives a block back to the parent it came from, or leaves it there when the parent takes nothing back before its own reset.
 *
 * @param size - As it was allocated.
 */
export function giveBack(parent: Parent, address: Address, size: number): void {
  if ('deallocate' in parent) parent.deallocate(address, size);
}
