/**
 * Free fragments and their bins: put in, take out, cut, join. Plain functions over the words, small enough that V8 inlines them into
 * `allocate` and `deallocate`; `state` is the word index of the heap's state.
 */

import { BEFORE, BINS, BIN_MASK, FRAGMENT_WORDS_MIN_LOG2, NEXT_FREE, PREVIOUS_FREE, USED } from './layout.ts';

/** The bin of a free fragment: floor(log2(size / smallest)). */
export function binOf(size: number): number {
  return 31 - FRAGMENT_WORDS_MIN_LOG2 - Math.clz32(size);
}

/** The fragment index at which a bin's links look like a fragment's. */
export function sentinelOf(state: number, bin: number): number {
  return state + BINS + 2 * bin - NEXT_FREE;
}

/** Puts a free fragment of `size` words at the front of its bin, so that the latest freed, still in the cache, is the first reused. */
export function insert(words: Int32Array, state: number, fragment: number, size: number): void {
  const bin = binOf(size);
  const sentinel = sentinelOf(state, bin);
  const next = words[sentinel + NEXT_FREE]!;
  words[fragment] = size;
  words[fragment + NEXT_FREE] = next;
  words[fragment + PREVIOUS_FREE] = sentinel;
  words[next + PREVIOUS_FREE] = fragment;
  words[sentinel + NEXT_FREE] = fragment;
  words[state + BIN_MASK]! |= 1 << bin;
}

/** Takes a free fragment out of its bin. When both its neighbours are one, that one is the sentinel, and the bin is empty now. */
export function remove(words: Int32Array, state: number, fragment: number): void {
  const next = words[fragment + NEXT_FREE]!;
  const previous = words[fragment + PREVIOUS_FREE]!;
  words[previous + NEXT_FREE] = next;
  words[next + PREVIOUS_FREE] = previous;
  if (next === previous) words[state + BIN_MASK]! ^= 1 << ((next + NEXT_FREE - state - BINS) >> 1);
}

/**
 * Marks `wanted` words at the front of a fragment as used, and frees the rest. The fragment is in no bin.
 *
 *     [ fragment: size       ] => [ used: wanted ][ free: rest ]
 */
export function cut(words: Int32Array, state: number, fragment: number, size: number, wanted: number): void {
  words[fragment] = wanted | USED;
  const rest = size - wanted;
  if (rest === 0) return;
  words[fragment + wanted + BEFORE] = fragment;
  words[fragment + size + BEFORE] = fragment + wanted;
  insert(words, state, fragment + wanted, rest);
}

/**
 * Frees a fragment of `size` words, which is in no bin, joining it with free neighbours. A header that ends up inside a larger fragment is erased: so a
 * second free of the same address finds nothing.
 *
 *     [ free? ][ fragment ][ free? ] => [ free ]
 */
export function join(words: Int32Array, state: number, fragment: number, size: number): void {
  const before = words[fragment + BEFORE]!;
  const sizeBefore = words[before]!;
  const behind = fragment + size;
  const sizeBehind = words[behind]!;
  let start = fragment;
  let length = size;
  if ((sizeBehind & USED) === 0) {
    remove(words, state, behind);
    words[behind] = 0;
    length += sizeBehind;
  }
  if ((sizeBefore & USED) === 0) {
    remove(words, state, before);
    words[fragment] = 0;
    start = before;
    length += sizeBefore;
  }
  if (length !== size) words[start + length + BEFORE] = start;
  insert(words, state, start, length);
}
