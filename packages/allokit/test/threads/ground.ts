/** A parent that knows its blocks outside of the memory: so that what a child stores is all that is stored. */

import { NULL, alignUp, type Address, type Allocator, type AllocatorStats, type Memory } from '@allokit/allocator';

/** Blocks one after the other; freed ones at the end can be had again. The last one grows in place. */
export class Ground implements Allocator {
  readonly memory: Memory;
  readonly alignment = 16;
  readonly #blocks: Map<Address, number>;

  /** @param blocks - What it has handed out: shared by all handles on one memory. */
  constructor(memory: Memory, blocks: Map<Address, number>) {
    this.memory = memory;
    this.#blocks = blocks;
  }

  get #end(): Address {
    let end = 16;
    for (const [address, size] of this.#blocks) end = Math.max(end, address + size);
    return end;
  }

  allocate(size: number, alignment = 16): Address {
    if (size === 0) return NULL;
    const address = alignUp(this.#end, alignment);
    if (address + size > this.memory.committed) return NULL;
    this.#blocks.set(address, size);
    return address;
  }

  deallocate(address: Address): void {
    if (!this.#blocks.delete(address)) throw new Error(`no block at ${address}`);
  }

  resize(address: Address, _oldSize: number, newSize: number): boolean {
    const isLast = address + this.usableSize(address) === this.#end;
    if (newSize > this.usableSize(address) && (!isLast || address + newSize > this.memory.committed)) return false;
    this.#blocks.set(address, newSize);
    return true;
  }

  reallocate(): Address {
    throw new Error('no child does so');
  }

  usableSize(address: Address): number {
    if (address === NULL) return 0;
    const size = this.#blocks.get(address);
    if (size === undefined) throw new Error(`no block at ${address}`);
    return size;
  }

  owns(address: Address): boolean {
    return [...this.#blocks].some(([start, size]) => address >= start && address < start + size);
  }

  reset(): void {
    this.#blocks.clear();
  }

  release(): void {
    this.#blocks.clear();
  }

  stats(): AllocatorStats {
    return { capacity: this.memory.committed, liveBytes: 0, failureCount: 0 };
  }

  checkInvariants(): void {
    // There is nothing in the memory to check.
  }
}
