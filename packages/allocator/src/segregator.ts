/**
 * The allocator equivalent of an *if* on the size: small requests go one way, large ones the other.
 *
 *     size, alignment <= threshold ?  small  :  large          free:  small owns the address ?  small  :  large
 *
 * Neither side may be built on the other, or `reset` would take the ground from under it. Where they must share one heap, give
 * the segregator a `Scoped` of the heap, which resets only what went through it:
 * `{ small: SlabPool.create(heap), large: Scoped.create(heap) }`.
 */

import { NULL, SIZE_MAX, checkInteger, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { checkBlock, checkSameMemory } from './guards.ts';
import { HOT_PATHS, type Compilable, type HotPaths, type HotPathWriter } from './hot-paths.ts';
import type { Memory } from './memory.ts';
import { moveBlock } from './move.ts';

/** What {@link Segregator.create} takes. */
export interface SegregatorOptions<Small extends Allocator, Large extends Allocator> {
  /** The largest size, in bytes, that goes to `small`; an alignment above it goes to `large` whatever the size. */
  readonly threshold: number;
  /** Serves requests up to and including `threshold`. Its `owns` routes every free, so it should be quick and must be exact. */
  readonly small: Small;
  /** Serves the others. On the same memory as `small`. */
  readonly large: Large;
}

/** The figures of both sides, added and apart. */
export interface SegregatorStats<Small extends Allocator, Large extends Allocator> extends AllocatorStats {
  /** The figures of `small`. */
  readonly small: ReturnType<Small['stats']>;
  /** The figures of `large`. */
  readonly large: ReturnType<Large['stats']>;
}

/**
 * Routes by size. Adds one comparison to an allocation and one `small.owns` to a free; has no state but a count of failures, kept by this
 * object. Owns both sides: `reset` and `release` reach them, `small` first. As safe for threads as its sides are.
 */
export class Segregator<Small extends Allocator = Allocator, Large extends Allocator = Allocator> implements Allocator, Compilable {
  readonly memory: Memory;
  /** The lesser of both sides' alignments. */
  readonly alignment: number;
  /** The largest size that goes to `small`, in bytes. */
  readonly threshold: number;
  /** Serves requests up to and including the threshold. */
  readonly small: Small;
  /** Serves the others. */
  readonly large: Large;
  #failureCount = 0;

  private constructor(threshold: number, small: Small, large: Large) {
    this.memory = small.memory;
    this.alignment = Math.min(small.alignment, large.alignment);
    this.threshold = threshold;
    this.small = small;
    this.large = large;
  }

  /**
   * Joins two allocators. O(1).
   *
   * @throws TypeError for what is no allocator or number, RangeError for a threshold that is no size or for sides on different memories.
   */
  static create<Small extends Allocator, Large extends Allocator>(options: SegregatorOptions<Small, Large>): Segregator<Small, Large> {
    const { threshold, small, large } = options;
    checkInteger(threshold, 'threshold', 0, SIZE_MAX);
    checkSameMemory(small, 'small', large, 'large');
    return new Segregator(threshold, small, large);
  }

  /**
   * Allocates from one side, as `Allocator.allocate` says. A request that `small` can size but not align goes to `large` before it fails.
   * Otherwise one side being full is a failure: nothing spills over (see `Fallback`).
   */
  allocate(size: number, alignment?: number): Address {
    if (alignment !== undefined) return this.#allocateAligned(size, alignment);
    const address = size <= this.threshold ? this.small.allocate(size) : this.large.allocate(size);
    if (address === NULL && size !== 0) this.#failureCount += 1;
    return address;
  }

  /** Frees through the side that owns the address, as `Allocator.deallocate` says. */
  deallocate(address: Address, size?: number): void {
    if (this.small.owns(address)) this.small.deallocate(address, size);
    else this.large.deallocate(address, size);
  }

  /**
   * Resizes within one side; across the threshold a block would have to move. As `Allocator.resize` says.
   *
   * @returns Also `false` when the new size belongs to the other side.
   */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (this.small.owns(address)) {
      if (newSize <= this.threshold) return this.small.resize(address, oldSize, newSize);
      checkBlock(this.small, address, oldSize);
    } else {
      if (newSize > this.threshold || oldSize <= this.threshold || address === NULL) return this.large.resize(address, oldSize, newSize);
      checkBlock(this.large, address, oldSize);
    }
    checkSize(newSize, 'newSize');
    return false;
  }

  /**
   * Resizes within one side, or moves the block and its contents to the other, as `Allocator.reallocate` says. A block
   * that shrinks below the threshold stays with `large` when `small` is full.
   */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) return this.allocate(newSize, alignment);
    const isSmall = this.small.owns(address);
    const staysSmall = newSize <= this.threshold && (alignment === undefined || alignment <= this.threshold);
    let target: Address = NULL;
    if (isSmall === staysSmall || newSize === 0) {
      target = (isSmall ? this.small : this.large).reallocate(address, oldSize, newSize, alignment);
      if (target === NULL && newSize !== 0 && isSmall && alignment !== undefined && alignment > this.small.alignment) {
        target = moveBlock(this.small, this.large, address, oldSize, newSize, alignment);
      }
    } else if (isSmall) {
      checkBlock(this.small, address, oldSize);
      target = moveBlock(this.small, this.large, address, oldSize, newSize, alignment);
    } else {
      checkBlock(this.large, address, oldSize);
      target = moveBlock(this.large, this.small, address, oldSize, newSize, alignment);
      if (target === NULL) target = this.large.reallocate(address, oldSize, newSize, alignment);
    }
    if (target === NULL && newSize !== 0) this.#failureCount += 1;
    return target;
  }

  /** As the side that owns the address says. */
  usableSize(address: Address): number {
    return this.small.owns(address) ? this.small.usableSize(address) : this.large.usableSize(address);
  }

  /** Whether either side owns the address. */
  owns(address: Address): boolean {
    return this.small.owns(address) || this.large.owns(address);
  }

  /** Resets both sides. */
  reset(): void {
    this.small.reset();
    this.large.reset();
  }

  /** Releases both sides. */
  release(): void {
    this.small.release();
    this.large.release();
  }

  /** Both sides' figures. Costs what theirs cost. */
  stats(): SegregatorStats<Small, Large> {
    const small = this.small.stats() as ReturnType<Small['stats']>;
    const large = this.large.stats() as ReturnType<Large['stats']>;
    return {
      capacity: small.capacity + large.capacity,
      liveBytes: small.liveBytes + large.liveBytes,
      failureCount: this.#failureCount,
      small,
      large,
    };
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    const small = writer.functions(this.small);
    const large = writer.functions(this.large);
    return {
      allocate: `return size <= ${this.threshold} ? ${small.allocate}(size) : ${large.allocate}(size);`,
      deallocate: `
        const outcome = ${small.deallocate}(address, size);
        return outcome !== 0 ? outcome : ${large.deallocate}(address, size);
      `,
    };
  }

  #allocateAligned(size: number, alignment: number): Address {
    const isSmall = size <= this.threshold && alignment <= this.threshold;
    let address = isSmall ? this.small.allocate(size, alignment) : this.large.allocate(size, alignment);
    if (address !== NULL || size === 0) return address;
    if (isSmall && alignment > this.small.alignment) address = this.large.allocate(size, alignment);
    if (address === NULL) this.#failureCount += 1;
    return address;
  }

  /** Checks both sides. */
  checkInvariants(): void {
    this.small.checkInvariants();
    this.large.checkInvariants();
  }
}
