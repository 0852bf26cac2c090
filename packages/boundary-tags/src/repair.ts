/**
 * Puts a heap in order whose owner died in the middle of a call. What is trusted is the chain of regions, and in each the chain of fragments: every call
 * changes these by single stores, before and after which they can be walked. All else follows from them, and is written anew: links, bins, marks and counts.
 */

import { AllocatorError, checkHeader, formatAddress, type Address, type Memory, type Repair } from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { heapSizeMin } from './creation.ts';
import { insert } from './fragments.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BLOCK_WORDS,
  CAPACITY,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_WORDS_MIN,
  LAST_REGION,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  USED,
} from './layout.ts';
import { clearBins } from './regions.ts';

/**
 * Repairs the heap at `address`. O(fragments). May be cut short itself, and done again.
 *
 * @throws AllocatorError `corrupt` when a chain is broken, nothing having changed.
 */
export function repairHeap(bins: Bins, memory: Memory, address: Address): Repair {
  checkHeader(memory, address, bins.header, heapSizeMin(bins.stateSize));
  return new Repairing(bins, memory.i32, address >>> 2).run();
}

/** One repair of one heap. */
class Repairing {
  readonly #bins: Bins;
  readonly #words: Int32Array;
  readonly #state: number;
  #allocated = 0;
  #largest = 0;

  constructor(bins: Bins, words: Int32Array, state: number) {
    this.#bins = bins;
    this.#words = words;
    this.#state = state;
  }

  run(): Repair {
    const words = this.#words;
    const state = this.#state;
    const regions = this.#findRegions();
    const counted = words[state + ALLOCATED]!;
    clearBins(this.#bins, words, state);
    for (const region of regions) this.#repairRegion(region);
    const first = regions[0]!;
    words[state + LAST_REGION] = regions.at(-1)!;
    words[state + CAPACITY] = regions.reduce((sum, region) => sum + words[region + REGION_WORDS]! - REGION_OVERHEAD_WORDS, 0);
    words[state + ALLOCATED] = this.#allocated;
    if (this.#allocated > words[state + ALLOCATED_PEAK]!) words[state + ALLOCATED_PEAK] = this.#allocated;
    if (words[state + REQUEST_PEAK] === 0) words[state + REQUEST_PEAK] = Math.max(0, this.#largest * 4 - FRAGMENT_HEADER_SIZE);
    if (words[state + BLOCK_WORDS] !== 0) words[state + BLOCK_WORDS] = first + words[first + REGION_WORDS]! - state;
    return { lostBytes: Math.max(0, this.#allocated - counted) * 4 };
  }

  #fail(what: string): never {
    throw new AllocatorError('corrupt', `${this.#bins.name}: ${what}: this is no interrupted call, and cannot be repaired`);
  }

  /** The regions, after a walk through each. */
  #findRegions(): readonly number[] {
    const words = this.#words;
    const first = this.#state + this.#bins.stateSize / 4;
    const regions = new Set<number>();
    if (words[this.#state + FIRST_REGION] !== first) this.#fail(`the first region is said to lie at ${formatAddress(words[this.#state + FIRST_REGION]! * 4)}`);
    for (let region = first; region !== 0; region = words[region + REGION_NEXT]!) {
      if (regions.has(region) || region < 0 || region % FRAGMENT_WORDS_MIN !== 0) this.#fail(`the chain of regions is broken at ${formatAddress(region * 4)}`);
      regions.add(region);
      this.#walk(region);
    }
    return [...regions];
  }

  #walk(region: number): void {
    const words = this.#words;
    const length = words[region + REGION_WORDS]!;
    const end = region + length;
    if (length < REGION_OVERHEAD_WORDS + FRAGMENT_WORDS_MIN || !(end <= words.length)) this.#fail(`the region at ${formatAddress(region * 4)} has ${length * 4} bytes`);
    for (let block = region + REGION_FIRST; block !== end; ) {
      const head = words[block + SIZE]!;
      const size = head & ~USED;
      const isSound = size >= FRAGMENT_WORDS_MIN && size % FRAGMENT_WORDS_MIN === 0 && block + size <= end;
      if (!isSound || (head !== size && this.#bins.fragmentWords(size * 4 - FRAGMENT_HEADER_SIZE) !== size)) {
        this.#fail(`the fragment at ${formatAddress(block * 4)} has the header ${head}`);
      }
      block += size;
    }
  }

  /** Links the fragments of a region, joins free ones that touch, and puts them into their bins. */
  #repairRegion(region: number): void {
    const words = this.#words;
    const end = region + words[region + REGION_WORDS]!;
    let before = region + REGION_BEGIN;
    words[before + SIZE] = FRAGMENT_WORDS_MIN | USED;
    words[before + BEFORE] = 0;
    // While a region was made longer or shorter, a free fragment may have had its header here.
    words[end + SIZE] = USED;
    for (let block = region + REGION_FIRST; block !== end; ) {
      const head = words[block + SIZE]!;
      let next = block + (head & ~USED);
      words[block + BEFORE] = before;
      if ((head & USED) === 0) {
        while (next !== end && (words[next + SIZE]! & USED) === 0) next += words[next + SIZE]!;
        insert(this.#bins, words, this.#state, block, next - block);
      } else {
        this.#allocated += next - block;
        this.#largest = Math.max(this.#largest, next - block);
      }
      before = block;
      block = next;
    }
    words[end + BEFORE] = before;
  }
}
