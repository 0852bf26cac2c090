/** The live blocks of an allocator, from what `Tracked` says of every call. */

import { NULL, type Address, type TrackedEvent } from '@allokit/allocator';

/** Keeps the address and the asked size of every live block. */
export class BlockLog {
  readonly #sizes = new Map<Address, number>();

  /** What `Tracked` is to call. */
  readonly note = ({ operation, address, size, oldAddress }: TrackedEvent): void => {
    if (operation === 'reset' || operation === 'release') this.#sizes.clear();
    else if (operation === 'deallocate') this.#sizes.delete(address);
    else if (address !== NULL) {
      this.#sizes.delete(oldAddress);
      this.#sizes.set(address, size);
    }
  };

  /** How many there are. */
  get count(): number {
    return this.#sizes.size;
  }

  /** Address and size of each, in ascending order. O(n log n). */
  sorted(): readonly (readonly [address: Address, size: number])[] {
    return [...this.#sizes].sort(([a], [b]) => a - b);
  }

  /** The size that was asked for; `undefined` for what is no live block. */
  sizeOf(address: Address): number | undefined {
    return this.#sizes.get(address);
  }
}
