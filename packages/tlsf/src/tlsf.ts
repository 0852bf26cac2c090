/**
 * A heap of bounded time and little waste: two-level segregated fit, after M. Masmano, I. Ripoll, A. Crespo and J. Real, "TLSF: a new dynamic memory
 * allocator for real-time systems" (2004). Here are its two hot paths; the bins are in `bins.ts`, their layout in `layout.ts`, everything else in
 * `@allokit/boundary-tags`.
 */

import { HOT_PATHS, type Address, type Compilable, type HotPathWriter, type HotPaths, type Memory, type Parent } from '@allokit/allocator';
import { TaggedHeap, createHeap, createHeapAt, findHeap, isHeapAt, type HeapAttachOptions, type HeapGrowth, type HeapOptions, type HeapStats } from '@allokit/boundary-tags';
import { GOOD_FIT } from './bins.ts';
import { hotPaths } from './hot-paths.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  ALL_BUT_FIRST,
  BEFORE,
  BINS,
  BIN_BY_LAST_BYTE,
  BIN_BY_WORDS,
  BIN_MASK,
  FRAGMENT_HEADER_SIZE,
  LEVEL_0_SIZE,
  LEVEL_0_WORDS,
  MASKS,
  PREVIOUS,
  REQUEST_PEAK,
  SIZE,
  USED,
} from './layout.ts';

const { clz32 } = Math;

/** How to attach to a {@link Tlsf}. */
export type TlsfAttachOptions = HeapAttachOptions;

/** How a {@link Tlsf} gets more memory from its parent when it is full. */
export type TlsfGrowth = HeapGrowth;

/** How to make a {@link Tlsf}. Its own state takes about 6 KiB of the size. */
export type TlsfOptions = HeapOptions;

/** The figures of a {@link Tlsf}. */
export type TlsfStats = HeapStats;

/**
 * A general heap that rounds to 16 bytes, and finds a fragment by two looks at bit masks: for large blocks of any size that come and go.
 *
 * A block of `size` bytes takes `size + 8` bytes, rounded up to 16. Free fragments are kept in 32 bins to each doubling of size, and of the first bin in which
 * all are large enough the latest freed is taken: so a fragment of 1/32 more than the request needs is always found, and what is passed over is smaller than
 * that. Only when there is none, the latest freed of the bin before is looked at too. Below 1 KiB every size has a bin of its own, and the fit is the best.
 * `allocate` and `deallocate` are O(1) whatever happened before.
 *
 * Misuse is told by the headers of a block and both its neighbours, which must agree: so a block of another heap that lies inside one of this heap's blocks
 * is not told from this heap's own. Single-owner.
 *
 * How much memory rules out running out is another question. No useful bound is known: good fit behaves as best fit, of which J. M. Robson, "Worst case
 * fragmentation of first fit and best fit storage allocation strategies" (1977), shows that it may need about as many times the live bytes as the largest block
 * is longer than the smallest. Where memory must be proven to suffice, take an o1heap.
 */
export class Tlsf extends TaggedHeap implements Compilable {
  private constructor(memory: Memory, parent: Parent | undefined, address: Address) {
    super(GOOD_FIT, memory, parent, address);
  }

  /**
   * Makes a heap in a block taken from `parent`. O(1).
   *
   * @throws TypeError or RangeError for sizes that are none or too small, AllocatorError `out-of-memory` when the parent has no such block.
   */
  static create(parent: Parent, options: TlsfOptions = {}): Tlsf {
    const address = createHeap(GOOD_FIT, parent, options);
    return new Tlsf(parent.memory, parent, address);
  }

  /**
   * Makes a heap in `size` bytes at `address` that the caller owns: a block of another allocator, or bytes that no allocator hands out. Its `release` gives
   * them back to nobody. O(1).
   *
   * @param address - A multiple of 16, not 0.
   * @throws TypeError or RangeError for a misaligned address, a size below the minimum, or bytes that are not committed;
   *   AllocatorError `already-initialised` when a heap lies there.
   */
  static createAt(memory: Memory, address: Address, size: number): Tlsf {
    createHeapAt(GOOD_FIT, memory, address, size);
    return new Tlsf(memory, undefined, address);
  }

  /**
   * Finds the heap that `create` or `createAt` made: from another thread, or in a restored image. Walks it all to prove it sound. O(n).
   *
   * @param parent - What the heap was created on; for `createAt`, the memory.
   * @param address - The other one's `address`.
   * @param options - `repair`: whether to put a heap in order whose owner died in the middle of a call, instead of refusing it.
   * @throws AllocatorError `bad-header` when no heap lies there, `corrupt` when it is damaged, or what the parent says of a block it does not know.
   */
  static attach(parent: Parent | Memory, address: Address, { repair = false }: TlsfAttachOptions = {}): Tlsf {
    const found = findHeap(GOOD_FIT, parent, address);
    const heap = new Tlsf('memory' in parent ? parent.memory : parent, found, address);
    if (repair) heap.repair();
    heap.checkInvariants();
    return heap;
  }

  /**
   * Whether the state of a heap lies at `address`, of any layout version; looks at its header only. O(1).
   *
   * @throws TypeError or RangeError for what is no address, AllocatorError `released` when the memory was.
   */
  static liesAt(memory: Memory, address: Address): boolean {
    return isHeapAt(GOOD_FIT, memory, address);
  }

  // V8 inlines no function of more than 460 bytecodes, and about 920 in all into a caller: the two below fit together, and the two they share follow as far as
  // the budget goes. What they have in the built package is shown by `node --print-bytecode --print-bytecode-filter=allocate`.

  /** O(1) while the heap need not grow. As `Allocator.allocate` says. */
  allocate(size: number, alignment?: number): Address {
    const { words, state } = this;
    if (alignment !== undefined || (size | 0) !== size || !(size > 0)) return this.allocateUnusual(size, alignment);
    // The last byte of the fragment, counted from its start. The search begins behind the bin of fragments that are one granule smaller: as `binFor` does.
    const last = size + (FRAGMENT_HEADER_SIZE - 1);
    const zeros = clz32(last | LEVEL_0_SIZE);
    const bin = (last >>> (26 - zeros)) - (zeros << 5) + BIN_BY_LAST_BYTE;
    let level = bin >>> 5;
    let marks = words[level + state + MASKS]! & (-1 >>> bin);
    if (!marks) {
      level = clz32(words[state + BIN_MASK]! & (ALL_BUT_FIRST >>> level));
      marks = words[level + state + MASKS]!;
    }
    const sentinel = ((level << 5) + clz32(marks)) * 2 + state + BINS;
    const block = words[sentinel]!;
    // The last bin, which is always empty; or the block lies in front of the state; or the view is stale, and knows no block.
    if (!(block > sentinel)) return this.allocateFromElsewhere(size);
    this.remove(block);
    const wanted = (last >>> 4) * 4 + 4;
    const rest = words[block + SIZE]! - wanted;
    if (rest) {
      // [ block: free      ] => [ block: used ][ behind: free ]
      const behind = block + wanted;
      words[behind + BEFORE] = block;
      this.insert(behind, rest);
    }
    words[block + SIZE] = wanted | USED;
    const allocated = words[state + ALLOCATED]! + wanted;
    words[state + ALLOCATED] = allocated;
    if (allocated > words[state + ALLOCATED_PEAK]! || size > words[state + REQUEST_PEAK]!) this.notePeaks(allocated, size);
    return block * 4;
  }

  /** O(1) for a block of the region of the block freed before, else O(regions). As `Allocator.deallocate` says. */
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
          this.remove(behind);
          length += sizeBehind;
        }
        if (!(sizeBefore & USED)) {
          // [ before: free ][ block ] => [ before: free ]. The block's header stays behind, but no neighbour agrees with it any more.
          this.remove(before);
          length += sizeBefore;
          start = before;
        }
        this.insert(start, length);
        return;
      }
    }
    this.deallocateUnusual(address, size);
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    return hotPaths(writer.bind(this), this.state);
  }

  /** Takes a free fragment out of its bin, and the mark off a bin that is empty then. */
  private remove(block: number): void {
    const { words, state } = this;
    const next = words[block]!;
    const previous = words[block + PREVIOUS]!;
    words[previous] = next;
    words[next + PREVIOUS] = previous;
    if (next !== previous) return;
    // Both are the sentinel.
    const bin = (next - state - BINS) >>> 1;
    const level = bin >>> 5;
    const marks = words[level + state + MASKS]! ^ (1 << ~bin);
    words[level + state + MASKS] = marks;
    if (!marks) words[state + BIN_MASK]! ^= 1 << ~level;
  }

  /** Puts a free fragment of `length` words at the front of its bin, so that the latest freed, still in the cache, is the first reused. */
  private insert(block: number, length: number): void {
    const { words, state } = this;
    const zeros = clz32(length | LEVEL_0_WORDS);
    const bin = (length >>> (26 - zeros)) - (zeros << 5) + BIN_BY_WORDS;
    const sentinel = bin * 2 + state + BINS;
    const next = words[sentinel]!;
    words[block + SIZE] = length;
    words[block] = next;
    words[block + PREVIOUS] = sentinel;
    words[next + PREVIOUS] = block;
    words[sentinel] = block;
    words[block + length + BEFORE] = block;
    words[(bin >>> 5) + state + MASKS]! |= 1 << ~bin;
    words[state + BIN_MASK]! |= 1 << ~(bin >>> 5);
  }
}
