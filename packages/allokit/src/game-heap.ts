/**
 * `gameHeap`: one heap of bounded time over a whole memory that is reserved at once, for programs with a frame rate.
 *
 *     reserve   addresses are claimed: no memory behind them
 *     commit    they can be accessed: still none
 *     access    the operating system supplies a page when it is first written
 */

import { ADDRESS_SPACE_SIZE, AllocatorError, alignUp, allocateZeroed, checkInteger, formatAddress, type Address } from '@allokit/allocator';
import { HEAP_SIZE_MIN, O1Heap } from '@allokit/o1heap';
import { WASM_PAGE_SIZE, WasmMemory, resident, type PagedMemory } from '@allokit/vmem';

/** Bytes of a game heap in a memory of its own, when nothing is said: 1 GiB. */
export const GAME_HEAP_SIZE = 2 ** 30;

/** Bytes that a game heap starts with when it grows in steps: 64 MiB. */
export const GAME_HEAP_STEP = 2 ** 26;

/**
 * Bytes in front of the heap for the state of a memory of its own: a word for each of 65,536 pages at the most, and a page. Addresses only, unless they
 * are used.
 */
const OWN_STATE_SIZE = 5 * WASM_PAGE_SIZE;

/**
 * When a game heap commits its memory.
 *
 * - `all`: at the start. The heap never grows, so every operation is bounded, and what a page costs comes when it is first written.
 * - `steps`: 64 MiB, then twice as much whenever the heap is full: 128, 256 .. MiB. The allocation that finds it full pays for the growth.
 */
export type CommitPolicy = 'all' | 'steps';

/** How to make a {@link GameHeap}. */
export interface GameHeapOptions {
  /**
   * Bytes of the heap, its own state of about 340 bytes included. Default: 1 GiB in a memory of its own, else the largest piece that the given memory
   * has left. Where a process has addresses for 4 GiB in all, 512 MiB are more likely to be had.
   */
  readonly size?: number;
  /** Default `all`. */
  readonly commit?: CommitPolicy;
}

/** The figures of a game heap, in bytes unless said. */
export interface GameHeapStats {
  /** Addresses that the memory has claimed. */
  readonly reserved: number;
  /** What of them can be accessed. */
  readonly committed: number;
  /** What of them is in physical memory; `undefined` where the platform cannot tell: in browsers, and in Node.js without the package koffi. */
  readonly resident: number | undefined;
  /** What the heap can hand out, block headers included: of what is committed now, where it grows in steps. */
  readonly capacity: number;
  /** What it has handed out, rounding and headers included. */
  readonly allocated: number;
  /** The same as a share of the capacity, 0..1. */
  readonly allocatedRatio: number;
  /** The most that `allocated` ever was. */
  readonly peak: number;
  /** The same as a share of the capacity, 0..1. */
  readonly peakRatio: number;
  /** The largest request so far, served or not. */
  readonly peakRequest: number;
  /** How many requests found no room. */
  readonly outOfMemoryCount: number;
  /** The largest request that would be served now, without growth. */
  readonly largestFree: number;
  /** How far the free memory is from being one piece: 1 - largest free fragment / free bytes, 0..1. */
  readonly externalFragmentation: number;
}

/** What only memories of the operating system have. */
interface SystemMemory {
  readonly lastRefusal?: AllocatorError | undefined;
  readonly purge?: () => number;
}

/**
 * A heap, and the memory it has to itself. The methods are those of C; whatever an `Allocator` is asked for, or a combinator wants, is {@link GameHeap.heap}.
 *
 * The largest request is half of the heap at the most, header included: of 1 GiB, a little of which is the heap's own state, just under 512 MiB.
 * Single-owner: other
 * threads, and programs that find the heap in a file, take `O1Heap.attach(memory, heap.address)`.
 */
export class GameHeap {
  /** The heap itself. */
  readonly heap: O1Heap;
  /** What it lies in. */
  readonly memory: PagedMemory;
  /** When its memory is committed. */
  readonly commit: CommitPolicy;
  readonly #isMemoryOurs: boolean;
  #released = false;

  private constructor(heap: O1Heap, memory: PagedMemory, commit: CommitPolicy, isMemoryOurs: boolean) {
    this.heap = heap;
    this.memory = memory;
    this.commit = commit;
    this.#isMemoryOurs = isMemoryOurs;
  }

  /** {@link gameHeap}. */
  static create(memory?: PagedMemory, options: GameHeapOptions = {}): GameHeap {
    const { size, commit = 'all' } = options;
    checkPolicy(commit);
    if (memory === undefined) return GameHeap.#inOwnMemory(size ?? GAME_HEAP_SIZE, commit);
    if (!isPagedMemory(memory)) throw new TypeError(`memory must be one of @allokit/vmem, got ${Object.prototype.toString.call(memory)}`);
    if (size !== undefined) checkInteger(size, 'size', HEAP_SIZE_MIN, ADDRESS_SPACE_SIZE);
    refuseSecondHeap(memory);
    const available = largestPiece(memory);
    const wanted = size ?? available;
    if (wanted > available || wanted < HEAP_SIZE_MIN) {
      throw new AllocatorError(
        'out-of-memory',
        `the memory has ${available} bytes left in one piece, which cannot hold a heap of ${Math.max(wanted, HEAP_SIZE_MIN)}`,
      );
    }
    return new GameHeap(createHeap(memory, wanted, commit), memory, commit, false);
  }

  static #inOwnMemory(size: number, commit: CommitPolicy): GameHeap {
    checkInteger(size, 'size', HEAP_SIZE_MIN, ADDRESS_SPACE_SIZE - OWN_STATE_SIZE);
    const memory = WasmMemory.create({ reserve: alignUp(size, WASM_PAGE_SIZE) + OWN_STATE_SIZE });
    try {
      return new GameHeap(createHeap(memory, size, commit), memory, commit, true);
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  /**
   * C's `malloc`. O(1); with `steps`, the one that finds the heap full costs what the memory's growth does.
   *
   * @param size - In bytes.
   * @param alignment - A power of two. Default 16.
   * @returns The block, uninitialised; `NULL` for size 0, and when there is no room, which is counted.
   * @throws TypeError or RangeError for what is no size, AllocatorError `released`.
   */
  allocate(size: number, alignment?: number): Address {
    return this.heap.allocate(size, alignment);
  }

  /**
   * C's `calloc`: `count * size` bytes of zeros. O(count * size).
   *
   * @returns As `allocate`.
   * @throws As `allocate`; RangeError also when the product exceeds 2^32 - 1.
   */
  allocateZeroed(count: number, size: number): Address {
    return allocateZeroed(this.heap, count, size);
  }

  /**
   * C's `realloc`. O(1) where the block can shrink, or grow into a free neighbour; else O(size), for the copy.
   *
   * @param address - A block, or `NULL` for a new one.
   * @param size - In bytes; 0 frees the block.
   * @returns The block, which may have moved; `NULL` for size 0, and when there is no room, which is counted: the old block is as it was.
   * @throws As `allocate` and `deallocate`.
   */
  reallocate(address: Address, size: number): Address {
    return this.heap.reallocate(address, this.heap.usableSize(address), size);
  }

  /**
   * C's `free`; does nothing with `NULL`. O(1).
   *
   * @throws TypeError or RangeError for what is no address, AllocatorError `foreign-address`, `double-free`, `invalid-address` or `released`: nothing changed.
   */
  deallocate(address: Address): void {
    this.heap.deallocate(address);
  }

  /**
   * The figures. O(pages), some 50 ns each, for what is resident; those of the heap alone, in O(1) all but always, are `heap.stats()`.
   *
   * @throws AllocatorError `released`.
   */
  stats(): GameHeapStats {
    const { capacity, liveBytes: allocated, peakBytes: peak, peakRequest, failureCount, largestFree, externalFragmentation } = this.heap.stats();
    const { reserved, committed } = this.memory;
    return {
      reserved,
      committed,
      resident: resident(this.memory),
      capacity,
      allocated,
      allocatedRatio: allocated / capacity,
      peak,
      peakRatio: peak / capacity,
      peakRequest,
      outOfMemoryCount: failureCount,
      largestFree,
      externalFragmentation,
    };
  }

  /**
   * Gives everything back: the blocks to the memory, a memory of its own to the system, and the free pages of one that was given too, where it can do
   * that. What was
   * given can hold a new heap afterwards. Every later use throws `released`, another `release` does nothing.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.heap.release();
    if (this.#isMemoryOurs) this.memory.release();
    else if (isUsable(this.memory)) (this.memory as SystemMemory).purge?.();
  }
}

/**
 * Makes a heap over a whole memory.
 *
 * @param memory - A `NativeMemory`, `WasmMemory`, `BufferMemory` or `FileMemory`. Default: a new WebAssembly memory, a little larger than the heap for
 *   its own state; the
 *   state of one that is given takes a page or more of what the heap gets.
 * @throws TypeError or RangeError for options that are none; AllocatorError `already-initialised` when a heap lies in the memory, `out-of-memory` when
 *   the memory is too small
 *   or cannot be committed (then the system's refusal is the `cause`), `released`. Nothing is left behind.
 */
export function gameHeap(memory?: PagedMemory, options: GameHeapOptions = {}): GameHeap {
  return GameHeap.create(memory, options);
}

function checkPolicy(commit: CommitPolicy): void {
  const given: unknown = commit;
  if (typeof given !== 'string') throw new TypeError(`commit must be a string, got ${typeof given}`);
  if (given !== 'all' && given !== 'steps') throw new RangeError(`commit must be 'all' or 'steps', got ${JSON.stringify(given)}`);
}

/** Looks at the first bytes of every block: also a heap of another thread or process is found there. */
function refuseSecondHeap(memory: PagedMemory): void {
  for (const { page, state } of memory.runs()) {
    const address = page * memory.pageSize;
    if (state !== 'used' || !O1Heap.liesAt(memory, address)) continue;
    throw new AllocatorError('already-initialised', `a heap lies in this memory at ${formatAddress(address)} already: release it first, or O1Heap.attach it`);
  }
}

/** Not `instanceof`: the memory may come from another copy of the package. */
function isPagedMemory(memory: unknown): memory is PagedMemory {
  return typeof memory === 'object' && memory !== null && 'runs' in memory && 'commit' in memory;
}

/** Bytes of the largest piece that is free, whether committed or not. */
function largestPiece(memory: PagedMemory): number {
  // Pages that a module took are noted at the next commitment.
  memory.commit(0);
  const { pageSize, reserved } = memory;
  let end = Math.min(memory.committed, reserved);
  let largest = 0;
  for (const { page, count, state } of memory.runs()) {
    if (state !== 'free') continue;
    largest = Math.max(largest, count * pageSize);
    if ((page + count) * pageSize === end) end = page * pageSize;
  }
  return Math.max(largest, reserved - end);
}

function createHeap(memory: PagedMemory, size: number, commit: CommitPolicy): O1Heap {
  const refusedBefore = (memory as SystemMemory).lastRefusal;
  try {
    if (commit === 'all') return O1Heap.create(memory, { size });
    const first = Math.min(size, GAME_HEAP_STEP);
    return O1Heap.create(memory, { size: first, growth: { step: first, share: 1, limit: size } });
  } catch (error) {
    const cause = (memory as SystemMemory).lastRefusal;
    if (cause === undefined || cause === refusedBefore) throw error;
    throw new AllocatorError('out-of-memory', `the system refused to commit a heap of ${size} bytes: ${cause.message}`, { cause });
  }
}

function isUsable(memory: PagedMemory): boolean {
  try {
    memory.refresh();
    return true;
  } catch {
    return false;
  }
}
