/**
 * Finds memory errors: fences around each block, poison in freed ones, a quarantine that keeps them from being reused at once.
 *
 *     base        address - fenceSize      address              address + size
 *     [ padding ][ front fence fd fd ... ][ the owner's bytes ][ back fence fd fd ... ]
 *
 * What is known of each block is kept by this object, outside the memory, where the errors it looks for cannot reach it. An error
 * shows when the block is freed, when it leaves the quarantine, or in `checkInvariants`; reads beyond a fence do not show at all, but find
 * poison. The fill bytes are those of Microsoft's debug heap, known from many a debugger.
 */

import { NULL, SIZE_MAX, alignUp, checkAddress, checkAlignment, checkInteger, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator, isAligned, refuseSize } from './guards.ts';
import type { Memory } from './memory.ts';
import { moveBlock } from './move.ts';

/** Fills the fences: "no man's land". */
export const FENCE_BYTE = 0xfd;
/** Fills new blocks: "clean memory". */
export const NEW_BYTE = 0xcd;
/** Fills freed blocks: "dead memory". */
export const FREED_BYTE = 0xdd;

const FENCE_SIZE = 16;
const FENCE_SIZE_MAX = 0x1_0000;
const QUARANTINE_BYTES = 0x4_0000;

/** How many addresses are remembered as freed once they left the quarantine. */
const FREED_COUNT_MAX = 0x1_0000;

/** What {@link Guarded.create} takes. */
export interface GuardedOptions {
  /** Bytes in each fence, 0..65536. Default 16; errors that skip over a fence are not found. */
  readonly fenceSize?: number;
  /** Bytes that freed blocks may hold back from the parent, fences included. Default 256 KiB; 0 gives them back at once. */
  readonly quarantineBytes?: number;
  /** Whether to fill blocks when they are handed out and when they are freed, and to verify the latter in quarantine. Default `true`. */
  readonly poison?: boolean;
}

/** The figures: `liveBytes` counts live blocks with their fences and padding, `capacity` is the parent's. */
export interface GuardedStats extends AllocatorStats {
  /** Blocks that are live. */
  readonly liveCount: number;
  /** Blocks in quarantine. */
  readonly quarantinedCount: number;
  /** Bytes that they hold back from the parent. */
  readonly quarantinedBytes: number;
}

interface GuardedBlock {
  readonly address: Address;
  /** The owner's bytes. */
  readonly size: number;
  /** Bytes before the address: the front fence and padding, a multiple of the block's alignment. */
  readonly front: number;
}

/**
 * Checks everything that passes through. A block's `usableSize` is exactly what was asked for. Owns its parent: `reset` and `release` reach it, and do not
 * verify anything: call `checkInvariants` before them. One thread at a time.
 *
 * A block found damaged stays where it is: freeing it throws `corrupt` each time, so that its bytes can be looked at.
 */
export class Guarded<P extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  /** Bytes in each fence. */
  readonly fenceSize: number;
  /** Bytes that freed blocks may hold back. */
  readonly quarantineBytes: number;
  readonly #poison: boolean;
  readonly #live = new Map<Address, GuardedBlock>();
  /** Freed blocks, oldest first. */
  readonly #quarantine = new Map<Address, GuardedBlock>();
  /** Where blocks were freed that the parent has back, oldest first: a second free is told from a stray pointer by it. */
  readonly #freed = new Set<Address>();
  #liveBytes = 0;
  #quarantinedBytes = 0;
  #failureCount = 0;

  private constructor(parent: P, fenceSize: number, quarantineBytes: number, poison: boolean) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.fenceSize = fenceSize;
    this.quarantineBytes = quarantineBytes;
    this.#poison = poison;
  }

  /**
   * Guards an allocator. Blocks that are live already are none of its own. O(1).
   *
   * @throws TypeError or RangeError for what is no allocator, or no size.
   */
  static create<P extends Allocator>(parent: P, options: GuardedOptions = {}): Guarded<P> {
    checkAllocator(parent, 'parent');
    const { fenceSize = FENCE_SIZE, quarantineBytes = QUARANTINE_BYTES, poison = true } = options;
    checkInteger(fenceSize, 'fenceSize', 0, FENCE_SIZE_MAX);
    checkSize(quarantineBytes, 'quarantineBytes');
    return new Guarded(parent, fenceSize, quarantineBytes, poison);
  }

  /**
   * Allocates, as `Allocator.allocate` says, with fences around. When the parent has no room, quarantined blocks go first. O(size).
   *
   * @throws Also AllocatorError `corrupt` when one of these was written to; then nothing was allocated.
   */
  allocate(size: number, alignment: number = this.alignment): Address {
    checkSize(size);
    checkAlignment(alignment);
    if (size === 0) return this.parent.allocate(0);
    const actualAlignment = Math.max(alignment, this.alignment);
    const front = alignUp(this.fenceSize, actualAlignment);
    const base = this.#acquire(front + size + this.fenceSize, actualAlignment);
    if (base === NULL) {
      this.#failureCount += 1;
      return NULL;
    }
    const block = { address: base + front, size, front };
    this.#live.set(block.address, block);
    this.#freed.delete(block.address);
    this.#liveBytes += this.#total(block);
    const bytes = this.memory.u8;
    bytes.fill(FENCE_BYTE, block.address - this.fenceSize, block.address);
    if (this.#poison) bytes.fill(NEW_BYTE, block.address, block.address + size);
    bytes.fill(FENCE_BYTE, block.address + size, block.address + size + this.fenceSize);
    return block.address;
  }

  /**
   * Verifies the fences and puts the block into quarantine, from which the oldest go back to the parent. O(size).
   *
   * @throws As `Allocator.deallocate` says: `double-free`, `foreign-address` or `invalid-address` precisely, `size-mismatch` for any size but
   *   the one asked for, `corrupt` when the fences, or a block that has to leave the quarantine, were written to.
   */
  deallocate(address: Address, size?: number): void {
    if (size !== undefined) checkSize(size);
    const block = this.#find(address, size);
    if (block === undefined) return;
    this.#checkFences(block);
    const total = this.#total(block);
    if (total > this.quarantineBytes) {
      this.#fillFreed(block);
      this.#giveBack(block);
    } else {
      while (this.#quarantinedBytes + total > this.quarantineBytes) this.#evictOldest();
      this.#fillFreed(block);
      this.#quarantine.set(address, block);
      this.#quarantinedBytes += total;
    }
    this.#live.delete(address);
    this.#liveBytes -= total;
  }

  /** Verifies the fences and resizes in place where the parent can, as `Allocator.resize` says. O(newSize - oldSize). Throws as `deallocate` does. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    const block = this.#find(address, oldSize);
    if (block === undefined) return false;
    this.#checkFences(block);
    if (newSize === 0) return false;
    const resized = { ...block, size: newSize };
    const total = this.#total(resized);
    if (total > SIZE_MAX || !this.parent.resize(address - block.front, this.#total(block), total)) return false;
    this.#live.set(address, resized);
    this.#liveBytes += newSize - oldSize;
    const bytes = this.memory.u8;
    if (this.#poison && newSize > oldSize) bytes.fill(NEW_BYTE, address + oldSize, address + newSize);
    bytes.fill(FENCE_BYTE, address + newSize, address + newSize + this.fenceSize);
    return true;
  }

  /** Verifies the fences and resizes in place, or moves; the old block goes into quarantine. As `Allocator.reallocate` says. Throws as `deallocate` does. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = this.alignment): Address {
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    if (isAligned(address, alignment) && this.resize(address, oldSize, newSize)) return address;
    const block = this.#find(address, oldSize);
    if (block !== undefined) this.#checkFences(block);
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  /** Exactly what was asked for: the bytes behind are the fence's. */
  usableSize(address: Address): number {
    return this.#find(address)?.size ?? 0;
  }

  /** As the parent says. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** Resets the parent and empties the quarantine, unverified. */
  reset(): void {
    this.parent.reset();
    this.#forget();
  }

  /** Releases the parent, nothing being verified. */
  release(): void {
    this.parent.release();
    this.#forget();
  }

  /** The figures. Costs what the parent's cost. */
  stats(): GuardedStats {
    return {
      capacity: this.parent.stats().capacity,
      liveBytes: this.#liveBytes,
      failureCount: this.#failureCount,
      liveCount: this.#live.size,
      quarantinedCount: this.#quarantine.size,
      quarantinedBytes: this.#quarantinedBytes,
    };
  }

  /** Every block that is live, oldest first: when none should be, the leaks. O(live blocks). */
  leaks(): {
    /** Where it starts. */
    readonly address: Address;
    /** The size asked for, in bytes. */
    readonly size: number;
  }[] {
    return [...this.#live.values()].map(({ address, size }) => ({ address, size }));
  }

  /** Verifies every block in quarantine and gives it back to the parent. Throws AllocatorError `corrupt` at the first that was written to. */
  flush(): void {
    while (this.#quarantine.size > 0) this.#evictOldest();
  }

  /** Bytes that a block takes of the parent. */
  #total({ front, size }: GuardedBlock): number {
    return front + size + this.fenceSize;
  }

  #acquire(total: number, alignment: number): Address {
    // Asking for nothing proves that the parent was not released.
    if (total > SIZE_MAX) return this.parent.allocate(0);
    let base = this.parent.allocate(total, alignment);
    while (base === NULL && this.#quarantine.size > 0) {
      this.#evictOldest();
      base = this.parent.allocate(total, alignment);
    }
    return base;
  }

  #evictOldest(): void {
    const [block] = this.#quarantine.values();
    if (block === undefined) return;
    this.#checkFreed(block);
    this.#giveBack(block);
    this.#quarantine.delete(block.address);
    this.#quarantinedBytes -= this.#total(block);
  }

  #fillFreed({ address, size }: GuardedBlock): void {
    if (this.#poison) this.memory.u8.fill(FREED_BYTE, address, address + size);
  }

  #giveBack(block: GuardedBlock): void {
    this.parent.deallocate(block.address - block.front, this.#total(block));
    const [oldest] = this.#freed.size === FREED_COUNT_MAX ? this.#freed : [];
    if (oldest !== undefined) this.#freed.delete(oldest);
    this.#freed.add(block.address);
  }

  #forget(): void {
    this.#live.clear();
    this.#quarantine.clear();
    this.#freed.clear();
    this.#liveBytes = 0;
    this.#quarantinedBytes = 0;
  }

  /** The live block at `address`, of which `size` is the size if given; `undefined` for `NULL`. */
  #find(address: Address, size?: number): GuardedBlock | undefined {
    const block = this.#live.get(address);
    if (block === undefined) {
      this.#checkNull(address);
      return undefined;
    }
    if (size !== undefined && size !== block.size) refuseSize(address, size, block.size);
    return block;
  }

  /** Says what is wrong with an address at which no block is live, unless it is `NULL`. O(live blocks). */
  #checkNull(address: Address): void {
    this.parent.allocate(0);
    checkAddress(address);
    if (address === NULL) return;
    const where = formatAddress(address);
    if (this.#quarantine.has(address) || this.#freed.has(address)) throw new AllocatorError('double-free', `the block at ${where} was freed already`);
    if (!this.parent.owns(address)) throw new AllocatorError('foreign-address', `${where} does not lie in this allocator's memory`);
    for (const block of this.#live.values()) {
      const offset = address - block.address;
      if (offset < 0 || offset >= block.size) continue;
      throw new AllocatorError('invalid-address', `${where} lies ${offset} bytes inside the block at ${formatAddress(block.address)} of ${block.size} bytes`);
    }
    throw new AllocatorError('invalid-address', `no block was allocated at ${where}`);
  }

  #checkFences(block: GuardedBlock): void {
    const { address, size } = block;
    this.#checkFilled(block, address - this.fenceSize, address, FENCE_BYTE, 'written before its start');
    this.#checkFilled(block, address + size, address + size + this.fenceSize, FENCE_BYTE, 'written beyond its end');
  }

  #checkFreed(block: GuardedBlock): void {
    this.#checkFences(block);
    if (this.#poison) this.#checkFilled(block, block.address, block.address + block.size, FREED_BYTE, 'written after it was freed');
  }

  #checkFilled({ address, size }: GuardedBlock, from: Address, to: Address, expected: number, what: string): void {
    const bytes = this.memory.u8;
    for (let at = from; at < to; at += 1) {
      if (bytes[at] === expected) continue;
      const found = `byte ${at - address} is 0x${bytes[at]!.toString(16)}, not 0x${expected.toString(16)}`;
      throw new AllocatorError('corrupt', `the block at ${formatAddress(address)} of ${size} bytes was ${what}: ${found}`);
    }
  }

  /** Checks the parent, the fences of every live block, and the poison of every quarantined one. O(bytes in them) beyond the parent's check. */
  checkInvariants(): void {
    this.parent.checkInvariants();
    let liveBytes = 0;
    for (const block of this.#live.values()) {
      this.#checkHeld(block);
      this.#checkFences(block);
      liveBytes += this.#total(block);
    }
    for (const block of this.#quarantine.values()) {
      this.#checkHeld(block);
      this.#checkFreed(block);
    }
    if (liveBytes !== this.#liveBytes) throw new AllocatorError('corrupt', `${liveBytes} bytes are live, ${this.#liveBytes} were counted`);
  }

  #checkHeld(block: GuardedBlock): void {
    if (this.parent.usableSize(block.address - block.front) >= this.#total(block)) return;
    throw new AllocatorError('corrupt', `the parent no longer holds all of the block at ${formatAddress(block.address)}`);
  }
}
