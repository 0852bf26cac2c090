/** The two invariant checks of a heap: of its diagnostics in constant time, of every fragment by a walk. */

import { AllocatorError, checkHeader, formatAddress, type Address, type Memory } from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { heapSizeMin } from './creation.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BLOCK_WORDS,
  CAPACITY,
  CREATED_WORDS,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  LAST_REGION,
  PREVIOUS,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  USED,
  WHOLE_SHARE,
} from './layout.ts';

/** Checks the heap at `address`: in O(bins), or all of it in O(fragments) when `isFull`. Reads only; safe on any bytes. */
export function checkHeap(bins: Bins, memory: Memory, address: Address, isFull: boolean): void {
  checkHeader(memory, address, bins.header, heapSizeMin(bins.stateSize));
  new Check(bins, memory.i32, address >>> 2).run(isFull);
}

function at(word: number): string {
  return formatAddress(word * 4);
}

/** One check of one heap. */
class Check {
  readonly #bins: Bins;
  readonly #words: Int32Array;
  readonly #state: number;
  /** What the walk over the regions has counted. */
  readonly #free = new Set<number>();
  #capacity = 0;
  #allocated = 0;

  constructor(bins: Bins, words: Int32Array, state: number) {
    this.#bins = bins;
    this.#words = words;
    this.#state = state;
  }

  run(isFull: boolean): void {
    this.#diagnostics();
    for (const bin of this.#bins.numbers) this.#binHead(bin);
    if (!isFull) return;
    this.#walkRegions();
    const capacity = this.#field(CAPACITY);
    const allocated = this.#field(ALLOCATED);
    if (this.#capacity !== capacity) this.#fail(`fragments fill ${this.#capacity * 4} bytes, the capacity is ${capacity * 4}`);
    if (this.#allocated !== allocated) this.#fail(`used fragments fill ${this.#allocated * 4} bytes, ${allocated * 4} are counted`);
    let binned = 0;
    for (const bin of this.#bins.numbers) binned += this.#walkBin(bin);
    if (binned !== this.#free.size) this.#fail(`${this.#free.size} fragments are free, ${binned} are in bins`);
  }

  #fail(what: string): never {
    throw new AllocatorError('corrupt', `${this.#bins.name}: ${what}`);
  }

  #field(field: number): number {
    return this.#words[this.#state + field]!;
  }

  #diagnostics(): void {
    const capacity = this.#field(CAPACITY);
    const allocated = this.#field(ALLOCATED);
    const peak = this.#field(ALLOCATED_PEAK);
    const step = this.#field(GROWTH_STEP_WORDS);
    const share = this.#field(GROWTH_SHARE);
    if (capacity < FRAGMENT_WORDS_MIN || capacity % FRAGMENT_WORDS_MIN !== 0) this.#fail(`the capacity is ${capacity * 4} bytes`);
    if (allocated < 0 || allocated > capacity || allocated % FRAGMENT_WORDS_MIN !== 0) this.#fail(`${allocated * 4} bytes of ${capacity * 4} are allocated`);
    // A heap that grew and was trimmed may have had more than it has now.
    if (peak < allocated || (step === 0 && peak > capacity) || peak % FRAGMENT_WORDS_MIN !== 0) {
      this.#fail(`the peak is ${peak * 4} bytes, ${allocated * 4} of ${capacity * 4} are allocated`);
    }
    if (peak !== 0 && this.#field(REQUEST_PEAK) === 0) this.#fail('blocks were handed out, but no request was ever seen');
    if (step < 0 || step % FRAGMENT_WORDS_MIN !== 0) this.#fail(`the heap grows in steps of ${step * 4} bytes`);
    if (step !== 0 && this.#field(BLOCK_WORDS) === 0) this.#fail('a heap without a parent is to grow');
    if (step !== 0 && this.#field(GROWTH_LIMIT_WORDS) < 0) this.#fail(`the limit of growth is ${this.#field(GROWTH_LIMIT_WORDS) * 4} bytes`);
    if (share < 0 || share > (step === 0 ? 0 : WHOLE_SHARE)) this.#fail(`the heap grows by ${share / WHOLE_SHARE} of itself`);
    const wrong = this.#bins.wrongMark(this.#words, this.#state);
    if (wrong !== undefined) this.#fail(wrong);
  }

  /** The mark, the sentinel and the first fragment of a bin agree; whether a mark on an empty bin is allowed, the heap has said above. */
  #binHead(bin: number): void {
    const bins = this.#bins;
    const words = this.#words;
    const sentinel = bins.sentinelOf(this.#state, bin);
    const first = words[sentinel]!;
    if (first === sentinel) {
      if (words[sentinel + PREVIOUS] !== sentinel) this.#fail(`bin ${bin} is empty, but not from behind`);
      return;
    }
    if (!bins.isMarked(words, this.#state, bin)) this.#fail(`bin ${bin} is not empty, but not marked`);
    if (first <= 0 || words[first + PREVIOUS] !== sentinel) this.#fail(`the first fragment of bin ${bin}, ${at(first)}, does not know its bin`);
    const size = words[first + SIZE]!;
    const isFree = size >= FRAGMENT_WORDS_MIN && (size & USED) === 0;
    if (!isFree || bins.binOf(size) !== bin) this.#fail(`the first fragment of bin ${bin}, ${at(first)}, has the header ${size}`);
  }

  #walkRegions(): void {
    const words = this.#words;
    const seen = new Set<number>();
    let last = 0;
    const first = this.#state + this.#bins.stateSize / 4;
    if (this.#field(FIRST_REGION) !== first) this.#fail(`the first region is said to lie at ${at(this.#field(FIRST_REGION))}`);
    for (let region = first; region !== 0; region = words[region + REGION_NEXT]!) {
      if (seen.has(region) || region < 0 || region % FRAGMENT_WORDS_MIN !== 0) this.#fail(`the regions' chain is broken at ${at(region)}`);
      seen.add(region);
      this.#walkRegion(region);
      last = region;
    }
    if (last !== this.#field(LAST_REGION)) this.#fail(`the last region lies at ${at(last)}, not at ${at(this.#field(LAST_REGION))}`);
    const blockWords = this.#field(BLOCK_WORDS);
    const createdWords = this.#field(CREATED_WORDS);
    const heldWords = first + words[first + REGION_WORDS]! - this.#state;
    if (createdWords <= 0 || createdWords > heldWords) {
      this.#fail(`the heap is said to be created with ${createdWords * 4} bytes, its first region ends after ${heldWords * 4}`);
    }
    if (blockWords !== 0 && blockWords !== heldWords) this.#fail(`the parent's block is said to have ${blockWords * 4} bytes`);
  }

  #walkRegion(region: number): void {
    const words = this.#words;
    const length = words[region + REGION_WORDS]!;
    const end = region + length;
    const begin = region + REGION_BEGIN;
    if (length < REGION_OVERHEAD_WORDS + FRAGMENT_WORDS_MIN || !(end <= words.length)) this.#fail(`the region at ${at(region)} has ${length * 4} bytes`);
    if (words[begin + SIZE] !== (FRAGMENT_WORDS_MIN | USED) || words[begin + BEFORE] !== 0) this.#fail(`the region at ${at(region)} has no beginning`);
    let before = begin;
    let wasFree = false;
    for (let block = region + REGION_FIRST; block !== end; ) {
      const head = words[block + SIZE]!;
      const size = head & ~USED;
      const isFree = (head & USED) === 0;
      if (size < FRAGMENT_WORDS_MIN || size % FRAGMENT_WORDS_MIN !== 0 || block + size > end) this.#fail(`the fragment at ${at(block)} has the header ${head}`);
      if (words[block + BEFORE] !== before) this.#fail(`the fragment at ${at(block)} does not know the one before it, ${at(before)}`);
      if (isFree && wasFree) this.#fail(`the free fragments at ${at(before)} and ${at(block)} touch`);
      if (isFree) this.#free.add(block);
      else this.#countUsed(block, size);
      before = block;
      wasFree = isFree;
      block += size;
    }
    if (words[end + SIZE] !== USED || words[end + BEFORE] !== before) this.#fail(`the region at ${at(region)} has no end`);
    this.#capacity += end - region - REGION_FIRST;
  }

  #countUsed(block: number, size: number): void {
    const isBlockSize = this.#bins.fragmentWords(size * 4 - FRAGMENT_HEADER_SIZE) === size;
    if (!isBlockSize) this.#fail(`the used fragment at ${at(block)} has ${size * 4} bytes, as no block's has`);
    this.#allocated += size;
  }

  /** Follows one bin's ring; every fragment in it must be one the walk found free. */
  #walkBin(bin: number): number {
    const words = this.#words;
    const sentinel = this.#bins.sentinelOf(this.#state, bin);
    let count = 0;
    let previous = sentinel;
    for (let block = words[sentinel]!; block !== sentinel; block = words[block]!) {
      if (!this.#free.has(block)) this.#fail(`${at(block)} is in bin ${bin}, but is no free fragment`);
      if (words[block + PREVIOUS] !== previous) this.#fail(`the fragment at ${at(block)} does not know the one before it in bin ${bin}`);
      if (this.#bins.binOf(words[block + SIZE]!) !== bin) this.#fail(`the fragment of ${words[block + SIZE]! * 4} bytes at ${at(block)} is in bin ${bin}`);
      count += 1;
      if (count > this.#free.size) this.#fail(`bin ${bin} is a ring that never comes back`);
      previous = block;
    }
    if (words[sentinel + PREVIOUS] !== previous) this.#fail(`bin ${bin} ends at ${at(words[sentinel + PREVIOUS]!)}, not at ${at(previous)}`);
    return count;
  }
}
