/**
 * The table of assets as anybody may read it at any time: without a lock, and without a change.
 *
 * A record is read between two looks at its state and generation: what it says counts if both are the same. Records stay where they are, and in their chains,
 * for as long as the table lives; only what they say changes, and the strings they point to, which may be read when they are gone, because what was read does
 * not count then.
 */

import { ADDRESS_SPACE_SIZE, AllocatorError, NULL, formatAddress, type Address, type Memory } from '@allokit/allocator';
import type { AssetType } from './asset.ts';
import {
  ADDRESS,
  BUCKETS,
  BUCKETS_LOG2,
  BUDGET,
  CHUNKS,
  CHUNK_COUNT_MAX,
  DYING,
  FREE,
  GENERATION,
  HANDLE_HIGH,
  HASH,
  KIND,
  LIVE,
  LOADING,
  MARK,
  NAMES,
  NAME_COUNT,
  NAME_LENGTHS,
  NEXT,
  RECORD_COUNT,
  RECORD_WORDS,
  REPLACEMENTS,
  SIZE,
  STATE,
  STATE_BYTES,
  STATE_MASK,
  THREADS,
  THREAD_COUNT_MAX,
  chunkOf,
  chunkRecords,
  firstRecord,
} from './layout.ts';
import { hashOf, isText, readText } from './names.ts';
import { ASSET_TYPES } from './options.ts';

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

/** How much there is of what. */
export interface Totals {
  readonly assetCount: number;
  readonly assetBytes: number;
  readonly loadingCount: number;
  readonly loadingBytes: number;
  readonly tableBytes: number;
}

/** One thread's look at the table. */
export class Records {
  readonly memory: Memory;
  /** Where the state lies, and the same as a word index. */
  readonly address: Address;
  readonly state: number;
  /** The header's first word, and the table's mark: erased when the table goes. Another one at the same place has another mark. */
  readonly #magic: number;
  readonly #mark: number;
  /** Word indexes of the chunks that this thread knows. */
  readonly #chunks: number[] = [];
  #isOpen = true;
  #count = 0;

  constructor(memory: Memory, address: Address) {
    this.memory = memory;
    this.address = address;
    this.state = address >>> 2;
    this.#magic = memory.i32[this.state]!;
    this.#mark = memory.i32[this.state + MARK]!;
  }

  /** Whether this handle can be used. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Ends this handle. */
  close(): void {
    this.#isOpen = false;
  }

  /** Records there were when the view was last taken. */
  get count(): number {
    return this.#count;
  }

  /** Takes the current view, where the table still lies. Throws AllocatorError `released`. */
  renew(): Int32Array {
    if (!this.#isOpen) throw new AllocatorError('released', 'this registry was released, or this handle was detached');
    const { memory, state } = this;
    let words = memory.i32;
    if (words[state] !== this.#magic || words[state + MARK] !== this.#mark) {
      this.close();
      throw new AllocatorError('released', `the registry at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    // In this order the view covers all records that are counted, wherever memory grew to have them.
    this.#count = Atomics.load(words, state + RECORD_COUNT);
    memory.refresh();
    words = memory.i32;
    return words;
  }

  /** Where a record lies, a word index. */
  at(index: number): number {
    const chunk = chunkOf(index);
    const start = (this.#chunks[chunk] ??= (this.memory.i32[this.state + CHUNKS + chunk]! >>> 0) >>> 2);
    return start + (index - firstRecord(chunk)) * RECORD_WORDS;
  }

  /** Where the first link of a hash's chain lies, a word index. */
  bucketAt(words: Int32Array, hash: number): number {
    return this.state + BUCKETS + (hash & (2 ** words[this.state + BUCKETS_LOG2]! - 1));
  }

  /** The live asset of a key. O(chain). */
  find(key: string): Entry | undefined {
    const hash = hashOf(key);
    for (let round = 0; round < ROUNDS; round += 1) {
      const words = this.renew();
      const replacements = Atomics.load(words, this.state + REPLACEMENTS);
      const found = this.#findOnce(words, key, hash);
      if (typeof found === 'object') return found;
      if (found === 'none' && Atomics.load(words, this.state + REPLACEMENTS) === replacements) return undefined;
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
    const words = this.renew();
    const at = this.at(index);
    const description = this.read(words, at);
    return this.#isLive(words, at, generation) ? description : undefined;
  }

  /** Whether a record is still that asset's. */
  isLive({ index, generation }: Entry): boolean {
    return this.#isLive(this.renew(), this.at(index), generation);
  }

  /** All live assets, as far as they stay so. O(records). */
  entries(): Entry[] {
    const words = this.renew();
    const entries: Entry[] = [];
    for (let index = 0; index < this.#count; index += 1) {
      const at = this.at(index);
      const generation = Atomics.load(words, at + GENERATION);
      if ((Atomics.load(words, at + STATE) & STATE_MASK) === LIVE) entries.push({ index, generation });
    }
    return entries;
  }

  /** What a record says. Anything may, while others write it. */
  read(words: Int32Array, at: number): Description {
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
      handle: handleAt(words, at),
      size: words[at + SIZE]! >>> 0,
      etag: etag === '' ? undefined : etag,
      lastModified: lastModified === '' ? undefined : lastModified,
      contentType: contentType === '' ? undefined : contentType,
    };
  }

  /** A record's key. */
  keyAt(words: Int32Array, at: number): string {
    return readText(this.memory, (words[at + NAMES]! >>> 0) >>> 1, words[at + NAME_LENGTHS]! & 0xffff);
  }

  /** The addresses of the chunks. */
  chunks(): Address[] {
    const words = this.renew();
    return Array.from({ length: CHUNK_COUNT_MAX }, (_, chunk) => words[this.state + CHUNKS + chunk]! >>> 0).filter((address) => address !== NULL);
  }

  /** The table's own blocks: the state, the chunks, the strings. O(records). */
  blocks(): Address[] {
    const blocks = [this.address, ...this.chunks()];
    const words = this.renew();
    for (let index = 0; index < this.#count; index += 1) {
      const at = this.at(index);
      if (Atomics.load(words, at + STATE) !== FREE && words[at + NAMES] !== NULL) blocks.push(words[at + NAMES]! >>> 0);
    }
    return blocks;
  }

  /** Whether a block belongs to the table already: as one of its own, or as that of an asset, loads under way included. O(records). */
  hold(address: Address): boolean {
    if (address === this.address || this.chunks().includes(address)) return true;
    const words = this.renew();
    for (let index = 0; index < this.#count; index += 1) {
      const at = this.at(index);
      if (Atomics.load(words, at + STATE) === FREE) continue;
      if (words[at + ADDRESS]! >>> 0 === address || words[at + NAMES]! >>> 0 === address) return true;
    }
    return false;
  }

  /** How much there is of what. O(records). */
  totals(): Totals {
    const tableBytes = this.chunks().reduce((sum, _, chunk) => sum + chunkRecords(chunk) * RECORD_WORDS * 4, 0);
    const words = this.renew();
    const totals = { assetCount: 0, assetBytes: 0, loadingCount: 0, loadingBytes: 0, tableBytes: tableBytes + words[this.state + STATE_BYTES]! };
    for (let index = 0; index < this.#count; index += 1) {
      const at = this.at(index);
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

  /** Bytes that assets may have; `Infinity` when nothing was said. */
  get budget(): number {
    const budget = this.renew()[this.state + BUDGET]! >>> 0;
    return budget === 0 ? Infinity : budget;
  }

  /** The numbers of the threads, by their places; 0 for a free one. */
  threads(): number[] {
    const words = this.renew();
    return Array.from({ length: THREAD_COUNT_MAX }, (_, place) => Atomics.load(words, this.state + THREADS + place));
  }

  #isLive(words: Int32Array, at: number, generation: number): boolean {
    return (Atomics.load(words, at + STATE) & STATE_MASK) === LIVE && Atomics.load(words, at + GENERATION) === generation;
  }

  /** Goes through a chain once. An asset that is on its way out may be so because another one takes its place. */
  #findOnce(words: Int32Array, key: string, hash: number): Entry | 'changing' | 'none' {
    let isChanging = false;
    let link = Atomics.load(words, this.bucketAt(words, hash));
    // No chain is longer than there are records, whatever lies in memory.
    for (let steps = this.#count; link > 0 && link <= this.#count && steps > 0; steps -= 1) {
      const index = link - 1;
      const at = this.at(index);
      link = Atomics.load(words, at + NEXT);
      const generation = Atomics.load(words, at + GENERATION);
      const state = Atomics.load(words, at + STATE) & STATE_MASK;
      if ((state !== LIVE && state !== DYING) || words[at + HASH] !== hash) continue;
      if (!isText(this.memory, words[at + NAMES]! >>> 0, words[at + NAME_LENGTHS]!, key)) continue;
      if (state === LIVE && this.#isLive(words, at, generation)) return { index, generation };
      isChanging = true;
    }
    return isChanging ? 'changing' : 'none';
  }
}

/** The handle of a record's block. */
export function handleAt(words: Int32Array, at: number): number {
  return (words[at + HANDLE_HIGH]! >>> 0) * ADDRESS_SPACE_SIZE + (words[at + ADDRESS]! >>> 0);
}
