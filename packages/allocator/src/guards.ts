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
  if (typeof candidate?.allocate !== 'function') throw new TypeError(`${name} must be an allocator, got ${candidate === null ? 'null' : typeof candidate}`);
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
 * Proves that a block is live and can hold `size` bytes: to be called before {@link moveBlock}, which reads as many. As cheap as `owner.usableSize`.
 *
 * @param address - Not `NULL`.
 * @throws As `owner.usableSize` does; TypeError or RangeError for what is no size, AllocatorError `size-mismatch` for 0 or more than is usable.
 */
export function checkBlock(owner: Allocator, address: Address, size: number): void {
  const usable = owner.usableSize(address);
  if (size >>> 0 !== size || size === 0 || size > usable) refuseSize(address, size, usable);
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
