/**
 * An arena in tiers that any number of threads use at once, without locks, and that outlives any of them.
 *
 *     parent's block   | arena | tier 0: tables, pages | tier 1: tables, pages | ..      other blocks: segments that tiers grew by
 *
 * Each tier is an allocator of its own; the arena is their common front: handles, batches, bytes in and out, threads that come and go.
 */

import {
  ADDRESS_SPACE_SIZE,
  AllocatorError,
  NULL,
  alignUp,
  checkAlignment,
  checkAllocator,
  checkHeader,
  checkInteger,
  checkSize,
  eraseHeader,
  formatAddress,
  giveBack,
  type Address,
  type Memory,
  type Parent,
} from '@allokit/allocator';
import { Copier } from '@allokit/simd-copy';
import { checkState } from './check-state.ts';
import { compact } from './compaction.ts';
import { VIEWS, type ElementViews } from './element-views.ts';
import { format, plan } from './format.ts';
import {
  BLOCK_SIZE,
  CHECKED,
  HEADER,
  NAME_SIZE_MAX,
  NOTICE,
  RECLAIMER,
  SEGMENT_BLOCK_SIZE,
  TIERS,
  TIER_COUNT,
  TIER_NAME,
  TIER_NAME_SIZE,
  TIER_WORDS,
} from './layout.ts';
import { decide, type TieredArenaOptions } from './options.ts';
import { Owned } from './owned.ts';
import { cleanUp } from './reclaim.ts';
import { slotSizeMinLog2, tierGeometry } from './segment.ts';
import { CLASS_LARGE, SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import { GENERATION_COUNT, generation, retireExactly } from './tags.ts';
import { Thread } from './thread.ts';
import { Tier } from './tier.ts';
import type { TierStats } from './stats.ts';

/** A block, as the arena knows it: its address, and in a checked arena its generation above that. A whole number below 2^49; 0 is none. */
export type Handle = number;

/** A block to be allocated in a batch. */
export interface TierRequest {
  /** The tier's name or number. */
  readonly tier: string | number;
  /** In bytes. */
  readonly size: number;
  /** A power of two. Default: the tier's. */
  readonly alignment?: number;
}

/** Bytes to be copied from block to block. */
export interface CopyOperation {
  /** The block to copy to. */
  readonly to: Handle;
  /** Where in that block, in bytes. Default 0. */
  readonly toOffset?: number;
  /** The block to copy from. */
  readonly from: Handle;
  /** Where in that block, in bytes. Default 0. */
  readonly fromOffset?: number;
  /** How many bytes. */
  readonly size: number;
}

/** What a dead thread left. */
export interface Reclaimed {
  /**
   * The block that the thread allocated last, or `NULL`. It may have been freed since; it may have died before anybody learned of that block: who keeps account
   * of what the thread had can tell, and free it.
   */
  readonly lastAllocated: Handle;
}

/**
 * A lock-free arena in tiers.
 *
 * **Threads.** Each JavaScript thread that uses an arena attaches a handle of its own, which takes a place among at most `threads`. Everything may be called by
 * any number of threads at once, unless it says otherwise; only taking memory from the parent is done by one thread at a time. A thread may be terminated at
 * any instruction: the others go on, and what it held is out of reach until somebody calls {@link TieredArena.reclaim}, at most {@link
 * TieredArena.heldBytesMax} bytes and the block it was just allocating or freeing.
 *
 * **Views** of blocks follow the memory's rules: growth of an unshared WebAssembly memory or a native one replaces them. Handles stay valid until the block is
 * freed.
 */
export class TieredArena {
  /** The address space the blocks lie in. */
  readonly memory: Memory;
  /** Where the arena's state lies: what `attach` wants. */
  readonly address: Address;
  /** The tiers, in the order they were given. Each is an allocator, and as safe for threads as the arena. */
  readonly tiers: readonly Tier[];
  /** Whether handles carry a generation. */
  readonly checked: boolean;
  readonly #thread: Thread;
  readonly #byName: ReadonlyMap<string, Tier>;
  #copier: Copier | undefined;

  private constructor(thread: Thread) {
    const { words, state } = thread;
    this.memory = thread.memory;
    this.address = thread.address;
    this.#thread = thread;
    this.checked = words[state + CHECKED] === 1;
    this.tiers = Array.from({ length: words[state + TIER_COUNT]! }, (_, index) => {
      // Not `words`: the tier before this one may have taken a newer view.
      return new Tier({ thread, index, name: tierName(thread, index), geometry: tierGeometry(thread.words, state, index) });
    });
    this.#byName = new Map(this.tiers.map((tier) => [tier.name, tier]));
  }

  /**
   * Makes an arena in one block of `parent`, and attaches to it. O(pages).
   *
   * @param parent - Its memory should be shared if other threads are to attach. Where a tier can grow, whoever else allocates from it must not do so at the
   * same time from another thread.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when the parent has no room.
   */
  static create(parent: Parent, options: TieredArenaOptions): TieredArena {
    const decided = decide(options);
    checkAllocator(parent, 'parent');
    const { size, alignment, segments } = plan(decided);
    const address = size < ADDRESS_SPACE_SIZE ? parent.allocate(size, alignment) : NULL;
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${size} bytes for the arena`);
    format(parent.memory, address, { decided, size, segments });
    const thread = new Thread(parent, address);
    thread.attach();
    return new TieredArena(thread);
  }

  /**
   * Attaches this thread to an arena that another one made, or that lies in a saved image. O(places + pages).
   *
   * @param parent - What the arena was created on, as this thread sees it.
   * @param address - The other one's `address`.
   * @throws AllocatorError `bad-header` when no arena lies there, `corrupt` when it makes no sense, `out-of-memory` when all places are taken.
   */
  static attach(parent: Parent, address: Address): TieredArena {
    checkAllocator(parent, 'parent');
    checkHeader(parent.memory, address, HEADER, TIERS * 4);
    checkState(parent, address);
    const thread = new Thread(parent, address);
    thread.attach();
    return new TieredArena(thread);
  }

  /** This thread's number: what `reclaim` wants if it dies. Unique for as long as the arena lives. 0 once detached. */
  get threadId(): number {
    return this.#thread.id;
  }

  /** The numbers of all threads that are attached. O(places). */
  get threadIds(): readonly number[] {
    this.#thread.renew();
    return this.#thread.ids();
  }

  /**
   * Bytes that a thread holds ready for itself at the most: a group of 32 slots of each class and tier. So many are out of reach when it dies, until it is
   * reclaimed; beside them, the block it was allocating or freeing, and one more group that it may have freed into.
   */
  get heldBytesMax(): number {
    const group = (tier: Tier): number => {
      let bytes = 0;
      for (let c = slotSizeMinLog2(tier.geometry) - SLOT_SIZE_MIN_LOG2; c < CLASS_LARGE; c += 1) bytes += 32 * 2 ** (c + SLOT_SIZE_MIN_LOG2);
      return bytes;
    };
    return this.tiers.reduce((sum, tier) => sum + group(tier), 0);
  }

  /**
   * A tier, by its name or number. O(1).
   *
   * @throws RangeError when there is none of that name or number.
   */
  tier(tier: string | number): Tier {
    const found = typeof tier === 'number' ? this.tiers[tier] : this.#byName.get(tier);
    if (found === undefined) throw new RangeError(`there is no tier ${JSON.stringify(tier)}: there are ${this.tiers.map(({ name }) => name).join(', ')}`);
    return found;
  }

  /**
   * Allocates in a tier: see {@link Tier.allocate}.
   *
   * @returns The handle, or `NULL` when there is no room.
   * @throws As `Tier.allocate`, RangeError for no tier.
   */
  allocate(tier: string | number, size: number, alignment?: number): Handle {
    const owner = this.tier(tier);
    const address = owner.allocate(size, alignment);
    return address === NULL || !this.checked ? address : this.#tagged(owner, address);
  }

  /**
   * Frees a block, whoever allocated it. `NULL` does nothing. In a checked arena of several threads that free one handle, exactly one succeeds.
   *
   * @throws As `Tier.deallocate`: AllocatorError `double-free` or `invalid-address` for stale handles, `foreign-address` for what is none of this arena's.
   */
  deallocate(handle: Handle, size?: number): void {
    if (handle === NULL) return;
    const { tier, address } = this.#locate(handle);
    if (!this.checked) {
      tier.deallocate(address, size);
      return;
    }
    const usable = tier.usableSize(address);
    if (size !== undefined && (checkSize(size), size === 0 || size > usable)) {
      throw new AllocatorError('size-mismatch', `the block at ${formatAddress(address)} has ${usable} bytes, not ${size}`);
    }
    const from = Math.floor(handle / ADDRESS_SPACE_SIZE) - 1;
    const segment = tier.segmentAt(address)!;
    if (from < 0 || !retireExactly(this.memory, segment, { address, slotSizeMinLog2: slotSizeMinLog2(tier.geometry), from })) throw stale(handle, address);
    tier.freeUntagged(address, size);
  }

  /**
   * Allocates many blocks.
   *
   * @returns One handle for each request, in order; `NULL` for those that failed. The others stay.
   * @throws As `allocate`, before anything was allocated.
   */
  allocateBatch(requests: readonly TierRequest[]): Handle[] {
    checkList(requests, 'requests');
    const wanted = Array.from(requests, ({ tier, size, alignment }) => {
      checkSize(size);
      if (alignment !== undefined) checkAlignment(alignment);
      const owner = this.tier(tier);
      owner.renew();
      return { owner, size, alignment };
    });
    return wanted.map(({ owner, size, alignment }) => this.allocate(owner.index, size, alignment));
  }

  /**
   * Frees many blocks.
   *
   * @throws As `deallocate`, before anything was freed, unless a handle is in the list twice: then those before its second place are free.
   */
  deallocateBatch(handles: readonly Handle[]): void {
    checkList(handles, 'handles');
    const list = Array.from(handles);
    for (const handle of list) this.usableSize(handle);
    for (const handle of list) this.deallocate(handle);
  }

  /** Changes a block's size in place: see {@link Tier.resize}. The handle stays. Throws as `deallocate` does. */
  resize(handle: Handle, newSize: number): boolean {
    if (handle === NULL) return false;
    const address = this.addressOf(handle);
    const { tier } = this.#locate(handle);
    return tier.resize(address, tier.usableSize(address), newSize);
  }

  /**
   * Changes a block's size: in place where `resize` can, otherwise in another block of the same tier, and the handle dies. Not for `NULL`, which has no tier.
   * O(bytes).
   *
   * @returns The handle, or `NULL` when there is no room (the block is as it was) and for a `newSize` of 0 (it is freed).
   * @throws As `deallocate`.
   */
  reallocate(handle: Handle, newSize: number): Handle {
    if (handle === NULL) throw new AllocatorError('invalid-address', 'NULL is no block');
    checkSize(newSize);
    if (newSize === 0) {
      this.deallocate(handle);
      return NULL;
    }
    if (this.resize(handle, newSize)) return handle;
    const moved = this.allocate(this.#locate(handle).tier.index, newSize);
    if (moved === NULL) return NULL;
    this.bulkCopy([{ to: moved, from: handle, size: Math.min(newSize, this.usableSize(handle)) }]);
    this.deallocate(handle);
    return moved;
  }

  /** How many bytes of a live block its owner may use. `NULL` has 0. Throws as `deallocate` does. */
  usableSize(handle: Handle): number {
    if (handle === NULL) return 0;
    const { tier, address } = this.#locate(handle);
    const size = tier.usableSize(address);
    this.#checkGeneration(tier, handle, address);
    return size;
  }

  /** The address of a live block. Throws as `deallocate` does. */
  addressOf(handle: Handle): Address {
    const { tier, address } = this.#locate(handle);
    tier.usableSize(address);
    this.#checkGeneration(tier, handle, address);
    return address;
  }

  /** Whether the handle is that of a live block of this arena. Never throws for what is a number. */
  isLive(handle: Handle): boolean {
    try {
      return handle !== NULL && this.usableSize(handle) > 0;
    } catch (error) {
      if (error instanceof AllocatorError || error instanceof RangeError) return false;
      throw error;
    }
  }

  /**
   * Allocates a block that is freed at the end of the scope: `using block = arena.own('bottom', 100)`.
   *
   * @returns The owner, or `null` when there is no room (which `using` accepts).
   */
  own(tier: string | number, size: number): Owned | null {
    const handle = this.allocate(tier, size);
    return handle === NULL ? null : new Owned(this, handle);
  }

  /**
   * Frees everything that starts `preserveBytes` or more behind the tier's beginning, at once and without moving anything. Other threads may go on in other
   * tiers, but no thread may use or free a block that goes, and whoever allocates in this very tier meanwhile may get what goes: see {@link Tier.reset}. Blocks
   * below the boundary stay, one that reaches over it as a whole. O(pages).
   *
   * @param preserveBytes - Aligned up to the tier's alignment. Offsets count through the tier's segments: see {@link TieredArena.offsetOf}.
   * @throws RangeError when the boundary lies above what is used; nothing changed then.
   */
  fastCompact(tier: string | number, preserveBytes: number): void {
    const target = this.tier(tier);
    checkInteger(preserveBytes, 'preserveBytes');
    target.renew();
    const boundary = alignUp(preserveBytes, target.alignment);
    const { extent } = target;
    if (boundary > extent) throw new RangeError(`preserveBytes must not lie above what the tier ${JSON.stringify(target.name)} uses, ${extent} bytes, got ${preserveBytes}`);
    compact(target, boundary);
  }

  /** Frees every block of a tier: see {@link Tier.reset}. */
  resetTier(tier: string | number): void {
    this.tier(tier).reset();
  }

  /** How far a block lies from the beginning of its tier, in bytes: what `fastCompact` counts in. Throws as `deallocate` does. */
  offsetOf(handle: Handle): number {
    const address = this.addressOf(handle);
    const { tier } = this.#locate(handle);
    const segment = tier.segmentAt(address)!;
    return segment.offset + address - segment.base;
  }

  /**
   * Copies bytes into a block. O(bytes).
   *
   * @param offset - Where in the block, in bytes.
   * @throws AllocatorError `size-mismatch` when they reach beyond the block, or as `deallocate`; also for `NULL`. Nothing was written then.
   */
  write(handle: Handle, bytes: Uint8Array, offset = 0): void {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes must be a Uint8Array, got ${typeof bytes}`);
    const address = this.#range(handle, offset, bytes.length);
    this.memory.u8.set(bytes, address);
  }

  /**
   * Copies bytes out of a block. O(bytes).
   *
   * @throws As `write`.
   */
  read(handle: Handle, length: number, offset = 0): Uint8Array {
    const address = this.#range(handle, offset, length);
    return this.memory.u8.slice(address, address + length);
  }

  /**
   * Copies bytes from block to block, in order, each as if through a buffer of its own. All are checked before the first byte moves. O(bytes).
   *
   * @throws As `write`; nothing was copied then.
   */
  bulkCopy(operations: readonly CopyOperation[]): void {
    const checked = operations.map(({ to, toOffset = 0, from, fromOffset = 0, size }) => {
      return { to: this.#range(to, toOffset, size), from: this.#range(from, fromOffset, size), size };
    });
    this.#copier ??= Copier.create(this.memory);
    this.#copier.bulkCopy(checked);
  }

  /**
   * A typed array over a block. It dies with the block, with the next growth of a memory that replaces its views, and with the memory.
   *
   * @param type - What the elements are.
   * @param length - In elements. Default: as many as there are from the offset on.
   * @throws As `write`; RangeError when the offset is no multiple of the element's size.
   */
  view<T extends keyof ElementViews>(handle: Handle, type: T, length?: number, offset = 0): ElementViews[T] {
    if (!Object.hasOwn(VIEWS, type)) throw new TypeError(`type must be one of ${Object.keys(VIEWS).join(', ')}, got ${JSON.stringify(type)}`);
    const View = VIEWS[type];
    if (length !== undefined) checkInteger(length, 'length', 0, ADDRESS_SPACE_SIZE);
    checkInteger(offset, 'offset', 0, ADDRESS_SPACE_SIZE);
    const count = length ?? Math.max(0, Math.floor((this.usableSize(handle) - offset) / View.BYTES_PER_ELEMENT));
    const address = this.#range(handle, offset, count * View.BYTES_PER_ELEMENT);
    if (address % View.BYTES_PER_ELEMENT !== 0) throw new RangeError(`offset must be a multiple of ${View.BYTES_PER_ELEMENT} for ${type}, got ${offset}`);
    return new View(this.memory.buffer, address, count);
  }

  /** The figures of every tier that was not released, by name. O(pages). */
  stats(): Readonly<Record<string, TierStats>> {
    this.#thread.renew();
    return Object.fromEntries(this.#openTiers().map((tier) => [tier.name, tier.stats()]));
  }

  /** Compares all tables with one another: see {@link Tier.checkInvariants}. O(pages). */
  checkInvariants(): void {
    this.#thread.renew();
    checkHeader(this.memory, this.address, HEADER, TIERS * 4);
    for (const tier of this.#openTiers()) tier.checkInvariants();
  }

  /**
   * Gives what this thread holds ready back, and its place to others. Its blocks stay. Every later call through this handle throws; detaching again does
   * nothing.
   */
  detach(): void {
    if (this.#thread.id === 0) return;
    this.#thread.renew();
    for (const tier of this.#openTiers()) {
      tier.renew();
      tier.letGo();
    }
    this.#thread.leave();
    this.#thread.close();
  }

  /** Detaches: `using arena = TieredArena.attach(..)`. */
  [Symbol.dispose](): void {
    this.detach();
  }

  /**
   * Makes what a dead thread held everybody's again, finishes or undoes what it was doing, and gives its place away. Blocks that it allocated stay live: they
   * may be anybody's. O(pages).
   *
   * @param threadId - The dead thread's number. JavaScript cannot tell whether a thread lives: whoever terminated it, or saw it end, can. Reclaiming one that
   *   lives makes it hand out what others have, until it finds out.
   *
   * Where the dead thread may have died inside of the parent, the parent comes first: `recover` of a `Locked`.
   *
   * @throws AllocatorError `unsupported` when the parent's lock is held and this thread may not wait: nothing is reclaimed then.
   * @throws RangeError when no such thread is attached, or another one is reclaiming it.
   */
  reclaim(threadId: number): Reclaimed {
    const thread = this.#thread;
    checkInteger(threadId, 'threadId', 1);
    thread.renew();
    const record = thread.recordOf(threadId);
    if (record === 0) throw new RangeError(`no thread ${threadId} is attached`);
    if (threadId === thread.id) throw new RangeError(`thread ${threadId} is this one, and alive`);
    const { words } = thread;
    if (Atomics.compareExchange(words, record + RECLAIMER, 0, thread.id) !== 0) throw new RangeError(`thread ${threadId} is being reclaimed`);
    try {
      // Since we looked another one may have reclaimed it, and a new thread may have come to its place.
      if (thread.recordOf(threadId) === 0) throw new RangeError(`no thread ${threadId} is attached`);
      const dead = thread.standingInFor(threadId, record);
      const lastAllocated = this.#handleOf(cleanUp(this.tiers, thread, dead));
      for (const other of thread.records()) Atomics.compareExchange(words, other + RECLAIMER, threadId, 0);
      dead.leave();
      return { lastAllocated };
    } finally {
      // Unless the place is somebody else's by now.
      Atomics.compareExchange(words, record + RECLAIMER, thread.id, 0);
    }
  }

  /**
   * Gives all memory back to the parent, live blocks included. Only when no other thread uses the arena any more: their next calls throw, but those under way
   * would work on memory that is somebody else's. A handle that was detached cannot: attach again. Releasing again does nothing.
   */
  release(): void {
    const thread = this.#thread;
    try {
      thread.renew();
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'released') return;
      throw error;
    }
    const { words, state, parent } = thread;
    for (const record of thread.records()) {
      for (const tier of this.tiers) Atomics.store(words, thread.tierRecord(tier.index, record) + NOTICE, 0);
    }
    const blocks = this.tiers.flatMap((tier) => tier.segments()).map(({ address, head }) => ({ address, size: words[head + SEGMENT_BLOCK_SIZE]! >>> 0 }));
    const size = words[state + BLOCK_SIZE]! >>> 0;
    eraseHeader(this.memory, this.address);
    thread.close();
    for (const block of blocks) if (block.size !== 0) giveBack(parent, block.address, block.size);
    giveBack(parent, this.address, size);
  }

  #openTiers(): readonly Tier[] {
    return this.tiers.filter((tier) => !tier.isClosed);
  }

  /** The handle of a block that may be live; `NULL` where there is none. */
  #handleOf(address: Address): Handle {
    const tier = address === NULL ? undefined : this.tiers.find((candidate) => candidate.segmentAt(address) !== undefined);
    if (tier === undefined) return NULL;
    return this.checked ? this.#tagged(tier, address) : address;
  }

  #tagged(tier: Tier, address: Address): Handle {
    const segment = tier.segmentAt(address)!;
    return (generation(this.memory, segment, address, slotSizeMinLog2(tier.geometry)) + 1) * ADDRESS_SPACE_SIZE + address;
  }

  #checkGeneration(tier: Tier, handle: Handle, address: Address): void {
    if (this.checked && this.#tagged(tier, address) !== handle) throw stale(handle, address);
  }

  /** The tier and the address that a handle means. */
  #locate(handle: Handle): { readonly tier: Tier; readonly address: Address } {
    checkInteger(handle, 'handle', 0, this.checked ? (GENERATION_COUNT + 1) * ADDRESS_SPACE_SIZE - 1 : ADDRESS_SPACE_SIZE - 1);
    const address = handle % ADDRESS_SPACE_SIZE;
    this.#thread.renew();
    const tier = this.tiers.find((candidate) => candidate.segmentAt(address) !== undefined);
    if (tier === undefined) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in this arena`);
    return { tier, address };
  }

  /** The address of a part of a live block. */
  #range(handle: Handle, offset: number, size: number): Address {
    checkInteger(offset, 'offset', 0, ADDRESS_SPACE_SIZE);
    checkInteger(size, 'size', 0, ADDRESS_SPACE_SIZE);
    if (handle === NULL) throw new AllocatorError('invalid-address', 'NULL is no block');
    const address = this.addressOf(handle);
    const usable = this.usableSize(handle);
    if (offset + size > usable) {
      throw new AllocatorError('size-mismatch', `bytes ${offset}..${offset + size} do not lie in the block at ${formatAddress(address)}, which has ${usable}`);
    }
    return address + offset;
  }
}

function checkList(list: unknown, name: string): void {
  if (!Array.isArray(list)) throw new TypeError(`${name} must be an array, got ${typeof list}`);
}

function stale(handle: Handle, address: Address): AllocatorError {
  return new AllocatorError('double-free', `the handle ${handle} is stale: the block at ${formatAddress(address)} is another one now, or free`);
}

function tierName({ memory, words, state }: Thread, tier: number): string {
  const record = state + TIERS + tier * TIER_WORDS;
  const size = Math.min(NAME_SIZE_MAX, words[record + TIER_NAME_SIZE]!);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(memory.u8.slice((record + TIER_NAME) * 4, (record + TIER_NAME) * 4 + size));
}
