/** What a combinator proves before it takes the first of several steps, so that misuse leaves nothing half done. */

import { checkSize, type Address } from './address.ts';
import type { Allocator, BlockSource } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';

/**
 * Checks that `value` looks like an allocator. O(1).
 *
 * @param value - What the caller passed.
 * @param name - The parameter's name, for the message.
 * @throws TypeError otherwise.
 */
export function checkAllocator(value: BlockSource, name: string): void {
  const candidate = value as { allocate?: unknown } | null | undefined;
  if (typeof candidate?.allocate !== 'function') throw new TypeError(`${name} must be an allocator, got ${String(candidate)}`);
}

/**
 * Checks that two allocators hand out blocks of the same memory. O(1).
 *
 * @throws TypeError when one is no allocator, RangeError when the memories differ.
 */
export function checkSameMemory(first: BlockSource, firstName: string, second: BlockSource, secondName: string): void {
  checkAllocator(first, firstName);
  checkAllocator(second, secondName);
  if (first.memory !== second.memory) throw new RangeError(`${firstName} and ${secondName} must be on the same memory`);
}

/**
 * Proves that `owner` would take the block back, which must come before {@link moveBlock}: there the old block is freed last, too late to
 * refuse. A resize to the size a block has changes nothing and checks everything.
 *
 * @param address - Not `NULL`.
 * @throws As `owner.deallocate(address, size)` does.
 */
export function checkBlock(owner: Allocator, address: Address, size: number): void {
  owner.resize(address, size, size);
}

/**
 * Throws what is wrong with a block that a combinator does not know: what `parent` says of it, or that it was allocated past the combinator.
 *
 * @param address - Anything but `NULL`.
 * @throws Always: as `parent.deallocate` does, or AllocatorError `foreign-address`.
 */
export function refuseBlock(parent: Allocator, address: Address, size?: number): never {
  let isLive = true;
  try {
    parent.usableSize(address);
  } catch {
    isLive = false;
  }
  if (!isLive) parent.deallocate(address, size);
  throw new AllocatorError('foreign-address', `the block at ${formatAddress(address)} was not allocated here`);
}

/**
 * Throws what is wrong with the size given for a block whose size is known exactly.
 *
 * @throws Always: TypeError or RangeError for what is no size, AllocatorError `size-mismatch`.
 */
export function refuseSize(address: Address, size: number, actual: number): never {
  checkSize(size);
  throw new AllocatorError('size-mismatch', `the block at ${formatAddress(address)} has ${actual} bytes, not ${size}`);
}

/** Whether a block may stay where it is as far as its alignment goes. */
export function isAligned(address: Address, alignment: number | undefined): boolean {
  return alignment === undefined || (address & (alignment - 1)) === 0;
}
