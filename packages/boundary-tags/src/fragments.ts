/**
 * Free fragments and their bins: put in, take out, cut, join. `state` is the word index of the heap's state, `block` that of a fragment's block.
 *
 * Whoever stores a fragment's size has made sure that fragments follow one another to the end of the region before the store and after it: so that a heap whose
 * owner dies at any store can be repaired.
 */

import { AllocatorError } from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { BEFORE, CAPACITY, FRAGMENT_WORDS_MIN, PREVIOUS, SIZE, USED } from './layout.ts';

/** The blocks of the free fragments in a bin, latest first. O(fragments in the bin); a ring that never comes back is told. */
export function freeBlocks(bins: Bins, words: Int32Array, state: number, bin: number): number[] {
  const sentinel = bins.sentinelOf(state, bin);
  const countMax = words[state + CAPACITY]! / FRAGMENT_WORDS_MIN;
  const blocks: number[] = [];
  for (let block = words[sentinel]!; block !== sentinel; block = words[block]!) {
    if (!(blocks.length < countMax)) throw new AllocatorError('corrupt', `${bins.name}: bin ${bin} is a ring that never comes back`);
    blocks.push(block);
  }
  return blocks;
}

/** Puts a free fragment of `size` words at the front of its bin, so that the latest freed, still in the cache, is the first reused. */
export function insert(bins: Bins, words: Int32Array, state: number, block: number, size: number): void {
  const bin = bins.binOf(size);
  const sentinel = bins.sentinelOf(state, bin);
  const next = words[sentinel]!;
  words[block + SIZE] = size;
  words[block] = next;
  words[block + PREVIOUS] = sentinel;
  words[next + PREVIOUS] = block;
  words[sentinel] = block;
  bins.mark(words, state, bin);
}

/** Takes a free fragment out of its bin. */
export function remove(bins: Bins, words: Int32Array, state: number, block: number): void {
  const next = words[block]!;
  const previous = words[block + PREVIOUS]!;
  words[previous] = next;
  words[next + PREVIOUS] = previous;
  // A ring in which both neighbours are the same is the sentinel alone.
  if (next === previous) bins.unmark(words, state, bins.binOf(words[block + SIZE]!));
}

/**
 * Marks `wanted` words at the front of a fragment as used, and frees the rest. The fragment is in no bin.
 *
 *     [ fragment: size       ] => [ used: wanted ][ free: rest ]
 */
export function cut(bins: Bins, words: Int32Array, state: number, block: number, size: number, wanted: number): void {
  if (size !== wanted) {
    const rest = block + wanted;
    words[rest + BEFORE] = block;
    words[block + size + BEFORE] = rest;
    insert(bins, words, state, rest, size - wanted);
  }
  // Last: until then the walk goes past the rest, and from then on over it.
  words[block + SIZE] = wanted | USED;
}

/**
 * Frees a fragment of `size` words, which is in no bin, joining it with free neighbours. A used header that ends up inside a larger fragment is not
 * erased: its neighbours no longer agree with it, and so a second free of the same address is told.
 *
 *     [ free? ][ fragment ][ free? ] => [ free ]
 */
export function join(bins: Bins, words: Int32Array, state: number, block: number, size: number): void {
  const before = words[block + BEFORE]!;
  const sizeBefore = words[before + SIZE]!;
  const sizeBehind = words[block + size + SIZE]!;
  let start = block;
  let length = size;
  if ((sizeBehind & USED) === 0) {
    remove(bins, words, state, block + size);
    length += sizeBehind;
  }
  if ((sizeBefore & USED) === 0) {
    remove(bins, words, state, before);
    start = before;
    length += sizeBefore;
  }
  words[start + length + BEFORE] = start;
  insert(bins, words, state, start, length);
}

/**
 * Changes a used fragment of `length` words to `wanted` where it stands.
 *
 *     [ used ][ free     ] => [ used     ][ free ]
 *     [ used         ][ free? ] => [ used ][ free ]
 *
 * @returns `false` when what is behind does not suffice: then nothing has changed.
 */
export function resizeUsed(bins: Bins, words: Int32Array, state: number, block: number, length: number, wanted: number): boolean {
  const behind = block + length;
  if (wanted > length) {
    const sizeBehind = words[behind + SIZE]!;
    if ((sizeBehind & USED) !== 0 || length + sizeBehind < wanted) return false;
    remove(bins, words, state, behind);
    words[behind + sizeBehind + BEFORE] = block;
    cut(bins, words, state, block, length + sizeBehind, wanted);
  } else if (wanted < length) {
    const rest = block + wanted;
    words[rest + SIZE] = length - wanted;
    words[rest + BEFORE] = block;
    words[block + SIZE] = wanted | USED;
    words[behind + BEFORE] = rest;
    join(bins, words, state, rest, length - wanted);
  }
  return true;
}

/** The sizes of the free fragments in the highest bin in use, in words; none when nothing is free. O(free fragments in that bin). */
export function largestSizes(bins: Bins, words: Int32Array, state: number): number[] {
  const bin = bins.highestInUse(words, state);
  return bin === undefined ? [] : freeBlocks(bins, words, state, bin).map((block) => words[block + SIZE]!);
}

/** Whether a word lies inside a free fragment: only asked on the way to an error. O(free fragments). */
export function isInsideFree(bins: Bins, words: Int32Array, state: number, word: number): boolean {
  for (const bin of bins.numbers) {
    for (const block of freeBlocks(bins, words, state, bin)) {
      if (word >= block + SIZE && word < block + SIZE + words[block + SIZE]!) return true;
    }
  }
  return false;
}
