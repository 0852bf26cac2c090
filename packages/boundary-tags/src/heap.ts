/** What heaps of boundary-tagged fragments have in common: everything but their two hot paths, and the bins these search. */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkSize,
  eraseHeader,
  formatAddress,
  giveBack,
  hasHeader,
  moveBlock,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Memory,
  type Parent,
  type Repair,
  type Repairable,
} from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { checkHeap } from './check.ts';
import { cut, insert, isInsideFree, largestSizes, remove, resizeUsed } from './fragments.ts';
import { grow, heldSize, trim } from './growth.ts';
import { repairHeap } from './repair.ts';
import { clearBins, eraseFragments, formatRegion, regionOf } from './regions.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BLOCK_WORDS,
  CAPACITY,
  FAILURES,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_STEP_WORDS,
  REGION_FIRST,
  REGION_NEXT,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  TRIM_COUNT,
  USED,
} from './layout.ts';

const NO_WORDS = new Int32Array(0);

/** The figures of a heap. */
export interface HeapStats extends AllocatorStats {
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
 * A heap of boundary-tagged fragments in regions. A kind of heap extends it by `allocate` and `deallocate`, and says by its {@link Bins} how free
 * fragments are found.
 *
 * Blocks are aligned to 16 bytes; more on request, at the cost of a larger fragment being searched. Misuse is told by the headers of a block and both its
 * neighbours, which must agree: so a block of another heap that lies inside one of this heap's blocks
 * is not told from this heap's own. Single-owner.
 */
export abstract class TaggedHeap implements Allocator, Repairable {
  readonly memory: Memory;
  readonly alignment = FRAGMENT_SIZE_MIN;
  /** Where the heap's state lies: what `attach` wants. A multiple of 16. */
  readonly address: Address;

  // What the hot paths read is protected in TypeScript only: V8 treats a property as constant if it is stored once, and a #private field, or one that is
  // not merely declared, is stored twice, when it is defined and when the constructor fills it. A constant heap in the caller then makes constants of its
  // view and of its state's address.

  /** The view, as of the latest look. @internal */
  declare protected words: Int32Array;
  /** The word index of the state. @internal */
  declare protected readonly state: number;
  /** The first block of the region of the latest look-up: most frees hit the same one again. @internal */
  declare protected recentStart: number;
  /** The end of that region. @internal */
  declare protected recentEnd: number;

  /** How often the heap was trimmed, by any handle, when that region was looked up. */
  #recentTrims = 0;
  readonly #bins: Bins;
  readonly #parent: Parent | undefined;
  #released = false;

  /** A handle on a heap that lies at `address`. @internal */
  protected constructor(bins: Bins, memory: Memory, parent: Parent | undefined, address: Address) {
    this.memory = memory;
    this.address = address;
    this.#bins = bins;
    this.#parent = parent;
    this.words = memory.i32;
    this.state = address >>> 2;
    this.recentStart = this.state + bins.stateSize / 4 + REGION_FIRST;
    this.recentEnd = this.recentStart;
  }

  abstract allocate(size: number, alignment?: number): Address;

  abstract deallocate(address: Address, size?: number): void;

  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#renew();
    if (address === NULL) return false;
    const block = this.#liveBlock(address);
    this.#checkBlockSize(block, oldSize);
    return newSize !== 0 && newSize <= this.#bins.requestSizeMax && this.#resizeBlock(block, newSize);
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
    clearBins(this.#bins, words, state);
    words[state + ALLOCATED] = 0;
    for (let region = words[state + FIRST_REGION]!; region > 0; region = words[region + REGION_NEXT]!) {
      const first = region + REGION_FIRST;
      const second = first + (words[first + SIZE]! & ~USED);
      // First all is one fragment, then what lay in it is erased.
      formatRegion(this.#bins, words, state, region, words[region + REGION_WORDS]!);
      if (second >= first + FRAGMENT_WORDS_MIN) eraseFragments(words, region, second);
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
    const parent = this.#parent;
    if (parent === undefined || 'monotonic' in parent || this.words[this.state + GROWTH_STEP_WORDS] === 0) return 0;
    this.recentEnd = this.recentStart;
    return trim({ bins: this.#bins, parent, address: this.address, view: () => this.#renew() });
  }

  release(): void {
    if (!this.#isUsable()) return;
    const { words, state } = this;
    const parent = this.#parent;
    const blockSize = words[state + BLOCK_WORDS]! * 4;
    const first = words[state + FIRST_REGION]!;
    for (let region = first; region > 0; region = words[region + REGION_NEXT]!) eraseFragments(words, region, region + REGION_FIRST);
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
  stats(): HeapStats {
    this.#renew();
    const { words, state } = this;
    const free = words[state + CAPACITY]! - words[state + ALLOCATED]!;
    const sizes = largestSizes(this.#bins, words, state);
    const largest = sizes.reduce((one, other) => Math.max(one, other), 0);
    return {
      capacity: words[state + CAPACITY]! * 4,
      liveBytes: words[state + ALLOCATED]! * 4,
      failureCount: words[state + FAILURES]! >>> 0,
      peakBytes: words[state + ALLOCATED_PEAK]! * 4,
      peakRequest: words[state + REQUEST_PEAK]! >>> 0,
      largestFree: sizes[0] === undefined ? 0 : this.#bins.foundWords(sizes[0]) * 4 - FRAGMENT_HEADER_SIZE,
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
    checkHeap(this.#bins, this.memory, this.address, false);
  }

  /** Walks every region and every bin. O(fragments). */
  checkInvariants(): void {
    this.#renew();
    checkHeap(this.#bins, this.memory, this.address, true);
  }

  /**
   * Puts the heap in order after a thread or process died in the middle of a call: at most the block of that call is lost. O(fragments).
   *
   * @throws AllocatorError `corrupt` when no call leaves such a heap behind, nothing having changed; or `released`.
   */
  repair(): Repair {
    this.#renew();
    this.recentEnd = this.recentStart;
    return repairHeap(this.#bins, this.memory, this.address);
  }

  /** What `allocate` does when an alignment is given, or the size is no positive 32-bit integer. @internal */
  protected allocateUnusual(size: number, alignment = FRAGMENT_SIZE_MIN): Address {
    checkSize(size);
    checkAlignment(alignment);
    this.#renew();
    if (size === 0) return NULL;
    if (size > this.#bins.requestSizeMax) return this.#fail(size);
    return alignment <= FRAGMENT_SIZE_MIN && (size | 0) === size ? this.allocate(size) : this.#allocateAligned(size, alignment);
  }

  /** What `allocate` does when the bin it looked into gives it no block. @internal */
  protected allocateFromElsewhere(size: number): Address {
    this.#renew();
    return size > this.#bins.requestSizeMax ? this.#fail(size) : this.#allocateAligned(size, FRAGMENT_SIZE_MIN);
  }

  /** What `allocate` does when a figure is larger than ever. @internal */
  protected notePeaks(allocated: number, size: number): void {
    const { words, state } = this;
    if (allocated > words[state + ALLOCATED_PEAK]!) words[state + ALLOCATED_PEAK] = allocated;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
  }

  /**
   * What `deallocate` does when a size is given, with NULL, with a block of another region than the one before, and with everything that is wrong. @internal
   */
  protected deallocateUnusual(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    this.#renew();
    if (address === NULL) return;
    const block = this.#liveBlock(address);
    if (size !== undefined) this.#checkBlockSize(block, size);
    // The look-up made this block's region the recent one, and nothing is wrong: so this does not come back here.
    this.deallocate(address);
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

  /** Takes the current view; throws when the heap was released, by this handle or another. */
  #renew(): Int32Array {
    if (this.#released) throw new AllocatorError('released', 'this heap was released');
    const words = this.memory.i32;
    if (words === this.words) return words;
    this.words = words;
    if (!hasHeader(this.memory, this.address, this.#bins.header)) {
      this.words = NO_WORDS;
      throw new AllocatorError('released', `the heap at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    return words;
  }

  #fail(size: number): Address {
    const { words, state } = this;
    words[state + FAILURES]! += 1;
    if (size > words[state + REQUEST_PEAK]! >>> 0) words[state + REQUEST_PEAK] = size;
    return NULL;
  }

  /** A fragment is searched that holds the block wherever in it the boundary lies; what is left in front and behind goes free again. */
  #allocateAligned(size: number, alignment: number): Address {
    const bins = this.#bins;
    const wanted = bins.fragmentWords(size);
    const searched = wanted + Math.max(0, alignment - FRAGMENT_SIZE_MIN) / 4;
    const { words, state } = this;
    const found = bins.find(words, state, searched);
    if (found === 0) return this.#expand(size, alignment, searched);
    const length = words[found + SIZE]!;
    const block = alignUp(found * 4, alignment) / 4;
    const front = block - found;
    remove(bins, words, state, found);
    if (front > 0) {
      words[block + SIZE] = length - front;
      words[block + BEFORE] = found;
      words[found + length + BEFORE] = block;
      insert(bins, words, state, found, front);
    }
    cut(bins, words, state, block, length - front, wanted);
    words[state + ALLOCATED]! += wanted;
    this.notePeaks(words[state + ALLOCATED]!, size);
    return block * 4;
  }

  /** No bin can serve: because the heap is full, or may grow. */
  #expand(size: number, alignment: number, searched: number): Address {
    const parent = this.#parent;
    if (this.words[this.state + GROWTH_STEP_WORDS] === 0 || parent === undefined) return this.#fail(size);
    this.recentEnd = this.recentStart;
    const isGrown = grow({ bins: this.#bins, parent, address: this.address, view: () => this.#renew() }, this.#bins.searchWords(searched));
    return isGrown ? this.#allocateAligned(size, alignment) : this.#fail(size);
  }

  /** Whether `block` lies among a region's fragments; remembers the region. */
  #findRegion(block: number): boolean {
    const { words, state } = this;
    const trims = words[words[state + FIRST_REGION]! + TRIM_COUNT]!;
    if (block >= this.recentStart && block < this.recentEnd && trims === this.#recentTrims) return true;
    const region = regionOf(words, state, block);
    if (region === 0) return false;
    this.#recentTrims = trims;
    this.recentStart = region + REGION_FIRST;
    this.recentEnd = region + words[region + REGION_WORDS]!;
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
    const isFree = isFragment || isInsideFree(this.#bins, words, state, block);
    if (isFree) throw new AllocatorError('double-free', `the block at ${formatAddress(address)} is free already`);
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
    const wanted = this.#bins.fragmentWords(newSize);
    if (!resizeUsed(this.#bins, words, state, block, length, wanted)) return false;
    words[state + ALLOCATED]! += wanted - length;
    this.notePeaks(words[state + ALLOCATED]!, newSize);
    return true;
  }
}
