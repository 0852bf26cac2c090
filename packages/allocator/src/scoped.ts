/**
 * A share of an allocator that ends as a whole: `using scope = Scoped.create(heap)` frees, at the end of the block, everything that was
 * allocated through it and not freed before.
 *
 * The parent is shared with others, so its `reset` is out of the question, and the scope must know its own blocks. It keeps their addresses
 * in a `Map` of this object, some 50 ns a call: a list threaded through the blocks would cost each 16 bytes and its alignment, and
 * could not tell a stranger's block from its own. Blocks are as the parent makes them.
 */

import { NULL, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { AllocatorError } from './errors.ts';
import { checkAllocator, refuseBlock } from './guards.ts';
import type { Memory } from './memory.ts';

/** The figures of the scope's own blocks: `liveBytes` counts their usable sizes, `capacity` is the parent's. */
export interface ScopedStats extends AllocatorStats {
  /** Blocks of this scope that are live. */
  readonly liveCount: number;
}

/**
 * Knows what was allocated through it, and frees that: on `reset`, on `release`, and at the end of a `using` block. Does not own its parent, which
 * stays. Blocks that were not allocated through it are refused. One thread at a time.
 */
export class Scoped<P extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  /** The live blocks' usable sizes, oldest first. */
  readonly #blocks = new Map<Address, number>();
  #liveBytes = 0;
  #failureCount = 0;
  #isReleased = false;

  private constructor(parent: P) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
  }

  /**
   * Opens a scope. O(1).
   *
   * @throws TypeError for what is no allocator.
   */
  static create<P extends Allocator>(parent: P): Scoped<P> {
    checkAllocator(parent, 'parent');
    return new Scoped(parent);
  }

  /** As the parent does. */
  allocate(size: number, alignment?: number): Address {
    this.#checkUsable();
    const address = this.parent.allocate(size, alignment);
    if (address !== NULL) this.#add(address);
    else if (size !== 0) this.#failureCount += 1;
    return address;
  }

  /** As the parent does, for blocks of this scope. */
  deallocate(address: Address, size?: number): void {
    const usable = this.#find(address, size);
    this.parent.deallocate(address, size);
    this.#remove(address, usable);
  }

  /** As the parent does, for blocks of this scope. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    const usable = this.#find(address, oldSize);
    if (!this.parent.resize(address, oldSize, newSize)) return false;
    const newUsable = this.parent.usableSize(address);
    this.#blocks.set(address, newUsable);
    this.#liveBytes += newUsable - usable;
    return true;
  }

  /** As the parent does, for blocks of this scope. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    const usable = this.#find(address, oldSize);
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    if (target === NULL && newSize !== 0) {
      this.#failureCount += 1;
      return NULL;
    }
    if (address !== NULL) this.#remove(address, usable);
    if (target !== NULL) this.#add(target);
    return target;
  }

  /** As the parent says, for blocks of this scope. */
  usableSize(address: Address): number {
    return this.#find(address);
  }

  /** As the parent says, until the scope is released. True of blocks of the parent's other users too: who frees them here is refused. */
  owns(address: Address): boolean {
    return !this.#isReleased && this.parent.owns(address);
  }

  /**
   * Frees the scope's blocks, newest first, and keeps the scope. O(live blocks).
   *
   * @throws AllocatorError when the parent refuses a block, which then somebody freed behind the scope's back; the others are freed all the same.
   */
  reset(): void {
    this.#checkUsable();
    this.#freeAll();
  }

  /**
   * Frees the scope's blocks, newest first, and ends the scope. The parent stays; if it went first, there is nothing left to do. Throws as {@link
   * Scoped.reset} does. O(live blocks).
   */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (isGone(this.parent)) return;
    this.#freeAll();
  }

  /** The same as {@link Scoped.release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** The figures of the scope. Costs what the parent's cost. */
  stats(): ScopedStats {
    this.#checkUsable();
    const { capacity } = this.parent.stats();
    return { capacity, liveBytes: this.#liveBytes, failureCount: this.#failureCount, liveCount: this.#blocks.size };
  }

  #checkUsable(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'this scope was released');
  }

  /** The usable size of a live block, 0 for `NULL`. */
  #find(address: Address, size?: number): number {
    this.#checkUsable();
    if (address === NULL) return 0;
    return this.#blocks.get(address) ?? refuseBlock(this.parent, address, size);
  }

  #add(address: Address): void {
    const usable = this.parent.usableSize(address);
    this.#blocks.set(address, usable);
    this.#liveBytes += usable;
  }

  #remove(address: Address, usable: number): void {
    if (this.#blocks.delete(address)) this.#liveBytes -= usable;
  }

  #freeAll(): void {
    const addresses = [...this.#blocks.keys()].reverse();
    this.#blocks.clear();
    this.#liveBytes = 0;
    const errors: unknown[] = [];
    for (const address of addresses) {
      try {
        this.parent.deallocate(address);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Checks the parent, and that it knows every block of this scope. O(live blocks) beyond the parent's check. */
  checkInvariants(): void {
    this.#checkUsable();
    this.parent.checkInvariants();
    let liveBytes = 0;
    for (const [address, usable] of this.#blocks) {
      if (this.parent.usableSize(address) !== usable) throw new AllocatorError('corrupt', `a block no longer has ${usable} usable bytes`);
      liveBytes += usable;
    }
    if (liveBytes !== this.#liveBytes) throw new AllocatorError('corrupt', `${liveBytes} bytes are live, ${this.#liveBytes} were counted`);
  }
}

/** Whether an allocator was released before us, with all its blocks. */
function isGone(parent: Allocator): boolean {
  try {
    parent.allocate(0);
    return false;
  } catch (error) {
    if (error instanceof AllocatorError && error.code === 'released') return true;
    throw error;
  }
}
