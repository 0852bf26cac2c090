/**
 * Lets other threads free into a single-owner allocator: they mark the block, the owner collects the marks. Wait-free for them, and as fast as the allocator
 * itself for the owner. The marks are in `remote-marks.ts`, the other threads' side is in `remote.ts`.
 */

import { ADDRESS_SPACE_SIZE, NULL, alignUp, checkInteger, isPowerOfTwo, type Address } from './address.ts';
import type { Allocator, AllocatorStats, Parent } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator } from './guards.ts';
import { checkHeader, eraseHeader, hasHeader, writeHeader } from './header.ts';
import type { Memory } from './memory.ts';
import type { WordSource } from './mutex.ts';
import { giveBack } from './parent.ts';
import {
  BLOCK_SIZE,
  IN_PROGRESS,
  OWN_BYTES,
  REFUSED_COUNT,
  RELEASED,
  REMOTE_COUNT,
  REMOTE_HEADER,
  REMOTE_STATE_SIZE,
  RETRY_COUNT,
  RemoteMarks,
  formatMarks,
  remoteStateSize,
} from './remote-marks.ts';
import { Remote } from './remote.ts';
import { isRepairable, type Repair } from './repairable.ts';

/** How many blocks an allocation collects when nothing is said. */
const COLLECT_LIMIT = 64;

/** How an owner uses a {@link RemoteFree}. */
export interface RemoteFreeUse {
  /** How many blocks an allocation collects at most, so that it takes bounded time. Default 64. One that finds no room collects all. */
  readonly collectLimit?: number;
  /** Is told of every block that another thread freed and the allocator refused to take, with the allocator's error. Must not throw. */
  readonly onRefused?: (address: Address, error: AllocatorError) => void;
  /** Where the marks came from: for `release` by an owner that attached. */
  readonly parent?: Parent;
}

/** How to make a {@link RemoteFree}. */
export interface RemoteFreeOptions extends RemoteFreeUse {
  /** Where the marks come from: on the same memory. Default: the memory, where it is an allocator. */
  readonly parent?: Parent;
  /** Where the range of addresses begins whose blocks other threads can free. Default 0. */
  readonly start?: Address;
  /** Where it ends. Default: the reserve of the memory. For a heap of a fixed size take its own bounds. */
  readonly end?: number;
}

/** The figures of the allocator, the marks' own bytes not counted. Blocks that other threads have freed are live until they are collected. */
export interface RemoteFreeStats extends AllocatorStats {
  /** Blocks that other threads freed and the allocator refused to take: they were not live. */
  readonly refusedCount: number;
}

/**
 * An allocator with one owner, whose blocks any thread can free through a {@link Remote}. The owner's calls go straight to the allocator, at the cost of one or
 * two words looked at; an allocation first collects what others have freed, if they have, a limited number at a time.
 *
 * It takes a bit for each `alignment` bytes of the range: 1/128 for an allocator that aligns to 16 bytes, and a thirtieth of that more. A block that another
 * thread has freed and the owner frees again is told exactly, as long as it was not collected.
 *
 * An owner that dies leaves everything that was freed where the next one, `attach`, finds it. A remote that dies leaves at most the block that it was freeing
 * unfreed until then. Owns its allocator: `reset` and `release` reach it. The owner is one thread at a time; put a `Locked` around it for more.
 */
export class RemoteFree<A extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly allocator: A;
  /** Where the state lies: what `remote` and `attach` want. */
  readonly address: Address;
  readonly #parent: Parent | undefined;
  readonly #collectLimit: number;
  readonly #onRefused: ((address: Address, error: AllocatorError) => void) | undefined;
  readonly #marks: RemoteMarks;
  readonly #state: number;
  readonly #take = (address: Address): void => this.#free(address);
  #released = false;

  private constructor(allocator: A, address: Address, marks: RemoteMarks, parent: Parent | undefined, { collectLimit = COLLECT_LIMIT, onRefused }: RemoteFreeUse) {
    this.memory = allocator.memory;
    this.alignment = allocator.alignment;
    this.allocator = allocator;
    this.address = address;
    this.#parent = parent;
    this.#collectLimit = collectLimit;
    this.#onRefused = onRefused;
    this.#marks = marks;
    this.#state = address >>> 2;
  }

  /**
   * Makes the marks, for the thread that owns the allocator. O(range / 128), for clearing them.
   *
   * @param allocator - On a memory that other threads can see. Its blocks beyond the range can be freed by the owner alone.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when the parent has no room for the marks.
   */
  static create<A extends Allocator>(allocator: A, options: RemoteFreeOptions = {}): RemoteFree<A> {
    checkAllocator(allocator, 'allocator');
    checkUse(options);
    const { memory, alignment } = allocator;
    const parent = options.parent ?? (memory as Memory & Partial<Parent> as unknown as Parent);
    checkAllocator(parent, 'parent');
    if (parent.memory !== memory) throw new RangeError('parent must be on the memory of the allocator');
    const { start = 0, end = memory.reserved } = options;
    checkInteger(start, 'start', 0, ADDRESS_SPACE_SIZE - 1);
    checkInteger(end, 'end', start + 1, ADDRESS_SPACE_SIZE);
    if (!isPowerOfTwo(alignment) || alignment < 4) throw new RangeError(`the allocator must align to a power of two of at least 4, got ${alignment}`);
    const range = { start, end, granule: alignment };
    const size = alignUp(remoteStateSize(range), Math.max(16, parent.alignment));
    const { liveBytes } = allocator.stats();
    const address = parent.allocate(size, 16);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${size} bytes for the marks of ${end - start}: name a smaller range`);
    const words = memory.i32;
    const state = address >>> 2;
    words.fill(0, state, (address + size) / 4);
    formatMarks(words, state, range, size);
    words[state + OWN_BYTES] = allocator.stats().liveBytes - liveBytes;
    writeHeader(memory, address, REMOTE_HEADER);
    return new RemoteFree(allocator, address, marksAt(memory, address), parent, options);
  }

  /**
   * Takes over from an owner that died or has handed the allocator on. Finishes what it left undone, and finds every mark, also of remotes that died. O(range /
   * 128).
   *
   * @param allocator - This thread's handle on the allocator, in order: repaired, if the former owner died inside of it.
   * @param address - The former owner's `address`.
   * @throws AllocatorError `bad-header` when no marks lie there, `corrupt` when they are damaged, `released` when the allocator was.
   */
  static attach<A extends Allocator>(allocator: A, address: Address, use: RemoteFreeUse = {}): RemoteFree<A> {
    checkAllocator(allocator, 'allocator');
    checkUse(use);
    const { memory } = allocator;
    checkHeader(memory, address, REMOTE_HEADER, REMOTE_STATE_SIZE);
    if (Atomics.load(memory.i32, (address >>> 2) + RELEASED) !== 0) throw new AllocatorError('released', 'the allocator behind these marks was released');
    const owner = new RemoteFree(allocator, address, marksAt(memory, address), use.parent, use);
    owner.#takeOver();
    return owner;
  }

  /**
   * What another thread frees with. Needs no handle on the allocator, nor on the memory: only a view of it.
   *
   * @param source - A memory, or a view of all of a shared one: `{ i32: new Int32Array(wasm.buffer) }`. It need not follow the memory's growth; but views of
   *   native memory end with it, so give the memory there.
   * @param address - The owner's `address`.
   * @throws AllocatorError `bad-header` when no marks lie there, `corrupt` when they are damaged.
   */
  static remote(source: WordSource, address: Address): Remote {
    return Remote.at(source, address);
  }

  /** Collects a limited number of blocks, if there are any, and allocates, as `Allocator.allocate` says. Collects all of them before it yields `NULL`. */
  allocate(size: number, alignment?: number): Address {
    const marks = this.#marks;
    if (marks.isPending) this.collect(this.#collectLimit);
    const address = this.allocator.allocate(size, alignment);
    if (address === NULL) return this.#retry(size, alignment);
    // Freed twice, the second time after it was collected: or else a block that is in use would be collected later.
    if (marks.has(address)) this.#refuse(address);
    return address;
  }

  /** Frees, as `Allocator.deallocate` says. */
  deallocate(address: Address, size?: number): void {
    this.#checkUnmarked(address);
    this.allocator.deallocate(address, size);
  }

  /** As the allocator does. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    this.#checkUnmarked(address);
    return this.allocator.resize(address, oldSize, newSize);
  }

  /** Collects a limited number of blocks, if there are any, and resizes or moves, as `Allocator.reallocate` says. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) return this.allocate(newSize, alignment);
    this.#checkUnmarked(address);
    if (this.#marks.isPending) this.collect(this.#collectLimit);
    let target = this.allocator.reallocate(address, oldSize, newSize, alignment);
    if (target === NULL && newSize !== 0 && this.collect() > 0) {
      this.memory.i32[this.#state + RETRY_COUNT]! += 1;
      target = this.allocator.reallocate(address, oldSize, newSize, alignment);
    }
    if (target !== NULL && this.#marks.has(target)) this.#refuse(target);
    return target;
  }

  /** As the allocator says. */
  usableSize(address: Address): number {
    this.#checkUnmarked(address);
    return this.allocator.usableSize(address);
  }

  /** As the allocator says. */
  owns(address: Address): boolean {
    return this.allocator.owns(address);
  }

  /**
   * Resets the allocator, and takes off all marks. O(range / 128) besides.
   *
   * @throws AllocatorError `unsupported` when the marks lie in a block of the allocator itself, or `released`.
   */
  reset(): void {
    this.#checkUsable();
    if (this.memory.i32[this.#state + OWN_BYTES] !== 0) throw new AllocatorError('unsupported', 'the marks lie in a block of the allocator, which cannot be reset');
    this.allocator.reset();
    this.#marks.clearAll();
  }

  /**
   * Releases the allocator; remotes throw `released` from now on. The marks go back to their parent too, unless a remote was made and not detached: a thread
   * may set one at any time.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    let words: Int32Array;
    try {
      words = this.memory.i32;
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'released') return;
      throw error;
    }
    Atomics.store(words, this.#state + RELEASED, 1);
    const isUnused = Atomics.load(words, this.#state + REMOTE_COUNT) === 0;
    const size = words[this.#state + BLOCK_SIZE]! >>> 0;
    const isInside = words[this.#state + OWN_BYTES] !== 0;
    const isOurs = isUnused && this.#parent !== undefined && hasHeader(this.memory, this.address, REMOTE_HEADER);
    if (isOurs) eraseHeader(this.memory, this.address);
    this.allocator.release();
    if (isOurs && !isInside) giveBack(this.#parent, this.address, size);
  }

  /** The figures. Costs what the allocator's cost. */
  stats(): RemoteFreeStats {
    this.#checkUsable();
    const { capacity, liveBytes, failureCount } = this.allocator.stats();
    const words = this.memory.i32;
    return {
      capacity,
      liveBytes: liveBytes - words[this.#state + OWN_BYTES]!,
      failureCount: failureCount - words[this.#state + RETRY_COUNT]!,
      refusedCount: words[this.#state + REFUSED_COUNT]!,
    };
  }

  /**
   * Frees what other threads have handed back: to be called at times when it does not matter, so that allocations need not. O(limit + range / 2^16).
   *
   * @param limit - How many blocks at most. Default: all.
   * @returns How many blocks were looked at, those refused included.
   */
  collect(limit = Infinity): number {
    if (limit !== Infinity) checkInteger(limit, 'limit');
    this.#checkUsable();
    return this.#marks.collect(limit, this.#take);
  }

  /**
   * Repairs the allocator, where it can be, and then what an owner that died left undone of its own, as `attach` does: for a `Locked` around this.
   *
   * @throws AllocatorError `corrupt` when the allocator is damaged beyond what it can repair, or `released`.
   */
  repair(): Repair {
    this.#checkUsable();
    const repair = isRepairable(this.allocator) ? this.allocator.repair() : { lostBytes: 0 };
    this.allocator.checkInvariants();
    this.#takeOver();
    return repair;
  }

  #checkUsable(): void {
    if (this.#released) throw new AllocatorError('released', 'this allocator was released');
  }

  /** Refuses a block that another thread has freed. */
  #checkUnmarked(address: Address): void {
    this.#checkUsable();
    const marks = this.#marks;
    if (address === NULL || address >>> 0 !== address || (address & (marks.granule - 1)) !== 0 || !marks.has(address)) return;
    throw new AllocatorError('double-free', `the block at ${formatAddress(address)} was freed already, by another thread`);
  }

  #retry(size: number, alignment: number | undefined): Address {
    if (size === 0 || this.collect() === 0) return NULL;
    this.memory.i32[this.#state + RETRY_COUNT]! += 1;
    const address = this.allocator.allocate(size, alignment);
    if (address !== NULL && this.#marks.has(address)) this.#refuse(address);
    return address;
  }

  /** Frees a marked block. At no moment is it known neither to the marks nor to the state: a new owner finishes what this one began. */
  #free(address: Address): void {
    this.memory.i32[this.#state + IN_PROGRESS] = address;
    const error = this.#marks.clear(address) ? this.#deallocate(address) : undefined;
    this.memory.i32[this.#state + IN_PROGRESS] = 0;
    // Last: whatever it does, this free is done with.
    if (error !== undefined) this.#tellRefused(address, error);
  }

  /** @returns Why the allocator refused, if it did. */
  #deallocate(address: Address): AllocatorError | undefined {
    try {
      this.allocator.deallocate(address);
      return undefined;
    } catch (error) {
      if (!(error instanceof AllocatorError) || error.code === 'released') throw error;
      return error;
    }
  }

  /** Forgets the mark of a block that was not live when it was freed. */
  #refuse(address: Address): void {
    if (!this.#marks.clear(address)) return;
    this.#tellRefused(address, new AllocatorError('double-free', `the block at ${formatAddress(address)} was freed already when another thread freed it`));
  }

  #tellRefused(address: Address, error: AllocatorError): void {
    this.memory.i32[this.#state + REFUSED_COUNT]! += 1;
    this.#onRefused?.(address, error);
  }

  /** Finishes the free that a former owner had begun, and finds the marks of remotes that died. */
  #takeOver(): void {
    const words = this.memory.i32;
    const address = words[this.#state + IN_PROGRESS]! >>> 0;
    if (address !== NULL) {
      try {
        // Its mark may be there still, and would be taken for a second free.
        this.#marks.clear(address);
        this.allocator.deallocate(address);
      } catch (error) {
        // It had come so far already; or it was no block in the first place.
        if (!(error instanceof AllocatorError) || error.code === 'released') throw error;
      }
      words[this.#state + IN_PROGRESS] = 0;
    }
    this.#marks.restore();
  }

  /** Checks the allocator, and that no free was left half done. The marks change at any moment, and can only be looked at by collecting. */
  checkInvariants(): void {
    this.#checkUsable();
    this.allocator.checkInvariants();
    const address = this.memory.i32[this.#state + IN_PROGRESS]! >>> 0;
    if (address !== NULL) throw new AllocatorError('corrupt', `the free of the block at ${formatAddress(address)} was begun and not finished: attach anew, or repair`);
  }
}

function marksAt(memory: Memory, address: Address): RemoteMarks {
  const marks = RemoteMarks.at(memory, address >>> 2);
  if (marks === undefined) throw new AllocatorError('corrupt', `the state of the frees from other threads at ${formatAddress(address)} is damaged`);
  return marks;
}

function checkUse({ collectLimit, onRefused }: RemoteFreeUse): void {
  if (collectLimit !== undefined) checkInteger(collectLimit, 'collectLimit', 1);
  if (onRefused !== undefined && typeof onRefused !== 'function') throw new TypeError(`onRefused must be a function, got ${typeof onRefused}`);
}
