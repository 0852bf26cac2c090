/**
 * Free fragments and their bins: put in, take out, cut, join. What `allocate` and `deallocate` do in one piece, for everything that is not as
 * hot. `state` is the word index of the heap's state, `block` that of a fragment's block.
 */

import { AllocatorError } from '@allokit/allocator';
import { BEFORE, BINS, BIN_MASK, CAPACITY, FRAGMENT_WORDS_MIN, PREVIOUS, SIZE, USED } from './layout.ts';

/** The bin of a free fragment of `size` words: 29 - floor(log2(size / smallest)). */
export function binOf(size: number): number {
  return Math.clz32(size);
}

/** The index of a bin's sentinel. */
export function sentinelOf(state: number, bin: number): number {
  return state + BINS + 2 * bin;
}

/** The blocks of the free fragments in a bin, latest first. O(fragments in the bin); a ring that never comes back is told. */
export function freeBlocks(words: Int32Array, state: number, bin: number): number[] {
  const sentinel = sentinelOf(state, bin);
  const countMax = words[state + CAPACITY]! / FRAGMENT_WORDS_MIN;
  const blocks: number[] = [];
  for (let block = words[sentinel]!; block !== sentinel; block = words[block]!) {
    if (!(blocks.length < countMax)) throw new AllocatorError('corrupt', `o1heap: bin ${bin} is a ring that never comes back`);
    blocks.push(block);
  }
  return blocks;
}

/** Puts a free fragment of `size` words at the front of its bin, so that the latest freed, still in the cache, is the first reused. */
export function insert(words: Int32Array, state: number, block: number, size: number): void {
  const bin = binOf(size);
  const sentinel = sentinelOf(state, bin);
  const next = words[sentinel]!;
  words[block + SIZE] = size;
  words[block] = next;
  words[block + PREVIOUS] = sentinel;
  words[next + PREVIOUS] = block;
  words[sentinel] = block;
  words[state + BIN_MASK]! |= 1 << bin;
}

/** Takes a free fragment out of its bin. The mask may go on showing a bin that ran empty: whoever looks there next corrects it. */
export function remove(words: Int32Array, block: number): void {
  const next = words[block]!;
  const previous = words[block + PREVIOUS]!;
  words[previous] = next;
  words[next + PREVIOUS] = previous;
}

/**
 * The first fragment of the last bin up to `bin` that has one: of the smallest that are large enough. Clears the marks of bins that ran empty: at most one a
 * bin, so bounded.
 *
 * @returns Its block, or 0 when there is none.
 */
export function findFirst(words: Int32Array, state: number, bin: number): number {
  for (;;) {
    const bins = words[state + BIN_MASK]! & ((2 << bin) - 1);
    if (bins === 0) return 0;
    const last = 31 - Math.clz32(bins);
    const sentinel = sentinelOf(state, last);
    const block = words[sentinel]!;
    if (block !== sentinel) return block;
    words[state + BIN_MASK]! ^= 1 << last;
  }
}

/**
 * Marks `wanted` words at the front of a fragment as used, and frees the rest. The fragment is in no bin.
 *
 *     [ fragment: size       ] => [ used: wanted ][ free: rest ]
 */
export function cut(words: Int32Array, state: number, block: number, size: number, wanted: number): void {
  words[block + SIZE] = wanted | USED;
  if (size === wanted) return;
  const rest = block + wanted;
  words[rest + BEFORE] = block;
  words[block + size + BEFORE] = rest;
  insert(words, state, rest, size - wanted);
}

/**
 * Frees a fragment of `size` words, which is in no bin, joining it with free neighbours. A used header that ends up inside a larger fragment is not
 * erased: its neighbours no longer agree with it, and so a second free of the same address is told.
 *
 *     [ free? ][ fragment ][ free? ] => [ free ]
 */
export function join(words: Int32Array, state: number, block: number, size: number): void {
  const before = words[block + BEFORE]!;
  const sizeBefore = words[before + SIZE]!;
  const sizeBehind = words[block + size + SIZE]!;
  let start = block;
  let length = size;
  if ((sizeBehind & USED) === 0) {
    remove(words, block + size);
    length += sizeBehind;
  }
  if ((sizeBefore & USED) === 0) {
    remove(words, before);
    start = before;
    length += sizeBefore;
  }
  words[start + length + BEFORE] = start;
  insert(words, state, start, length);
}
