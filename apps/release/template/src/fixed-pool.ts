/**
 * Slots of one size, handed out last in, first out.
 *
 *     address      header                                              16 bytes
 *             + 16 slot size, slot count, first free slot + 1, live slots, failures
 *             + 36 one word a slot: -1 when it is live, else the next free slot + 1
 *             ..   the slots, aligned to 16 bytes
 */

import {
  AllocatorError,
  HEADER_SIZE,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkAllocator,
  checkHeader,
  checkInteger,
  checkSize,
  eraseHeader,
  formatAddress,
  giveBack,
  moveBlock,
  writeHeader,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Memory,
  type Parent,
} from '@allokit/allocator';

const HEADER = { kind: 'FIXP', version: 1 };

// The state's fields, in words from its start.
const SLOT_SIZE = HEADER_SIZE / 4;
const SLOT_COUNT = SLOT_SIZE + 1;
const FIRST_FREE = SLOT_SIZE + 2;
const LIVE_COUNT = SLOT_SIZE + 3;
const FAILURES = SLOT_SIZE + 4;
const LINKS = SLOT_SIZE + 5;

/** What the word of a live slot says. */
const LIVE = -1;
const ALIGNMENT = 16;

/** The largest slot, in bytes. */
export const SLOT_SIZE_MAX = 65_536;
/** The most slots a pool can have. */
export const SLOT_COUNT_MAX = 1_048_576;

/** How a pool is made. */
export interface FixedPoolOptions {
  /** Bytes of each slot, rounded up to a multiple of 16; 1..`SLOT_SIZE_MAX`. */
  readonly slotSize: number;
  /** How many slots there are; 1..`SLOT_COUNT_MAX`. */
  readonly slotCount: number;
}

/** Bytes of the state in front of the slots. */
function stateSize(slotCount: number): number {
  return alignUp((LINKS + slotCount) * 4, ALIGNMENT);
}

/** Hands out slots of one size. Every call is O(1) but `reset` and `checkInvariants`, which are O(slots). One thread at a time. */
export class FixedPool implements Allocator {
  readonly memory: Memory;
  readonly alignment = ALIGNMENT;
  /** Where the state lies: what `attach` wants. */
  readonly address: Address;
  /** Bytes of each slot. */
  readonly slotSize: number;
  /** How many slots there are. */
  readonly slotCount: number;
  readonly #parent: Parent;
  readonly #firstSlot: Address;
  #isReleased = false;

  private constructor(parent: Parent, address: Address, slotSize: number, slotCount: number) {
    this.memory = parent.memory;
    this.address = address;
    this.slotSize = slotSize;
    this.slotCount = slotCount;
    this.#parent = parent;
    this.#firstSlot = address + stateSize(slotCount);
  }

  /**
   * Makes a pool in one block of a parent. O(slots).
   *
   * @throws TypeError or RangeError for options that are none, AllocatorError `out-of-memory` when the parent has no such block.
   */
  static create(parent: Parent, { slotSize, slotCount }: FixedPoolOptions): FixedPool {
    checkAllocator(parent, 'parent');
    checkInteger(slotSize, 'slotSize', 1, SLOT_SIZE_MAX);
    checkInteger(slotCount, 'slotCount', 1, SLOT_COUNT_MAX);
    const roundedSize = alignUp(slotSize, ALIGNMENT);
    const blockSize = stateSize(slotCount) + roundedSize * slotCount;
    checkSize(blockSize, 'slotSize * slotCount');
    const address = parent.allocate(blockSize, ALIGNMENT);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the pool`);
    const pool = new FixedPool(parent, address, roundedSize, slotCount);
    const words = parent.memory.i32;
    words[(address >>> 2) + SLOT_SIZE] = roundedSize;
    words[(address >>> 2) + SLOT_COUNT] = slotCount;
    words[(address >>> 2) + FAILURES] = 0;
    pool.reset();
    // The header comes last: a half-made pool has none.
    writeHeader(parent.memory, address, HEADER);
    return pool;
  }

  /**
   * Finds a pool that lies in the memory already: another thread's, or that of a saved image. O(slots).
   *
   * @throws AllocatorError `bad-header` when no pool lies there, `corrupt` when it is damaged.
   */
  static attach(parent: Parent, address: Address): FixedPool {
    checkAllocator(parent, 'parent');
    const { memory } = parent;
    checkHeader(memory, address, HEADER, LINKS * 4);
    const slotSize = memory.i32[(address >>> 2) + SLOT_SIZE]!;
    const slotCount = memory.i32[(address >>> 2) + SLOT_COUNT]!;
    const isSound = slotSize > 0 && slotSize <= SLOT_SIZE_MAX && slotSize % ALIGNMENT === 0 && slotCount > 0 && slotCount <= SLOT_COUNT_MAX;
    if (!isSound) throw new AllocatorError('corrupt', `the pool at ${formatAddress(address)} has ${slotCount} slots of ${slotSize} bytes`);
    const lastByte = address + stateSize(slotCount) + slotSize * slotCount - 1;
    if (!parent.owns(address) || !parent.owns(lastByte)) throw new AllocatorError('bad-header', `the parent does not own ${formatAddress(address)}`);
    const pool = new FixedPool(parent, address, slotSize, slotCount);
    pool.checkInvariants();
    return pool;
  }

  /**
   * Takes a slot. O(1).
   *
   * @returns `NULL` for size 0, when all slots are live, and for what no slot can hold.
   * @throws TypeError or RangeError for a size or an alignment that is none, AllocatorError `released`.
   */
  allocate(size: number, alignment: number = ALIGNMENT): Address {
    checkSize(size);
    checkAlignment(alignment);
    const { words, at } = this.#state();
    if (size === 0) return NULL;
    const first = words[at + FIRST_FREE]!;
    if (first === 0 || size > this.slotSize || alignment > ALIGNMENT) {
      words[at + FAILURES]! += 1;
      return NULL;
    }
    const slot = first - 1;
    words[at + FIRST_FREE] = words[at + LINKS + slot]!;
    words[at + LINKS + slot] = LIVE;
    words[at + LIVE_COUNT]! += 1;
    return this.#firstSlot + slot * this.slotSize;
  }

  /**
   * Frees a slot. O(1). `NULL` is accepted, and nothing happens.
   *
   * @throws AllocatorError `foreign-address`, `invalid-address`, `double-free` or `size-mismatch`.
   */
  deallocate(address: Address, size?: number): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    const { words, at } = this.#state();
    if (address === NULL) return;
    const slot = this.#liveSlot(address, size);
    words[at + LINKS + slot] = words[at + FIRST_FREE]!;
    words[at + FIRST_FREE] = slot + 1;
    words[at + LIVE_COUNT]! -= 1;
  }

  /** Whether the block can have another size where it is: as long as its slot holds it. O(1). Throws as `deallocate` does. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#state();
    if (address === NULL) return false;
    this.#liveSlot(address, oldSize);
    return newSize > 0 && newSize <= this.slotSize;
  }

  /** Another size for a block, which stays where it is as long as its slot holds it. `NULL` when it does not; the block is then as it was. O(1). */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = ALIGNMENT): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.#state();
    this.#liveSlot(address, oldSize);
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  /** Bytes of the slot at an address, 0 for `NULL`. O(1). Throws as `deallocate` does. */
  usableSize(address: Address): number {
    checkAddress(address);
    this.#state();
    if (address === NULL) return 0;
    this.#liveSlot(address);
    return this.slotSize;
  }

  /** Whether an address lies among the slots. O(1). */
  owns(address: Address): boolean {
    if (this.#isReleased || typeof address !== 'number' || !Number.isInteger(address)) return false;
    return address >= this.#firstSlot && address < this.#firstSlot + this.slotSize * this.slotCount;
  }

  /** Frees all slots. O(slots). */
  reset(): void {
    const { words, at } = this.#state();
    for (let slot = 0; slot < this.slotCount; slot += 1) words[at + LINKS + slot] = slot + 1 < this.slotCount ? slot + 2 : 0;
    words[at + FIRST_FREE] = 1;
    words[at + LIVE_COUNT] = 0;
  }

  /** Gives the block back to the parent, and ends the use of the pool. O(1) and whatever the parent takes. */
  release(): void {
    if (this.#isReleased) return;
    eraseHeader(this.memory, this.address);
    this.#isReleased = true;
    giveBack(this.#parent, this.address, stateSize(this.slotCount) + this.slotSize * this.slotCount);
  }

  /** Figures of the moment. O(1). */
  stats(): AllocatorStats {
    const { words, at } = this.#state();
    return {
      capacity: this.slotSize * this.slotCount,
      liveBytes: this.slotSize * words[at + LIVE_COUNT]!,
      failureCount: words[at + FAILURES]! >>> 0,
    };
  }

  /** Looks at the whole state. O(slots). @throws AllocatorError `corrupt` or `bad-header` with what is wrong. */
  checkInvariants(): void {
    const { words, at } = this.#state();
    checkHeader(this.memory, this.address, HEADER, stateSize(this.slotCount));
    if (words[at + SLOT_SIZE] !== this.slotSize || words[at + SLOT_COUNT] !== this.slotCount) {
      throw new AllocatorError('corrupt', `the state speaks of ${words[at + SLOT_COUNT]} slots of ${words[at + SLOT_SIZE]} bytes`);
    }
    let liveCount = 0;
    for (let slot = 0; slot < this.slotCount; slot += 1) if (words[at + LINKS + slot] === LIVE) liveCount += 1;
    let freeCount = 0;
    for (let next = words[at + FIRST_FREE]!; next !== 0; next = words[at + LINKS + next - 1]!) {
      freeCount += 1;
      if (next < 0 || next > this.slotCount || freeCount > this.slotCount) throw new AllocatorError('corrupt', `the list of free slots leads to ${next}`);
    }
    if (liveCount !== words[at + LIVE_COUNT] || liveCount + freeCount !== this.slotCount) {
      throw new AllocatorError('corrupt', `${liveCount} slots are live and ${freeCount} free, of ${this.slotCount}`);
    }
  }

  /** The words of the memory as it is now, and where the state starts. Asked for at every call: simple, and right after any growth. */
  #state(): { readonly words: Int32Array; readonly at: number } {
    if (this.#isReleased) throw new AllocatorError('released', 'this pool was released');
    return { words: this.memory.i32, at: this.address >>> 2 };
  }

  /** The index of the live slot at `address`, which must be able to hold `size` bytes. */
  #liveSlot(address: Address, size?: number): number {
    const where = formatAddress(address);
    if (!this.owns(address)) throw new AllocatorError('foreign-address', `${where} does not lie in this pool`);
    const slot = (address - this.#firstSlot) / this.slotSize;
    if (!Number.isInteger(slot)) throw new AllocatorError('invalid-address', `no slot starts at ${where}`);
    if (this.memory.i32[(this.address >>> 2) + LINKS + slot] !== LIVE) throw new AllocatorError('double-free', `the slot at ${where} is free already`);
    if (size !== undefined && (size === 0 || size > this.slotSize)) {
      throw new AllocatorError('size-mismatch', `the slot at ${where} has ${this.slotSize} bytes, its size cannot be ${size}`);
    }
    return slot;
  }
}
