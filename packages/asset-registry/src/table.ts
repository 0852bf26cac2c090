/**
 * The table of assets, which all threads share.
 *
 * A record is claimed and published under the mutex; between, it belongs to the thread that loads. Everything else is done without: a look-up reads a record between two looks at its
 * generation; a pin is the thread's bit in the record's state; who evicts changes the state from `LIVE`, with no pins, to `DYING`, in one step, and so has it alone.
 *
 *     FREE -> LOADING -> LIVE -> DYING -> FREE        LOADING -> FREE: the load failed
 *
 * What a thread does to memory it says in the record before: whoever recovers it when it died finds there what to free.
 */

import {
  ADDRESS_SPACE_SIZE,
  AllocatorError,
  HEADER_ALIGNMENT,
  MUTEX_WORDS,
  Mutex,
  NULL,
  OWNER_MAX,
  checkHeader,
  eraseHeader,
  formatAddress,
  powerOfTwoCeil,
  writeHeader,
  type Address,
  type Allocator,
  type Memory,
} from '@allokit/allocator';
import { AssetError } from './asset-error.ts';
import type { AssetType } from './asset.ts';
import {
  ADDRESS,
  BUCKETS,
  BUCKETS_LOG2,
  BUDGET,
  CHUNKS,
  CHUNK_COUNT_MAX,
  CLOCK,
  DYING,
  FREE,
  GENERATION,
  HANDLE_HIGH,
  HASH,
  HEADER,
  KIND,
  LIVE,
  LOADING,
  MUTEX,
  NAMES,
  NAME_COUNT,
  NAME_LENGTHS,
  NEXT,
  NEXT_THREAD,
  RECORD_COUNT,
  RECORD_WORDS,
  REPLACEMENTS,
  SIZE,
  SOURCE_OWN,
  STATE,
  STATE_BYTES,
  STATE_MASK,
  TABLE_SOURCE,
  THREADS,
  THREAD_COUNT_MAX,
  USED_AT,
  chunkOf,
  chunkRecords,
  firstRecord,
} from './layout.ts';
import { hashOf, isText, readText, writeNames } from './names.ts';
import { ASSET_TYPES } from './options.ts';
import { addressOf, handleHigh, insist, type Target } from './target.ts';

/** How often a look-up is repeated that others got in the way of. */
const ROUNDS = 64;

/** An asset in the table: its record, and which of the assets it was that one is. */
export interface Entry {
  /** The record's index. */
  readonly index: number;
  /** The record's generation. */
  readonly generation: number;
}

/** An asset, and what its record said when it was looked up. */
export interface Found extends Entry {
  readonly description: Description;
}

/** What a record says. */
export interface Description {
  readonly key: string;
  readonly type: AssetType;
  /** The number of the tier. */
  readonly tier: number;
  readonly handle: number;
  readonly size: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly contentType: string | undefined;
}

/** A record to be claimed. */
export type Claim = Omit<Description, 'handle' | 'size'>;

/** How much there is of what. */
export interface Totals {
  readonly assetCount: number;
  readonly assetBytes: number;
  readonly loadingCount: number;
  readonly loadingBytes: number;
  readonly tableBytes: number;
}

/** How to make a table. */
export interface TablePlan {
  readonly budget: number;
  readonly expectedCount: number;
  /** A tier's number, `SOURCE_TARGET` or `SOURCE_OWN`. */
  readonly source: number;
}

/** One thread's hand in the table. */
export class Table {
  readonly memory: Memory;
  readonly address: Address;
  /** This thread's number; unique for as long as the table lives. */
  readonly threadId: number;
  /** What the table's own memory comes from. */
  readonly allocator: Allocator;
  /** Assets that this thread evicted to make room. */
  evictionCount = 0;
  readonly #target: Target;
  readonly #state: number;
  readonly #place: number;
  readonly #mutex: Mutex;
  /** The header's first word: erased when the table goes. */
  readonly #magic: number;
  /** Word indexes of the chunks that this thread knows. */
  readonly #chunks: number[] = [];
  /** This thread's pins, by the record's index. */
  readonly #pins = new Map<number, number>();
  #isOpen = true;

  private constructor(target: Target, allocator: Allocator, address: Address) {
    this.memory = target.memory;
    this.address = address;
    this.allocator = allocator;
    this.#target = target;
    this.#state = address >>> 2;
    const words = this.memory.i32;
    this.#magic = words[this.#state]!;
    this.threadId = nextThread(words, this.#state);
    this.#place = takePlace(words, this.#state, this.threadId);
    this.#mutex = new Mutex(this.memory, this.#state + MUTEX, this.threadId);
  }

  /** Makes a table, and attaches to it. Throws AllocatorError `out-of-memory`. */
  static create(target: Target, allocator: Allocator, { budget, expectedCount, source }: TablePlan): Table {
    const { memory } = target;
    const bucketCount = powerOfTwoCeil(expectedCount);
    const size = (BUCKETS + bucketCount) * 4;
    const address = allocator.allocate(size, HEADER_ALIGNMENT);
    if (address === NULL) throw new AllocatorError('out-of-memory', `there is no block of ${size} bytes for the table`);
    memory.refresh();
    const words = memory.i32;
    const state = address >>> 2;
    words.fill(0, state, state + size / 4);
    words[state + NEXT_THREAD] = 1;
    words[state + BUDGET] = budget | 0;
    words[state + BUCKETS_LOG2] = Math.log2(bucketCount);
    words[state + STATE_BYTES] = size;
    words[state + TABLE_SOURCE] = source;
    writeHeader(memory, address, HEADER);
    return new Table(target, allocator, address);
  }

  /** Attaches to a table. `allocatorOf` is told where its memory comes from. Throws AllocatorError `bad-header`, `corrupt` or `out-of-memory`. */
  static attach(target: Target, allocatorOf: (source: number) => Allocator, address: Address): Table {
    const { memory } = target;
    checkHeader(memory, address, HEADER, BUCKETS * 4);
    const words = memory.i32;
    const state = address >>> 2;
    const bucketsLog2 = words[state + BUCKETS_LOG2]!;
    const fail = (what: string): never => {
      throw new AllocatorError('corrupt', `the registry at ${formatAddress(address)}: ${what}`);
    };
    if (bucketsLog2 < 0 || bucketsLog2 > 28) fail(`2^${bucketsLog2} buckets`);
    if (words[state + STATE_BYTES] !== (BUCKETS + 2 ** bucketsLog2) * 4 || address + words[state + STATE_BYTES]! > memory.committed) fail(`its state has ${words[state + STATE_BYTES]!} bytes`);
    const source = words[state + TABLE_SOURCE]!;
    if (source < SOURCE_OWN || source >= Math.max(1, target.tierNames.length)) fail(`its memory comes from tier ${source}`);
    const table = new Table(target, allocatorOf(source), address);
    try {
      table.#checkChunks(fail);
    } catch (error) {
      table.detach();
      throw error;
    }
    return table;
  }

  /** Whether this handle can be used. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The numbers of the threads that are attached. */
  get threadIds(): number[] {
    const words = this.#renew();
    return Array.from({ length: THREAD_COUNT_MAX }, (_, place) => Atomics.load(words, this.#state + THREADS + place)).filter((id) => id !== 0);
  }

  /** Bytes that assets may have; `Infinity` when nothing was said. */
  get budget(): number {
    return this.#renew()[this.#state + BUDGET]! >>> 0 || Infinity;
  }

  // What needs no lock.

  /** The live asset of a key. O(chain). */
  find(key: string): Entry | undefined {
    const words = this.#renew();
    const hash = hashOf(key);
    for (let round = 0; round < ROUNDS; round += 1) {
      const replacements = Atomics.load(words, this.#state + REPLACEMENTS);
      let isChanging = false;
      let link = Atomics.load(words, this.#bucket(words, hash));
      // No chain is longer than there are records, whatever lies in memory.
      const count = this.#recordCount(words);
      for (let steps = count; link > 0 && link <= count && steps > 0; steps -= 1) {
        const index = link - 1;
        const at = this.#record(index);
        link = Atomics.load(words, at + NEXT);
        const generation = Atomics.load(words, at + GENERATION);
        const state = Atomics.load(words, at + STATE) & STATE_MASK;
        if (state !== LIVE && state !== DYING) continue;
        if (words[at + HASH] !== hash || !isText(this.memory, words[at + NAMES]! >>> 0, words[at + NAME_LENGTHS]!, key)) continue;
        if (state === LIVE && Atomics.load(words, at + GENERATION) === generation) return { index, generation };
        // It may be on its way out because another one takes its place.
        isChanging = true;
      }
      if (!isChanging && Atomics.load(words, this.#state + REPLACEMENTS) === replacements) break;
    }
    return undefined;
  }

  /** The live asset of a key, and what its record says. */
  lookUp(key: string): Found | undefined {
    for (let entry = this.find(key); entry !== undefined; entry = this.find(key)) {
      const description = this.describe(entry);
      if (description !== undefined) return { ...entry, description };
    }
    return undefined;
  }

  /** What a record says, if it is still that asset's. */
  describe({ index, generation }: Entry): Description | undefined {
    const words = this.#renew();
    const at = this.#record(index);
    const description = this.#read(words, at);
    return this.#isLive(words, at, generation) ? description : undefined;
  }

  /** Whether a record is still that asset's. */
  isLive({ index, generation }: Entry): boolean {
    const words = this.#renew();
    return this.#isLive(words, this.#record(index), generation);
  }

  /** Notes a use. */
  touch({ index }: Entry): void {
    const words = this.#renew();
    words[this.#record(index) + USED_AT] = Atomics.add(words, this.#state + CLOCK, 1);
  }

  /** All live assets, as far as they stay so. O(records). */
  entries(): Entry[] {
    const words = this.#renew();
    const entries: Entry[] = [];
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      const generation = Atomics.load(words, at + GENERATION);
      if ((Atomics.load(words, at + STATE) & STATE_MASK) === LIVE) entries.push({ index, generation });
    }
    return entries;
  }

  /** Pins an asset. Returns `false` when it is gone. */
  pin({ index, generation }: Entry): boolean {
    const words = this.#renew();
    const at = this.#record(index);
    const count = this.#pins.get(index) ?? 0;
    for (;;) {
      const state = Atomics.load(words, at + STATE);
      if ((state & STATE_MASK) !== LIVE) return false;
      if (Atomics.compareExchange(words, at + STATE, state, state | this.#bit) === state) break;
    }
    if (Atomics.load(words, at + GENERATION) !== generation) {
      // Another asset has taken its place meanwhile, or long ago, and this thread may have pinned that.
      if (count === 0) Atomics.and(words, at + STATE, ~this.#bit);
      return false;
    }
    this.#pins.set(index, count + 1);
    return true;
  }

  /** Takes a pin away that {@link Table.pin} set. Does nothing once the table is closed. */
  unpin({ index }: Entry): void {
    const count = this.#pins.get(index);
    if (count === undefined) return;
    if (count > 1) {
      this.#pins.set(index, count - 1);
      return;
    }
    this.#pins.delete(index);
    Atomics.and(this.#renew(), this.#record(index) + STATE, ~this.#bit);
  }

  /** Frees an asset. Returns `false` when it is pinned, or gone already. Throws as the target does when its block is not live; it is gone then, too. */
  evict({ index, generation }: Entry): boolean {
    const words = this.#renew();
    if (!this.#seize(words, index, generation)) return false;
    this.#dispose(index);
    return true;
  }

  // What needs the lock.

  /** Does something with the mutex: at once, or as soon as it is free where this thread may not wait. */
  soon<T>(work: () => T): T | Promise<T> {
    this.#renew();
    if (!this.#mutex.lock()) return this.#whenFree(work);
    return this.#unlocking(work);
  }

  /** Does something with the mutex. Throws AllocatorError `unsupported` where this thread may not wait, and would have to. */
  now<T>(work: () => T): T {
    this.#lock();
    return this.#unlocking(work);
  }

  /** Takes a record for a load. Returns its index, or -1 when there is no room. */
  async claim(claim: Claim): Promise<number> {
    const { allocator } = this;
    const names = await insist(allocator, () => this.#writeNames(claim));
    if (names === NULL) return -1;
    let link = 0;
    try {
      link = await insist(allocator, () => this.soon(() => this.#take(claim, names) + 1));
    } finally {
      if (link === 0) allocator.deallocate(names);
    }
    return link - 1;
  }

  /**
   * Makes an asset of a block that is there, which is the table's from now on.
   *
   * @returns `false` when there is one of that key: nothing changed then.
   * @throws AllocatorError `out-of-memory`, or `unsupported` where this thread may not wait for the mutex.
   */
  register({ handle, size, ...claim }: Description): boolean {
    const names = this.#writeNames(claim);
    if (names === NULL) throw noRoom(claim.key);
    let isNew;
    try {
      isNew = this.now(() => this.#enter(claim, names, handle, size));
    } catch (error) {
      this.allocator.deallocate(names);
      throw error;
    }
    if (!isNew) this.allocator.deallocate(names);
    return isNew;
  }

  /**
   * Sees to it that a record's bytes fit into the budget, and evicts what was used longest ago if they do not; nothing, if that would not help.
   *
   * @param check - Throws when the record is its loader's no more.
   * @returns `false` when they do not fit, nothing having changed.
   */
  reserve(index: number, size: number, check: () => void): boolean | Promise<boolean> {
    const budget = this.budget;
    if (budget === Infinity) {
      this.setSize(index, size);
      return true;
    }
    return this.soon(() => {
      check();
      const isRoom = this.#makeRoom(budget, { but: index, size });
      if (isRoom) this.setSize(index, size);
      return isRoom;
    });
  }

  /** Says which block a record's bytes lie in. */
  setBlock(index: number, handle: number): void {
    const words = this.#renew();
    const at = this.#record(index);
    words[at + HANDLE_HIGH] = handleHigh(handle);
    Atomics.store(words, at + ADDRESS, addressOf(handle) | 0);
  }

  /** Says how many bytes an asset has in the end. */
  setSize(index: number, size: number): void {
    this.#renew()[this.#record(index) + SIZE] = size | 0;
  }

  /**
   * Makes an asset of a record. Under the mutex.
   *
   * @returns The asset; or another one of the same key that is there already, and the record is still its loader's.
   */
  publish(index: number): Found {
    const words = this.#renew();
    const at = this.#record(index);
    const description = this.#read(words, at);
    const other = this.lookUp(description.key);
    if (other !== undefined) return other;
    Atomics.store(words, at + STATE, LIVE);
    return { index, generation: words[at + GENERATION]!, description };
  }

  /**
   * The same, but what is there has to go. Under the mutex.
   *
   * @returns `undefined` when that is pinned, nothing having changed.
   */
  replace(index: number): Found | undefined {
    const words = this.#renew();
    const at = this.#record(index);
    const description = this.#read(words, at);
    const other = this.find(description.key);
    const isSeized = other !== undefined && this.#seize(words, other.index, other.generation);
    if (other !== undefined && !isSeized && this.isLive(other)) return undefined;
    Atomics.store(words, at + STATE, LIVE);
    // Whoever passed by the new one before it was there, and comes to the old one when it is gone, looks again.
    Atomics.add(words, this.#state + REPLACEMENTS, 1);
    if (isSeized) this.#dispose(other.index);
    return { index, generation: words[at + GENERATION]!, description };
  }

  /** Frees what this thread was loading, and the record. Throws as the target does when the block is not live. */
  abandon(index: number): void {
    this.#renew();
    this.#dispose(index);
  }

  /**
   * Forgets the assets of a tier whose blocks start at or behind a boundary, without freeing them, then does what frees them all. Under the mutex.
   *
   * @param isBeyond - Whether the block of a handle goes.
   * @returns How many assets that were.
   * @throws AssetError `pinned` when one of them is pinned, or being loaded; nothing changed then.
   */
  forget(tier: number, isBeyond: (handle: number) => boolean, free: () => void): number {
    const words = this.#renew();
    const seized: number[] = [];
    try {
      for (let index = 0; index < this.#recordCount(words); index += 1) {
        const at = this.#record(index);
        const state = Atomics.load(words, at + STATE);
        if (state === FREE || words[at + KIND]! >>> 16 !== tier || words[at + ADDRESS] === NULL || !isBeyond(this.#handleOf(words, at))) continue;
        const isSeized = state === LIVE && Atomics.compareExchange(words, at + STATE, LIVE, DYING | this.#bit) === LIVE;
        if (!isSeized) throw new AssetError('pinned', `${JSON.stringify(this.#keyOf(words, at))} lies above the boundary, and is ${(state & STATE_MASK) === LIVE ? 'pinned' : 'being loaded or evicted'}`);
        seized.push(index);
      }
      free();
    } catch (error) {
      for (const index of seized) Atomics.store(words, this.#record(index) + STATE, LIVE);
      throw error;
    }
    for (const index of seized) {
      words[this.#record(index) + ADDRESS] = NULL;
      this.#dispose(index);
    }
    return seized.length;
  }

  /** The table's own blocks: the state, the chunks, the strings. O(records). */
  blocks(): Address[] {
    const words = this.#renew();
    const blocks = [this.address];
    for (let chunk = 0; chunk < CHUNK_COUNT_MAX && words[this.#state + CHUNKS + chunk] !== NULL; chunk += 1) blocks.push(words[this.#state + CHUNKS + chunk]! >>> 0);
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      if (Atomics.load(words, at + STATE) !== FREE && words[at + NAMES] !== NULL) blocks.push(words[at + NAMES]! >>> 0);
    }
    return blocks;
  }

  // Threads that come and go.

  /** Cleans up after a thread that died. O(records). Throws RangeError when it is not attached, or this one. */
  recover(threadId: number): void {
    const words = this.#renew();
    const place = Array.from({ length: THREAD_COUNT_MAX }, (_, i) => i).find((i) => Atomics.load(words, this.#state + THREADS + i) === threadId);
    if (place === undefined) throw new RangeError(`no thread ${threadId} is attached`);
    if (threadId === this.threadId) throw new RangeError(`thread ${threadId} is this one, and alive`);
    const hadLock = this.#mutex.takeOver(threadId);
    try {
      this.#clearPlace(words, place);
    } finally {
      if (hadLock) this.#mutex.unlock();
    }
    Atomics.compareExchange(words, this.#state + THREADS + place, threadId, 0);
  }

  /** Gives up what this thread has, and its place. Nothing, if that is done. */
  detach(): void {
    if (!this.#isOpen) return;
    const words = this.#renew();
    this.#clearPlace(words, this.#place);
    Atomics.store(words, this.#state + THREADS + this.#place, 0);
    this.close();
  }

  /** The same, and the last one to leave releases. Of several that leave at once exactly one is the last. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#renew();
    if (!this.#mutex.lock()) {
      // Whoever has the mutex is there too.
      this.detach();
    } else if (this.threadIds.length === 1) this.#demolish();
    else {
      this.detach();
      this.#mutex.unlock();
    }
  }

  /** Frees every asset, and the table. What the target refuses to free, because it is gone already, is left. Throws AllocatorError `unsupported` where this thread would have to wait and may not. */
  release(): void {
    this.#lock();
    this.#demolish();
  }

  /** Ends this handle without a look at the table, which is gone. */
  close(): void {
    this.#isOpen = false;
    this.#pins.clear();
  }

  /** How much there is of what. O(records). */
  totals(): Totals {
    const words = this.#renew();
    const totals = { assetCount: 0, assetBytes: 0, loadingCount: 0, loadingBytes: 0, tableBytes: words[this.#state + STATE_BYTES]! };
    for (let chunk = 0; chunk < CHUNK_COUNT_MAX && words[this.#state + CHUNKS + chunk] !== NULL; chunk += 1) totals.tableBytes += chunkRecords(chunk) * RECORD_WORDS * 4;
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      const state = Atomics.load(words, at + STATE) & STATE_MASK;
      if (state === FREE) continue;
      for (let i = 0; i < NAME_COUNT; i += 1) totals.tableBytes += words[at + NAME_LENGTHS + i]! * 2;
      if (state === LIVE) {
        totals.assetCount += 1;
        totals.assetBytes += words[at + SIZE]! >>> 0;
      } else if (state === LOADING) {
        totals.loadingCount += 1;
        totals.loadingBytes += words[at + SIZE]! >>> 0;
      }
    }
    return totals;
  }

  /** Compares everything with everything. O(records). Throws AllocatorError `corrupt`. */
  checkInvariants(): void {
    const words = this.#renew();
    const fail = (what: string): never => {
      throw new AllocatorError('corrupt', `the registry at ${formatAddress(this.address)}: ${what}`);
    };
    checkHeader(this.memory, this.address, HEADER, BUCKETS * 4);
    this.#checkChunks(fail);
    const chained = new Set<number>();
    const keys = new Set<string>();
    const bucketCount = 2 ** words[this.#state + BUCKETS_LOG2]!;
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      let link = words[this.#state + BUCKETS + bucket]!;
      while (link !== 0) {
        const index = link - 1;
        if (index < 0 || index >= this.#recordCount(words) || chained.has(index)) fail(`the chain of bucket ${bucket} leads to record ${index}`);
        chained.add(index);
        const at = this.#record(index);
        if (words[at + STATE] !== FREE) this.#checkRecord(words, { index, bucket, keys, fail });
        link = words[at + NEXT]!;
      }
    }
  }

  get #bit(): number {
    return 4 << this.#place;
  }

  /** The current view, where the table still lies. */
  #renew(): Int32Array {
    if (!this.#isOpen) throw new AllocatorError('released', 'this registry was released, or this handle was detached');
    this.memory.refresh();
    if (this.memory.i32[this.#state] !== this.#magic) {
      this.close();
      throw new AllocatorError('released', `the registry at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    return this.memory.i32;
  }

  #recordCount(words: Int32Array): number {
    return Atomics.load(words, this.#state + RECORD_COUNT);
  }

  /** Where a record lies, a word index. */
  #record(index: number): number {
    const chunk = chunkOf(index);
    const start = (this.#chunks[chunk] ??= (this.memory.i32[this.#state + CHUNKS + chunk]! >>> 0) >>> 2);
    return start + (index - firstRecord(chunk)) * RECORD_WORDS;
  }

  /** Where the first link of a hash's chain lies, a word index. */
  #bucket(words: Int32Array, hash: number): number {
    return this.#state + BUCKETS + (hash & (2 ** words[this.#state + BUCKETS_LOG2]! - 1));
  }

  #isLive(words: Int32Array, at: number, generation: number): boolean {
    return (Atomics.load(words, at + STATE) & STATE_MASK) === LIVE && Atomics.load(words, at + GENERATION) === generation;
  }

  /** What a record says. Anything may, while others write it. */
  #read(words: Int32Array, at: number): Description {
    let start = (words[at + NAMES]! >>> 0) >>> 1;
    const text = (i: number): string => {
      const length = words[at + NAME_LENGTHS + i]! & 0xffff;
      start += length;
      return length === 0 ? '' : readText(this.memory, start - length, length);
    };
    const [key, etag, lastModified, contentType] = [text(0), text(1), text(2), text(3)];
    const kind = words[at + KIND]!;
    return {
      key,
      type: ASSET_TYPES[kind & 0xffff]!,
      tier: kind >>> 16,
      handle: this.#handleOf(words, at),
      size: words[at + SIZE]! >>> 0,
      etag: etag === '' ? undefined : etag,
      lastModified: lastModified === '' ? undefined : lastModified,
      contentType: contentType === '' ? undefined : contentType,
    };
  }

  #keyOf(words: Int32Array, at: number): string {
    return readText(this.memory, (words[at + NAMES]! >>> 0) >>> 1, words[at + NAME_LENGTHS]!);
  }

  #handleOf(words: Int32Array, at: number): number {
    return (words[at + HANDLE_HIGH]! >>> 0) * ADDRESS_SPACE_SIZE + (words[at + ADDRESS]! >>> 0);
  }

  /** Takes an asset that nobody has pinned away from everybody. */
  #seize(words: Int32Array, index: number, generation: number): boolean {
    const at = this.#record(index);
    if (Atomics.compareExchange(words, at + STATE, LIVE, DYING | this.#bit) !== LIVE) return false;
    if (Atomics.load(words, at + GENERATION) === generation) return true;
    // It became another one since it was looked up.
    Atomics.store(words, at + STATE, LIVE);
    return false;
  }

  /** Frees what a record of this thread holds, and the record. Each block is struck out before it is freed: who dies between loses it, but nobody frees it twice. */
  #dispose(index: number): void {
    const words = this.memory.i32;
    const at = this.#record(index);
    const handle = this.#handleOf(words, at);
    const names = words[at + NAMES]! >>> 0;
    try {
      Atomics.store(words, at + ADDRESS, NULL);
      if (addressOf(handle) !== NULL) this.#target.deallocate(handle);
    } finally {
      Atomics.store(words, at + NAMES, NULL);
      try {
        if (names !== NULL) this.allocator.deallocate(names);
      } finally {
        Atomics.store(this.memory.i32, at + STATE, FREE);
      }
    }
  }

  #lock(): void {
    this.#renew();
    if (!this.#mutex.lock()) throw new AllocatorError('unsupported', `the table is locked by thread ${this.#mutex.holder}, and this one may not wait: try again later`);
  }

  /** Frees everything, the mutex last, which this thread has. */
  #demolish(): void {
    const words = this.#renew();
    const chunks = Array.from({ length: CHUNK_COUNT_MAX }, (_, chunk) => words[this.#state + CHUNKS + chunk]! >>> 0).filter((address) => address !== NULL);
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const isFree = Atomics.load(words, this.#record(index) + STATE) === FREE;
      if (!isFree) leavingWhatIsGone(() => this.#dispose(index));
    }
    eraseHeader(this.memory, this.address);
    this.#mutex.end();
    this.close();
    for (const block of [...chunks, this.address]) leavingWhatIsGone(() => this.allocator.deallocate(block));
  }

  /** Frees what a thread was loading or evicting, and takes its pins away. */
  #clearPlace(words: Int32Array, place: number): void {
    const bit = 4 << place;
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      const state = Atomics.load(words, at + STATE);
      if ((state & bit) === 0) continue;
      if ((state & STATE_MASK) === LIVE) Atomics.and(words, at + STATE, ~bit);
      else this.#dispose(index);
    }
  }

  /** Allocates and writes the strings of a record. Returns `NULL` when there is no room. */
  #writeNames(claim: Claim): Address {
    this.#renew();
    const names = namesOf(claim);
    const size = names.reduce((sum, { length }) => sum + length, 0) * 2;
    const address = this.allocator.allocate(size, 2);
    if (address === NULL) return NULL;
    this.memory.refresh();
    writeNames(this.memory, address, names);
    return address;
  }

  /** Makes a free record one that this thread loads. Under the mutex. Returns its index, or -1 when there is no room. */
  #take(claim: Claim, names: Address): number {
    const hash = hashOf(claim.key);
    const index = this.#freeRecord(hash);
    if (index < 0) return -1;
    const words = this.memory.i32;
    const at = this.#record(index);
    Atomics.add(words, at + GENERATION, 1);
    words[at + HASH] = hash;
    words[at + NAMES] = names | 0;
    for (const [i, name] of namesOf(claim).entries()) words[at + NAME_LENGTHS + i] = name.length;
    words[at + ADDRESS] = NULL;
    words[at + HANDLE_HIGH] = 0;
    words[at + SIZE] = 0;
    words[at + KIND] = ASSET_TYPES.indexOf(claim.type) | (claim.tier << 16);
    words[at + USED_AT] = Atomics.add(words, this.#state + CLOCK, 1);
    Atomics.store(words, at + STATE, LOADING | this.#bit);
    return index;
  }

  /** Makes an asset of bytes that are there. Under the mutex. Returns whether the key is new; otherwise nothing changed. */
  #enter(claim: Claim, names: Address, handle: number, size: number): boolean {
    if (this.find(claim.key) !== undefined) return false;
    const index = this.#take(claim, names);
    if (index < 0) throw noRoom(claim.key);
    this.setBlock(index, handle);
    this.setSize(index, size);
    Atomics.store(this.memory.i32, this.#record(index) + STATE, LIVE);
    return true;
  }

  /** The first free record of a chain, or one more at its head. Returns -1 when there is no room. Under the mutex. */
  #freeRecord(hash: number): number {
    const words = this.#renew();
    const count = this.#recordCount(words);
    let link = words[this.#bucket(words, hash)]!;
    for (let steps = count; link > 0 && link <= count && steps > 0; steps -= 1) {
      const at = this.#record(link - 1);
      if (Atomics.load(words, at + STATE) === FREE) return link - 1;
      link = words[at + NEXT]!;
    }
    const chunk = chunkOf(count);
    if (chunk >= CHUNK_COUNT_MAX || (words[this.#state + CHUNKS + chunk] === NULL && !this.#addChunk(chunk))) return -1;
    const current = this.memory.i32;
    const head = this.#bucket(current, hash);
    Atomics.store(current, this.#state + RECORD_COUNT, count + 1);
    current[this.#record(count) + NEXT] = current[head]!;
    Atomics.store(current, head, count + 1);
    return count;
  }

  #addChunk(chunk: number): boolean {
    const size = chunkRecords(chunk) * RECORD_WORDS * 4;
    const address = this.allocator.allocate(size, HEADER_ALIGNMENT);
    if (address === NULL) return false;
    this.memory.refresh();
    const words = this.memory.i32;
    words.fill(0, address >>> 2, (address + size) >>> 2);
    Atomics.store(words, this.#state + CHUNKS + chunk, address | 0);
    return true;
  }

  #makeRoom(budget: number, { but, size }: { readonly but: number; readonly size: number }): boolean {
    const words = this.#renew();
    let total = size;
    let pinned = size;
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      const state = Atomics.load(words, at + STATE);
      if (index === but || state === FREE) continue;
      total += words[at + SIZE]! >>> 0;
      if (state !== LIVE) pinned += words[at + SIZE]! >>> 0;
    }
    if (pinned > budget) return false;
    while (total > budget) {
      const oldest = this.#oldest(words);
      if (oldest === undefined) return false;
      const bytes = words[this.#record(oldest.index) + SIZE]! >>> 0;
      if (!this.evict(oldest)) continue;
      this.evictionCount += 1;
      total -= bytes;
    }
    return true;
  }

  /** The asset that was used longest ago, of those that nobody has pinned and that have bytes. O(records). */
  #oldest(words: Int32Array): Entry | undefined {
    const now = Atomics.load(words, this.#state + CLOCK);
    let oldest: Entry | undefined;
    let age = -1;
    for (let index = 0; index < this.#recordCount(words); index += 1) {
      const at = this.#record(index);
      if (Atomics.load(words, at + STATE) !== LIVE || words[at + SIZE] === 0) continue;
      const itsAge = (now - words[at + USED_AT]!) >>> 0;
      if (itsAge > age) [oldest, age] = [{ index, generation: Atomics.load(words, at + GENERATION) }, itsAge];
    }
    return oldest;
  }

  #unlocking<T>(work: () => T): T {
    try {
      return work();
    } finally {
      this.#mutex.unlock();
    }
  }

  async #whenFree<T>(work: () => T): Promise<T> {
    do {
      await this.#mutex.whenFree();
      this.#renew();
    } while (!this.#mutex.tryLock());
    return this.#unlocking(work);
  }

  #checkChunks(fail: (what: string) => never): void {
    const words = this.memory.i32;
    const count = this.#recordCount(words);
    if (count < 0) fail(`${count} records`);
    for (let chunk = 0; count > 0 && chunk <= chunkOf(count - 1); chunk += 1) {
      const address = chunk < CHUNK_COUNT_MAX ? words[this.#state + CHUNKS + chunk]! >>> 0 : NULL;
      const isThere = address !== NULL && address % HEADER_ALIGNMENT === 0 && address + chunkRecords(chunk) * RECORD_WORDS * 4 <= this.memory.committed;
      if (!isThere) fail(`chunk ${chunk} at ${formatAddress(address)} does not lie in the memory`);
    }
  }

  #checkRecord(words: Int32Array, { index, bucket, keys, fail }: { readonly index: number; readonly bucket: number; readonly keys: Set<string>; readonly fail: (what: string) => never }): void {
    const at = this.#record(index);
    const state = words[at + STATE]!;
    const names = words[at + NAMES]! >>> 0;
    const key = this.#keyOf(words, at);
    const shown = `record ${index}, ${JSON.stringify(key)}`;
    const usable = (what: string, size: () => number): number => {
      try {
        return size();
      } catch (error) {
        if (error instanceof AllocatorError && (error.code === 'released' || error.code === 'unsupported')) throw error;
        return fail(`${shown}, has no ${what}: ${(error as Error).message}`);
      }
    };
    if (names === NULL || usable('name', () => this.allocator.usableSize(names)) < words[at + NAME_LENGTHS]! * 2) fail(`${shown}, has no name`);
    const hash = hashOf(key);
    if (words[at + HASH] !== hash || (hash & (2 ** words[this.#state + BUCKETS_LOG2]! - 1)) !== bucket) fail(`${shown}, is in the chain of bucket ${bucket}`);
    const handle = this.#handleOf(words, at);
    const size = words[at + SIZE]! >>> 0;
    const isHeld = addressOf(handle) === NULL ? (state & STATE_MASK) !== LIVE || size === 0 : usable('block', () => this.#target.usableSize(handle)) >= size;
    // While a block is being moved, its record may say more than it has.
    if ((state & STATE_MASK) === LIVE && !isHeld) fail(`${shown}, has ${size} bytes, and a block of fewer`);
    if ((state & STATE_MASK) !== LIVE) return;
    if (keys.has(key)) fail(`${shown}, is there twice`);
    keys.add(key);
  }
}

/** At the end, blocks may be gone with what they lay in. */
function leavingWhatIsGone(free: () => void): void {
  try {
    free();
  } catch (error) {
    if (!(error instanceof AllocatorError)) throw error;
  }
}

function namesOf({ key, etag = '', lastModified = '', contentType = '' }: Claim): string[] {
  return [key, etag, lastModified, contentType];
}

function noRoom(key: string): AllocatorError {
  return new AllocatorError('out-of-memory', `there is no room for ${JSON.stringify(key)} in the table`);
}

function nextThread(words: Int32Array, state: number): number {
  const threadId = Atomics.add(words, state + NEXT_THREAD, 1);
  if (threadId > 0 && threadId <= OWNER_MAX) return threadId;
  throw new AllocatorError('unsupported', `no more than ${OWNER_MAX} threads can use a registry in its life`);
}

function takePlace(words: Int32Array, state: number, threadId: number): number {
  for (let place = 0; place < THREAD_COUNT_MAX; place += 1) {
    if (Atomics.compareExchange(words, state + THREADS + place, 0, threadId) === 0) return place;
  }
  throw new AllocatorError('out-of-memory', `all ${THREAD_COUNT_MAX} places for threads are taken: detach those that are done, or recover those that died`);
}

if (MUTEX + MUTEX_WORDS > NEXT_THREAD) throw new RangeError('the mutex must lie before the other fields');
