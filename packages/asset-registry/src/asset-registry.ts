/** Assets by their keys: loaded over HTTP into an allocator's memory, registered in a table that lies there too, evicted one by one. */

import type { Address, Allocator, Memory } from '@allokit/allocator';
import type { TieredArena } from '@allokit/tiered-arena';
import type { Asset, AssetType } from './asset.ts';
import type { AssetMetadata, AssetRegistryOptions, AssetRegistryUse, AssetRequest, LoadOptions, TierName } from './options.ts';

/** The figures of a registry. The first five are of the table and the same in every thread, the others of this handle. */
export interface AssetRegistryStats {
  /** Assets registered. */
  readonly assetCount: number;
  /** Their bytes. */
  readonly assetBytes: number;
  /** Loads under way that have begun to take memory. */
  readonly loadingCount: number;
  /** The memory they have taken. */
  readonly loadingBytes: number;
  /** Bytes of the table itself. */
  readonly tableBytes: number;
  /** Requests that this handle made, repetitions included. */
  readonly requestCount: number;
  /** Requests under way now. */
  readonly activeCount: number;
  /** Requests that wait for their turn. */
  readonly waitingCount: number;
  /** Requests that were repetitions. */
  readonly retryCount: number;
  /** Loads that needed no request: the asset was there, or on its way. */
  readonly sharedCount: number;
  /** Bytes received. */
  readonly receivedBytes: number;
  /** Assets evicted to make room. */
  readonly evictionCount: number;
  /** Loads that failed. */
  readonly failureCount: number;
}

/** What became of an asset that the server was asked about. */
export interface Revalidation {
  /** The asset as it is now. */
  readonly asset: Asset;
  /** Whether it was replaced: the bytes of before are gone. */
  readonly isReplaced: boolean;
}

/**
 * A registry of assets in an allocator or a tiered arena.
 *
 * **Threads.** The table lies in the memory of the assets. Each thread has a handle of its own: `create` in one, {@link AssetRegistry.attach} in the others, at most 30 at a time. What one loads, all find. The
 * target must be as safe for threads as the registry shall be: a `TieredArena`, or a `Locked`. {@link AssetRegistry.get}, {@link AssetRegistry.evict} and pins take no lock. To register takes
 * one for some microseconds; a thread that may not wait, as a page's main thread, never does: its loads try again later.
 *
 * **When a thread dies**, whoever knows of it calls {@link AssetRegistry.recover}: until then its pins hold, and the memory of what it was loading is taken.
 */
export class AssetRegistry implements Disposable {
  /** The address space the assets lie in. */
  declare readonly memory: Memory;
  /** Where the table lies: what `attach` wants. */
  declare readonly address: Address;
  /** This handle's number: what `recover` wants when its thread died. */
  declare readonly threadId: number;

  /**
   * Makes a registry, and attaches to it. O(expected assets).
   *
   * @param target - Where assets go. On a memory that other threads can see, if they are to attach.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when there is no room for the table.
   */
  static create(target: Allocator | TieredArena, options: AssetRegistryOptions = {}): AssetRegistry {
    throw new Error(`to be written ${String(target)} ${String(options)}`);
  }

  /**
   * Attaches this thread to a registry that another one made, or that lies in a saved image.
   *
   * @param target - This thread's handle on what the registry was created on.
   * @param address - The other one's `address`.
   * @throws AllocatorError `bad-header` when no registry lies there, `out-of-memory` when 30 threads are attached.
   */
  static attach(target: Allocator | TieredArena, address: Address, options: AssetRegistryUse = {}): AssetRegistry {
    throw new Error(`to be written ${String(target)} ${String(options)} ${String(address)}`);
  }

  /** What paths are resolved against; empty when there is nothing. */
  get baseUrl(): string {
    throw new Error('to be written');
  }

  /**
   * Changes what paths are resolved against, for loads to come. For this handle only.
   *
   * @throws TypeError when it is no URL.
   */
  setBaseUrl(url: string | URL): void {
    throw new Error(`to be written ${String(url)}`);
  }

  /**
   * Enters bytes that are in memory already. The block is the registry's from now on: evicting the asset frees it.
   *
   * @returns Whether the key is new. Otherwise nothing changed, and the block is still the caller's.
   * @throws TypeError or RangeError for what is no key or metadata; as the target does for what is no live block; AllocatorError `out-of-memory` for the table, `unsupported` when the lock is held and this
   *   thread may not wait.
   */
  register(key: string, metadata: AssetMetadata): boolean {
    throw new Error(`to be written ${key} ${String(metadata)}`);
  }

  /** The asset of that key, which counts as used now. O(1). Takes no lock. */
  get(key: string): Asset | undefined {
    throw new Error(`to be written ${key}`);
  }

  /** All assets, in no particular order; none counts as used. O(assets). Takes no lock: what others register or evict meanwhile may be in the list or not. */
  assets(): Asset[] {
    throw new Error('to be written');
  }

  /**
   * Frees one asset: exactly its block, nothing else moves or goes. O(1). Takes no lock.
   *
   * @returns `false` when there is none of that key, or it is pinned.
   */
  evict(key: string): boolean {
    throw new Error(`to be written ${key}`);
  }

  /** Evicts many. Returns how many there were, pinned ones and unknown keys not counted. */
  evictBatch(keys: readonly string[]): number {
    throw new Error(`to be written ${String(keys)}`);
  }

  /** Evicts everything that is not pinned. Returns how many assets that were. */
  clear(): number {
    throw new Error('to be written');
  }

  /**
   * Loads an asset, unless it is there or on its way to this thread. The body goes from the network's buffers into the asset's block, each byte copied once; where its length is not known beforehand, the block grows
   * by doubling, and is copied when it cannot grow in place.
   *
   * Two threads that load one path at the same time both request it; one copy is kept.
   *
   * @param path - Resolved against the base. As it stands, it is the asset's key.
   * @throws Rejects with an {@link AssetError}, or TypeError and RangeError for misuse.
   */
  load(path: string, type: AssetType, options: LoadOptions = {}): Promise<Asset> {
    throw new Error(`to be written ${path} ${type} ${String(options)}`);
  }

  /**
   * Loads many at once, as far as the concurrency allows.
   *
   * @returns What became of each, in the order of the requests, as `Promise.allSettled` says it.
   * @throws Rejects with TypeError or RangeError for misuse, before anything was requested.
   */
  loadBatch(requests: readonly AssetRequest[]): Promise<PromiseSettledResult<Asset>[]> {
    throw new Error(`to be written ${String(requests)}`);
  }

  /**
   * Copies bytes into a block of their own, which is the caller's, until it is registered. O(bytes).
   *
   * @param tier - For an arena: the tier's name or number.
   * @returns The block's handle, or `NULL` when there is no room (or there are no bytes).
   * @throws TypeError or RangeError for what are no bytes or no tier.
   */
  loadBytes(bytes: Uint8Array, tier?: TierName): number {
    throw new Error(`to be written ${String(bytes)} ${String(tier)}`);
  }

  /**
   * Asks the server whether an asset has changed, with its ETag or its date. If so, the new bytes replace it.
   *
   * @returns `undefined` when there is no asset of that key.
   * @throws Rejects as `load` does, then the asset is as it was; `pinned` when it would have to be replaced.
   */
  revalidate(key: string, options: LoadOptions = {}): Promise<Revalidation | undefined> {
    throw new Error(`to be written ${key} ${String(options)}`);
  }

  /**
   * Compacts a tier as `TieredArena.fastCompact` does, and forgets the assets that go with what lies above the boundary.
   *
   * @returns How many assets that were.
   * @throws As `TieredArena.fastCompact`; AssetError `pinned` when one of them is pinned or being loaded; AllocatorError `unsupported` when the table itself lies there. Nothing changed then.
   */
  fastCompact(tier: TierName, preserveBytes: number): number {
    throw new Error(`to be written ${String(tier)} ${String(preserveBytes)}`);
  }

  /** The figures. O(assets). */
  stats(): AssetRegistryStats {
    throw new Error('to be written');
  }

  /** Walks the table and compares, blocks included. O(assets). Only while no other thread is inside a call. Throws AllocatorError `corrupt`, or `released`. */
  checkInvariants(): void {
    throw new Error('to be written');
  }

  /**
   * Cleans up after a thread that died: frees what it was loading, takes its pins away, lets its lock go. O(assets). To be called once the thread has ended for certain.
   *
   * For an arena, call `TieredArena.reclaim` before; for a `Locked`, its `recover`.
   *
   * @param threadId - The dead handle's number.
   * @throws RangeError when no such thread is attached, or it is this one.
   */
  recover(threadId: number): void {
    throw new Error(`to be written ${String(threadId)}`);
  }

  /** Ends this handle: its loads fail with `released`, its pins go, the assets stay. Later calls throw AllocatorError `released`; detaching again does nothing. */
  detach(): void {
    throw new Error('to be written');
  }

  /** Ends the registry for all threads, and frees every asset, pinned or not, and the table. Only when no other thread uses it any more. Idempotent. */
  release(): void {
    throw new Error('to be written');
  }

  /** Detaches; the last handle to go releases: `using registry = AssetRegistry.create(..)`. */
  [Symbol.dispose](): void {
    throw new Error('to be written');
  }
}
