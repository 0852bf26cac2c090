/**
 * Makes an {@link Allocator} of a {@link MonotonicAllocator}: a freed block's bytes stay taken until `reset`, and `stats()` says how many.
 *
 * Each block has eight bytes in front of it:
 *
 *     address - 8    size       what was asked for, in bytes
 *             - 4    mark       27 bits that prove a block starts here, live or retained; 5 bits: log2 of the bytes in front
 *             + 0    the owner's bytes
 *
 * The mark depends on the address and on how often the arena was reset, so that neither a copy of it nor what an earlier generation left
 * behind passes for one. That count, and the figures, are kept by this object: one handle frees what it allocated.
 */

import { NULL, SIZE_MAX, checkAddress, checkAlignment, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats, MonotonicAllocator } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator, isAligned, refuseSize } from './guards.ts';
import type { Memory } from './memory.ts';
import { moveBlock } from './move.ts';

const PREFIX_SIZE = 8;

/** Spread the addresses over all bits; odd, so that no two addresses meet. */
const LIVE_FACTOR = 0x9e37_79b1;
const RETAINED_FACTOR = 0x85eb_ca6b;
const GENERATION_FACTOR = 0xc2b2_ae35;

const FRONT_MASK = 31;

/** The figures: `liveBytes` and `retainedBytes` include the prefixes, not the padding that alignment takes. */
export interface RetainedStats extends AllocatorStats {
  /** Blocks that are live. */
  readonly liveCount: number;
  /** Blocks that were freed, or moved away from, since the last reset. */
  readonly retainedCount: number;
  /** Bytes that they keep until the next. */
  readonly retainedBytes: number;
}

let generationCount = 0;

/** No two generations are alike, of one object or of several: so none takes another's blocks for its own. */
function nextGeneration(): number {
  generationCount = (generationCount + 1) | 0;
  return generationCount;
}

/**
 * An arena that refuses what a careful allocator refuses, at eight bytes a block. `deallocate` frees nothing but the name: use it where most blocks live until
 * the reset, or where code that insists on freeing meets an arena that does not. Owns its arena: `reset` and `release` reach it. One
 * thread at a time.
 */
export class Retained<Arena extends MonotonicAllocator = MonotonicAllocator> implements Allocator {
  readonly memory: Memory;
  /** The arena's, and at least 8, which the prefix wants. */
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly arena: Arena;
  #generation = nextGeneration();
  #liveCount = 0;
  #liveBytes = 0;
  #retainedCount = 0;
  #retainedBytes = 0;
  #failureCount = 0;

  private constructor(arena: Arena) {
    this.memory = arena.memory;
    this.alignment = Math.max(arena.alignment, PREFIX_SIZE);
    this.arena = arena;
  }

  /**
   * Makes the allocator. What was allocated from the arena before is none of its own. O(1).
   *
   * @throws TypeError for what is no allocator.
   */
  static create<Arena extends MonotonicAllocator>(arena: Arena): Retained<Arena> {
    checkAllocator(arena, 'arena');
    return new Retained(arena);
  }

  /** Allocates from the arena, as `Allocator.allocate` says. An alignment above 8 takes as many bytes in front of the block. */
  allocate(size: number, alignment: number = this.alignment): Address {
    checkSize(size);
    checkAlignment(alignment);
    if (size === 0) return this.arena.allocate(0);
    const front = Math.max(alignment, this.alignment);
    // Asking for nothing proves that the arena was not released.
    const base = front + size > SIZE_MAX ? this.arena.allocate(0) : this.arena.allocate(front + size, front);
    if (base === NULL) {
      this.#failureCount += 1;
      return NULL;
    }
    const address = base + front;
    const words = this.memory.i32;
    const at = address >>> 2;
    words[at - 2] = size;
    words[at - 1] = this.#mark(address, LIVE_FACTOR) | (31 - Math.clz32(front));
    this.#liveCount += 1;
    this.#liveBytes += size + PREFIX_SIZE;
    return address;
  }

  /** Ends a block's life; its bytes stay taken until the reset. Checks as `Allocator.deallocate` says, the size exactly. O(1). */
  deallocate(address: Address, size?: number): void {
    if (size !== undefined) checkSize(size);
    const actual = this.#sizeAt(address, size);
    if (actual === 0) return;
    const at = address >>> 2;
    const words = this.memory.i32;
    words[at - 1] = this.#mark(address, RETAINED_FACTOR) | (words[at - 1]! & FRONT_MASK);
    this.#liveCount -= 1;
    this.#liveBytes -= actual + PREFIX_SIZE;
    this.#retainedCount += 1;
    this.#retainedBytes += actual + PREFIX_SIZE;
  }

  /** Resizes in place where the arena can, usually the block it handed out last. As `Allocator.resize` says. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    const actual = this.#sizeAt(address, oldSize);
    if (actual === 0 || newSize === 0) return false;
    const at = address >>> 2;
    const front = 1 << (this.memory.i32[at - 1]! & FRONT_MASK);
    if (front + newSize > SIZE_MAX || !this.arena.resize(address - front, front + oldSize, front + newSize)) return false;
    this.memory.i32[at - 2] = newSize;
    this.#liveBytes += newSize - oldSize;
    return true;
  }

  /** Resizes in place, or moves and retains the old bytes. As `Allocator.reallocate` says. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = this.alignment): Address {
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    this.#sizeAt(address, oldSize);
    if (isAligned(address, alignment) && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  /** Exactly what was asked for. */
  usableSize(address: Address): number {
    return this.#sizeAt(address);
  }

  /** As the arena says. */
  owns(address: Address): boolean {
    return this.arena.owns(address);
  }

  /** Resets the arena: what was retained can be had again. */
  reset(): void {
    this.arena.reset();
    this.#forget();
  }

  /** Releases the arena. */
  release(): void {
    this.arena.release();
    this.#forget();
  }

  /** The figures. Costs what the arena's cost. */
  stats(): RetainedStats {
    return {
      capacity: this.arena.stats().capacity,
      liveBytes: this.#liveBytes,
      failureCount: this.#failureCount,
      liveCount: this.#liveCount,
      retainedCount: this.#retainedCount,
      retainedBytes: this.#retainedBytes,
    };
  }

  /** The upper 27 bits of the word in front of a block. */
  #mark(address: Address, factor: number): number {
    const hash = Math.imul((address >>> 3) ^ Math.imul(this.#generation + 1, GENERATION_FACTOR), factor);
    return (hash ^ (hash >>> 15)) & ~FRONT_MASK;
  }

  /** The size of a live block, which must be `size` if that is given; 0 for `NULL`. */
  #sizeAt(address: Address, size?: number): number {
    if (address === NULL || !this.arena.owns(address) || address % PREFIX_SIZE !== 0) {
      this.#checkNull(address);
      return 0;
    }
    const words = this.memory.i32;
    const at = address >>> 2;
    const mark = words[at - 1]! & ~FRONT_MASK;
    const actual = words[at - 2]! >>> 0;
    if (mark !== this.#mark(address, LIVE_FACTOR) || actual === 0) this.#refuse(address, mark);
    if (size !== undefined && size !== actual) refuseSize(address, size, actual);
    return actual;
  }

  #checkNull(address: Address): void {
    this.arena.allocate(0);
    checkAddress(address);
    if (address === NULL) return;
    if (this.arena.owns(address)) throw new AllocatorError('invalid-address', `${formatAddress(address)} is not aligned as a block is`);
    throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in this allocator's memory`);
  }

  #refuse(address: Address, mark: number): never {
    const where = formatAddress(address);
    if (mark === this.#mark(address, RETAINED_FACTOR)) throw new AllocatorError('double-free', `the block at ${where} was freed already`);
    throw new AllocatorError('invalid-address', `no block was allocated at ${where}`);
  }

  #forget(): void {
    this.#generation = nextGeneration();
    this.#liveCount = 0;
    this.#liveBytes = 0;
    this.#retainedCount = 0;
    this.#retainedBytes = 0;
  }

  /** Checks the arena, and the figures. The blocks cannot be found again: there is no list of them. */
  checkInvariants(): void {
    this.arena.checkInvariants();
    const isCounted = this.#liveBytes >= this.#liveCount * (PREFIX_SIZE + 1) && this.#retainedBytes >= this.#retainedCount * (PREFIX_SIZE + 1);
    if (!isCounted) throw new AllocatorError('corrupt', `${this.#liveCount} blocks are live in ${this.#liveBytes} bytes`);
  }
}
