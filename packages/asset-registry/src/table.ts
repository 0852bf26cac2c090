/**
 * The table of assets, which all threads share.
 *
 * A record is claimed and published under the mutex; between, it belongs to the thread that loads. Everything else is done without: a look-up reads a record
 * between two looks at its generation; a pin is the thread's bit in the record's state; who evicts changes the state from `LIVE`, with no pins, to `DYING`, in
 * one step, and so has it alone.
 *
 *     FREE -> LOADING -> LIVE -> DYING -> FREE        LOADING -> FREE: the load failed
 *
 * What a thread does to memory it says in the record before: whoever recovers it when it died finds there what to free.
 */

import {
  AllocatorError,
  HEADER_ALIGNMENT,
  NULL,
  checkHeader,
  eraseHeader,
  powerOfTwoCeil,
  writeHeader,
  formatAddress,
  type Address,
  type Allocator,
  type Memory,
} from '@allokit/allocator';
import { AssetError } from './asset-error.ts';
import { makeRoom } from './budget.ts';
import {
  ADDRESS,
  BUCKETS,
  BUCKETS_LOG2,
  BUDGET,
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
  MARK,
  NAMES,
  NAME_LENGTHS,
  NEXT_THREAD,
  REPLACEMENTS,
  SIZE,
  STATE,
  STATE_BYTES,
  STATE_MASK,
  TABLE_SOURCE,
  USED_AT,
} from './layout.ts';
import { Member } from './member.ts';
import { hashOf } from './names.ts';
import { ASSET_TYPES } from './options.ts';
import { Records, handleAt, type Description, type Entry, type Found } from './records.ts';
import { allocateNames, freeRecord } from './room.ts';
import { checkState, checkTable } from './table-check.ts';
import { addressOf, handleHigh, insist, type Target } from './target.ts';

/** A record to be claimed. */
export type Claim = Omit<Description, 'handle' | 'size'>;

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
  /** The table, to be read. */
  readonly records: Records;
  /** This thread's part in it. */
  readonly member: Member;
  /** What the table's own memory comes from. */
  readonly allocator: Allocator;
  readonly #target: Target;
  readonly #state: number;
  /** This thread's pins, by the record's index. */
  readonly #pins = new Map<number, number>();
  #evictionCount = 0;

  private constructor(target: Target, allocator: Allocator, records: Records) {
    const { memory, address, state } = records;
    this.memory = memory;
    this.address = address;
    this.records = records;
    this.allocator = allocator;
    this.#target = target;
    this.#state = state;
    this.member = new Member(records);
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
    words[state + MARK] = Math.floor(Math.random() * 2 ** 32) | 0;
    writeHeader(memory, address, HEADER);
    return new Table(target, allocator, new Records(memory, address));
  }

  /** Attaches to a table. `allocatorOf` is told where its memory comes from. Throws AllocatorError `bad-header`, `corrupt` or `out-of-memory`. */
  static attach(target: Target, allocatorOf: (source: number) => Allocator, address: Address): Table {
    checkHeader(target.memory, address, HEADER, BUCKETS * 4);
    const records = new Records(target.memory, address);
    checkState(records, target.tierNames.length);
    return new Table(target, allocatorOf(target.memory.i32[records.state + TABLE_SOURCE]!), records);
  }

  // What needs no lock.

  /** Notes a use. */
  touch({ index }: Entry): void {
    const words = this.records.renew();
    words[this.records.at(index) + USED_AT] = Atomics.add(words, this.#state + CLOCK, 1);
  }

  /** Pins an asset. Returns `false` when it is gone. */
  pin({ index, generation }: Entry): boolean {
    const words = this.records.renew();
    const at = this.records.at(index);
    for (;;) {
      const state = Atomics.load(words, at + STATE);
      if ((state & STATE_MASK) !== LIVE || Atomics.load(words, at + GENERATION) !== generation) return false;
      if (this.#transition(at, generation, state, state | this.member.bit)) break;
    }
    this.#pins.set(index, (this.#pins.get(index) ?? 0) + 1);
    return true;
  }

  /** Takes a pin away that {@link Table.pin} set. Does nothing once the table is closed, or gone. */
  unpin({ index }: Entry): void {
    const count = this.#pins.get(index);
    if (count === undefined) return;
    if (count > 1) {
      this.#pins.set(index, count - 1);
      return;
    }
    this.#pins.delete(index);
    leavingWhatIsGone(() => Atomics.and(this.records.renew(), this.records.at(index) + STATE, ~this.member.bit));
  }

  /** Frees an asset. Returns `false` when it is pinned, or gone already. Throws as the target does when its block is not live; it is gone then, too. */
  evict(entry: Entry): boolean {
    this.records.renew();
    if (!this.#seize(entry)) return false;
    this.#dispose(entry.index);
    return true;
  }

  /** The same to make room: nothing is wrong for whoever needs it if the block is gone already. */
  evictForRoom(entry: Entry): boolean {
    this.records.renew();
    if (!this.#seize(entry)) return false;
    leavingWhatIsGone(() => this.#dispose(entry.index));
    this.#evictionCount += 1;
    return true;
  }

  /** Assets that this thread evicted to make room. */
  get evictionCount(): number {
    return this.#evictionCount;
  }

  // What needs the lock.

  /** Takes a record for a load. Returns its index, or -1 when there is no room. */
  async claim(claim: Claim): Promise<number> {
    const link = await insist(this.allocator, () => this.member.soon(() => this.take(claim) + 1));
    return link - 1;
  }

  /**
   * Makes a free record one that this thread loads. Returns its index, or -1 when there is no room. Under the mutex, so that whoever compacts a tier sees its
   * strings.
   */
  take(claim: Claim): number {
    const names = allocateNames(this.records, this.allocator, namesOf(claim));
    if (names === NULL) return -1;
    const hash = hashOf(claim.key);
    const index = freeRecord(this.records, this.allocator, hash);
    if (index < 0) {
      this.allocator.deallocate(names);
      return -1;
    }
    const words = this.memory.i32;
    const at = this.records.at(index);
    Atomics.add(words, at + GENERATION, 1);
    words[at + HASH] = hash;
    words[at + NAMES] = names | 0;
    for (const [i, name] of namesOf(claim).entries()) words[at + NAME_LENGTHS + i] = name.length;
    words[at + ADDRESS] = NULL;
    words[at + HANDLE_HIGH] = 0;
    words[at + SIZE] = 0;
    words[at + KIND] = ASSET_TYPES.indexOf(claim.type) | (claim.tier << 16);
    words[at + USED_AT] = Atomics.add(words, this.#state + CLOCK, 1);
    Atomics.store(words, at + STATE, LOADING | this.member.bit);
    return index;
  }

  /**
   * Makes an asset of a block that is there, which is the table's from now on.
   *
   * @returns `false` when there is one of that key: nothing changed then.
   * @throws RangeError for a block that the table has already; AllocatorError `out-of-memory`, or `unsupported` where this thread may not wait for the mutex.
   */
  register(description: Description): boolean {
    return this.member.now(() => this.#enter(description));
  }

  /**
   * Sees to it that a record's bytes fit into the budget, and evicts what was used longest ago if they do not; nothing, if that would not help.
   *
   * @param check - Throws when the record is its loader's no more.
   * @returns `false` when they do not fit, nothing having changed.
   */
  reserve(index: number, size: number, check: () => void): boolean | Promise<boolean> {
    const budget = this.records.budget;
    if (budget === Infinity) {
      this.setSize(index, size);
      return true;
    }
    return this.member.soon(() => {
      check();
      const isRoom = makeRoom(this, budget, { but: index, size });
      if (isRoom) this.setSize(index, size);
      return isRoom;
    });
  }

  /** Says which block a record's bytes lie in. */
  setBlock(index: number, handle: number): void {
    const words = this.records.renew();
    const at = this.records.at(index);
    words[at + HANDLE_HIGH] = handleHigh(handle);
    Atomics.store(words, at + ADDRESS, addressOf(handle) | 0);
  }

  /** Says how many bytes an asset has in the end. */
  setSize(index: number, size: number): void {
    this.records.renew()[this.records.at(index) + SIZE] = size | 0;
  }

  /**
   * Makes an asset of a record. Under the mutex.
   *
   * @returns The asset; or another one of the same key that is there already, and the record is still its loader's.
   */
  publish(index: number): Found {
    const words = this.records.renew();
    const at = this.records.at(index);
    const description = this.records.read(words, at);
    const other = this.records.lookUp(description.key);
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
    const words = this.records.renew();
    const at = this.records.at(index);
    const description = this.records.read(words, at);
    const other = this.records.find(description.key);
    const isSeized = other !== undefined && this.#seize(other);
    if (other !== undefined && !isSeized && this.records.isLive(other)) return undefined;
    Atomics.store(words, at + STATE, LIVE);
    // Whoever passed by the new one before it was there, and comes to the old one when it is gone, looks again.
    Atomics.add(words, this.#state + REPLACEMENTS, 1);
    if (isSeized) leavingWhatIsGone(() => this.#dispose(other.index));
    return { index, generation: words[at + GENERATION]!, description };
  }

  /** Frees what this thread was loading, and the record. Throws as the target does when the block is not live. */
  abandon(index: number): void {
    this.records.renew();
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
    const words = this.records.renew();
    const seized: { readonly at: number; readonly index: number; readonly address: Address }[] = [];
    try {
      for (let index = 0; index < this.records.count; index += 1) {
        const at = this.records.at(index);
        const state = Atomics.load(words, at + STATE);
        if (state === FREE || words[at + KIND]! >>> 16 !== tier || words[at + ADDRESS] === NULL || !isBeyond(handleAt(words, at))) continue;
        const isSeized = state === LIVE && Atomics.compareExchange(words, at + STATE, LIVE, DYING | this.member.bit) === LIVE;
        if (!isSeized)
          throw new AssetError(
            'pinned',
            `${JSON.stringify(this.records.keyAt(words, at))} lies above the boundary, and is ${(state & STATE_MASK) === LIVE ? 'pinned' : 'being loaded or evicted'}`,
          );
        // Nobody may free what `free` frees, should this thread die.
        seized.push({ at, index, address: Atomics.exchange(words, at + ADDRESS, NULL) });
      }
      free();
    } catch (error) {
      for (const { at, address } of seized) {
        Atomics.store(words, at + ADDRESS, address);
        Atomics.store(words, at + STATE, LIVE);
      }
      throw error;
    }
    for (const { index } of seized) this.#dispose(index);
    return seized.length;
  }

  /** Compares everything with everything. O(records). Throws AllocatorError `corrupt`. */
  checkInvariants(): void {
    checkTable(this.records, this.#target, this.allocator);
  }

  // Threads that come and go.

  /** Cleans up after a thread that died. O(records). Throws as {@link Member.standInFor}. */
  recover(threadId: number): void {
    this.member.standInFor(threadId, (bit) => this.#clear(bit));
  }

  /** Gives up what this thread has, and its place. Nothing, if that is done. */
  detach(): void {
    if (!this.records.isOpen) return;
    this.member.leave((bit) => this.#clear(bit));
    this.close();
  }

  /** The same, and the last one to leave releases. Of several that leave at once exactly one is the last, if all may wait for the mutex. */
  leave(): void {
    if (!this.records.isOpen) return;
    if (!this.member.tryLock()) {
      // Whoever has the mutex is there too, unless it is about to leave: then nobody releases.
      this.detach();
    } else if (this.member.isAlone) this.#demolish();
    else {
      this.detach();
      this.member.unlock();
    }
  }

  /**
   * Frees every asset, and the table. What the target refuses to free, because it is gone already, is left. Throws AllocatorError `unsupported` where this
   * thread would have to wait and may not.
   */
  release(): void {
    this.member.lock();
    this.#demolish();
  }

  /** Ends this handle without a look at the table, which is gone. */
  close(): void {
    this.records.close();
    this.#pins.clear();
  }

  /** Takes an asset that nobody has pinned away from everybody. */
  #seize({ index, generation }: Entry): boolean {
    return this.#transition(this.records.at(index), generation, LIVE, DYING | this.member.bit);
  }

  /**
   * Changes a record's state if it and the generation are what they should be: in one step, so that nobody ever sees an asset changed by whoever meant the one
   * that was there before.
   */
  #transition(at: number, generation: number, from: number, to: number): boolean {
    const expected = stateOf(generation, from);
    return Atomics.compareExchange(this.memory.i64, at / 2, expected, stateOf(generation, to)) === expected;
  }

  /**
   * Frees what a record of this thread holds, and the record. Each block is struck out before it is freed: who dies between loses it, but nobody frees it
   * twice.
   */
  #dispose(index: number): void {
    const words = this.memory.i32;
    const at = this.records.at(index);
    const handle = handleAt(words, at);
    const names = words[at + NAMES]! >>> 0;
    try {
      Atomics.store(words, at + ADDRESS, NULL);
      if (addressOf(handle) !== NULL) this.#target.deallocate(handle);
    } finally {
      Atomics.store(this.memory.i32, at + NAMES, NULL);
      try {
        if (names !== NULL) this.allocator.deallocate(names);
      } finally {
        Atomics.store(this.memory.i32, at + STATE, FREE);
      }
    }
  }

  /** Frees everything, the mutex last, which this thread has. */
  #demolish(): void {
    const chunks = this.records.chunks();
    const words = this.records.renew();
    for (let index = 0; index < this.records.count; index += 1) {
      const isFree = Atomics.load(words, this.records.at(index) + STATE) === FREE;
      if (!isFree) leavingWhatIsGone(() => this.#dispose(index));
    }
    eraseHeader(this.memory, this.address);
    this.memory.i32[this.#state + MARK] = 0;
    this.member.endMutex();
    this.close();
    for (const block of [...chunks, this.address]) leavingWhatIsGone(() => this.allocator.deallocate(block));
  }

  /** Frees what bears a place's bit because its thread was loading or evicting it, as far as it is there, and takes the thread's pins away. */
  #clear(bit: number): void {
    const words = this.records.renew();
    for (let index = 0; index < this.records.count; index += 1) {
      const at = this.records.at(index);
      const state = Atomics.load(words, at + STATE);
      if ((state & bit) === 0) continue;
      if ((state & STATE_MASK) === LIVE) Atomics.and(words, at + STATE, ~bit);
      else leavingWhatIsGone(() => this.#dispose(index));
    }
  }

  /** Makes an asset of bytes that are there. Under the mutex. Returns whether the key is new; otherwise nothing changed. */
  #enter({ handle, size, ...claim }: Description): boolean {
    if (this.records.find(claim.key) !== undefined) return false;
    const address = addressOf(handle);
    if (address !== NULL && this.records.hold(address)) throw new RangeError(`the block at ${formatAddress(address)} is the registry's already`);
    const index = this.take(claim);
    if (index < 0) throw new AllocatorError('out-of-memory', `there is no room for ${JSON.stringify(claim.key)} in the table`);
    this.setBlock(index, handle);
    this.setSize(index, size);
    Atomics.store(this.memory.i32, this.records.at(index) + STATE, LIVE);
    return true;
  }
}

/** Blocks may be gone with what they lay in, and so may the table: that is no concern of whoever only cleans up. */
function leavingWhatIsGone(free: () => unknown): void {
  try {
    free();
  } catch (error) {
    if (!(error instanceof AllocatorError)) throw error;
  }
}

/** A record's first two words as one. */
function stateOf(generation: number, state: number): bigint {
  return (BigInt(generation) << 32n) | BigInt(state >>> 0);
}

function namesOf({ key, etag = '', lastModified = '', contentType = '' }: Claim): string[] {
  return [key, etag, lastModified, contentType];
}

if (STATE % 2 !== 0 || GENERATION !== STATE + 1) throw new RangeError('a record must have its state and generation in one word of 64 bits');
