/**
 * A heap whose every operation takes bounded time: half-fit over fragments of powers of two, after T. Ogasawara, "An algorithm with constant
 * execution time for dynamic storage allocation" (1995), as analysed by J. Herter, "Timing-predictable memory allocation in hard
 * real-time systems" (2014), and refined in Pavel Kirienko's o1heap. Here are its two hot paths; the layout is in `layout.ts`, everything
 * else in `@allokit/boundary-tags`.
 */

import { HOT_PATHS, type Address, type Compilable, type HotPathWriter, type HotPaths, type Memory, type Parent } from '@allokit/allocator';
import { TaggedHeap, createHeap, createHeapAt, findHeap, isHeapAt, type HeapAttachOptions, type HeapGrowth, type HeapOptions, type HeapStats } from '@allokit/boundary-tags';
import { HALF_FIT } from './bins.ts';
import { hotPaths } from './hot-paths.ts';
import { requiredCapacity, type O1HeapDemand } from './required-capacity.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BINS,
  BIN_MASK,
  FRAGMENT_HEADER_SIZE,
  PREVIOUS,
  REQUEST_PEAK,
  SENTINEL_BY_ZEROS,
  SIZE,
  USED,
  WORDS_BY_ZEROS,
} from './layout.ts';

const { clz32 } = Math;

/** How to attach to an {@link O1Heap}. */
export type O1HeapAttachOptions = HeapAttachOptions;

/** How an {@link O1Heap} gets more memory from its parent when it is full. */
export type O1HeapGrowth = HeapGrowth;

/** How to make an {@link O1Heap}. Its own state takes about 350 bytes of the size. */
export type O1HeapOptions = HeapOptions;

/** The figures of an {@link O1Heap}. */
export type O1HeapStats = HeapStats;

/**
 * An allocator of bounded time and bounded fragmentation, for frame loops, audio and other places where the worst case counts.
 *
 * A block of `size` bytes takes a fragment of `2^ceil(log2(size + 8))` bytes: on average over a quarter of it is rounding. In return `allocate` and
 * `deallocate` are O(1) whatever happened before, and {@link requiredCapacity} says how much memory rules out running out. The largest request a
 * heap of capacity C serves is `2^floor(log2(C)) - 8` bytes: for 1 GiB, of which the state takes a little, that is just under 512 MiB.
 *
 * Blocks are aligned to 16 bytes; more on request, at the cost of a larger fragment being searched. Misuse is told by the headers of a block and both its
 * neighbours, which must agree: so a block of another heap that lies inside one of this heap's blocks
 * is not told from this heap's own. Single-owner.
 */
export class O1Heap extends TaggedHeap implements Compilable {
  private constructor(memory: Memory, parent: Parent | undefined, address: Address) {
    super(HALF_FIT, memory, parent, address);
  }

  /**
   * Makes a heap in a block taken from `parent`. O(1).
   *
   * @throws TypeError or RangeError for sizes that are none or too small, AllocatorError `out-of-memory` when the parent has no such block.
   */
  static create(parent: Parent, options: O1HeapOptions = {}): O1Heap {
    const address = createHeap(HALF_FIT, parent, options);
    return new O1Heap(parent.memory, parent, address);
  }

  /**
   * Makes a heap in `size` bytes at `address` that the caller owns: a block of another allocator, or bytes that no allocator hands out. Its `release` gives
   * them back to nobody. O(1).
   *
   * @param address - A multiple of 16, not 0.
   * @throws TypeError or RangeError for a misaligned address, a size below the minimum, or bytes that are not committed;
   *   AllocatorError `already-initialised` when a heap lies there.
   */
  static createAt(memory: Memory, address: Address, size: number): O1Heap {
    createHeapAt(HALF_FIT, memory, address, size);
    return new O1Heap(memory, undefined, address);
  }

  /**
   * Finds the heap that `create` or `createAt` made: from another thread, or in a restored image. Walks it all to prove it sound. O(n).
   *
   * @param parent - What the heap was created on; for `createAt`, the memory.
   * @param address - The other one's `address`.
   * @param options - `repair`: whether to put a heap in order whose owner died in the middle of a call, instead of refusing it.
   * @throws AllocatorError `bad-header` when no heap lies there, `corrupt` when it is damaged, or what the parent says of a block it does not know.
   */
  static attach(parent: Parent | Memory, address: Address, { repair = false }: O1HeapAttachOptions = {}): O1Heap {
    const found = findHeap(HALF_FIT, parent, address);
    const heap = new O1Heap('memory' in parent ? parent.memory : parent, found, address);
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
    return isHeapAt(HALF_FIT, memory, address);
  }

  /** {@link requiredCapacity}: bytes for `size` with which a heap can never run out. */
  static requiredCapacity(demand: O1HeapDemand): number {
    return requiredCapacity(demand);
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    return hotPaths(writer.bind(this), this.state);
  }

  // The next two fit V8's budget for inlining (920 bytecodes a caller, the second one counted 1.2 times) only just: hence each looks as it does. What they have
  // in the built package is shown by `node --print-bytecode --print-bytecode-filter=allocate`.

  /** O(1) while the heap need not grow. As `Allocator.allocate` says. */
  allocate(size: number, alignment?: number): Address {
    const { words, state } = this;
    if (alignment !== undefined || (size | 0) !== size || !(size > 0)) return this.allocateUnusual(size, alignment);
    // The block and its header take a fragment of 2^30 >>> zeros words. Any in its bin, or one before, is large enough: half-fit looks no further.
    const zeros = clz32(size + (FRAGMENT_HEADER_SIZE - 1));
    const sentinel = state + SENTINEL_BY_ZEROS - clz32(words[state + BIN_MASK]! & ((4 << zeros) - 1)) * 2;
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
}
