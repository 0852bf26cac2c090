/** Assets by their keys: loaded over HTTP into an allocator's memory, registered in a table that lies there too, evicted one by one. */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkInteger,
  checkSize,
  formatAddress,
  type Address,
  type Allocator,
  type Memory,
} from '@allokit/allocator';
import type { TieredArena } from '@allokit/tiered-arena';
import { AssetError } from './asset-error.ts';
import { Asset, type AssetType } from './asset.ts';
import { BaseUrl } from './base-url.ts';
import { Download, type Dispatcher } from './download.ts';
import { Flight, aborted } from './flight.ts';
import { hasIntegrity, parseIntegrity, type Integrity } from './integrity.ts';
import { SOURCE_OWN, SOURCE_TARGET } from './layout.ts';
import {
  KEY_LENGTH_MAX,
  checkArray,
  checkKey,
  checkLoadOptions,
  checkObject,
  checkTable,
  checkType,
  decidePlan,
  decideUse,
  type AssetMetadata,
  type AssetRegistryOptions,
  type AssetRegistryUse,
  type AssetRequest,
  type DecidedUse,
  type LoadOptions,
  type TierName,
} from './options.ts';
import type { Found } from './records.ts';
import { Table } from './table.ts';
import { addressOf, targetOf, type Target } from './target.ts';
import type { Order, Outcome } from './transfer.ts';
import { Turns } from './turns.ts';

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

/** A load under way, and what it was asked to be. */
interface Voyage {
  readonly flight: Flight<Outcome>;
  readonly download: Download;
  readonly type: AssetType;
  readonly integrity: string | undefined;
}

/** What an order is made of. */
type Wish = Pick<Order, 'key' | 'type' | 'integrity' | 'headers' | 'isReplacing'>;

/**
 * A registry of assets in an allocator or a tiered arena.
 *
 * **Threads.** The table lies in the memory of the assets. Each thread has a handle of its own: `create` in one, {@link AssetRegistry.attach} in the others, at
 * most 30 at a time. What one loads, all find. The target must be as safe for threads as the registry shall be: a `TieredArena`, or a `Locked`. {@link
 * AssetRegistry.get}, {@link AssetRegistry.evict} and pins take no lock. To register takes one for some microseconds; a thread that may not wait, as a page's
 * main thread, never does: its loads try again later.
 *
 * **When a thread dies**, whoever knows of it calls {@link AssetRegistry.recover}: until then its pins hold, and the memory of what it was loading is taken.
 * Should it have died in the microseconds in which it had the lock, the loads of all others wait for that, too.
 */
export class AssetRegistry implements Disposable {
  /** The address space the assets lie in. */
  readonly memory: Memory;
  /** Where the table lies: what `attach` wants. */
  readonly address: Address;
  readonly #target: Target;
  readonly #table: Table;
  readonly #use: DecidedUse;
  readonly #dispatcher: Dispatcher;
  readonly #loads = new Map<string, Voyage>();
  readonly #revalidations = new Map<string, Voyage>();
  readonly #counts = { requestCount: 0, retryCount: 0, receivedBytes: 0, sharedCount: 0, failureCount: 0 };
  #base: BaseUrl;

  private constructor(target: Target, table: Table, use: DecidedUse, base: BaseUrl) {
    this.memory = target.memory;
    this.address = table.address;
    this.#target = target;
    this.#table = table;
    this.#use = use;
    this.#base = base;
    const { fetch, limit, stallTimeout, timeout, retryPlan } = use;
    const carrier = { table, target, fetch, limit, stallTimeout, counts: this.#counts };
    this.#dispatcher = { carrier, turns: new Turns(use.concurrency), retryPlan, timeout, counts: this.#counts };
  }

  /**
   * Makes a registry, and attaches to it. O(expected assets).
   *
   * @param target - Where assets go. On a memory that other threads can see, if they are to attach.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when there is no room for the table.
   */
  static create(target: Allocator | TieredArena, options: AssetRegistryOptions = {}): AssetRegistry {
    const place = targetOf(target);
    const use = decideUse(options, place);
    const base = new BaseUrl(use.baseUrl, use.allowOutsideBase);
    const plan = decidePlan(options);
    const { table } = options;
    if (typeof table === 'object') checkTable(table, place);
    const tier = typeof table === 'object' ? 0 : place.tierIndex(table ?? (place.arena === undefined ? undefined : use.tiers.binary));
    const source = typeof table === 'object' ? SOURCE_OWN : place.arena === undefined ? SOURCE_TARGET : tier;
    const allocator = typeof table === 'object' ? table : place.allocatorOf(tier);
    return new AssetRegistry(place, Table.create(place, allocator, { ...plan, source }), use, base);
  }

  /**
   * Attaches this thread to a registry that another one made, or that lies in a saved image.
   *
   * @param target - This thread's handle on what the registry was created on.
   * @param address - The other one's `address`.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `bad-header` when no registry lies there, `corrupt` when it makes no
   *   sense, `out-of-memory` when 30 threads are attached.
   */
  static attach(target: Allocator | TieredArena, address: Address, options: AssetRegistryUse = {}): AssetRegistry {
    const place = targetOf(target);
    const use = decideUse(options, place);
    const base = new BaseUrl(use.baseUrl, use.allowOutsideBase);
    checkAddress(address);
    const allocatorOf = (source: number): Allocator => {
      if (source === SOURCE_TARGET && place.arena === undefined) return place.allocatorOf(0);
      if (source >= 0 && place.arena !== undefined) return place.allocatorOf(source);
      const { table } = options;
      if (source !== SOURCE_OWN) throw new TypeError(`the registry at ${formatAddress(address)} was created on ${source < 0 ? 'an allocator' : 'an arena'}`);
      if (typeof table !== 'object') throw new TypeError('the table lies in an allocator of its own: give that as `table`');
      checkTable(table, place);
      return table;
    };
    return new AssetRegistry(place, Table.attach(place, allocatorOf, address), use, base);
  }

  /** This handle's number: what `recover` wants when its thread died. No other handle ever gets it. */
  get threadId(): number {
    return this.#table.member.id;
  }

  /** The numbers of all handles that are attached. */
  get threadIds(): readonly number[] {
    return [...new Set(this.#table.records.threads())].filter((id) => id !== 0);
  }

  /** What paths are resolved against; empty when there is nothing. */
  get baseUrl(): string {
    return this.#base.href;
  }

  /**
   * Changes what paths are resolved against, for loads to come. For this handle only.
   *
   * @throws TypeError when it is no URL.
   */
  setBaseUrl(url: string | URL): void {
    this.#base = new BaseUrl(url, this.#use.allowOutsideBase);
  }

  /**
   * Enters bytes that are in memory already. The block is the registry's from now on: evicting the asset frees it. O(assets).
   *
   * @returns Whether the key is new. Otherwise nothing changed, and the block is still the caller's.
   * @throws TypeError or RangeError for what is no key or metadata, and for a block that the registry has already; as the target does for what is no live
   *   block; AllocatorError `out-of-memory` for the table, `unsupported` when the lock is held and this thread may not wait.
   */
  register(key: string, metadata: AssetMetadata): boolean {
    checkKey(key, 'key');
    checkObject(metadata, 'metadata');
    const { type, handle, size, etag, lastModified, contentType } = metadata;
    checkType(type);
    checkInteger(handle, 'handle');
    checkSize(size);
    for (const [name, text] of Object.entries({ etag, lastModified, contentType })) {
      if (text !== undefined && (typeof text !== 'string' || text.length > KEY_LENGTH_MAX))
        throw new TypeError(`${name} must be a string of at most ${KEY_LENGTH_MAX} characters`);
    }
    const usable = this.#target.usableSize(handle);
    if (size > usable) throw new AllocatorError('size-mismatch', `the block at ${formatAddress(addressOf(handle))} has ${usable} bytes, not ${size}`);
    return this.#table.register({
      key,
      type,
      tier: handle === NULL ? this.#use.tiers[type] : this.#target.tierOf(handle),
      handle,
      size,
      etag,
      lastModified,
      contentType,
    });
  }

  /** The asset of that key, which counts as used now. O(1). Takes no lock. */
  get(key: string): Asset | undefined {
    checkKey(key, 'key');
    const found = this.#table.records.lookUp(key);
    if (found === undefined) return undefined;
    this.#table.touch(found);
    return this.#asset(found);
  }

  /** All assets, in no particular order; none counts as used. O(assets). Takes no lock: what others register or evict meanwhile may be in the list or not. */
  assets(): Asset[] {
    return this.#table.records.entries().flatMap((entry) => {
      const description = this.#table.records.describe(entry);
      return description === undefined ? [] : [this.#asset({ ...entry, description })];
    });
  }

  /**
   * Frees one asset: exactly its block, nothing else moves or goes. O(1). Takes no lock.
   *
   * @returns `false` when there is none of that key, or it is pinned.
   * @throws As the target does when the block is not live any more, because somebody freed it past the registry: then the key is gone.
   */
  evict(key: string): boolean {
    checkKey(key, 'key');
    const entry = this.#table.records.find(key);
    return entry !== undefined && this.#table.evict(entry);
  }

  /** Evicts many. Returns how many there were, pinned ones and unknown keys not counted. Throws as {@link AssetRegistry.evict}. */
  evictBatch(keys: readonly string[]): number {
    checkArray(keys, 'keys');
    for (const key of keys) checkKey(key, 'key');
    return keys.filter((key) => this.evict(key)).length;
  }

  /** Evicts everything that is not pinned. Returns how many assets that were. Throws as {@link AssetRegistry.evict}. */
  clear(): number {
    return this.#table.records.entries().filter((entry) => this.#table.evict(entry)).length;
  }

  /**
   * Loads an asset, unless it is there or on its way to this thread. The body goes from the network's buffers into the asset's block, each byte copied once;
   * where its length is not known beforehand, the block grows by doubling, and is copied when it cannot grow in place.
   *
   * Two threads that load one path at the same time both request it; one copy is kept.
   *
   * @param path - Resolved against the base. As it stands, it is the asset's key.
   * @throws Rejects with an {@link AssetError}, or TypeError and RangeError for misuse.
   */
  async load(path: string, type: AssetType, options: LoadOptions = {}): Promise<Asset> {
    checkKey(path, 'path');
    checkType(type);
    checkLoadOptions(options);
    return this.#counted(() => this.#load(path, type, options));
  }

  /**
   * Loads many, as many at once as the concurrency allows.
   *
   * @returns What became of each, in the order of the requests, as `Promise.allSettled` says it.
   * @throws Rejects with TypeError or RangeError for misuse, before anything was requested.
   */
  async loadBatch(requests: readonly AssetRequest[]): Promise<PromiseSettledResult<Asset>[]> {
    checkArray(requests, 'requests');
    for (const request of requests) {
      checkObject(request, 'request');
      checkKey(request.path, 'path');
      checkType(request.type);
      checkLoadOptions(request);
    }
    // As they are now: the caller may change his array meanwhile.
    const wanted = requests.map(({ path, type, ...options }) => ({ path, type, options }));
    const results: PromiseSettledResult<Asset>[] = [];
    let next = 0;
    // Loads that are under way are some kilobytes each, those that are still to come nothing; twice as many as have their turn, because some pause before they
    // try again.
    const hands = Array.from({ length: Math.min(wanted.length, 2 * this.#use.concurrency) }, async () => {
      for (let i = next++; i < wanted.length; i = next++) {
        const { path, type, options } = wanted[i]!;
        const [result] = await Promise.allSettled([this.load(path, type, options)]);
        results[i] = result;
      }
    });
    await Promise.all(hands);
    return results;
  }

  /**
   * Copies bytes into a block of their own, which is the caller's, until it is registered. O(bytes).
   *
   * @param tier - For an arena: the tier's name or number. Default: that of `binary`.
   * @returns The block's handle, or `NULL` when there is no room (or there are no bytes).
   * @throws TypeError or RangeError for what are no bytes or no tier.
   */
  loadBytes(bytes: Uint8Array, tier?: TierName): number {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes must be a Uint8Array, got ${typeof bytes}`);
    const { memory } = this;
    const { buffer, byteOffset, length } = bytes;
    const isInside = buffer === memory.buffer;
    const handle = this.#target.allocate(this.#target.tierIndex(tier ?? (this.#target.arena === undefined ? undefined : this.#use.tiers.binary)), length);
    if (handle === NULL) return NULL;
    memory.refresh();
    // A view of the memory itself may have died as the memory grew.
    if (isInside) memory.u8.copyWithin(addressOf(handle), byteOffset, byteOffset + length);
    else memory.u8.set(bytes, addressOf(handle));
    return handle;
  }

  /**
   * Asks the server whether an asset has changed, with its ETag or its date. If so, the new bytes replace it.
   *
   * @returns `undefined` when there is no asset of that key.
   * @throws Rejects as `load` does, then the asset is as it was, unless a budget has no room for both: then the old one goes before the new one comes. `pinned`
   *   when it would have to be replaced.
   */
  async revalidate(key: string, options: LoadOptions = {}): Promise<Revalidation | undefined> {
    checkKey(key, 'key');
    checkLoadOptions(options);
    return this.#counted(() => this.#revalidate(key, options));
  }

  /**
   * Compacts a tier as `TieredArena.fastCompact` does, and forgets the assets that go with what lies above the boundary. Loads of this thread may be under way;
   * no other thread may load into that tier meanwhile.
   *
   * @returns How many assets that were.
   * @throws TypeError where there are no tiers; as `TieredArena.fastCompact`; AssetError `pinned` when one of the assets is pinned or being loaded;
   *   AllocatorError `unsupported` when the table itself lies there (in a checked arena: in that tier). Nothing changed then.
   */
  fastCompact(tier: TierName, preserveBytes: number): number {
    const { arena } = this.#target;
    if (arena === undefined) throw new TypeError('the target is an allocator: it has no tiers to compact');
    const { alignment, index, name } = arena.tier(tier);
    checkInteger(preserveBytes, 'preserveBytes');
    const boundary = alignUp(preserveBytes, alignment);
    const isBeyond = (handle: number): boolean => arena.tier(index).owns(addressOf(handle)) && arena.offsetOf(handle) >= boundary;
    return this.#table.member.now(() => {
      const isInTheWay = this.#table.records.blocks().some((block) => (arena.checked ? arena.tier(index).owns(block) : isBeyond(block)));
      if (isInTheWay)
        throw new AllocatorError(
          'unsupported',
          `the table lies in the tier ${JSON.stringify(name)} above the boundary: give it another place with the option \`table\``,
        );
      return this.#table.forget(index, isBeyond, () => arena.fastCompact(index, preserveBytes));
    });
  }

  /** The figures. O(assets). */
  stats(): AssetRegistryStats {
    const { turns } = this.#dispatcher;
    return {
      ...this.#table.records.totals(),
      ...this.#counts,
      activeCount: turns.activeCount,
      waitingCount: turns.waitingCount,
      evictionCount: this.#table.evictionCount,
    };
  }

  /** Walks the table and compares, blocks included. O(assets). Only while no other thread is inside a call. Throws AllocatorError `corrupt`, or `released`. */
  checkInvariants(): void {
    this.#table.checkInvariants();
  }

  /**
   * Cleans up after a thread that died: frees what it was loading, takes its pins away, lets its lock go. O(assets). To be called once the thread has ended for
   * certain.
   *
   * For an arena, call `TieredArena.reclaim` before; for a `Locked`, its `recover`.
   *
   * @param threadId - The dead handle's number.
   * @throws RangeError when no such thread is attached, or another one is cleaning up after it, or it is this one.
   */
  recover(threadId: number): void {
    checkInteger(threadId, 'threadId', 1);
    this.#table.recover(threadId);
  }

  /**
   * Ends this handle: its loads fail with `released`, its pins go, the assets stay. Later calls throw AllocatorError `released`; detaching again does nothing.
   */
  detach(): void {
    this.#endLoads();
    quietly(() => this.#table.detach());
  }

  /**
   * Ends the registry for all threads, and frees every asset, pinned or not, and the table. Only when no other thread uses it any more. Idempotent.
   *
   * @throws AllocatorError `unsupported` when another thread is in the middle of registering something, and this one may not wait.
   */
  release(): void {
    this.#endLoads();
    quietly(() => this.#table.release());
  }

  /**
   * Detaches; the last handle to go releases: `using registry = AssetRegistry.create(..)`. A thread that may not wait only detaches when the table is locked at
   * that moment.
   */
  [Symbol.dispose](): void {
    this.#endLoads();
    quietly(() => this.#table.leave());
  }

  #asset(found: Found): Asset {
    return new Asset(this.#table, found, found.description, this.#target.tierNames[found.description.tier]);
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#counts.failureCount += 1;
      throw error;
    }
  }

  async #load(path: string, type: AssetType, options: LoadOptions): Promise<Asset> {
    const integrity = integrityOf(path, options);
    const asset = this.get(path);
    if (asset !== undefined) {
      this.#counts.sharedCount += 1;
      return this.#confirmed(asset, type, integrity);
    }
    const underWay = this.#loads.get(path);
    if (underWay !== undefined) {
      if (underWay.type !== type) throw mismatch(path, underWay.type, type);
      this.#counts.sharedCount += 1;
    }
    const voyage = underWay ?? this.#depart(this.#loads, { key: path, type, integrity, headers: undefined, isReplacing: false });
    const outcome = await voyage.flight.join(options);
    // Only a revalidation asks for a change.
    const loaded = this.#asset(outcome as Found);
    return this.#confirmed(loaded, type, voyage.integrity === integrity?.text ? undefined : integrity);
  }

  async #revalidate(key: string, options: LoadOptions): Promise<Revalidation | undefined> {
    const integrity = integrityOf(key, options);
    const asset = this.get(key);
    if (asset === undefined) return undefined;
    const { type, etag, lastModified } = asset;
    const headers = etag !== undefined ? { 'If-None-Match': etag } : lastModified !== undefined ? { 'If-Modified-Since': lastModified } : undefined;
    const voyage = this.#revalidations.get(key) ?? this.#depart(this.#revalidations, { key, type, integrity, headers, isReplacing: true });
    const outcome = await voyage.flight.join(options);
    const now = outcome === 'unchanged' ? this.get(key) : this.#asset(outcome);
    if (now === undefined) return undefined;
    const isChecked = outcome !== 'unchanged' && voyage.integrity === integrity?.text;
    return { asset: await this.#confirmed(now, type, isChecked ? undefined : integrity), isReplaced: outcome !== 'unchanged' };
  }

  /** The asset, if it is what was asked for. */
  async #confirmed(asset: Asset, type: AssetType, integrity: Integrity | undefined): Promise<Asset> {
    if (asset.type !== type) throw mismatch(asset.key, asset.type, type);
    if (integrity === undefined || (await hasIntegrity(asset.bytes, integrity))) return asset;
    throw new AssetError('integrity', `${JSON.stringify(asset.key)} is there, and does not have the hash ${integrity.text}`);
  }

  #depart(voyages: Map<string, Voyage>, wish: Wish): Voyage {
    const { key, type, integrity } = wish;
    const flight = new Flight<Outcome>(key);
    const url = this.#base.resolve(key);
    const onBytes: Order['onBytes'] = (loadedBytes, totalBytes) => flight.report(loadedBytes, totalBytes);
    const download = new Download({ ...wish, tier: this.#use.tiers[type], url, base: this.#base, onBytes }, this.#dispatcher);
    const voyage = { flight, download, type, integrity: integrity?.text };
    voyages.set(key, voyage);
    const arrive = (): void => {
      if (voyages.get(key) === voyage) voyages.delete(key);
    };
    flight.start(download.run().finally(arrive), () => {
      arrive();
      download.end(new AssetError('aborted', `nobody waits for ${JSON.stringify(key)} any more`));
    });
    return voyage;
  }

  #endLoads(): void {
    for (const { download } of [...this.#loads.values(), ...this.#revalidations.values()])
      download.end(new AssetError('released', 'the registry was released, or this handle was detached'));
  }
}

function integrityOf(key: string, { integrity, signal }: LoadOptions): Integrity | undefined {
  const parsed = integrity === undefined ? undefined : parseIntegrity(integrity);
  if (signal?.aborted === true) throw aborted(key, signal);
  return parsed;
}

function mismatch(key: string, is: AssetType, wanted: AssetType): AssetError {
  return new AssetError('type-mismatch', `${JSON.stringify(key)} is of type ${is}, not ${wanted}`);
}

/** What is gone need not be left. */
function quietly(leave: () => void): void {
  try {
    leave();
  } catch (error) {
    if (!(error instanceof AllocatorError && error.code === 'released')) throw error;
  }
}
