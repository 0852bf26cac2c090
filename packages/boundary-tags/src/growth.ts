/** How a heap gets memory from its parent when it is full, and gives back what it does not need. */

import { ADDRESS_SPACE_SIZE, NULL, alignDown, type Address, type Parent } from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { appendRegion, dropRegion, freeTail, lengthenRegion, shortenRegion } from './regions.ts';
import {
  BLOCK_WORDS,
  CREATED_WORDS,
  FIRST_REGION,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  LAST_REGION,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  TRIM_COUNT,
  WHOLE_SHARE,
} from './layout.ts';

/** What growth needs to know of a heap. */
export interface Growing {
  /** Its bins. */
  readonly bins: Bins;
  /** Whom it has its memory from. */
  readonly parent: Parent;
  /** Where its state lies. */
  readonly address: Address;
  /** Takes the current view: to be asked for again after every call to the parent, which may have grown the memory on the way. */
  readonly view: () => Int32Array;
}

/**
 * Bytes of a block that the parent holds for the heap. More than the heap counts where a process was killed between the parent's side of a growth
 * or a trimming and the heap's: the heap works on with what it knows.
 */
export function heldSize(parent: Parent, address: Address, size: number): number {
  return 'usableSize' in parent ? parent.usableSize(address) : size;
}

/** Takes so much from the parent that a search for `needed` words finds a fragment: in place where that can be, else as another region. */
export function grow(heap: Growing, needed: number): boolean {
  const words = heap.view();
  const state = heap.address >>> 2;
  const share = words[state + GROWTH_SHARE]! / WHOLE_SHARE;
  const more = Math.max(words[state + GROWTH_STEP_WORDS]!, alignDown(Math.floor(heldWords(heap, words, state) * share), FRAGMENT_WORDS_MIN));
  return (
    growRegion(heap, needed, more) ||
    growRegion(heap, needed, 0) ||
    addRegion(heap, needed, more) ||
    addRegion(heap, needed, 0) ||
    // Empty regions do not join where they touch; at the parent they do.
    (trim(heap) > 0 && addRegion(heap, needed, 0))
  );
}

/** Words that the heap has of its parent. O(regions). */
function heldWords({ bins }: Growing, words: Int32Array, state: number): number {
  let held = bins.stateSize / 4;
  for (let region = words[state + FIRST_REGION]!; region > 0; region = words[region + REGION_NEXT]!) held += words[region + REGION_WORDS]!;
  return held;
}

/** Words that the limit leaves to growth. O(regions). */
function room(heap: Growing, words: Int32Array, state: number): number {
  return alignDown(Math.max(0, words[state + GROWTH_LIMIT_WORDS]! - heldWords(heap, words, state)), FRAGMENT_WORDS_MIN);
}

/** Makes the last region longer, where it stands, so that its free tail has `needed` words. */
function growRegion(heap: Growing, needed: number, step: number): boolean {
  const { bins, parent, address } = heap;
  const words = heap.view();
  const state = address >>> 2;
  const region = words[state + LAST_REGION]!;
  const isFirst = region === words[state + FIRST_REGION]!;
  const least = Math.max(FRAGMENT_WORDS_MIN, needed - freeTail(words, region));
  const more = Math.min(Math.max(least, step), room(heap, words, state));
  const start = isFirst ? address : region * 4;
  const oldSize = (region + words[region + REGION_WORDS]!) * 4 - start;
  if (more < least || oldSize + more * 4 >= ADDRESS_SPACE_SIZE) return false;
  const isLonger = parent.resize(start, heldSize(parent, start, oldSize), oldSize + more * 4);
  const wordsNow = heap.view();
  if (!isLonger) return false;
  lengthenRegion(bins, wordsNow, state, region, more);
  if (isFirst) wordsNow[state + BLOCK_WORDS]! += more;
  return true;
}

/** Takes another block from the parent. */
function addRegion(heap: Growing, needed: number, step: number): boolean {
  const { bins, parent } = heap;
  const state = heap.address >>> 2;
  const least = needed + REGION_OVERHEAD_WORDS;
  const length = Math.min(Math.max(least, step), room(heap, heap.view(), state));
  if (length < least || length * 4 >= ADDRESS_SPACE_SIZE) return false;
  const address = parent.allocate(length * 4, FRAGMENT_SIZE_MIN);
  const words = heap.view();
  if (address === NULL) return false;
  appendRegion(bins, words, state, address / 4, length);
  return true;
}

/**
 * Gives back to the parent what growth added and no block needs. O(regions).
 *
 * @returns How many bytes went back.
 */
export function trim(heap: Growing): number {
  const { bins, parent } = heap;
  const words = heap.view();
  const state = heap.address >>> 2;
  let returned = 0;
  let previous = 0;
  words[words[state + FIRST_REGION]! + TRIM_COUNT]! += 1;
  for (let region = words[state + FIRST_REGION]!; region > 0; ) {
    const next = words[region + REGION_NEXT]!;
    const length = words[region + REGION_WORDS]!;
    if (previous !== 0 && freeTail(words, region) === length - REGION_OVERHEAD_WORDS && 'deallocate' in parent) {
      dropRegion(bins, words, state, region, previous);
      parent.deallocate(region * 4, heldSize(parent, region * 4, length * 4));
      returned += length * 4;
    } else {
      returned += cutTail(heap, words, region);
      previous = region;
    }
    region = next;
  }
  return returned;
}

/** Gives the free end of a region back. The first one keeps what the heap was created with, any other one fragment at least. */
function cutTail({ bins, parent, address }: Growing, words: Int32Array, region: number): number {
  const state = address >>> 2;
  const length = words[region + REGION_WORDS]!;
  const isFirst = region === words[state + FIRST_REGION]!;
  const kept = isFirst ? words[state + CREATED_WORDS]! - bins.stateSize / 4 : REGION_OVERHEAD_WORDS + FRAGMENT_WORDS_MIN;
  const spare = Math.min(freeTail(words, region), length - kept);
  const less = alignDown(spare * 4, parent.alignment) / 4;
  const start = isFirst ? address : region * 4;
  const oldSize = (region + length) * 4 - start;
  if (less <= 0) return 0;
  // First, because a parent may write to what it takes back.
  shortenRegion(bins, words, state, region, less);
  if (isFirst) words[state + BLOCK_WORDS]! -= less;
  if (parent.resize(start, heldSize(parent, start, oldSize), oldSize - less * 4)) return less * 4;
  lengthenRegion(bins, words, state, region, less);
  if (isFirst) words[state + BLOCK_WORDS]! += less;
  return 0;
}
