/**
 * The allocator equivalent of an *or*: what the primary cannot serve, the secondary does.
 *
 *     allocate:  primary || secondary          free:  primary owns the address ?  primary  :  secondary
 *
 * Neither may be built on the other, or `reset` would take the ground from under it; where they must share one heap,
 * give each a `Scoped` or a region of its own.
 */

import { NULL, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { checkSameMemory } from './guards.ts';
import { HOT_PATHS, type Compilable, type HotPaths, type HotPathWriter } from './hot-paths.ts';
import type { Memory } from './memory.ts';
import { moveBlock } from './move.ts';

/** The figures of both parts, added and apart. */
export interface FallbackStats<Primary extends Allocator, Secondary extends Allocator> extends AllocatorStats {
  /** The figures of `primary`; its failures are the requests that were passed on. */
  readonly primary: ReturnType<Primary['stats']>;
  /** The figures of `secondary`. */
  readonly secondary: ReturnType<Secondary['stats']>;
}

/**
 * Asks one allocator, then another. Adds one comparison to an allocation and one `primary.owns` to a free; has no state but a count of failures,
 * kept by this object. Owns both parts: `reset` and `release` reach them, `primary` first. As safe for threads as its parts are.
 */
export class Fallback<Primary extends Allocator = Allocator, Secondary extends Allocator = Allocator> implements Allocator, Compilable {
  readonly memory: Memory;
  /** The lesser of both alignments. */
  readonly alignment: number;
  /** Asked first. */
  readonly primary: Primary;
  /** Asked when `primary` has no room. */
  readonly secondary: Secondary;
  #failureCount = 0;

  private constructor(primary: Primary, secondary: Secondary) {
    this.memory = primary.memory;
    this.alignment = Math.min(primary.alignment, secondary.alignment);
    this.primary = primary;
    this.secondary = secondary;
  }

  /**
   * Joins two allocators. O(1).
   *
   * @param primary - Asked first. Its `owns` routes every free, so it should be quick and must be exact.
   * @param secondary - On the same memory.
   * @throws TypeError for what is no allocator, RangeError for allocators on different memories.
   */
  static create<Primary extends Allocator, Secondary extends Allocator>(primary: Primary, secondary: Secondary): Fallback<Primary, Secondary> {
    checkSameMemory(primary, 'primary', secondary, 'secondary');
    return new Fallback(primary, secondary);
  }

  /** Allocates from the first that has room, as `Allocator.allocate` says. */
  allocate(size: number, alignment?: number): Address {
    const address = this.primary.allocate(size, alignment);
    return address !== NULL || size === 0 ? address : this.#allocateSecondary(size, alignment);
  }

  /** Frees through the part that owns the address, as `Allocator.deallocate` says. */
  deallocate(address: Address, size?: number): void {
    if (this.primary.owns(address)) this.primary.deallocate(address, size);
    else this.secondary.deallocate(address, size);
  }

  /** Resizes within the part that owns the address, as `Allocator.resize` says. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (this.primary.owns(address)) return this.primary.resize(address, oldSize, newSize);
    return this.secondary.resize(address, oldSize, newSize);
  }

  /** Resizes within the part that owns the block; when that has no room, moves it to the other. As `Allocator.reallocate` says. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) return this.allocate(newSize, alignment);
    const isPrimary = this.primary.owns(address);
    const owner = isPrimary ? this.primary : this.secondary;
    let target = owner.reallocate(address, oldSize, newSize, alignment);
    if (target !== NULL || newSize === 0) return target;
    target = moveBlock(owner, isPrimary ? this.secondary : this.primary, address, oldSize, newSize, alignment);
    if (target === NULL) this.#failureCount += 1;
    return target;
  }

  /** As the part that owns the address says. */
  usableSize(address: Address): number {
    return this.primary.owns(address) ? this.primary.usableSize(address) : this.secondary.usableSize(address);
  }

  /** Whether either part owns the address. */
  owns(address: Address): boolean {
    return this.primary.owns(address) || this.secondary.owns(address);
  }

  /** Resets both parts. */
  reset(): void {
    this.primary.reset();
    this.secondary.reset();
  }

  /** Releases both parts. */
  release(): void {
    this.primary.release();
    this.secondary.release();
  }

  /** Both parts' figures. Costs what theirs cost. */
  stats(): FallbackStats<Primary, Secondary> {
    const primary = this.primary.stats() as ReturnType<Primary['stats']>;
    const secondary = this.secondary.stats() as ReturnType<Secondary['stats']>;
    return {
      capacity: primary.capacity + secondary.capacity,
      liveBytes: primary.liveBytes + secondary.liveBytes,
      failureCount: this.#failureCount,
      primary,
      secondary,
    };
  }

  /** For `compile`: an allocation that the primary cannot serve is none of the hot ones. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    const primary = writer.functions(this.primary);
    const secondary = writer.functions(this.secondary);
    return {
      allocate: `return ${primary.allocate}(size);`,
      deallocate: `
        const outcome = ${primary.deallocate}(address, size);
        return outcome !== 0 ? outcome : ${secondary.deallocate}(address, size);
      `,
    };
  }

  #allocateSecondary(size: number, alignment: number | undefined): Address {
    const address = this.secondary.allocate(size, alignment);
    if (address === NULL) this.#failureCount += 1;
    return address;
  }

  /** Checks both parts. */
  checkInvariants(): void {
    this.primary.checkInvariants();
    this.secondary.checkInvariants();
  }
}
