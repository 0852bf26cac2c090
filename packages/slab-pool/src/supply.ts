/**
 * Where a pool's slabs come from and go to: the parent, and a list of spare ones. A slab from the parent needs a descriptor, which come in batches, and a place
 * in the index from addresses to descriptors.
 */

import { NULL, alignUp, giveBack, type Parent } from '@allokit/allocator';
import {
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_NEXT,
  BATCH_SIZE,
  FIRST_BATCH,
  FIRST_SPARE,
  FREE_DESCRIPTOR,
  GRANULE,
  INDEX,
  INDEX_BLOCK_SIZE,
  INDEX_LENGTH,
  NEXT_SLAB,
  SLAB_START,
  SPARE_COUNT,
  SPARE_COUNT_MAX,
  descriptorWords,
  slabsOf,
} from './layout.ts';

/** Descriptors taken from the parent at once, at least. */
const BATCH_COUNT_MIN = 8;

/**
 * The slabs of one pool that are in no class. The parent may grow the memory when it is asked for some: who keeps a view renews it after {@link
 * SlabSupply.takeNew}.
 */
export class SlabSupply {
  readonly #parent: Parent;
  readonly #state: number;
  readonly #slabLog2: number;

  /** @param state - The word where the pool's state begins. */
  constructor(parent: Parent, state: number, slabLog2: number) {
    this.#parent = parent;
    this.#state = state;
    this.#slabLog2 = slabLog2;
  }

  /** The spare slab that came last. O(1). @returns Its descriptor, or 0. */
  takeSpare(): number {
    const words = this.#words;
    const state = this.#state;
    const slab = words[state + FIRST_SPARE]!;
    if (slab === 0) return 0;
    words[state + FIRST_SPARE] = words[slab + NEXT_SLAB]!;
    words[state + SPARE_COUNT]! -= 1;
    return slab;
  }

  /** Keeps a slab for any class. O(1). */
  addSpare(slab: number): void {
    const words = this.#words;
    const state = this.#state;
    words[slab + NEXT_SLAB] = words[state + FIRST_SPARE]!;
    words[state + FIRST_SPARE] = slab;
    words[state + SPARE_COUNT]! += 1;
  }

  /** Takes a slab that became empty: as a spare one, or back to the parent when there are enough. O(1). */
  takeBack(slab: number): void {
    const words = this.#words;
    const hasRoom = words[this.#state + SPARE_COUNT]! < words[this.#state + SPARE_COUNT_MAX]!;
    if (hasRoom || 'monotonic' in this.#parent) this.addSpare(slab);
    else this.#returnSlab(slab);
  }

  /** Gives all spare slabs back to a parent that takes them, and descriptors that then describe nothing. O(descriptors). @returns How many bytes that were. */
  trim(): number {
    let count = 0;
    for (let slab = this.takeSpare(); slab !== 0; slab = this.takeSpare(), count += 1) this.#returnSlab(slab);
    return count * 2 ** this.#slabLog2 + this.#returnBatches();
  }

  /** A slab from the parent, with a descriptor and its place in the index. @returns The descriptor, or 0 when any of the three is not to be had. */
  takeNew(): number {
    const state = this.#state;
    const size = 2 ** this.#slabLog2;
    if (this.#words[state + FREE_DESCRIPTOR] === 0 && !this.#addBatch()) return 0;
    const address = this.#parent.allocate(size, size);
    if (address === NULL) {
      this.#returnBatches();
      return 0;
    }
    const number = address / size;
    const isIndexed = number < this.#words[state + INDEX_LENGTH]! || this.#growIndex(number + 1);
    // To find the room, the parent may have had this pool trimmed: then the descriptor went as well.
    if (!isIndexed || (this.#words[state + FREE_DESCRIPTOR] === 0 && !this.#addBatch())) {
      giveBack(this.#parent, address, size);
      return 0;
    }
    const words = this.#words;
    const slab = words[state + FREE_DESCRIPTOR]!;
    words[state + FREE_DESCRIPTOR] = words[slab + NEXT_SLAB]!;
    words[slab + SLAB_START] = address / 4;
    words[words[state + INDEX]! + number] = slab;
    return slab;
  }

  /** The current view: it changes whenever the parent grows the memory. */
  get #words(): Int32Array {
    return this.#parent.memory.i32;
  }

  /** Gives a slab that is in no class and not spare back to the parent. */
  #returnSlab(slab: number): void {
    const words = this.#words;
    const state = this.#state;
    const address = words[slab + SLAB_START]! * 4;
    words[words[state + INDEX]! + (address >>> this.#slabLog2)] = 0;
    words[slab + SLAB_START] = 0;
    words[slab + NEXT_SLAB] = words[state + FREE_DESCRIPTOR]!;
    words[state + FREE_DESCRIPTOR] = slab;
    giveBack(this.#parent, address, 2 ** this.#slabLog2);
  }

  #addBatch(): boolean {
    const each = descriptorWords(this.#slabLog2);
    const size = alignUp((BATCH_HEADER_WORDS + BATCH_COUNT_MIN * each) * 4, Math.max(GRANULE, this.#parent.alignment));
    const address = this.#parent.allocate(size, GRANULE);
    if (address === NULL) return false;
    const words = this.#words;
    const state = this.#state;
    const batch = address / 4;
    words.fill(0, batch, batch + size / 4);
    const count = Math.floor((size / 4 - BATCH_HEADER_WORDS) / each);
    words[batch + BATCH_NEXT] = words[state + FIRST_BATCH]!;
    words[batch + BATCH_SIZE] = size;
    words[batch + BATCH_COUNT] = count;
    words[state + FIRST_BATCH] = batch;
    for (let i = count - 1; i >= 0; i -= 1) {
      const slab = batch + BATCH_HEADER_WORDS + i * each;
      words[slab + NEXT_SLAB] = words[state + FREE_DESCRIPTOR]!;
      words[state + FREE_DESCRIPTOR] = slab;
    }
    return true;
  }

  /** Gives the batches back whose descriptors all have no slab. Returns how many bytes that were. O(descriptors). */
  #returnBatches(): number {
    if ('monotonic' in this.#parent) return 0;
    const words = this.#words;
    const state = this.#state;
    const used = slabsOf(words, state);
    let returned = 0;
    let link = state + FIRST_BATCH;
    for (let batch = words[link]!; batch !== 0; batch = words[link]!) {
      const size = words[batch + BATCH_SIZE]! >>> 0;
      const end = batch + size / 4;
      if (used.some((slab) => slab >= batch && slab < end)) {
        link = batch + BATCH_NEXT;
        continue;
      }
      words[link] = words[batch + BATCH_NEXT]!;
      this.#forgetDescriptors(batch, end);
      giveBack(this.#parent, batch * 4, size);
      returned += size;
    }
    return returned;
  }

  /** Takes the descriptors between two words out of the list of free ones. */
  #forgetDescriptors(start: number, end: number): void {
    const words = this.#words;
    let link = this.#state + FREE_DESCRIPTOR;
    for (let slab = words[link]!; slab !== 0; slab = words[slab + NEXT_SLAB]!) {
      if (slab >= start && slab < end) words[link] = words[slab + NEXT_SLAB]!;
      else link = slab + NEXT_SLAB;
    }
  }

  /** Moves the index to a block of at least twice its length. */
  #growIndex(least: number): boolean {
    const state = this.#state;
    const length = Math.max(least, this.#words[state + INDEX_LENGTH]! * 2);
    const size = alignUp(length * 4, Math.max(GRANULE, this.#parent.alignment));
    const address = this.#parent.allocate(size, GRANULE);
    if (address === NULL) return false;
    const words = this.#words;
    const old = words[state + INDEX]!;
    const oldLength = words[state + INDEX_LENGTH]!;
    const oldSize = words[state + INDEX_BLOCK_SIZE]! >>> 0;
    words.fill(0, address / 4, (address + size) / 4);
    words.copyWithin(address / 4, old, old + oldLength);
    words[state + INDEX] = address / 4;
    words[state + INDEX_LENGTH] = size / 4;
    words[state + INDEX_BLOCK_SIZE] = size;
    if (oldSize !== 0) giveBack(this.#parent, old * 4, oldSize);
    return true;
  }
}
