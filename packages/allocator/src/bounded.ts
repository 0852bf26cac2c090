/**
 * A quota: passes requests on to its parent until the live blocks would exceed a limit.
 *
 * What counts is each block's `usableSize`, the rounding included and headers not: it is the one size that is known both when a block comes and when it goes,
 * be the size given or not. The quota is exact for blocks that come and go through it: at no return from a call do they exceed it. (A block that was
 * allocated past it counts as one of its own when it is freed here: it cannot tell.)
 *
 * The count is kept by this object, not in the memory: a quota is a promise to whoever holds the handle, and two handles are two promises.
 * To give several users of one heap a quota each, bound a share of it: `Bounded.create(Scoped.create(heap), { limit })`.
 */

import { ADDRESS_SPACE_SIZE, NULL, checkAlignment, checkInteger, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator, checkBlock, isAligned } from './guards.ts';
import type { Memory } from './memory.ts';
import { moveInto } from './move.ts';

/** What {@link Bounded.create} takes. */
export interface BoundedOptions {
  /** Bytes that the live blocks may have together, 0..2^32. */
  readonly limit: number;
}

/**
 * The figures of a quota: `capacity` is the limit, or what the parent has if that is less; `liveBytes` is what counts against it;
 * `failureCount` is how often a request was refused here, be it by the quota or by the parent.
 */
export interface BoundedStats extends AllocatorStats {
  /** Bytes that the live blocks may have together. */
  readonly limit: number;
}

/**
 * Hands out its parent's blocks up to a limit. Adds one `usableSize` to each call. Owns its parent: `reset` and `release` reach it. One
 * thread at a time.
 */
export class Bounded<P extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  /** Bytes that the live blocks may have together. */
  readonly limit: number;
  #used = 0;
  #failureCount = 0;

  private constructor(parent: P, limit: number) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.limit = limit;
  }

  /**
   * Puts a quota on an allocator. Blocks that are live already do not count. O(1).
   *
   * @throws TypeError for what is no allocator or number, RangeError for a limit outside 0..2^32.
   */
  static create<P extends Allocator>(parent: P, options: BoundedOptions): Bounded<P> {
    checkAllocator(parent, 'parent');
    checkInteger(options.limit, 'limit', 0, ADDRESS_SPACE_SIZE);
    return new Bounded(parent, options.limit);
  }

  /**
   * Allocates from the parent, as `Allocator.allocate` says.
   *
   * @returns Also `NULL` when the block would exceed the quota; what plainly would is refused before the parent is asked.
   */
  allocate(size: number, alignment?: number): Address {
    if (size > this.limit - this.#used) return this.#refuse(size, alignment);
    const address = this.parent.allocate(size, alignment);
    const used = this.#used + this.parent.usableSize(address);
    if (address === NULL || used > this.limit) return this.#undo(address, size);
    this.#used = used;
    return address;
  }

  /** Frees, as `Allocator.deallocate` says, and gives the block's bytes back to the quota. */
  deallocate(address: Address, size?: number): void {
    const usable = this.#checkCounted(address);
    this.parent.deallocate(address, size);
    this.#used -= usable;
  }

  /**
   * Resizes in place, as `Allocator.resize` says.
   *
   * @returns Also `false` when the block would exceed the quota.
   */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    const before = this.#checkCounted(address);
    const others = this.#used - before;
    if (newSize > before && newSize > this.limit - others && address !== NULL) {
      checkBlock(this.parent, address, oldSize);
      checkSize(newSize, 'newSize');
      return false;
    }
    if (!this.parent.resize(address, oldSize, newSize)) return false;
    this.#used = others + this.parent.usableSize(address);
    if (this.#used <= this.limit) return true;
    // The parent rounded the size up beyond the quota. Shrinking to what it was a moment ago cannot fail.
    this.parent.resize(address, newSize, before);
    this.#used = others + this.parent.usableSize(address);
    return false;
  }

  /**
   * Resizes or moves, as `Allocator.reallocate` says. A block that moves counts once, though for the time of the copy there are two of it.
   *
   * @returns Also `NULL` when the block would exceed the quota.
   */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) return this.allocate(newSize, alignment);
    if (alignment !== undefined) checkAlignment(alignment);
    if (newSize === 0) {
      checkSize(oldSize, 'oldSize');
      this.deallocate(address, oldSize);
      return NULL;
    }
    if (isAligned(address, alignment) && this.resize(address, oldSize, newSize)) return address;
    return this.#move(address, oldSize, newSize, alignment);
  }

  /** As the parent says. */
  usableSize(address: Address): number {
    return this.parent.usableSize(address);
  }

  /** As the parent says. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** Resets the parent; the whole quota is free again. */
  reset(): void {
    this.parent.reset();
    this.#used = 0;
  }

  /** Releases the parent. */
  release(): void {
    this.parent.release();
    this.#used = 0;
  }

  /** The figures of the quota. Costs what the parent's cost. */
  stats(): BoundedStats {
    const { capacity } = this.parent.stats();
    return { capacity: Math.min(capacity, this.limit), liveBytes: this.#used, failureCount: this.#failureCount, limit: this.limit };
  }

  /** What `allocate` answers beyond the quota. Asking the parent for nothing checks the alignment, and that it was not released. */
  #refuse(size: number, alignment: number | undefined): Address {
    checkSize(size);
    this.parent.allocate(0, alignment);
    this.#failureCount += 1;
    return NULL;
  }

  /** Gives a block back that turned out too large for the quota, or was none. */
  #undo(address: Address, size: number): Address {
    this.parent.deallocate(address, size);
    if (size !== 0) this.#failureCount += 1;
    return NULL;
  }

  /** The bytes that a live block counts for. */
  #checkCounted(address: Address): number {
    const usable = this.parent.usableSize(address);
    if (usable > this.#used) throw new AllocatorError('foreign-address', `the block at ${formatAddress(address)} was not allocated here`);
    return usable;
  }

  #move(address: Address, oldSize: number, newSize: number, alignment: number | undefined): Address {
    checkBlock(this.parent, address, oldSize);
    checkSize(newSize, 'newSize');
    const others = this.#used - this.parent.usableSize(address);
    if (newSize > this.limit - others) return this.#refuse(newSize, alignment);
    const target = this.parent.allocate(newSize, alignment);
    if (target === NULL) {
      this.#failureCount += 1;
      return NULL;
    }
    const used = others + this.parent.usableSize(target);
    if (used > this.limit) return this.#undo(target, newSize);
    moveInto(this.parent, this.parent, address, oldSize, target, newSize);
    this.#used = used;
    return target;
  }

  /** Checks the parent, and that the quota is kept. */
  checkInvariants(): void {
    this.parent.checkInvariants();
    if (this.#used < 0 || this.#used > this.limit) {
      throw new AllocatorError('corrupt', `${this.#used} of ${this.limit} bytes are used`);
    }
  }
}
