/**
 * The allocator equivalent of a *retry*: when its parent has no room, it asks others on the same memory to give back what they do not need, and tries
 * once more.
 *
 *     const heap = O1Heap.create(Reclaiming.create(memory, () => pool.trim()), { .. });
 *
 * For siblings that share a parent and keep empty slabs, chunks or regions for themselves: what one hoards, the other can have.
 */

import { NULL, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { checkAllocator } from './guards.ts';
import type { Memory } from './memory.ts';

/**
 * Retries. Adds one comparison to an allocation; has no state of its own. Owns its parent as far as `reset` and `release` go, so it belongs between a parent
 * and a child, which calls neither. As safe for threads as its parent is.
 */
export class Reclaiming<Parent extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Asked for every block. */
  readonly parent: Parent;
  readonly #reclaim: () => number;

  private constructor(parent: Parent, reclaim: () => number) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.#reclaim = reclaim;
  }

  /**
   * Puts a retry in front of an allocator. O(1).
   *
   * @param parent - Asked for every block.
   * @param reclaim - Gives back to `parent` what can be spared, and says how many bytes that were; 0 ends the attempt. It must not
   *   allocate, and must leave alone whoever is asking: what is being resized must not change under the call.
   * @throws TypeError for what is no allocator or no function.
   */
  static create<Parent extends Allocator>(parent: Parent, reclaim: () => number): Reclaiming<Parent> {
    checkAllocator(parent, 'parent');
    if (typeof reclaim !== 'function') throw new TypeError(`reclaim must be a function, got ${typeof reclaim}`);
    return new Reclaiming(parent, reclaim);
  }

  /** Allocates from the parent, a second time after a successful reclaim. As `Allocator.allocate` says; the parent counts both failures. */
  allocate(size: number, alignment?: number): Address {
    const address = this.parent.allocate(size, alignment);
    return address !== NULL || size === 0 || this.#reclaim() === 0 ? address : this.parent.allocate(size, alignment);
  }

  /** As the parent does. */
  deallocate(address: Address, size?: number): void {
    this.parent.deallocate(address, size);
  }

  /** As the parent does, a second time after a successful reclaim. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (this.parent.resize(address, oldSize, newSize)) return true;
    return newSize > oldSize && this.#reclaim() !== 0 && this.parent.resize(address, oldSize, newSize);
  }

  /** As the parent does, a second time after a successful reclaim. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    return target !== NULL || newSize === 0 || this.#reclaim() === 0 ? target : this.parent.reallocate(address, oldSize, newSize, alignment);
  }

  /** As the parent does. */
  usableSize(address: Address): number {
    return this.parent.usableSize(address);
  }

  /** As the parent does. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** Resets the parent. */
  reset(): void {
    this.parent.reset();
  }

  /** Releases the parent. */
  release(): void {
    this.parent.release();
  }

  /** The parent's figures. */
  stats(): AllocatorStats {
    return this.parent.stats();
  }

  /** Checks the parent. */
  checkInvariants(): void {
    this.parent.checkInvariants();
  }
}
