/** The least that is a MonotonicAllocator: one block of the parent, filled from the bottom. */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkSize,
  copyBytes,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Memory,
  type MonotonicAllocator,
} from '@allokit/allocator';

export class Bump implements MonotonicAllocator {
  readonly monotonic = true;
  readonly memory: Memory;
  readonly alignment = 8;
  readonly #parent: Allocator;
  readonly #start: Address;
  readonly #end: Address;
  #next: Address;
  #failureCount = 0;
  #isReleased = false;

  private constructor(parent: Allocator, start: Address, size: number) {
    this.memory = parent.memory;
    this.#parent = parent;
    this.#start = start;
    this.#end = start + size;
    this.#next = start;
  }

  static create(parent: Allocator, size: number): Bump {
    return new Bump(parent, parent.allocate(size), size);
  }

  allocate(size: number, alignment = this.alignment): Address {
    this.#checkUsable();
    checkSize(size);
    checkAlignment(alignment);
    if (size === 0) return NULL;
    const address = alignUp(this.#next, Math.max(alignment, this.alignment));
    if (address + size > this.#end) {
      this.#failureCount += 1;
      return NULL;
    }
    this.#next = address + size;
    return address;
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    this.#checkUsable();
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    if (address === NULL || newSize === 0) return false;
    if (address + oldSize !== this.#next) return newSize <= oldSize;
    if (address + newSize > this.#end) return false;
    this.#next = address + newSize;
    return true;
  }

  reallocate(address: Address, oldSize: number, newSize: number, alignment = this.alignment): Address {
    checkAlignment(alignment);
    if (newSize === 0 || address === NULL) return this.allocate(newSize, alignment);
    if (this.resize(address, oldSize, newSize)) return address;
    const target = this.allocate(newSize, alignment);
    if (target !== NULL) copyBytes(this.memory, target, address, Math.min(oldSize, newSize));
    return target;
  }

  owns(address: Address): boolean {
    return !this.#isReleased && Number.isInteger(address) && address >= this.#start && address < this.#end;
  }

  reset(): void {
    this.#checkUsable();
    this.#next = this.#start;
  }

  release(): void {
    if (!this.#isReleased) this.#parent.deallocate(this.#start);
    this.#isReleased = true;
  }

  stats(): AllocatorStats {
    this.#checkUsable();
    return { capacity: this.#end - this.#start, liveBytes: this.#next - this.#start, failureCount: this.#failureCount };
  }

  checkInvariants(): void {
    this.#checkUsable();
  }

  #checkUsable(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'this allocator was released');
  }
}
