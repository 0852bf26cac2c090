/** The allocator that has nothing to give: it ends chains, and stands in for a full one in tests. */

import { ALIGNMENT_MAX, NULL, checkAddress, checkAlignment, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import type { Memory } from './memory.ts';

/** Always answers `NULL` and owns nothing. Every call is O(1). One thread at a time, for the sake of the count of failures. */
export class Null implements Allocator {
  readonly memory: Memory;
  /** The largest there is: it holds for every block this allocator has ever handed out, and leaves a combination to its other part. */
  readonly alignment = ALIGNMENT_MAX;
  /** Never. */
  readonly owns: (address: Address) => boolean = () => false;
  #failureCount = 0;
  #isReleased = false;

  private constructor(memory: Memory) {
    this.memory = memory;
  }

  /**
   * Makes one. O(1).
   *
   * @param memory - Where no block will ever lie; combinators compare it with that of the other part.
   */
  static create(memory: Memory): Null {
    return new Null(memory);
  }

  /**
   * Refuses.
   *
   * @returns `NULL`, counted as a failure unless `size` is 0.
   * @throws TypeError or RangeError for a size or an alignment that is none, AllocatorError `released`.
   */
  allocate(size: number, alignment?: number): Address {
    this.#checkUsable();
    checkSize(size);
    if (alignment !== undefined) checkAlignment(alignment);
    if (size !== 0) this.#failureCount += 1;
    return NULL;
  }

  /** Accepts `NULL` and refuses everything else: AllocatorError `foreign-address`. */
  deallocate(address: Address, size?: number): void {
    if (size !== undefined) checkSize(size);
    this.#checkNull(address);
  }

  /** Accepts `NULL`, for which it yields `false`, and refuses everything else: AllocatorError `foreign-address`. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#checkNull(address);
    return false;
  }

  /** `allocate` for `NULL`, and refuses everything else: AllocatorError `foreign-address`. */
  reallocate(address: Address, _oldSize: number, newSize: number, alignment?: number): Address {
    this.#checkNull(address);
    return this.allocate(newSize, alignment);
  }

  /** 0 for `NULL`, and refuses everything else: AllocatorError `foreign-address`. */
  usableSize(address: Address): number {
    this.#checkNull(address);
    return 0;
  }

  /** Does nothing, there being nothing to free. */
  reset(): void {
    this.#checkUsable();
  }

  /** Ends the use of this object. The memory is not its own and stays. */
  release(): void {
    this.#isReleased = true;
  }

  /** Nothing held, nothing live, and how often it refused. */
  stats(): AllocatorStats {
    this.#checkUsable();
    return { capacity: 0, liveBytes: 0, failureCount: this.#failureCount };
  }

  #checkUsable(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'this allocator was released');
  }

  #checkNull(address: Address): void {
    this.#checkUsable();
    checkAddress(address);
    if (address !== NULL) throw new AllocatorError('foreign-address', `${formatAddress(address)} was not allocated here: nothing is`);
  }

  /** Has none to check. */
  checkInvariants(): void {
    this.#checkUsable();
  }
}
