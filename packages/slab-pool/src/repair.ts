/**
 * Puts a pool in order whose owner died in the middle of a call. What is trusted: the chain of batches, which descriptor has which slab of which class, and the
 * live bits, all of which change by single stores. Rings, lists, the index and the counts follow from them, and are written anew.
 */

import { AllocatorError, checkHeader, formatAddress, type Address, type Memory, type Repair } from '@allokit/allocator';
import { checkBatches, checkClasses } from './check.ts';
import {
  ALLOCATED,
  ALONE,
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_NEXT,
  CLASSES,
  CLASS_COUNT,
  CLASS_WORDS,
  CURRENT,
  FIRST_BATCH,
  FIRST_SPARE,
  FREE_DESCRIPTOR,
  FREE_OBJECT,
  FRESH_OBJECT,
  FULL,
  HEADER,
  INDEX,
  INDEX_BLOCK_SIZE,
  INDEX_LENGTH,
  LIVE,
  LIVE_BITS,
  LIVE_COUNT,
  NEXT_SLAB,
  NO_SLAB,
  OBJECTS_END,
  OBJECT_SIZE,
  PAST_COUNT,
  PREVIOUS_SLAB,
  SLAB_CLASS,
  SLAB_COUNT,
  SLAB_LOG2,
  SLAB_START,
  SPARE_COUNT,
  STATE_BLOCK_SIZE,
  descriptorWords,
  liveBitWords,
} from './layout.ts';

/**
 * Repairs the pool at `address`. O(objects). May be cut short itself, and done again.
 *
 * @param heldSize - Bytes that the parent holds at an address; `undefined` when it does not know.
 * @throws AllocatorError `corrupt` when what is trusted is damaged, nothing having changed.
 */
export function repairPool(memory: Memory, address: Address, heldSize: (address: Address) => number | undefined): Repair {
  checkHeader(memory, address, HEADER, CLASSES * 4);
  return new Repairing(memory, address >>> 2, heldSize).run();
}

function fail(what: string): never {
  throw new AllocatorError('corrupt', `slab pool: ${what}: this is no interrupted call, and cannot be repaired`);
}

/** One repair of one pool. */
class Repairing {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  readonly #state: number;
  readonly #heldSize: (address: Address) => number | undefined;
  readonly #slabWords: number;
  readonly #bitWords: number;
  #lostBytes = 0;

  constructor(memory: Memory, state: number, heldSize: (address: Address) => number | undefined) {
    this.#memory = memory;
    this.#words = memory.i32;
    this.#state = state;
    this.#heldSize = heldSize;
    const slabLog2 = this.#words[state + SLAB_LOG2]!;
    this.#slabWords = 2 ** slabLog2 / 4;
    this.#bitWords = liveBitWords(slabLog2);
  }

  run(): Repair {
    const words = this.#words;
    const state = this.#state;
    for (let i = 0; i < words[state + CLASS_COUNT]!; i += 1) this.#settle(state + CLASSES + i * CLASS_WORDS);
    checkClasses(this.#memory, state);
    checkBatches(words, state);
    const descriptors = this.#descriptors();
    const slabs = descriptors.filter((slab) => words[slab + SLAB_START] !== 0);
    for (const slab of slabs) this.#checkSlab(slab);
    this.#repairIndex(slabs);
    const spares = slabs.filter((slab) => words[slab + SLAB_CLASS] === 0);
    for (const slab of spares) this.#makeEmpty(slab);
    for (let i = 0; i < words[state + CLASS_COUNT]!; i += 1) {
      const record = state + CLASSES + i * CLASS_WORDS;
      this.#repairClass(
        record,
        slabs.filter((slab) => words[slab + SLAB_CLASS] === record),
      );
    }
    this.#chain(FIRST_SPARE, spares);
    words[state + SPARE_COUNT] = spares.length;
    this.#chain(
      FREE_DESCRIPTOR,
      descriptors.filter((slab) => words[slab + SLAB_START] === 0),
    );
    return { lostBytes: this.#lostBytes };
  }

  #descriptors(): number[] {
    const words = this.#words;
    const each = descriptorWords(words[this.#state + SLAB_LOG2]!);
    const found: number[] = [];
    for (let batch = words[this.#state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
      for (let i = 0; i < words[batch + BATCH_COUNT]!; i += 1) found.push(batch + BATCH_HEADER_WORDS + i * each);
    }
    return found;
  }

  /** The slab lies where one can, is of a class or none, and its live bits are those of objects that were handed out. */
  #checkSlab(slab: number): void {
    const words = this.#words;
    const start = words[slab + SLAB_START]!;
    const record = words[slab + SLAB_CLASS]!;
    if (start < 0 || start % this.#slabWords !== 0 || start + this.#slabWords > words.length) fail(`a slab is said to lie at ${formatAddress(start * 4)}`);
    if (record === 0) return;
    const classIndex = (record - this.#state - CLASSES) / CLASS_WORDS;
    if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= words[this.#state + CLASS_COUNT]!) fail(`the slab at ${formatAddress(start * 4)} is of no class`);
    const size = words[record + OBJECT_SIZE]! / 4;
    const fresh = words[slab + FRESH_OBJECT]!;
    const live = this.#liveObjects(slab);
    const isSound = live.every((object) => object < fresh && (object - start) % size === 0);
    if (live.length !== 0 && (!isSound || fresh > start + this.#capacity(size) * size || (fresh - start) % size !== 0)) {
      fail(`the live objects of the slab at ${formatAddress(start * 4)} are none of its class`);
    }
  }

  /** How many objects of `size` words a slab holds. */
  #capacity(size: number): number {
    return Math.floor(this.#slabWords / size);
  }

  #liveObjects(slab: number): number[] {
    const words = this.#words;
    const start = words[slab + SLAB_START]!;
    const found: number[] = [];
    for (let i = 0; i < this.#bitWords; i += 1) {
      for (let bits = words[slab + LIVE_BITS + i]!; bits !== 0; bits &= bits - 1) found.push(start + i * 128 + 4 * (31 - Math.clz32(bits & -bits)));
    }
    return found;
  }

  /** A class's count may have reached 2^31 with the owner's last store. */
  #settle(record: number): void {
    if (this.#words[record + ALLOCATED]! >= 0) return;
    this.#memory.f64[(record + PAST_COUNT) / 2]! += 2 ** 31;
    this.#words[record + ALLOCATED] = 0;
  }

  /** The index, where it lies, as long as it is: of the three words that say so, some may be the former ones. */
  #repairIndex(slabs: readonly number[]): void {
    const words = this.#words;
    const state = this.#state;
    const index = words[state + INDEX]!;
    const home = state + CLASSES + words[state + CLASS_COUNT]! * CLASS_WORDS;
    const length = words[state + INDEX_LENGTH]!;
    const size = words[state + INDEX_BLOCK_SIZE]! >>> 0;
    if (index === home) {
      words[state + INDEX_LENGTH] = state + (words[state + STATE_BLOCK_SIZE]! >>> 0) / 4 - home;
      words[state + INDEX_BLOCK_SIZE] = 0;
    } else if (length * 4 !== size) {
      const known = size === 0 ? length : Math.min(length, size / 4);
      const held = this.#heldSize(index * 4) ?? known * 4;
      words[state + INDEX_LENGTH] = Math.floor(held / 16) * 4;
      words[state + INDEX_BLOCK_SIZE] = words[state + INDEX_LENGTH]! * 4;
    }
    const end = index + words[state + INDEX_LENGTH]!;
    if (index <= 0 || end > words.length) fail(`the index lies at ${formatAddress(index * 4)}`);
    words.fill(0, index, end);
    for (const slab of slabs) {
      const at = index + words[slab + SLAB_START]! / this.#slabWords;
      if (at >= end) fail(`the index ends before the slab at ${formatAddress(words[slab + SLAB_START]! * 4)}`);
      words[at] = slab;
    }
  }

  #makeEmpty(slab: number): void {
    const words = this.#words;
    words.fill(0, slab + LIVE_BITS, slab + LIVE_BITS + this.#bitWords);
    words[slab + FREE_OBJECT] = 0;
    words[slab + LIVE] = FULL;
  }

  #repairClass(record: number, slabs: readonly number[]): void {
    const words = this.#words;
    let live = 0;
    const withRoom = slabs.filter((slab) => {
      live += this.#repairSlab(slab, record);
      return words[slab + FREE_OBJECT] !== 0 || words[slab + FRESH_OBJECT] !== words[slab + OBJECTS_END];
    });
    withRoom.forEach((slab, i) => {
      words[slab + NEXT_SLAB] = withRoom[(i + 1) % withRoom.length]!;
      words[slab + PREVIOUS_SLAB] = withRoom.at(i - 1)!;
      words[slab + LIVE]! += withRoom.length === 1 ? ALONE - FULL : -FULL;
    });
    words[record + CURRENT] = withRoom[0] ?? this.#state + NO_SLAB;
    words[record + SLAB_COUNT] = slabs.length;
    const allocated = this.#memory.f64[(record + PAST_COUNT) / 2]! + words[record + ALLOCATED]!;
    if (allocated < live) words[record + ALLOCATED]! += live - allocated;
  }

  /** Links what is not live below the fresh part; flags the slab as in no ring. Returns how many objects are live. */
  #repairSlab(slab: number, record: number): number {
    const words = this.#words;
    const size = words[record + OBJECT_SIZE]! / 4;
    const start = words[slab + SLAB_START]!;
    const live = this.#liveObjects(slab);
    words[slab + OBJECTS_END] = start + this.#capacity(size) * size;
    // One that has just come to its class may have the fresh part of a former one.
    if (live.length === 0) words[slab + FRESH_OBJECT] = start;
    const isLive = new Set(live);
    let first = 0;
    for (let object = words[slab + FRESH_OBJECT]! - size; object >= start; object -= size) {
      if (isLive.has(object)) continue;
      words[object] = first;
      first = object;
    }
    this.#lostBytes += Math.max(0, live.length - (words[slab + LIVE]! & LIVE_COUNT)) * size * 4;
    words[slab + FREE_OBJECT] = first;
    words[slab + LIVE] = live.length | FULL;
    words[slab + NEXT_SLAB] = 0;
    words[slab + PREVIOUS_SLAB] = 0;
    return live.length;
  }

  /** Makes a list of descriptors. */
  #chain(field: number, slabs: readonly number[]): void {
    const words = this.#words;
    slabs.forEach((slab, i) => {
      words[slab + NEXT_SLAB] = slabs[i + 1] ?? 0;
    });
    words[this.#state + field] = slabs[0] ?? 0;
  }
}
