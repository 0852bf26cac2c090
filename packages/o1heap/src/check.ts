/** The two invariant checks of a heap: of its diagnostics in constant time, of every fragment by a walk. */

import { AllocatorError, checkHeader, formatAddress, type Address, type Memory } from '@allokit/allocator';
import { binOf, sentinelOf } from './fragments.ts';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BIN_COUNT,
  BIN_MASK,
  BLOCK_WORDS,
  CAPACITY,
  CREATED_WORDS,
  FIRST_REGION,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  HEADER,
  HEAP_SIZE_MIN,
  LAST_REGION,
  PREVIOUS,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  STATE_SIZE,
  USED,
  WHOLE_SHARE,
} from './layout.ts';

/** What a walk over the regions counts. */
interface Walk {
  capacity: number;
  allocated: number;
  readonly free: Set<number>;
}

function fail(what: string): never {
  throw new AllocatorError('corrupt', `o1heap: ${what}`);
}

function at(word: number): string {
  return formatAddress(word * 4);
}

/** Checks the heap at `address`: in O(1), or all of it in O(fragments) when `isFull`. Reads only; safe on any bytes. */
export function checkHeap(memory: Memory, address: Address, isFull: boolean): void {
  checkHeader(memory, address, HEADER, HEAP_SIZE_MIN);
  const words = memory.i32;
  const state = address >>> 2;
  checkDiagnostics(words, state);
  for (let bin = -1; bin < BIN_COUNT; bin += 1) checkBinHead(words, state, bin);
  if (!isFull) return;
  const walk = walkRegions(words, state);
  if (walk.capacity !== words[state + CAPACITY]) fail(`fragments fill ${walk.capacity * 4} bytes, the capacity is ${words[state + CAPACITY]! * 4}`);
  if (walk.allocated !== words[state + ALLOCATED]) fail(`used fragments fill ${walk.allocated * 4} bytes, ${words[state + ALLOCATED]! * 4} are counted`);
  let binned = 0;
  for (let bin = 0; bin < BIN_COUNT; bin += 1) binned += walkBin(words, state, bin, walk.free);
  if (binned !== walk.free.size) fail(`${walk.free.size} fragments are free, ${binned} are in bins`);
}

function checkDiagnostics(words: Int32Array, state: number): void {
  const capacity = words[state + CAPACITY]!;
  const allocated = words[state + ALLOCATED]!;
  const peak = words[state + ALLOCATED_PEAK]!;
  const step = words[state + GROWTH_STEP_WORDS]!;
  const share = words[state + GROWTH_SHARE]!;
  if (capacity < FRAGMENT_WORDS_MIN || capacity % FRAGMENT_WORDS_MIN !== 0) fail(`the capacity is ${capacity * 4} bytes`);
  if (allocated < 0 || allocated > capacity || allocated % FRAGMENT_WORDS_MIN !== 0) fail(`${allocated * 4} bytes of ${capacity * 4} are allocated`);
  // A heap that grew and was trimmed may have had more than it has now.
  if (peak < allocated || (step === 0 && peak > capacity) || peak % FRAGMENT_WORDS_MIN !== 0) fail(`the peak is ${peak * 4} bytes, ${allocated * 4} of ${capacity * 4} are allocated`);
  if (peak !== 0 && words[state + REQUEST_PEAK] === 0) fail('blocks were handed out, but no request was ever seen');
  if (step < 0 || step % FRAGMENT_WORDS_MIN !== 0) fail(`the heap grows in steps of ${step * 4} bytes`);
  if (step !== 0 && words[state + BLOCK_WORDS] === 0) fail('a heap without a parent is to grow');
  if (step !== 0 && words[state + GROWTH_LIMIT_WORDS]! < 0) fail(`the limit of growth is ${words[state + GROWTH_LIMIT_WORDS]! * 4} bytes`);
  if (share < 0 || share > (step === 0 ? 0 : WHOLE_SHARE)) fail(`the heap grows by ${share / WHOLE_SHARE} of itself`);
  if (words[state + BIN_MASK] === 0 && allocated < capacity) fail(`${(capacity - allocated) * 4} bytes are free, but no bin is marked`);
  if (words[state + BIN_MASK]! >>> BIN_COUNT !== 0 || (words[state + BIN_MASK]! & 3) !== 0) fail('a bin is marked that does not exist');
}

/** The mask, the sentinel and the first fragment of a bin agree; a mark on an empty bin is allowed, except on bin -1, which has none. */
function checkBinHead(words: Int32Array, state: number, bin: number): void {
  const sentinel = sentinelOf(state, bin);
  const first = words[sentinel]!;
  if (first === sentinel) {
    if (words[sentinel + PREVIOUS] !== sentinel) fail(`bin ${bin} is empty, but not from behind`);
    return;
  }
  if (bin < 0 || (words[state + BIN_MASK]! & (1 << bin)) === 0) fail(`bin ${bin} is not empty, but not marked`);
  if (first <= 0 || words[first + PREVIOUS] !== sentinel) fail(`the first fragment of bin ${bin}, ${at(first)}, does not know its bin`);
  const size = words[first + SIZE]!;
  if (size < FRAGMENT_WORDS_MIN || (size & USED) !== 0 || binOf(size) !== bin) fail(`the first fragment of bin ${bin}, ${at(first)}, has the header ${size}`);
}

function walkRegions(words: Int32Array, state: number): Walk {
  const walk: Walk = { capacity: 0, allocated: 0, free: new Set() };
  const seen = new Set<number>();
  let last = 0;
  const first = state + STATE_SIZE / 4;
  if (words[state + FIRST_REGION] !== first) fail(`the first region is said to lie at ${at(words[state + FIRST_REGION]!)}`);
  for (let region = first; region !== 0; region = words[region + REGION_NEXT]!) {
    if (seen.has(region) || region < 0 || region % FRAGMENT_WORDS_MIN !== 0) fail(`the regions' chain is broken at ${at(region)}`);
    seen.add(region);
    walkRegion(words, region, walk);
    last = region;
  }
  if (last !== words[state + LAST_REGION]) fail(`the last region lies at ${at(last)}, not at ${at(words[state + LAST_REGION]!)}`);
  const blockWords = words[state + BLOCK_WORDS]!;
  const createdWords = words[state + CREATED_WORDS]!;
  const heldWords = first + words[first + REGION_WORDS]! - state;
  if (createdWords <= 0 || createdWords > heldWords) fail(`the heap is said to be created with ${createdWords * 4} bytes, its first region ends after ${heldWords * 4}`);
  if (blockWords !== 0 && blockWords !== heldWords) fail(`the parent's block is said to have ${blockWords * 4} bytes`);
  return walk;
}

function walkRegion(words: Int32Array, region: number, walk: Walk): void {
  const length = words[region + REGION_WORDS]!;
  const end = region + length;
  const begin = region + REGION_BEGIN;
  if (length < REGION_OVERHEAD_WORDS + FRAGMENT_WORDS_MIN || !(end <= words.length)) fail(`the region at ${at(region)} has ${length * 4} bytes`);
  if (words[begin + SIZE] !== (FRAGMENT_WORDS_MIN | USED) || words[begin + BEFORE] !== 0) fail(`the region at ${at(region)} has no beginning`);
  let before = begin;
  let wasFree = false;
  for (let block = region + REGION_FIRST; block !== end; ) {
    const head = words[block + SIZE]!;
    const size = head & ~USED;
    const isFree = (head & USED) === 0;
    if (size < FRAGMENT_WORDS_MIN || size % FRAGMENT_WORDS_MIN !== 0 || block + size > end) fail(`the fragment at ${at(block)} has the header ${head}`);
    if (words[block + BEFORE] !== before) fail(`the fragment at ${at(block)} does not know the one before it, ${at(before)}`);
    if (isFree && wasFree) fail(`the free fragments at ${at(before)} and ${at(block)} touch`);
    if (!isFree && (size & (size - 1)) !== 0) fail(`the used fragment at ${at(block)} has ${size * 4} bytes, not a power of two`);
    if (isFree) walk.free.add(block);
    else walk.allocated += size;
    before = block;
    wasFree = isFree;
    block += size;
  }
  if (words[end + SIZE] !== USED || words[end + BEFORE] !== before) fail(`the region at ${at(region)} has no end`);
  walk.capacity += end - region - REGION_FIRST;
}

/** Follows one bin's ring; every fragment in it must be one the walk found free. */
function walkBin(words: Int32Array, state: number, bin: number, free: ReadonlySet<number>): number {
  const sentinel = sentinelOf(state, bin);
  let count = 0;
  let previous = sentinel;
  for (let block = words[sentinel]!; block !== sentinel; block = words[block]!) {
    if (!free.has(block)) fail(`${at(block)} is in bin ${bin}, but is no free fragment`);
    if (words[block + PREVIOUS] !== previous) fail(`the fragment at ${at(block)} does not know the one before it in bin ${bin}`);
    if (binOf(words[block + SIZE]!) !== bin) fail(`the fragment of ${words[block + SIZE]! * 4} bytes at ${at(block)} is in bin ${bin}`);
    count += 1;
    if (count > free.size) fail(`bin ${bin} is a ring that never comes back`);
    previous = block;
  }
  if (words[sentinel + PREVIOUS] !== previous) fail(`bin ${bin} ends at ${at(words[sentinel + PREVIOUS]!)}, not at ${at(previous)}`);
  return count;
}
