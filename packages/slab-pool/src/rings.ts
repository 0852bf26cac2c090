/**
 * The slabs of a class that have room, in a ring through their descriptors; the class's current one is one of them. A full slab is in none, and says so in its
 * count of live objects, as does one that is alone: that is how `deallocate` knows when there is more to do.
 */

import { ALONE, CURRENT, FULL, LIVE, LIVE_COUNT, NEXT_SLAB, NO_SLAB, PREVIOUS_SLAB, SLAB_CLASS } from './layout.ts';

/** Puts a slab into its class's ring; it becomes the current one if it is the first. O(1). */
export function linkSlab(words: Int32Array, state: number, slab: number): void {
  const record = words[slab + SLAB_CLASS]!;
  const isFirst = words[record + CURRENT] === state + NO_SLAB;
  const next = isFirst ? slab : words[record + CURRENT]!;
  const previous = next === slab ? slab : words[next + PREVIOUS_SLAB]!;
  words[slab + NEXT_SLAB] = next;
  words[slab + PREVIOUS_SLAB] = previous;
  words[previous + NEXT_SLAB] = slab;
  words[next + PREVIOUS_SLAB] = slab;
  words[next + LIVE]! &= ~ALONE;
  words[slab + LIVE]! &= ~FULL;
  if (!isFirst) return;
  words[slab + LIVE]! |= ALONE;
  words[record + CURRENT] = slab;
}

/** Takes a slab out of its class's ring; the current one becomes the next, or none. O(1). */
export function unlinkSlab(words: Int32Array, state: number, slab: number): void {
  const record = words[slab + SLAB_CLASS]!;
  const next = words[slab + NEXT_SLAB]!;
  const previous = words[slab + PREVIOUS_SLAB]!;
  words[previous + NEXT_SLAB] = next;
  words[next + PREVIOUS_SLAB] = previous;
  if (next === previous) words[next + LIVE]! |= ALONE;
  words[slab + LIVE] = (words[slab + LIVE]! & LIVE_COUNT) | FULL;
  words[slab + NEXT_SLAB] = 0;
  words[slab + PREVIOUS_SLAB] = 0;
  if (words[record + CURRENT] === slab) words[record + CURRENT] = next === slab ? state + NO_SLAB : next;
}
