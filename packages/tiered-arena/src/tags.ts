/**
 * Generations, for arenas whose handles are checked: one 16-bit tag for each place where a block can begin, counted up whenever the block there is freed. A
 * handle carries the tag its block was allocated under, so a handle to a freed block no longer fits.
 */

import type { Address, Memory } from '@allokit/allocator';
import type { Segment } from './segment.ts';

/** How many generations there are before the first one comes again. */
export const GENERATION_COUNT = 2 ** 16;

/** Where the tag of the block at `address` lies: an index of 16-bit words. */
export function tagIndex({ tags, base }: Segment, address: Address, slotSizeMinLog2: number): number {
  return tags + Math.floor((address - base) / 2 ** slotSizeMinLog2);
}

/** The generation of the block at `address`. */
export function generation(memory: Memory, segment: Segment, address: Address, slotSizeMinLog2: number): number {
  return Atomics.load(memory.u16, tagIndex(segment, address, slotSizeMinLog2));
}

/** Ends a generation, whichever it is. */
export function retire(memory: Memory, segment: Segment, address: Address, slotSizeMinLog2: number): void {
  if (segment.tags !== 0) Atomics.add(memory.u16, tagIndex(segment, address, slotSizeMinLog2), 1);
}

/**
 * Ends a generation if it is this one. Of several threads that try, one succeeds.
 *
 * @returns Whether it did.
 */
export function retireExactly(memory: Memory, segment: Segment, { address, slotSizeMinLog2, from }: {
  /** The block's. */
  readonly address: Address;
  /** The tier's. */
  readonly slotSizeMinLog2: number;
  /** The generation to end. */
  readonly from: number;
}): boolean {
  return Atomics.compareExchange(memory.u16, tagIndex(segment, address, slotSizeMinLog2), from, (from + 1) % GENERATION_COUNT) === from;
}
