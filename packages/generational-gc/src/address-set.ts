/** A set of addresses: a bit for each eight bytes of a range. */

import type { Address } from '@allokit/allocator';

/** A set of addresses that are multiples of 8, in a range that is given at its creation. */
export class AddressSet {
  readonly #start: Address;
  readonly #bits: Uint32Array;

  /** @param start - Of the range, a multiple of 8. @param size - Bytes of it. */
  constructor(start: Address, size: number) {
    this.#start = start;
    this.#bits = new Uint32Array((size >>> 8) + 1);
  }

  /** Adds one in the range. O(1). */
  add(address: Address): void {
    const offset = address - this.#start;
    this.#bits[offset >>> 8]! |= 1 << ((offset >>> 3) & 31);
  }

  /** Whether one is in it. O(1). */
  has(address: Address): boolean {
    const offset = address - this.#start;
    return offset >= 0 && (offset & 7) === 0 && ((this.#bits[offset >>> 8] ?? 0) & (1 << ((offset >>> 3) & 31))) !== 0;
  }
}
