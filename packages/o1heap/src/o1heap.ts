/**
 * A heap whose every operation takes bounded time: half-fit over fragments of powers of two, after T. Ogasawara, "An algorithm with constant
 * execution time for dynamic storage allocation" (1995), as analysed by J. Herter, "Timing-predictable memory allocation in hard
 * real-time systems" (2014), and refined in Pavel Kirienko's o1heap. The layout is in `layout.ts`.
 */

import {
  AllocatorError,
  NULL,
  alignDown,
  alignUp,
  checkAddress,
  checkAlignment,
  checkHeader,
  checkInteger,
  checkSize,
  eraseHeader,
  formatAddress,
  giveBack,
  hasHeader,
  moveBlock,
  writeHeader,
  ADDRESS_SPACE_SIZE,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Memory,
  type Parent,
} from '@allokit/allocator';
import { checkHeap } from './check.ts';
import { cut, insert, join, remove, sentinelOf } from './fragments.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BINS,
  BIN_COUNT,
  BIN_MASK,
  BLOCK_WORDS,
  CAPACITY,
  FAILURES,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_HEADER_WORDS,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_STEP_WORDS,
  HEADER,
  HEAP_SIZE_MIN,
  LAST_REGION,
  NEXT_FREE,
  PREVIOUS_FREE,
  RECENT_END,
  RECENT_START,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  REQUEST_SIZE_MAX,
  STATE_SIZE,
  USED,
} from './layout.ts';

/** Bytes of a heap when nothing is said: 1 GiB of address space, of which untouched pages cost nothing. */
export const HEAP_SIZE_DEFAULT = 2 ** 30;

const NO_WORDS = new Int32Array(0);

/** How an {@link O1Heap} gets more memory from its parent when it is full. */
export interface O1HeapGrowth {
  /** Bytes that a growth adds at least; a larger request adds what it needs. */
  readonly step: number;
  /** Bytes that the heap may reach, its state included. Default: as far as the parent goes. */
  readonly limit?: number;
}

/** How to make an {@link O1Heap}. */
export interface O1HeapOptions {
  /** Bytes to take from the parent, the heap's own state of about 340 bytes included. Default 1 GiB. */
  readonly size?: number;
  /** Default: the heap never grows, and every operation is bounded. Growing costs a call to the parent. */
  readonly growth?: O1HeapGrowth;
}

/** What a heap must be able to bear, for {@link O1Heap.requiredCapacity}. */
export interface O1HeapDemand {
  /** Bytes asked for by all blocks alive at the worst moment. */
  readonly live: number;
  /** Bytes of the largest request. */
  readonly largest: number;
  /** Bytes of the smallest request. The larger, the fewer headers. Default 1. */
  readonly smallest?: number;
}

/** The figures of a heap. */
export interface O1HeapStats extends AllocatorStats {
  /** The most `liveBytes` ever were. */
  readonly peakBytes: number;
  /** Bytes of the largest request so far, served or not. */
  readonly peakRequest: number;
  /** Bytes of the largest request that would be served now, without growth. */
  readonly largestFree: number;
  /** How far the free memory is from being one piece: 1 - largest free fragment / free bytes; 0 when nothing is free. */
  readonly externalFragmentation: number;
}

/**
 * An allocator of bounded time and bounded fragmentation, for frame loops, audio and other places where the worst case counts.
 *
 * A block of `size` bytes takes a fragment of `2^ceil(log2(size + 8))` bytes: on average a third is rounding. In return `allocate` and `deallocate`
 * are O(1) whatever happened before, and {@link O1Heap.requiredCapacity} says how much memory rules out running out. The largest request a
 * heap of capacity C serves is `2^floor(log2(C)) - 8` bytes: for 1 GiB, of which the state takes a little, that is just under 512 MiB.
 *
 * Blocks are aligned to 16 bytes; more on request, at the cost of a larger fragment being searched. Misuse is told by the headers of a block and both its
 * neighbours, which must agree. Single-owner.
 */
export class O1Heap implements Allocator {
  readonly memory: Memory;
  readonly alignment = FRAGMENT_SIZE_MIN;
  /** Where the heap's state lies: what `attach` wants. A multiple of 16. */
  readonly address: Address;

  #words: Int32Array;
  readonly #state: number;
  readonly #parent: Parent | undefined;
  #released = false;

  private constructor(memory: Memory, parent: Parent | undefined, address: Address) {
    this.memory = memory;
    this.#parent = parent;
    this.address = address;
    this.#state = address >>> 2;
    this.#words = memory.i32;
  }

  /**
   * Makes a heap in a block taken from `parent`. O(1).
   *
   * @throws TypeError or RangeError for sizes that are none or too small, AllocatorError `out-of-memory` when the parent has no such block.
   */
  static create(parent: Parent, { size = HEAP_SIZE_DEFAULT, growth }: O1HeapOptions = {}): O1Heap {
    checkInteger(size, 'size', HEAP_SIZE_MIN, ADDRESS_SPACE_SIZE - FRAGMENT_SIZE_MIN);
    if (growth !== undefined) {
      checkInteger(growth.step, 'growth.step', 1, ADDRESS_SPACE_SIZE);
      checkInteger(growth.limit ?? ADDRESS_SPACE_SIZE, 'growth.limit', size, ADDRESS_SPACE_SIZE);
    }
    const blockSize = alignDown(size, FRAGMENT_SIZE_MIN);
    const address = parent.allocate(blockSize, FRAGMENT_SIZE_MIN);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the heap`);
    const heap = new O1Heap(parent.memory, parent, address);
    heap.#format(blockSize, blockSize / 4, growth);
    return heap;
  }

  /**
   * Makes a heap in `size` bytes at `address` that the caller owns, committing them if need be. Its `release` gives them back to nobody. O(1).
   *
   * @param address - A multiple of 16, not 0.
   * @throws TypeError or RangeError for a misaligned address or a size below the minimum, AllocatorError `already-initialised` when a heap lies there,
   *   `out-of-memory` when the memory does not reach that far.
   */
  static createAt(memory: Memory, address: Address, size: number): O1Heap {
    checkInteger(address, 'address', 1, ADDRESS_SPACE_SIZE - 1);
    if (address % FRAGMENT_SIZE_MIN !== 0) throw new RangeError(`address must be a multiple of ${FRAGMENT_SIZE_MIN}, got ${address}`);
    checkInteger(size, 'size', HEAP_SIZE_MIN, ADDRESS_SPACE_SIZE - address);
    if (!memory.commit(address + size)) throw new AllocatorError('out-of-memory', `the memory cannot commit ${address + size} bytes`);
    if (hasHeader(memory, address, HEADER)) {
      throw new AllocatorError('already-initialised', `a heap lies at ${formatAddress(address)} already: release it first`);
    }
    const heap = new O1Heap(memory, undefined, address);
    heap.#format(alignDown(size, FRAGMENT_SIZE_MIN), 0, undefined);
    return heap;
  }

  /**
   * Finds the heap that `create` or `createAt` made: from another thread, or in a restored image. Walks it all to prove it sound. O(n).
   *
   * @param parent - What the heap was created on; for `createAt`, the memory.
   * @param address - The other one's `address`.
   * @throws AllocatorError `bad-header` when no heap lies there, `corrupt` when it is damaged, or what the parent says of a block it does not know.
   */
  static attach(parent: Parent | Memory, address: Address): O1Heap {
    const memory = 'memory' in parent ? parent.memory : parent;
    checkHeader(memory, address, HEADER, HEAP_SIZE_MIN);
    const blockWords = memory.i32[(address >>> 2) + BLOCK_WORDS]!;
    if (blockWords === 0) return new O1Heap(memory, undefined, address).#proved();
    if (!('allocate' in parent)) throw new TypeError('this heap lies in a block of an allocator: attach needs that allocator, not its memory');
    const blockSize = blockWords * 4;
    const holds = 'usableSize' in parent ? parent.usableSize(address) >= blockSize : parent.owns(address);
    if (!holds) throw new AllocatorError('bad-header', `the parent has no block of ${blockSize} bytes at ${formatAddress(address)}`);
    return new O1Heap(memory, parent, address).#proved();
  }

  /**
   * Bytes for `size` with which a heap can never run out, whatever the order of requests: `2 M (1 + ceil(log2 n))` in units of the smallest fragment,
   * where M counts every live block's header too. Herter (2014), section on half-fit; it is a bound of the worst case, and
   * ordinary programs need far less.
   *
   * @returns May exceed 4 GiB, which no heap here can have.
   * @throws TypeError or RangeError for a demand that contradicts itself.
   */
  static requiredCapacity({ live, largest, smallest = 1 }: O1HeapDemand): number {
    checkInteger(live, 'live', 1, Number.MAX_SAFE_INTEGER / 256);
    checkInteger(largest, 'largest', 1, Math.min(live, REQUEST_SIZE_MAX));
    checkInteger(smallest, 'smallest', 1, largest);
    // As many of the smallest as fit, and a header each.
    const blockCountMax = Math.floor((live - largest) / smallest) + 1;
    const units = Math.ceil((live + blockCountMax * FRAGMENT_HEADER_SIZE) / FRAGMENT_SIZE_MIN) + blockCountMax;
    const largestUnits = (largest + FRAGMENT_HEADER_SIZE) / FRAGMENT_SIZE_MIN;
    const bound = 2 * units * (1 + Math.ceil(Math.log2(Math.max(1, largestUnits)))) * FRAGMENT_SIZE_MIN;
    return bound + STATE_SIZE + REGION_OVERHEAD_WORDS * 4;
  }

  allocate(size: number, alignment?: number): Address {
    const words = this.#words;
    const state = this.#state;
    if (alignment !== undefined && alignment !== FRAGMENT_SIZE_MIN) return this.#allocateAligned(size, alignment);
    // The size is positive, whole, and small enough that its fragment's size is a number of 32 bits.
    if (size >>> 0 !== size || size - 1 >>> 0 >= REQUEST_SIZE_MAX) return this.#refuse(size);
    const log2 = 32 - Math.clz32(size + (FRAGMENT_HEADER_SIZE - 1));
    // Any fragment in this bin or above is large enough: half-fit looks no further. -4: bins count in smallest fragments.
    const bins = words[state + BIN_MASK]! & (-1 << (log2 - 4));
    if (bins === 0) return this.#grow(size, FRAGMENT_SIZE_MIN);
    const fragment = words[sentinelOf(state, 31 - Math.clz32(bins & -bins)) + NEXT_FREE]!;
    const found = words[fragment]!;
    const wanted = 1 << (log2 - 2);
    remove(words, state, fragment);
    cut(words, state, fragment, found, wanted);
    const allocated = words[state + ALLOCATED]! + wanted;
    words[state + ALLOCATED] = allocated;
    if (allocated > words[state + ALLOCATED_PEAK]!) words[state + ALLOCATED_PEAK] = allocated;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
    return ((fragment + FRAGMENT_HEADER_WORDS) << 2) >>> 0;
  }

  deallocate(address: Address, size?: number): void {
    const words = this.#words;
    const state = this.#state;
    const fragment = (address >>> 2) - FRAGMENT_HEADER_WORDS;
    if (address >>> 0 === address && address % FRAGMENT_SIZE_MIN === 0 && fragment >= words[state + RECENT_START]! && fragment < words[state + RECENT_END]!) {
      const length = words[fragment]! - USED;
      if (
        (length & USED) === 0 &&
        words[fragment + length + BEFORE] === fragment &&
        isBefore(words, fragment) &&
        (size === undefined || (size >>> 0 === size && size - 1 >>> 0 < length * 4 - FRAGMENT_HEADER_SIZE))
      ) {
        words[state + ALLOCATED]! -= length;
        join(words, state, fragment, length);
        return;
      }
    }
    this.#deallocateSlowly(address, size);
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#renew();
    if (address === NULL) return false;
    const fragment = this.#liveFragment(address);
    this.#checkBlockSize(address, fragment, oldSize);
    return newSize !== 0 && newSize <= REQUEST_SIZE_MAX && this.#resizeFragment(fragment, newSize);
  }

  /** O(1) where the fragment can shrink or grow into a free neighbour behind it; else O(oldSize), for the copy. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = FRAGMENT_SIZE_MIN): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.#renew();
    this.#checkBlockSize(address, this.#liveFragment(address), oldSize);
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  usableSize(address: Address): number {
    checkAddress(address);
    this.#renew();
    if (address === NULL) return 0;
    return (this.#words[this.#liveFragment(address)]! - USED) * 4 - FRAGMENT_HEADER_SIZE;
  }

  /** O(1) for a heap that never grew, O(regions) for one that did. */
  owns(address: Address): boolean {
    if (this.#released || address >>> 0 !== address) return false;
    this.#renew();
    return this.#findRegion((address >>> 2) - FRAGMENT_HEADER_WORDS);
  }

  /** Frees every block at once. O(regions). Regions that growth added are kept; the peaks and the count of failures too. */
  reset(): void {
    this.#renew();
    const words = this.#words;
    const state = this.#state;
    clearBins(words, state);
    words[state + ALLOCATED] = 0;
    for (let region = words[state + FIRST_REGION]!; region !== 0; region = words[region + REGION_NEXT]!) {
      formatRegion(words, state, region, words[region + REGION_WORDS]!);
    }
  }

  release(): void {
    if (this.#released) return;
    this.#renew();
    const words = this.#words;
    const state = this.#state;
    const parent = this.#parent;
    const blockSize = words[state + BLOCK_WORDS]! * 4;
    let region = words[words[state + FIRST_REGION]! + REGION_NEXT]!;
    eraseHeader(this.memory, this.address);
    this.#released = true;
    this.#words = NO_WORDS;
    if (parent === undefined) return;
    while (region !== 0) {
      const next = words[region + REGION_NEXT]!;
      giveBack(parent, region * 4, words[region + REGION_WORDS]! * 4);
      region = next;
    }
    giveBack(parent, this.address, blockSize);
  }

  /** O(free fragments of the highest bin in use). */
  stats(): O1HeapStats {
    this.#renew();
    const words = this.#words;
    const state = this.#state;
    const free = words[state + CAPACITY]! - words[state + ALLOCATED]!;
    let largest = 0;
    const mask = words[state + BIN_MASK]!;
    if (mask !== 0) {
      const sentinel = sentinelOf(state, 31 - Math.clz32(mask));
      for (let fragment = words[sentinel + NEXT_FREE]!; fragment !== sentinel; fragment = words[fragment + NEXT_FREE]!) {
        largest = Math.max(largest, words[fragment]!);
      }
    }
    return {
      capacity: words[state + CAPACITY]! * 4,
      liveBytes: words[state + ALLOCATED]! * 4,
      failureCount: words[state + FAILURES]! >>> 0,
      peakBytes: words[state + ALLOCATED_PEAK]! * 4,
      peakRequest: words[state + REQUEST_PEAK]! >>> 0,
      largestFree: mask === 0 ? 0 : Math.min(2 ** (33 - Math.clz32(largest)), 2 ** 31) - FRAGMENT_HEADER_SIZE,
      externalFragmentation: free === 0 ? 0 : 1 - largest / free,
    };
  }

  /**
   * Checks what can be checked without a walk: the diagnostics, and the first fragment of every bin. O(1): for release builds, as often as one likes.
   *
   * @throws AllocatorError `corrupt`, or `released`.
   */
  checkDiagnostics(): void {
    this.#renew();
    checkHeap(this.memory, this.address, false);
  }

  /** Walks every region and every bin. O(fragments). */
  checkInvariants(): void {
    this.#renew();
    checkHeap(this.memory, this.address, true);
  }

  #proved(): this {
    this.checkInvariants();
    return this;
  }

  /** Writes the state and the first region into `size` bytes at `address`. */
  #format(size: number, blockWords: number, growth: O1HeapGrowth | undefined): void {
    const { memory, address } = this;
    this.#words = memory.i32;
    const words = this.#words;
    const state = this.#state;
    words.fill(0, state, state + STATE_SIZE / 4);
    const region = state + STATE_SIZE / 4;
    const regionWords = (size - STATE_SIZE) / 4;
    words[state + BLOCK_WORDS] = blockWords;
    words[state + GROWTH_STEP_WORDS] = growth === undefined ? 0 : Math.ceil(Math.min(growth.step, ADDRESS_SPACE_SIZE / 2) / FRAGMENT_SIZE_MIN) * FRAGMENT_WORDS_MIN;
    words[state + GROWTH_LIMIT_WORDS] = Math.floor((growth?.limit ?? ADDRESS_SPACE_SIZE) / 4);
    words[state + FIRST_REGION] = region;
    words[state + LAST_REGION] = region;
    clearBins(words, state);
    words[region + REGION_NEXT] = 0;
    formatRegion(words, state, region, regionWords);
    words[state + CAPACITY] = regionWords - REGION_OVERHEAD_WORDS;
    writeHeader(memory, address, HEADER);
  }

  /** Takes the current view; throws when the heap was released, by this handle or another. Returns whether the view was stale. */
  #renew(): boolean {
    if (this.#released) throw new AllocatorError('released', 'this heap was released');
    const words = this.memory.i32;
    if (words === this.#words) return false;
    this.#words = words;
    if (!hasHeader(this.memory, this.address, HEADER)) {
      this.#words = NO_WORDS;
      throw new AllocatorError('released', `the heap at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    return true;
  }

  /** What `allocate` does with a size outside 1..REQUEST_SIZE_MAX. */
  #refuse(size: number): Address {
    checkSize(size);
    this.#renew();
    return size === 0 ? NULL : this.#fail(size);
  }

  #fail(size: number): Address {
    const words = this.#words;
    const state = this.#state;
    words[state + FAILURES]! += 1;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
    return NULL;
  }

  /** A fragment is searched that holds the block wherever in it the boundary lies; what is left in front and behind goes free again. */
  #allocateAligned(size: number, alignment: number): Address {
    checkSize(size);
    checkAlignment(alignment);
    if (alignment <= FRAGMENT_SIZE_MIN) return this.allocate(size);
    this.#renew();
    if (size === 0) return NULL;
    const wanted = fragmentWords(size);
    const needed = wanted + (alignment - FRAGMENT_SIZE_MIN) / 4;
    const bin = 32 - Math.clz32(needed - 1) - 2;
    const words = this.#words;
    const state = this.#state;
    if (size > REQUEST_SIZE_MAX || bin >= BIN_COUNT) return this.#fail(size);
    const bins = words[state + BIN_MASK]! & (-1 << bin);
    if (bins === 0) return this.#grow(size, alignment);
    const found = words[sentinelOf(state, 31 - Math.clz32(bins & -bins)) + NEXT_FREE]!;
    const length = words[found]!;
    const payload = alignUp((found + FRAGMENT_HEADER_WORDS) * 4, alignment);
    const fragment = payload / 4 - FRAGMENT_HEADER_WORDS;
    const front = fragment - found;
    remove(words, state, found);
    if (front > 0) {
      words[fragment + BEFORE] = found;
      words[found + length + BEFORE] = fragment;
      insert(words, state, found, front);
    }
    cut(words, state, fragment, length - front, wanted);
    this.#account(wanted, size);
    return payload;
  }

  #account(wanted: number, size: number): void {
    const words = this.#words;
    const state = this.#state;
    const allocated = words[state + ALLOCATED]! + wanted;
    words[state + ALLOCATED] = allocated;
    if (allocated > words[state + ALLOCATED_PEAK]!) words[state + ALLOCATED_PEAK] = allocated;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
  }

  /** No bin can serve: because the view was stale, because the heap may grow, or because it is full. */
  #grow(size: number, alignment: number): Address {
    if (this.#renew()) return this.allocate(size, alignment);
    const words = this.#words;
    const state = this.#state;
    const step = words[state + GROWTH_STEP_WORDS]!;
    if (step === 0 || this.#parent === undefined) return this.#fail(size);
    const wanted = fragmentWords(size);
    // What the search will look for: a fragment of the bin above, when the boundary may lie inside.
    const needed = alignment <= FRAGMENT_SIZE_MIN ? wanted : 2 ** (32 - Math.clz32(wanted + (alignment - FRAGMENT_SIZE_MIN) / 4 - 1));
    const room = words[state + GROWTH_LIMIT_WORDS]! - words[state + CAPACITY]!;
    const grown = this.#growRegion(this.#parent, needed, step, room) || this.#addRegion(this.#parent, needed, step, room);
    return grown ? this.allocate(size, alignment) : this.#fail(size);
  }

  /** Makes the last region longer, where it stands: [ .. frag ][ end ] => [ .. frag + more ][ end ]. */
  #growRegion(parent: Parent, needed: number, step: number, room: number): boolean {
    const words = this.#words;
    const state = this.#state;
    const region = words[state + LAST_REGION]!;
    const length = words[region + REGION_WORDS]!;
    const isFirst = region === words[state + FIRST_REGION]!;
    const before = words[region + length - FRAGMENT_HEADER_WORDS + BEFORE]!;
    const freeBefore = (words[before]! & USED) === 0 ? words[before]! : 0;
    const least = Math.max(FRAGMENT_WORDS_MIN, needed - freeBefore);
    const more = Math.min(Math.max(least, step), alignDown(room, FRAGMENT_WORDS_MIN));
    if (more < least) return false;
    const start = isFirst ? this.address : region * 4;
    const oldSize = (region + length) * 4 - start;
    if (oldSize + more * 4 > ADDRESS_SPACE_SIZE - 1 || !parent.resize(start, oldSize, oldSize + more * 4)) return false;
    this.#words = this.memory.i32;
    const view = this.#words;
    const end = region + length - FRAGMENT_HEADER_WORDS;
    view[region + REGION_WORDS] = length + more;
    writeEnd(view, region, length + more);
    view[end + more + BEFORE] = end;
    view[state + CAPACITY]! += more;
    if (isFirst) view[state + BLOCK_WORDS]! += more;
    join(view, state, end, more);
    view[state + RECENT_START] = 0;
    view[state + RECENT_END] = 0;
    return true;
  }

  /** Takes another block from the parent. */
  #addRegion(parent: Parent, needed: number, step: number, room: number): boolean {
    const least = needed + REGION_OVERHEAD_WORDS;
    const length = Math.min(Math.max(least, step), alignDown(room, FRAGMENT_WORDS_MIN));
    if (length < least || length * 4 >= ADDRESS_SPACE_SIZE) return false;
    const address = parent.allocate(length * 4, FRAGMENT_SIZE_MIN);
    this.#words = this.memory.i32;
    if (address === NULL) return false;
    const words = this.#words;
    const state = this.#state;
    const region = address / 4;
    words[region + REGION_NEXT] = 0;
    words[words[state + LAST_REGION]! + REGION_NEXT] = region;
    words[state + LAST_REGION] = region;
    words[state + CAPACITY]! += length - REGION_OVERHEAD_WORDS;
    formatRegion(words, state, region, length);
    return true;
  }

  /** What `deallocate` does with NULL, with a block of another region than the one before, and with everything that is wrong. */
  #deallocateSlowly(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    this.#renew();
    if (address === NULL) return;
    const fragment = this.#liveFragment(address);
    if (size !== undefined) this.#checkBlockSize(address, fragment, size);
    const words = this.#words;
    const length = words[fragment]! - USED;
    words[this.#state + ALLOCATED]! -= length;
    join(words, this.#state, fragment, length);
  }

  /** Whether `fragment` lies among a region's fragments; remembers the region. */
  #findRegion(fragment: number): boolean {
    const words = this.#words;
    const state = this.#state;
    if (fragment >= words[state + RECENT_START]! && fragment < words[state + RECENT_END]!) return true;
    for (let region = words[state + FIRST_REGION]!; region !== 0; region = words[region + REGION_NEXT]!) {
      const end = region + words[region + REGION_WORDS]! - FRAGMENT_HEADER_WORDS;
      if (fragment >= region + REGION_FIRST && fragment < end) {
        words[state + RECENT_START] = region + REGION_FIRST;
        words[state + RECENT_END] = end;
        return true;
      }
    }
    return false;
  }

  /** The fragment of the live block at `address`, or the error that says why there is none. The view is fresh. */
  #liveFragment(address: Address): number {
    const words = this.#words;
    const fragment = (address >>> 2) - FRAGMENT_HEADER_WORDS;
    const where = formatAddress(address);
    if (!this.#findRegion(fragment)) throw new AllocatorError('foreign-address', `${where} does not lie in this heap`);
    if (address % FRAGMENT_SIZE_MIN !== 0) throw new AllocatorError('invalid-address', `${where} is not a multiple of ${FRAGMENT_SIZE_MIN}: no block starts there`);
    const head = words[fragment]!;
    const length = head & ~USED;
    if (words[fragment + length + BEFORE] !== fragment || !isBefore(words, fragment)) {
      const code = head === 0 || isInsideFree(words, this.#state, fragment) ? 'double-free' : 'invalid-address';
      throw new AllocatorError(code, code === 'double-free' ? `the block at ${where} is free already` : `no block starts at ${where}, or its header was overwritten`);
    }
    if ((head & USED) === 0) throw new AllocatorError('double-free', `the block at ${where} is free already`);
    return fragment;
  }

  #checkBlockSize(address: Address, fragment: number, size: number): void {
    const usable = (this.#words[fragment]! - USED) * 4 - FRAGMENT_HEADER_SIZE;
    if (size > 0 && size <= usable) return;
    throw new AllocatorError('size-mismatch', `the block at ${formatAddress(address)} has ${usable} usable bytes, its size cannot be ${size}`);
  }

  #resizeFragment(fragment: number, newSize: number): boolean {
    const words = this.#words;
    const state = this.#state;
    const length = words[fragment]! - USED;
    const wanted = fragmentWords(newSize);
    if (wanted > length) {
      // [ used ][ free     ] => [ used     ][ free ]
      const behind = fragment + length;
      const lengthBehind = words[behind]!;
      if ((lengthBehind & USED) !== 0 || length + lengthBehind < wanted) return false;
      remove(words, state, behind);
      words[behind] = 0;
      words[behind + lengthBehind + BEFORE] = fragment;
      cut(words, state, fragment, length + lengthBehind, wanted);
    } else if (wanted < length) {
      // [ used         ][ free? ] => [ used ][ free ]
      const rest = fragment + wanted;
      words[fragment] = wanted | USED;
      words[rest + BEFORE] = fragment;
      words[fragment + length + BEFORE] = rest;
      join(words, state, rest, length - wanted);
    }
    this.#account(wanted - length, newSize);
    return true;
  }
}

/** Words of the fragment that holds a request of `size` bytes, 1 \<= size \<= 2^31 - 8. */
function fragmentWords(size: number): number {
  return 2 ** (30 - Math.clz32(size + (FRAGMENT_HEADER_SIZE - 1)));
}

/** Whether the fragment that this one says lies before it ends where this one starts. */
function isBefore(words: Int32Array, fragment: number): boolean {
  const before = words[fragment + BEFORE]!;
  return before + (words[before]! & ~USED) === fragment;
}

function clearBins(words: Int32Array, state: number): void {
  words[state + BIN_MASK] = 0;
  for (let bin = 0; bin < BIN_COUNT; bin += 1) {
    const sentinel = sentinelOf(state, bin);
    words[state + BINS + 2 * bin] = sentinel;
    words[sentinel + PREVIOUS_FREE] = sentinel;
  }
}

/** Makes one free fragment of a region. */
function formatRegion(words: Int32Array, state: number, region: number, length: number): void {
  const first = region + REGION_FIRST;
  const end = region + length - FRAGMENT_HEADER_WORDS;
  words[region + REGION_WORDS] = length;
  words[region + REGION_BEGIN] = FRAGMENT_WORDS_MIN | USED;
  words[region + REGION_BEGIN + BEFORE] = 0;
  words[first + BEFORE] = region + REGION_BEGIN;
  words[end + BEFORE] = first;
  writeEnd(words, region, length);
  insert(words, state, first, end - first);
  words[state + RECENT_START] = first;
  words[state + RECENT_END] = end;
}

/** The sentinel behind: used, so that nothing joins with it. */
function writeEnd(words: Int32Array, region: number, length: number): void {
  words[region + length - FRAGMENT_HEADER_WORDS] = USED;
}

/** Whether a fragment index lies inside a free fragment: only asked on the way to an error. O(free fragments). */
function isInsideFree(words: Int32Array, state: number, index: number): boolean {
  for (let bin = 0; bin < BIN_COUNT; bin += 1) {
    const sentinel = sentinelOf(state, bin);
    for (let fragment = words[sentinel + NEXT_FREE]!; fragment !== sentinel; fragment = words[fragment + NEXT_FREE]!) {
      if (index >= fragment && index < fragment + words[fragment]!) return true;
    }
  }
  return false;
}
