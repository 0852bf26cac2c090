/**
 * What other threads have freed, as one bit for each place where a block can start: how frees travel to the owner of an allocator.
 *
 *     state   byte   0  header: magic, kind, version, own address
 *                   16  first granule, how many, log2 of a granule's bytes,
 *                   28  bytes of the parent's block, whether there is something to collect, the block being freed, remotes that were not detached,
 *                   44  refused frees, failures that were none, whether it was released, live bytes that are its own
 *                   64  marks: a bit a granule; above them, a bit for each word of marks that has any; and so on up to a few words
 *
 * To free is to set a bit, and the bits above it: a fixed number of atomic operations whatever other threads do, and nothing is written into the block. So a
 * second free of a block finds its bit set, a foreign address breaks nothing, there is no list that could be cut or become a ring, and no queue that could be
 * full. A thread that dies between two of the steps leaves a mark that is not found before another block beside it is freed, or the marks are looked through.
 *
 * The collector goes the other way: it takes the marks of a word, then the bit above it, then looks at the word again, because who sets a mark looks at the bit
 * above only afterwards.
 */

import { ADDRESS_SPACE_SIZE, type Address } from './address.ts';
import { HEADER_SIZE } from './header.ts';
import type { WordSource } from './mutex.ts';

/** What the state's header says. */
export const REMOTE_HEADER = { kind: 'RFRE', version: 1 };

// In words from the state's start.
const FIELDS = HEADER_SIZE / 4;
const FIRST_GRANULE = FIELDS;
const GRANULE_COUNT = FIELDS + 1;
const GRANULE_LOG2 = FIELDS + 2;
/** Bytes of the parent's block, as an unsigned word. */
export const BLOCK_SIZE = FIELDS + 3;
/** 1 when there may be marks. */
export const PENDING = FIELDS + 4;
/** The block whose free has begun, or 0: its mark is gone, and it may be free or not. */
export const IN_PROGRESS = FIELDS + 5;
/** Remotes that were not detached. */
export const REMOTE_COUNT = FIELDS + 6;
/** Marks whose block the allocator refused to free. */
export const REFUSED_COUNT = FIELDS + 7;
/** Failures of the allocator that a second attempt made good, or counted again. */
export const RETRY_COUNT = FIELDS + 8;
/** 1 when the allocator was released. */
export const RELEASED = FIELDS + 9;
/** Live bytes of the allocator that are the state's own: where that lies in a block of the allocator itself. */
export const OWN_BYTES = FIELDS + 10;
const MARKS = 16;

/** Bytes of the state without marks. */
export const REMOTE_STATE_SIZE = MARKS * 4;

/** The highest level has at most so many words: they are looked through one by one. */
const ROOT_WORDS_MAX = 16;

/** What part of the memory has marks. */
export interface MarkRange {
  /** The first address. */
  readonly start: Address;
  /** Where it ends, 2^32 at the most. */
  readonly end: number;
  /** Bytes from one mark to the next, a power of two. */
  readonly granule: number;
}

/** How many words each level has, the marks first. */
function levelLengths(granuleCount: number): number[] {
  const lengths = [Math.ceil(granuleCount / 32)];
  while (lengths.at(-1)! > ROOT_WORDS_MAX) lengths.push(Math.ceil(lengths.at(-1)! / 32));
  return lengths;
}

function granulesOf({ start, end, granule }: MarkRange): { readonly first: number; readonly count: number } {
  const first = Math.floor(start / granule);
  return { first, count: Math.ceil(end / granule) - first };
}

/** Bytes of the state for a range. */
export function remoteStateSize(range: MarkRange): number {
  return REMOTE_STATE_SIZE + 4 * levelLengths(granulesOf(range).count).reduce((sum, length) => sum + length, 0);
}

/** Writes a state for a range, but for its header. All of its words are 0. */
export function formatMarks(words: Int32Array, state: number, range: MarkRange, blockSize: number): void {
  const { first, count } = granulesOf(range);
  words[state + FIRST_GRANULE] = first;
  words[state + GRANULE_COUNT] = count;
  words[state + GRANULE_LOG2] = 31 - Math.clz32(range.granule);
  words[state + BLOCK_SIZE] = blockSize;
}

/** The marks of one state, for one thread. */
export class RemoteMarks {
  readonly #source: WordSource;
  readonly #state: number;
  readonly #granuleLog2: number;
  readonly #first: number;
  readonly #count: number;
  /** The first word of each level. */
  readonly #levels: readonly number[];
  readonly #rootLength: number;

  private constructor(source: WordSource, state: number) {
    const words = source.i32;
    this.#source = source;
    this.#state = state;
    this.#granuleLog2 = words[state + GRANULE_LOG2]!;
    this.#first = words[state + FIRST_GRANULE]!;
    this.#count = words[state + GRANULE_COUNT]!;
    const lengths = levelLengths(this.#count);
    this.#rootLength = lengths.at(-1)!;
    let at = state + MARKS;
    this.#levels = lengths.map((length) => {
      const start = at;
      at += length;
      return start;
    });
  }

  /** The marks of the state at a word; `undefined` when the fields make no sense for a view of this length. */
  static at(source: WordSource, state: number): RemoteMarks | undefined {
    const words = source.i32;
    const log2 = words[state + GRANULE_LOG2]!;
    const first = words[state + FIRST_GRANULE]!;
    const count = words[state + GRANULE_COUNT]!;
    const isSound = log2 >= 2 && log2 <= 30 && first >= 0 && count > 0 && (first + count - 1) * 2 ** log2 < ADDRESS_SPACE_SIZE;
    if (!isSound) return undefined;
    const end = state * 4 + REMOTE_STATE_SIZE + 4 * levelLengths(count).reduce((sum, length) => sum + length, 0);
    return end <= words.length * 4 ? new RemoteMarks(source, state) : undefined;
  }

  /** Bytes from one mark to the next. */
  get granule(): number {
    return 2 ** this.#granuleLog2;
  }

  /** Whether an address lies in the range that has marks. */
  covers(address: Address): boolean {
    const index = (address >>> this.#granuleLog2) - this.#first;
    return index >= 0 && index < this.#count;
  }

  /** Whether there may be marks. A look without synchronisation: what another thread set a moment ago may be missed. */
  get isPending(): boolean {
    return this.#source.i32[this.#state + PENDING] !== 0;
  }

  /** Whether the block at an address that is a multiple of the granule is marked. A look without synchronisation. O(1). */
  has(address: Address): boolean {
    const index = (address >>> this.#granuleLog2) - this.#first;
    if (index < 0 || index >= this.#count) return false;
    return (this.#source.i32[this.#levels[0]! + (index >>> 5)]! & (1 << index)) !== 0;
  }

  /** Marks the block at an address in the range. Returns `false` when it was marked. O(levels), whatever other threads do. */
  set(address: Address): boolean {
    const words = this.#source.i32;
    const levels = this.#levels;
    let index = (address >>> this.#granuleLog2) - this.#first;
    const bit = 1 << index;
    if ((Atomics.or(words, levels[0]! + (index >>> 5), bit) & bit) !== 0) return false;
    for (let level = 1; level < levels.length; level += 1) {
      index >>>= 5;
      this.#setBit(words, levels[level]! + (index >>> 5), 1 << index);
    }
    if (Atomics.load(words, this.#state + PENDING) === 0) Atomics.store(words, this.#state + PENDING, 1);
    return true;
  }

  /** Takes the mark off. Returns whether it was set. */
  clear(address: Address): boolean {
    const index = (address >>> this.#granuleLog2) - this.#first;
    const bit = 1 << index;
    return (Atomics.and(this.#source.i32, this.#levels[0]! + (index >>> 5), ~bit) & bit) !== 0;
  }

  /**
   * Calls `take` for marked blocks, which is to `clear` the mark; at most for `limit` of them. O(blocks + words above them).
   *
   * @returns For how many.
   */
  collect(limit: number, take: (address: Address) => void): number {
    const pending = this.#state + PENDING;
    const top = this.#levels.length - 1;
    let count = 0;
    // First: who sets a mark from now on sets it again.
    Atomics.store(this.#source.i32, pending, 0);
    try {
      for (let index = 0; index < this.#rootLength && count < limit; index += 1) count += this.#collectWord(top, index, limit - count, take);
    } finally {
      if (this.#isAnyLeft()) Atomics.store(this.#source.i32, pending, 1);
    }
    return count;
  }

  /** Sets the bits above every mark: after the death of a thread that did not come so far. O(range). */
  restore(): void {
    const words = this.#source.i32;
    const levels = this.#levels;
    for (let level = 0; level + 1 < levels.length; level += 1) {
      const length = levels[level + 1]! - levels[level]!;
      for (let index = 0; index < length; index += 1) {
        if (words[levels[level]! + index] !== 0) this.#setBit(words, levels[level + 1]! + (index >>> 5), 1 << index);
      }
    }
    Atomics.store(words, this.#state + PENDING, 1);
  }

  /** Takes off every mark: when all blocks are free. O(range). */
  clearAll(): void {
    const start = this.#levels[0]!;
    this.#source.i32.fill(0, start, this.#levels.at(-1)! + this.#rootLength);
    Atomics.store(this.#source.i32, this.#state + PENDING, 0);
  }

  #addressOf(index: number): Address {
    return (this.#first + index) * 2 ** this.#granuleLog2;
  }

  #setBit(words: Int32Array, at: number, bit: number): void {
    if ((Atomics.load(words, at) & bit) === 0) Atomics.or(words, at, bit);
  }

  /** What `collect` does below one word. */
  #collectWord(level: number, index: number, limit: number, take: (address: Address) => void): number {
    const at = this.#levels[level]! + index;
    let count = 0;
    for (let bits = Atomics.load(this.#source.i32, at); bits !== 0 && count < limit; bits &= bits - 1) {
      const below = index * 32 + 31 - Math.clz32(bits & -bits);
      if (level === 0) {
        take(this.#addressOf(below));
        count += 1;
      } else {
        count += this.#collectWord(level - 1, below, limit - count, take);
        this.#clearAbove(level, below);
      }
    }
    return count;
  }

  /** Takes off the bit above a word that is 0, unless a mark appears in it just then. */
  #clearAbove(level: number, below: number): void {
    const words = this.#source.i32;
    const word = this.#levels[level - 1]! + below;
    const at = this.#levels[level]! + (below >>> 5);
    const bit = 1 << below;
    if (Atomics.load(words, word) !== 0) return;
    Atomics.and(words, at, ~bit);
    if (Atomics.load(words, word) !== 0) Atomics.or(words, at, bit);
  }

  #isAnyLeft(): boolean {
    const roots = this.#levels.at(-1)!;
    for (let at = roots; at < roots + this.#rootLength; at += 1) if (Atomics.load(this.#source.i32, at) !== 0) return true;
    return false;
  }
}

if (OWN_BYTES >= MARKS) throw new RangeError('the marks must follow the fields');
