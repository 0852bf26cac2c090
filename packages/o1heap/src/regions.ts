/**
 * Regions: the contiguous pieces of memory that a heap's fragments lie in. A heap has one from the start; growth makes the last one longer, or adds
 * another, and trimming takes that back. Plain functions over the words; who calls the parent is the heap.
 */

import { freeBlocks, insert, join, remove, sentinelOf } from './fragments.ts';
import {
  BEFORE,
  BIN_COUNT,
  BIN_MASK,
  CAPACITY,
  FIRST_REGION,
  FRAGMENT_WORDS_MIN,
  LAST_REGION,
  PREVIOUS,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  SIZE,
  USED,
} from './layout.ts';

/** Words of the free fragment that ends a region; 0 when a block does. */
export function freeTail(words: Int32Array, region: number): number {
  const size = words[words[region + words[region + REGION_WORDS]! + BEFORE]! + SIZE]!;
  return (size & USED) === 0 ? size : 0;
}

/** Makes a region longer: [ .. frag ][ end ] => [ .. frag + more ][ end ]. */
export function lengthenRegion(words: Int32Array, state: number, region: number, more: number): void {
  const end = region + words[region + REGION_WORDS]!;
  words[region + REGION_WORDS]! += more;
  words[state + CAPACITY]! += more;
  words[end + more + SIZE] = USED;
  words[end + more + BEFORE] = end;
  join(words, state, end, more);
}

/** Makes a region shorter by part or all of its free tail: [ .. free ][ end ] => [ .. free - less ][ end ]. */
export function shortenRegion(words: Int32Array, state: number, region: number, less: number): void {
  const end = region + words[region + REGION_WORDS]!;
  const block = words[end + BEFORE]!;
  const rest = words[block + SIZE]! - less;
  const before = words[block + BEFORE]!;
  remove(words, block);
  words[region + REGION_WORDS]! -= less;
  words[state + CAPACITY]! -= less;
  words[end - less + SIZE] = USED;
  words[end - less + BEFORE] = rest === 0 ? before : block;
  if (rest !== 0) insert(words, state, block, rest);
}

/** Adds a region at the end of the chain. */
export function appendRegion(words: Int32Array, state: number, region: number, length: number): void {
  words[region + REGION_NEXT] = 0;
  words[words[state + LAST_REGION]! + REGION_NEXT] = region;
  words[state + LAST_REGION] = region;
  words[state + CAPACITY]! += length - REGION_OVERHEAD_WORDS;
  formatRegion(words, state, region, length);
}

/** Takes a region that holds no block out of the chain; `previous` is the one before it. */
export function dropRegion(words: Int32Array, state: number, region: number, previous: number): void {
  remove(words, region + REGION_FIRST);
  words[previous + REGION_NEXT] = words[region + REGION_NEXT]!;
  if (words[state + LAST_REGION] === region) words[state + LAST_REGION] = previous;
  words[state + CAPACITY]! -= words[region + REGION_WORDS]! - REGION_OVERHEAD_WORDS;
}

/** The region whose fragments `block` lies among, or 0. O(regions). */
export function regionOf(words: Int32Array, state: number, block: number): number {
  for (let region = words[state + FIRST_REGION]!; region > 0; region = words[region + REGION_NEXT]!) {
    if (block >= region + REGION_FIRST && block < region + words[region + REGION_WORDS]!) return region;
  }
  return 0;
}

/** Empties every bin, that of bin -1 included. */
export function clearBins(words: Int32Array, state: number): void {
  words[state + BIN_MASK] = 0;
  for (let bin = -1; bin < BIN_COUNT; bin += 1) {
    const sentinel = sentinelOf(state, bin);
    words[sentinel] = sentinel;
    words[sentinel + PREVIOUS] = sentinel;
  }
}

/** Erases the header of every fragment of a region, as far as they lead. O(fragments). */
export function eraseFragments(words: Int32Array, region: number): void {
  const end = region + words[region + REGION_WORDS]!;
  for (let block = region + REGION_FIRST; block < end; ) {
    const size = words[block + SIZE]! & ~USED;
    words[block + SIZE] = 0;
    if (size < FRAGMENT_WORDS_MIN) return;
    block += size;
  }
}

/** Makes one free fragment of a region. */
export function formatRegion(words: Int32Array, state: number, region: number, length: number): void {
  const begin = region + REGION_BEGIN;
  const first = region + REGION_FIRST;
  const end = region + length;
  words[region + REGION_WORDS] = length;
  words[begin + SIZE] = FRAGMENT_WORDS_MIN | USED;
  words[begin + BEFORE] = 0;
  words[first + BEFORE] = begin;
  words[end + SIZE] = USED;
  words[end + BEFORE] = first;
  insert(words, state, first, end - first);
}

/** Whether a word lies inside a free fragment: only asked on the way to an error. O(free fragments). */
export function isInsideFree(words: Int32Array, state: number, word: number): boolean {
  for (let bin = 0; bin < BIN_COUNT; bin += 1) {
    for (const block of freeBlocks(words, state, bin)) {
      if (word >= block + SIZE && word < block + SIZE + words[block + SIZE]!) return true;
    }
  }
  return false;
}
