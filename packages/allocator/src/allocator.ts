/**
 * The contract of every allocator in this library, in three widths: what can only be given back all at once
 * ({@link MonotonicAllocator}), what can be given back block by block ({@link Allocator}), and what they share
 * ({@link BlockSource}).
 *
 * | method | postcondition on success | when it cannot | misuse |
 * |---|---|---|---|
 * | `allocate(size, alignment?)` | at least `size` bytes that nobody else has | `NULL`, nothing changed | throws |
 * | `deallocate(address, size?)` | the block is free | - | throws, nothing changed |
 * | `reallocate(address, oldSize, newSize, alignment?)` | the first `min(oldSize, newSize)` bytes are at the new address | `NULL`, old block intact | throws, old block intact |
 * | `resize(address, oldSize, newSize)` | same address, new size | `false`, nothing changed | throws |
 * | `usableSize(address)` | bytes the owner may use | - | throws |
 * | `owns(address)` | whether the address lies in memory this allocator hands out | `false` | never throws |
 * | `reset()` | no block is live | - | throws when released |
 * | `release()` | the parent has its memory back | - | idempotent |
 *
 * What counts as misuse and who checks it is in `docs/contract.md`.
 */

import type { Address } from './address.ts';
import type { Memory } from './memory.ts';

/** The figures that every allocator keeps. Each allocator's own `stats()` returns more. A snapshot: it does not change later. */
export interface AllocatorStats {
  /** Bytes this allocator can fill with blocks as it stands, live and free together, headers included, its own state not. */
  readonly capacity: number;
  /** Bytes taken by live blocks, headers and rounding included. 0 exactly when no block is live. */
  readonly liveBytes: number;
  /** Requests answered with `NULL` since creation, not counting size 0. */
  readonly failureCount: number;
}

/**
 * What every allocator can do: hand out blocks, and answer for itself.
 *
 * Single-owner unless the implementation says otherwise: one thread at a time calls it.
 */
export interface BlockSource {
  /** The address space the blocks lie in. */
  readonly memory: Memory;

  /** Every block's address is a multiple of this many bytes, a power of two, without asking. */
  readonly alignment: number;

  /**
   * Hands out a block of at least `size` bytes, not zero-filled: zeroing costs time in proportion to the size, and most
   * callers write the block at once (see `allocateZeroed`). The block lies within `memory.committed` as this thread sees it.
   *
   * May grow the memory: every view taken before the call may be dead after it.
   *
   * @param size - In bytes, 0..2^32 - 1. Size 0 yields `NULL` and does not count as a failure.
   * @param alignment - In bytes, a power of two up to 2^30; less than `this.alignment` is raised to it.
   * @returns The address, or `NULL` when there is no room, nothing having changed.
   * @throws TypeError or RangeError for a size or an alignment that is none, AllocatorError `released`.
   */
  allocate(size: number, alignment?: number): Address;

  /**
   * Changes the size of a block where it stands.
   *
   * @param address - A live block's.
   * @param oldSize - The size it was last given, in bytes.
   * @param newSize - The size wanted, in bytes, at least 1 (a block cannot shrink to nothing and keep its address: that yields `false`).
   * @returns `false` when the block would have to move, nothing having changed.
   * @throws As `deallocate` and `allocate` do. `NULL` is no block: it yields `false`.
   */
  resize(address: Address, oldSize: number, newSize: number): boolean;

  /**
   * Changes the size of a block, moving it and its first `min(oldSize, newSize)` bytes when it must.
   *
   * `address` `NULL` allocates; `newSize` 0 frees and yields `NULL`.
   *
   * @param address - A live block's, or `NULL`.
   * @param oldSize - The size it was last given, in bytes: as many are preserved. Ignored for `NULL`.
   * @param newSize - The size wanted, in bytes.
   * @param alignment - As for `allocate`; give what the block was allocated with.
   * @returns The new address, or `NULL` when there is no room: then the old block is as it was.
   * @throws As `deallocate` and `allocate` do; then the old block is as it was.
   */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address;

  /**
   * Whether `address` lies in memory this allocator hands out, be the block live or free. What routes a free to its owner.
   *
   * @param address - Anything at all; what is no address yields `false`, as `NULL` does.
   */
  owns(address: Address): boolean;

  /**
   * Frees every block at once. Addresses handed out before are stale: using one is undetected as soon as its bytes are handed out again. Keeps the memory it
   * holds, for reuse, unless the implementation says otherwise.
   *
   * @throws AllocatorError `released`.
   */
  reset(): void;

  /**
   * Gives all memory back to the parent, live blocks included. Every later call throws `AllocatorError` `released`, but for
   * `owns` (`false`) and `release` (nothing). Allocators created on this one must be released before; they cannot be afterwards.
   */
  release(): void;

  /** The figures as of now. O(1) unless the implementation says otherwise. */
  stats(): AllocatorStats;

  /**
   * Walks everything this allocator knows and compares. O(n); for tests, for `attach`, and for finding the moment of damage.
   *
   * @throws AllocatorError `corrupt`, naming what disagrees and where; or `released`.
   */
  checkInvariants(): void;
}

/**
 * An allocator whose memory comes back all at once, by {@link BlockSource.reset}: there is no `deallocate`, because there is nothing it could do.
 * `Retained` makes an {@link Allocator} of it for callers who insist.
 *
 * `reallocate` to size 0 yields `NULL` and forgets the block.
 */
export interface MonotonicAllocator extends BlockSource {
  /** Marks the type: this allocator cannot free a single block. */
  readonly monotonic: true;
}

/** An allocator whose blocks can be given back one by one, in any order. The contract that everything composes through. */
export interface Allocator extends BlockSource {
  /**
   * Takes a block back.
   *
   * @param address - A live block's address, or `NULL`, which does nothing.
   * @param size - The size it was last given, if the caller knows: it is checked where it can be, and may save a look-up.
   * @throws TypeError or RangeError for what is no address or size; AllocatorError `double-free`, `foreign-address`,
   *   `invalid-address`, `size-mismatch`, `corrupt` or `released`. Nothing changed then.
   */
  deallocate(address: Address, size?: number): void;

  /**
   * How many bytes of a live block its owner may use: at least what was asked for. `NULL` has 0.
   *
   * @param address - A live block's.
   * @throws As `deallocate` does.
   */
  usableSize(address: Address): number;
}

/** Whatever another allocator can be built on: it takes memory from its parent, and gives it back where the parent can take it. */
export type Parent = Allocator | MonotonicAllocator;
