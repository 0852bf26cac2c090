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
  checkAllocator,
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
import { cut, findFirst, freeBlocks, insert, join, remove } from './fragments.ts';
import { requiredCapacity, type O1HeapDemand } from './required-capacity.ts';
import { appendRegion, clearBins, dropRegion, eraseFragments, formatRegion, freeTail, isInsideFree, lengthenRegion, regionOf, shortenRegion } from './regions.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BINS,
  BIN_COUNT,
  BIN_MASK,
  BLOCK_WORDS,
  CAPACITY,
  CREATED_WORDS,
  FAILURES,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  HEADER,
  HEAP_SIZE_MIN,
  LAST_REGION,
  PREVIOUS,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  REQUEST_SIZE_MAX,
  SIZE,
  STATE_SIZE,
  USED,
  WHOLE_SHARE,
} from './layout.ts';

/** Bytes of a heap when nothing is said: 1 GiB of address space, of which untouched pages cost nothing. */
export const HEAP_SIZE_DEFAULT = 2 ** 30;

/** How much of itself a heap adds when it grows and nothing is said. */
const GROWTH_SHARE_DEFAULT = 1 / 8;

const { clz32 } = Math;

// The sentinel of the last bin in a set of bins, from the leading zeros of the set. For the empty set, that of bin -1.
const SENTINEL_BY_ZEROS = BINS + 2 * 31;
// The words of the fragment that holds `n` bytes, from the leading zeros of n - 1.
const WORDS_BY_ZEROS = 2 ** 30;

const NO_WORDS = new Int32Array(0);

/** How an {@link O1Heap} gets more memory from its parent when it is full. */
export interface O1HeapGrowth {
  /** Bytes that a growth adds at least. A larger request adds what it needs, a larger heap its `share`. */
  readonly step: number;
  /**
   * How much of itself the heap adds at least, 0..1, so that growths, and the regions they may leave, stay few: with 1 it doubles. Kept with the heap to a billionth.
   * Default 0.125.
   */
  readonly share?: number;
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
 * A block of `size` bytes takes a fragment of `2^ceil(log2(size + 8))` bytes: on average over a quarter of it is rounding. In return `allocate` and `deallocate`
 * are O(1) whatever happened before, and {@link requiredCapacity} says how much memory rules out running out. The largest request a
 * heap of capacity C serves is `2^floor(log2(C)) - 8` bytes: for 1 GiB, of which the state takes a little, that is just under 512 MiB.
 *
 * Blocks are aligned to 16 bytes; more on request, at the cost of a larger fragment being searched. Misuse is told by the headers of a block and both its
 * neighbours, which must agree: so a block of another heap that lies inside one of this heap's blocks
 * is not told from this heap's own. Single-owner.
 */
export class O1Heap implements Allocator {
  readonly memory: Memory;
  readonly alignment = FRAGMENT_SIZE_MIN;
  /** Where the heap's state lies: what `attach` wants. A multiple of 16. */
  readonly address: Address;

  // What the hot paths read is private to TypeScript only: V8 treats a property as constant if it is stored once, and a #private field is stored twice, when it
  // is declared and when the constructor fills it. A constant heap in the caller then makes constants of its view and of its state's address.
  declare private words: Int32Array;
  declare private readonly state: number;
  /** The region of the latest look-up: most frees hit the same one again. */
  declare private recentStart: number;
  declare private recentEnd: number;

  readonly #parent: Parent | undefined;
  #released = false;

  private constructor(memory: Memory, parent: Parent | undefined, address: Address) {
    this.memory = memory;
    this.address = address;
    this.#parent = parent;
    this.words = memory.i32;
    this.state = address >>> 2;
    this.recentStart = this.state + STATE_SIZE / 4 + REGION_FIRST;
    this.recentEnd = this.recentStart;
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
      checkShare(growth.share ?? GROWTH_SHARE_DEFAULT);
    }
    checkAllocator(parent, 'parent');
    const blockSize = alignDown(size, FRAGMENT_SIZE_MIN);
    const address = parent.allocate(blockSize, FRAGMENT_SIZE_MIN);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the heap`);
    const heap = new O1Heap(parent.memory, parent, address);
    heap.#format(blockSize, blockSize / 4, growth);
    return heap;
  }

  /**
   * Makes a heap in `size` bytes at `address` that the caller owns: a block of another allocator, or bytes that no allocator hands out. Its `release` gives
   * them back to nobody. O(1).
   *
   * @param address - A multiple of 16, not 0.
   * @throws TypeError or RangeError for a misaligned address, a size below the minimum, or bytes that are not committed; AllocatorError `already-initialised` when a
   *   heap lies there.
   */
  static createAt(memory: Memory, address: Address, size: number): O1Heap {
    checkInteger(address, 'address', 1, ADDRESS_SPACE_SIZE - 1);
    if (address % FRAGMENT_SIZE_MIN !== 0) throw new RangeError(`address must be a multiple of ${FRAGMENT_SIZE_MIN}, got ${address}`);
    checkInteger(size, 'size', HEAP_SIZE_MIN, ADDRESS_SPACE_SIZE - address);
    memory.refresh();
    if (address + size > memory.committed) throw new RangeError(`size must end within the ${memory.committed} committed bytes, got ${size} at ${formatAddress(address)}`);
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
   * Whether the state of a heap lies at `address`, of any layout version; looks at its header only. O(1).
   *
   * @throws TypeError or RangeError for what is no address, AllocatorError `released` when the memory was.
   */
  static liesAt(memory: Memory, address: Address): boolean {
    checkAddress(address);
    memory.refresh();
    return address % FRAGMENT_SIZE_MIN === 0 && hasHeader(memory, address, HEADER);
  }

  /** {@link requiredCapacity}: bytes for `size` with which a heap can never run out. */
  static requiredCapacity(demand: O1HeapDemand): number {
    return requiredCapacity(demand);
  }

  // The next two fit V8's budget for inlining (920 bytecodes a caller, the second one counted 1.2 times) only just: hence each looks as it does. What they have
  // in the built package is shown by `node --print-bytecode --print-bytecode-filter=allocate`.

  allocate(size: number, alignment?: number): Address {
    const { words, state } = this;
    if (alignment !== undefined || (size | 0) !== size || !(size > 0)) return this.allocateUnusual(size, alignment);
    // The block and its header take a fragment of 2^30 >>> zeros words. Any in its bin, or one before, is large enough: half-fit looks no further.
    const zeros = clz32(size + (FRAGMENT_HEADER_SIZE - 1));
    const sentinel = clz32(words[state + BIN_MASK]! & ((4 << zeros) - 1)) * -2 + state + SENTINEL_BY_ZEROS;
    const block = words[sentinel]!;
    // The bin is empty, or bin -1, which always is; or the block lies in front of the state; or the view is stale, and knows no block.
    if (!(block > sentinel)) return this.allocateFromElsewhere(size);
    const next = words[block]!;
    words[sentinel] = next;
    words[next + PREVIOUS] = sentinel;
    const wanted = WORDS_BY_ZEROS >>> zeros;
    const rest = words[block + SIZE]! - wanted;
    if (rest) {
      // [ block: free      ] => [ block: used ][ behind: free ]
      const behind = block + wanted;
      const bin = clz32(rest);
      const sentinelRest = bin * 2 + state + BINS;
      const nextRest = words[sentinelRest]!;
      words[behind + SIZE] = rest;
      words[behind + BEFORE] = block;
      words[behind] = nextRest;
      words[behind + PREVIOUS] = sentinelRest;
      words[nextRest + PREVIOUS] = behind;
      words[sentinelRest] = behind;
      words[behind + rest + BEFORE] = behind;
      words[state + BIN_MASK]! |= 1 << bin;
    }
    words[block + SIZE] = wanted | USED;
    const allocated = words[state + ALLOCATED]! + wanted;
    words[state + ALLOCATED] = allocated;
    if (allocated > words[state + ALLOCATED_PEAK]! || size > words[state + REQUEST_PEAK]!) this.notePeaks(allocated, size);
    return block * 4;
  }

  deallocate(address: Address, size?: number): void {
    const { words, state } = this;
    const block = address >>> 2;
    if (size === undefined && block * 4 === address && block >= this.recentStart && block < this.recentEnd) {
      let length = words[block + SIZE]! - USED;
      const before = words[block + BEFORE]!;
      const behind = block + length;
      const sizeBefore = words[before + SIZE]!;
      const sizeBehind = words[behind + SIZE]!;
      // In use, aligned, and both neighbours agree: anything but 0 is wrong.
      if (!(((length | block) & 3) | (words[behind + BEFORE]! ^ block) | ((before + (sizeBefore & ~USED)) ^ block))) {
        words[state + ALLOCATED]! -= length;
        let start = block;
        if (!(sizeBehind & USED)) {
          // [ block ][ behind: free ] => [ block ]
          const next = words[behind]!;
          const previous = words[behind + PREVIOUS]!;
          words[previous] = next;
          words[next + PREVIOUS] = previous;
          length += sizeBehind;
        }
        if (!(sizeBefore & USED)) {
          // [ before: free ][ block ] => [ before: free ]. The block's header stays behind, but no neighbour agrees with it any more.
          const next = words[before]!;
          const previous = words[before + PREVIOUS]!;
          words[previous] = next;
          words[next + PREVIOUS] = previous;
          length += sizeBefore;
          start = before;
        }
        const bin = clz32(length);
        const sentinel = bin * 2 + state + BINS;
        const next = words[sentinel]!;
        words[start + SIZE] = length;
        words[start] = next;
        words[start + PREVIOUS] = sentinel;
        words[next + PREVIOUS] = start;
        words[sentinel] = start;
        words[start + length + BEFORE] = start;
        words[state + BIN_MASK]! |= 1 << bin;
        return;
      }
    }
    this.deallocateUnusual(address, size);
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#renew();
    if (address === NULL) return false;
    const block = this.#liveBlock(address);
    this.#checkBlockSize(block, oldSize);
    return newSize !== 0 && newSize <= REQUEST_SIZE_MAX && this.#resizeBlock(block, newSize);
  }

  /** O(1) where the fragment can shrink or grow into a free neighbour behind it; else O(oldSize), for the copy. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = FRAGMENT_SIZE_MIN): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.#renew();
    this.#checkBlockSize(this.#liveBlock(address), oldSize);
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
    return this.#usableSize(this.#liveBlock(address));
  }

  /** O(1) for a heap that never grew, O(regions) for one that did. */
  owns(address: Address): boolean {
    if (typeof address !== 'number' || address >>> 0 !== address || !this.#isUsable()) return false;
    return this.#findRegion(address >>> 2);
  }

  /**
   * Frees every block at once. O(fragments): every header is erased, so that addresses handed out before are told from live ones. Regions that growth added
   * are kept; the peaks and the count of failures too.
   */
  reset(): void {
    this.#renew();
    const { words, state } = this;
    clearBins(words, state);
    words[state + ALLOCATED] = 0;
    for (let region = words[state + FIRST_REGION]!; region > 0; region = words[region + REGION_NEXT]!) {
      eraseFragments(words, region);
      formatRegion(words, state, region, words[region + REGION_WORDS]!);
    }
  }

  /**
   * Gives back to the parent what growth added and no block needs: regions without a block, and the free ends of the others, in units of the
   * parent's alignment. O(regions).
   *
   * @returns How many bytes went back; 0 for a heap that cannot grow, or a parent that takes nothing back.
   */
  trim(): number {
    this.#renew();
    const { words, state } = this;
    const parent = this.#parent;
    if (parent === undefined || 'monotonic' in parent || words[state + GROWTH_STEP_WORDS] === 0) return 0;
    this.recentEnd = this.recentStart;
    let returned = 0;
    let previous = 0;
    for (let region = words[state + FIRST_REGION]!; region > 0; ) {
      const next = words[region + REGION_NEXT]!;
      const length = words[region + REGION_WORDS]!;
      if (previous !== 0 && freeTail(words, region) === length - REGION_OVERHEAD_WORDS) {
        dropRegion(words, state, region, previous);
        parent.deallocate(region * 4, heldSize(parent, region * 4, length * 4));
        returned += length * 4;
      } else {
        returned += this.#cutTail(parent, region);
        previous = region;
      }
      region = next;
    }
    return returned;
  }

  /** Gives the free end of a region back. The first one keeps what the heap was created with, any other one fragment at least. */
  #cutTail(parent: Parent, region: number): number {
    const { words, state } = this;
    const length = words[region + REGION_WORDS]!;
    const isFirst = region === words[state + FIRST_REGION]!;
    const kept = isFirst ? words[state + CREATED_WORDS]! - STATE_SIZE / 4 : REGION_OVERHEAD_WORDS + FRAGMENT_WORDS_MIN;
    const spare = Math.min(freeTail(words, region), length - kept);
    const less = alignDown(spare * 4, parent.alignment) / 4;
    const start = isFirst ? this.address : region * 4;
    const oldSize = (region + length) * 4 - start;
    if (less <= 0) return 0;
    // First, because a parent may write to what it takes back.
    shortenRegion(words, state, region, less);
    if (!parent.resize(start, heldSize(parent, start, oldSize), oldSize - less * 4)) {
      lengthenRegion(words, state, region, less);
      return 0;
    }
    if (isFirst) words[state + BLOCK_WORDS]! -= less;
    return less * 4;
  }

  release(): void {
    if (!this.#isUsable()) return;
    const { words, state } = this;
    const parent = this.#parent;
    const blockSize = words[state + BLOCK_WORDS]! * 4;
    const first = words[state + FIRST_REGION]!;
    for (let region = first; region > 0; region = words[region + REGION_NEXT]!) eraseFragments(words, region);
    let region = words[first + REGION_NEXT]!;
    eraseHeader(this.memory, this.address);
    this.#released = true;
    this.words = NO_WORDS;
    if (parent === undefined) return;
    while (region !== 0) {
      const next = words[region + REGION_NEXT]!;
      giveBack(parent, region * 4, heldSize(parent, region * 4, words[region + REGION_WORDS]! * 4));
      region = next;
    }
    giveBack(parent, this.address, heldSize(parent, this.address, blockSize));
  }

  /** O(free fragments of the highest bin in use). */
  stats(): O1HeapStats {
    this.#renew();
    const { words, state } = this;
    const free = words[state + CAPACITY]! - words[state + ALLOCATED]!;
    let largest = 0;
    for (let bin = 0; bin < BIN_COUNT && largest === 0; bin += 1) {
      for (const block of freeBlocks(words, state, bin)) largest = Math.max(largest, words[block + SIZE]!);
    }
    return {
      capacity: words[state + CAPACITY]! * 4,
      liveBytes: words[state + ALLOCATED]! * 4,
      failureCount: words[state + FAILURES]! >>> 0,
      peakBytes: words[state + ALLOCATED_PEAK]! * 4,
      peakRequest: words[state + REQUEST_PEAK]! >>> 0,
      largestFree: largest === 0 ? 0 : Math.min(2 ** (33 - clz32(largest)), 2 ** 31) - FRAGMENT_HEADER_SIZE,
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
    const { words, state } = this;
    words.fill(0, state, state + STATE_SIZE / 4);
    const region = state + STATE_SIZE / 4;
    const regionWords = (size - STATE_SIZE) / 4;
    words[state + BLOCK_WORDS] = blockWords;
    words[state + CREATED_WORDS] = size / 4;
    words[state + GROWTH_STEP_WORDS] = growth === undefined ? 0 : Math.ceil(Math.min(growth.step, ADDRESS_SPACE_SIZE / 2) / FRAGMENT_SIZE_MIN) * FRAGMENT_WORDS_MIN;
    words[state + GROWTH_LIMIT_WORDS] = Math.floor((growth?.limit ?? ADDRESS_SPACE_SIZE) / 4);
    words[state + GROWTH_SHARE] = growth === undefined ? 0 : Math.round((growth.share ?? GROWTH_SHARE_DEFAULT) * WHOLE_SHARE);
    words[state + FIRST_REGION] = region;
    words[state + LAST_REGION] = region;
    clearBins(words, state);
    words[region + REGION_NEXT] = 0;
    formatRegion(words, state, region, regionWords);
    words[state + CAPACITY] = regionWords - REGION_OVERHEAD_WORDS;
    writeHeader(memory, address, HEADER);
    this.recentEnd = region + regionWords;
  }

  /** Whether there is anything left to use: neither this heap nor its memory was released. Takes the current view. */
  #isUsable(): boolean {
    try {
      this.#renew();
      return true;
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'released')) throw error;
      this.#released = true;
      this.words = NO_WORDS;
      return false;
    }
  }

  /** Takes the current view; throws when the heap was released, by this handle or another. Returns whether the view was stale. */
  #renew(): boolean {
    if (this.#released) throw new AllocatorError('released', 'this heap was released');
    const words = this.memory.i32;
    if (words === this.words) return false;
    this.words = words;
    if (!hasHeader(this.memory, this.address, HEADER)) {
      this.words = NO_WORDS;
      throw new AllocatorError('released', `the heap at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    return true;
  }

  /** What `allocate` does when an alignment is given, or the size is not one of 1..REQUEST_SIZE_MAX. */
  private allocateUnusual(size: number, alignment = FRAGMENT_SIZE_MIN): Address {
    checkSize(size);
    checkAlignment(alignment);
    this.#renew();
    if (size === 0) return NULL;
    if (size > REQUEST_SIZE_MAX) return this.#fail(size);
    return alignment <= FRAGMENT_SIZE_MIN ? this.allocate(size) : this.#allocateAligned(size, alignment);
  }

  #fail(size: number): Address {
    const { words, state } = this;
    words[state + FAILURES]! += 1;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
    return NULL;
  }

  /** A fragment is searched that holds the block wherever in it the boundary lies; what is left in front and behind goes free again. */
  #allocateAligned(size: number, alignment: number): Address {
    const wanted = fragmentWords(size);
    const { words, state } = this;
    const found = findFirst(words, state, binFor(wanted + (alignment - FRAGMENT_SIZE_MIN) / 4));
    if (found === 0) return this.#expand(size, alignment);
    const length = words[found + SIZE]!;
    const block = alignUp(found * 4, alignment) / 4;
    const front = block - found;
    remove(words, found);
    if (front > 0) {
      words[block + BEFORE] = found;
      words[found + length + BEFORE] = block;
      insert(words, state, found, front);
    }
    cut(words, state, block, length - front, wanted);
    words[state + ALLOCATED]! += wanted;
    this.notePeaks(words[state + ALLOCATED]!, size);
    return block * 4;
  }

  private notePeaks(allocated: number, size: number): void {
    const { words, state } = this;
    if (allocated > words[state + ALLOCATED_PEAK]!) words[state + ALLOCATED_PEAK] = allocated;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
  }

  /** What `allocate` does when the bin it looked into gives it no block. */
  private allocateFromElsewhere(size: number): Address {
    this.#renew();
    return size > REQUEST_SIZE_MAX ? this.#fail(size) : this.#allocateAligned(size, FRAGMENT_SIZE_MIN);
  }

  /** No bin can serve: because the heap is full, or may grow. */
  #expand(size: number, alignment: number): Address {
    const { words, state } = this;
    const step = words[state + GROWTH_STEP_WORDS]!;
    if (step === 0 || this.#parent === undefined || size > REQUEST_SIZE_MAX) return this.#fail(size);
    const wanted = fragmentWords(size);
    const needed = alignment <= FRAGMENT_SIZE_MIN ? wanted : 2 ** (31 - binFor(wanted + (alignment - FRAGMENT_SIZE_MIN) / 4));
    const share = words[state + GROWTH_SHARE]! / WHOLE_SHARE;
    const more = Math.max(step, alignDown(Math.floor(this.#heldWords * share), FRAGMENT_WORDS_MIN));
    const parent = this.#parent;
    const isGrown =
      this.#growRegion(parent, needed, more) ||
      this.#growRegion(parent, needed, 0) ||
      this.#addRegion(parent, needed, more) ||
      this.#addRegion(parent, needed, 0) ||
      // Empty regions do not join where they touch; at the parent they do.
      (this.trim() > 0 && this.#addRegion(parent, needed, 0));
    return isGrown ? this.allocate(size, alignment) : this.#fail(size);
  }

  /** Words that the heap has of its parent. O(regions). */
  get #heldWords(): number {
    const { words, state } = this;
    let held = STATE_SIZE / 4;
    for (let region = words[state + FIRST_REGION]!; region > 0; region = words[region + REGION_NEXT]!) held += words[region + REGION_WORDS]!;
    return held;
  }

  /** Words that the limit leaves to growth. O(regions). */
  get #room(): number {
    return alignDown(Math.max(0, this.words[this.state + GROWTH_LIMIT_WORDS]! - this.#heldWords), FRAGMENT_WORDS_MIN);
  }

  /** Makes the last region longer, where it stands, so that its free tail has `needed` words. */
  #growRegion(parent: Parent, needed: number, step: number): boolean {
    const { words, state } = this;
    const region = words[state + LAST_REGION]!;
    const isFirst = region === words[state + FIRST_REGION]!;
    const least = Math.max(FRAGMENT_WORDS_MIN, needed - freeTail(words, region));
    const more = Math.min(Math.max(least, step), this.#room);
    const start = isFirst ? this.address : region * 4;
    const oldSize = (region + words[region + REGION_WORDS]!) * 4 - start;
    if (more < least || oldSize + more * 4 >= ADDRESS_SPACE_SIZE) return false;
    const isLonger = parent.resize(start, heldSize(parent, start, oldSize), oldSize + more * 4);
    // A parent that tried in vain may have grown the memory on the way.
    this.#renew();
    if (!isLonger) return false;
    lengthenRegion(this.words, state, region, more);
    if (isFirst) this.words[state + BLOCK_WORDS]! += more;
    this.recentEnd = this.recentStart;
    return true;
  }

  /** Takes another block from the parent. */
  #addRegion(parent: Parent, needed: number, step: number): boolean {
    const least = needed + REGION_OVERHEAD_WORDS;
    const length = Math.min(Math.max(least, step), this.#room);
    if (length < least || length * 4 >= ADDRESS_SPACE_SIZE) return false;
    const address = parent.allocate(length * 4, FRAGMENT_SIZE_MIN);
    this.#renew();
    if (address === NULL) return false;
    appendRegion(this.words, this.state, address / 4, length);
    return true;
  }

  /** What `deallocate` does when a size is given, with NULL, with a block of another region than the one before, and with everything that is wrong. */
  private deallocateUnusual(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    this.#renew();
    if (address === NULL) return;
    const block = this.#liveBlock(address);
    if (size !== undefined) this.#checkBlockSize(block, size);
    // The look-up made this block's region the recent one, and nothing is wrong: so this does not come back here.
    this.deallocate(address);
  }

  /** Whether `block` lies among a region's fragments; remembers the region. */
  #findRegion(block: number): boolean {
    if (block >= this.recentStart && block < this.recentEnd) return true;
    const region = regionOf(this.words, this.state, block);
    if (region === 0) return false;
    this.recentStart = region + REGION_FIRST;
    this.recentEnd = region + this.words[region + REGION_WORDS]!;
    return true;
  }

  /** The live block at `address`, or the error that says why there is none. The view is fresh. */
  #liveBlock(address: Address): number {
    const { words, state } = this;
    const block = address >>> 2;
    if (!this.#findRegion(block)) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in this heap`);
    if (address % FRAGMENT_SIZE_MIN !== 0) {
      throw new AllocatorError('invalid-address', `${formatAddress(address)} is not a multiple of ${FRAGMENT_SIZE_MIN}: no block starts there`);
    }
    const head = words[block + SIZE]!;
    const before = words[block + BEFORE]!;
    const isFragment = words[block + (head & ~USED) + BEFORE] === block && before + (words[before + SIZE]! & ~USED) === block;
    if (isFragment && (head & USED) !== 0) return block;
    if (isFragment || isInsideFree(words, state, block)) throw new AllocatorError('double-free', `the block at ${formatAddress(address)} is free already`);
    throw new AllocatorError('invalid-address', `no block starts at ${formatAddress(address)}, or a header beside it was overwritten`);
  }

  #usableSize(block: number): number {
    return (this.words[block + SIZE]! - USED) * 4 - FRAGMENT_HEADER_SIZE;
  }

  #checkBlockSize(block: number, size: number): void {
    const usable = this.#usableSize(block);
    if (size > 0 && size <= usable) return;
    throw new AllocatorError('size-mismatch', `the block at ${formatAddress(block * 4)} has ${usable} usable bytes, its size cannot be ${size}`);
  }

  #resizeBlock(block: number, newSize: number): boolean {
    const { words, state } = this;
    const length = words[block + SIZE]! - USED;
    const wanted = fragmentWords(newSize);
    if (wanted > length) {
      // [ used ][ free     ] => [ used     ][ free ]
      const behind = block + length;
      const sizeBehind = words[behind + SIZE]!;
      if ((sizeBehind & USED) !== 0 || length + sizeBehind < wanted) return false;
      remove(words, behind);
      words[behind + sizeBehind + BEFORE] = block;
      cut(words, state, block, length + sizeBehind, wanted);
    } else if (wanted < length) {
      // [ used         ][ free? ] => [ used ][ free ]
      const rest = block + wanted;
      words[block + SIZE] = wanted | USED;
      words[rest + BEFORE] = block;
      words[block + length + BEFORE] = rest;
      join(words, state, rest, length - wanted);
    }
    words[state + ALLOCATED]! += wanted - length;
    this.notePeaks(words[state + ALLOCATED]!, newSize);
    return true;
  }
}

/**
 * Bytes of a block that the parent holds for the heap. More than the heap counts where a process was killed between the parent's side of a growth
 * or a trimming and the heap's: the heap works on with what it knows.
 */
function heldSize(parent: Parent, address: Address, size: number): number {
  return 'usableSize' in parent ? parent.usableSize(address) : size;
}

function checkShare(share: number): void {
  const given: unknown = share;
  if (typeof given !== 'number') throw new TypeError(`growth.share must be a number, got ${typeof given}`);
  if (!(share >= 0 && share <= 1)) throw new RangeError(`growth.share must be within 0..1, got ${share}`);
}

/** Words of the fragment that holds a request of `size` bytes, 1 \<= size \<= 2^31 - 8. */
function fragmentWords(size: number): number {
  return 2 ** (30 - Math.clz32(size + (FRAGMENT_HEADER_SIZE - 1)));
}

/** The last bin whose every fragment has at least `size` words. */
function binFor(size: number): number {
  return clz32(size - 1) - 1;
}
