/**
 * Regions: the contiguous pieces of memory that a heap's fragments lie in. A heap has one from the start; growth makes the last one longer, or adds
 * another, and trimming takes that back. Plain functions over the words; who calls the parent is `growth.ts`.
 */

import type { Bins } from './bins.ts';
import { insert, join, remove } from './fragments.ts';
import {
  BEFORE,
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
export function lengthenRegion(bins: Bins, words: Int32Array, state: number, region: number, more: number): void {
  const end = region + words[region + REGION_WORDS]!;
  words[end + more + SIZE] = USED;
  words[end + more + BEFORE] = end;
  words[end + SIZE] = more;
  words[region + REGION_WORDS]! += more;
  words[state + CAPACITY]! += more;
  join(bins, words, state, end, more);
}

/** Makes a region shorter by part or all of its free tail: [ .. free ][ end ] => [ .. free - less ][ end ]. */
export function shortenRegion(bins: Bins, words: Int32Array, state: number, region: number, less: number): void {
  const end = region + words[region + REGION_WORDS]!;
  const block = words[end + BEFORE]!;
  const rest = words[block + SIZE]! - less;
  const before = words[block + BEFORE]!;
  remove(bins, words, state, block);
  // What goes is a fragment of its own at first.
  words[end - less + SIZE] = less;
  words[end - less + BEFORE] = rest === 0 ? before : block;
  if (rest !== 0) words[block + SIZE] = rest;
  words[region + REGION_WORDS]! -= less;
  words[state + CAPACITY]! -= less;
  words[end - less + SIZE] = USED;
  if (rest !== 0) insert(bins, words, state, block, rest);
}

/** Adds a region at the end of the chain. */
export function appendRegion(bins: Bins, words: Int32Array, state: number, region: number, length: number): void {
  words[region + REGION_NEXT] = 0;
  formatRegion(bins, words, state, region, length);
  words[words[state + LAST_REGION]! + REGION_NEXT] = region;
  words[state + LAST_REGION] = region;
  words[state + CAPACITY]! += length - REGION_OVERHEAD_WORDS;
}

/** Takes a region that holds no block out of the chain; `previous` is the one before it. */
export function dropRegion(bins: Bins, words: Int32Array, state: number, region: number, previous: number): void {
  remove(bins, words, state, region + REGION_FIRST);
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

/** Empties every bin. */
export function clearBins(bins: Bins, words: Int32Array, state: number): void {
  bins.clearMarks(words, state);
  for (const bin of bins.numbers) {
    const sentinel = bins.sentinelOf(state, bin);
    words[sentinel] = sentinel;
    words[sentinel + PREVIOUS] = sentinel;
  }
}

/** Erases the header of every fragment of a region from one on, as far as they lead. O(fragments). */
export function eraseFragments(words: Int32Array, region: number, from: number): void {
  const end = region + words[region + REGION_WORDS]!;
  for (let block = from; block < end; ) {
    const size = words[block + SIZE]! & ~USED;
    words[block + SIZE] = 0;
    if (size < FRAGMENT_WORDS_MIN) return;
    block += size;
  }
}

/** Makes one free fragment of a region. */
export function formatRegion(bins: Bins, words: Int32Array, state: number, region: number, length: number): void {
  const begin = region + REGION_BEGIN;
  const first = region + REGION_FIRST;
  const end = region + length;
  words[region + REGION_WORDS] = length;
  words[begin + SIZE] = FRAGMENT_WORDS_MIN | USED;
  words[begin + BEFORE] = 0;
  words[first + BEFORE] = begin;
  words[end + SIZE] = USED;
  words[end + BEFORE] = first;
  insert(bins, words, state, first, end - first);
}
