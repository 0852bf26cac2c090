/** Counts what goes through, to stop and look at a moment: transparent, so that the program goes on as it would have. */

import { NULL, type Address, type Allocator, type AllocatorStats, type Memory } from '@allokit/allocator';

/** Calls a function after each call that changed something: addresses, sizes and errors are the parent's. */
export class Counted implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: Allocator;
  readonly #onOperation: () => void;

  private constructor(parent: Allocator, onOperation: () => void) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.#onOperation = onOperation;
  }

  /** Starts counting. O(1). */
  static create(parent: Allocator, onOperation: () => void): Counted {
    return new Counted(parent, onOperation);
  }

  /** As the parent does. */
  allocate(size: number, alignment?: number): Address {
    const address = this.parent.allocate(size, alignment);
    if (address !== NULL) this.#onOperation();
    return address;
  }

  /** As the parent does. */
  deallocate(address: Address, size?: number): void {
    this.parent.deallocate(address, size);
    if (address !== NULL) this.#onOperation();
  }

  /** As the parent does. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    const isDone = this.parent.resize(address, oldSize, newSize);
    if (isDone && address !== NULL) this.#onOperation();
    return isDone;
  }

  /** As the parent does. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    if (target !== NULL || (address !== NULL && newSize === 0)) this.#onOperation();
    return target;
  }

  /** As the parent says. */
  usableSize(address: Address): number {
    return this.parent.usableSize(address);
  }

  /** As the parent says. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** As the parent does. */
  reset(): void {
    this.parent.reset();
    this.#onOperation();
  }

  /** As the parent does. */
  release(): void {
    this.parent.release();
    this.#onOperation();
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
