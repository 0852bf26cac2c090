/** The invariant check of a pool: every slab, every ring, every free list against every live bit. */

import { AllocatorError, checkHeader, formatAddress, type Address, type Memory } from '@allokit/allocator';
import {
  ALLOCATED,
  ALONE,
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_NEXT,
  BATCH_SIZE,
  CLASSES,
  CLASS_COUNT,
  CLASS_WORDS,
  CURRENT,
  FIRST_BATCH,
  FIRST_SPARE,
  FREE_DESCRIPTOR,
  FREE_OBJECT,
  FRESH_OBJECT,
  FULL,
  GRANULE,
  HEADER,
  INDEX,
  INDEX_BLOCK_SIZE,
  INDEX_LENGTH,
  LIVE,
  LIVE_BITS,
  LIVE_COUNT,
  NEXT_SLAB,
  NO_SLAB,
  OBJECTS_END,
  OBJECT_SIZE,
  PAST_COUNT,
  PREVIOUS_SLAB,
  SLAB_CLASS,
  SLAB_COUNT,
  SLAB_LOG2,
  SLAB_START,
  SPARE_COUNT,
  STATE_BLOCK_SIZE,
  descriptorWords,
  liveBitWords,
  slabsOf,
} from './layout.ts';

function fail(what: string): never {
  throw new AllocatorError('corrupt', `slab pool: ${what}`);
}

function at(word: number): string {
  return formatAddress(word * 4);
}

/** Checks the pool at `address`. O(objects). Reads only; safe on any bytes. */
export function checkPool(memory: Memory, address: Address): void {
  checkHeader(memory, address, HEADER, CLASSES * 4);
  const words = memory.i32;
  const state = address >>> 2;
  checkClasses(memory, state);
  checkBatches(words, state);
  const slabs = new Set(slabsOf(words, state));
  checkIndex(words, state, slabs);
  checkLinks(words, state, slabs);
  const slabCounts = new Map<number, number>();
  const liveCounts = new Map<number, number>();
  const withRoom = new Map<number, Set<number>>();
  for (const slab of slabs) {
    const record = words[slab + SLAB_CLASS]!;
    if (record === 0) continue;
    slabCounts.set(record, (slabCounts.get(record) ?? 0) + 1);
    checkSlab(words, state, slab);
    liveCounts.set(record, (liveCounts.get(record) ?? 0) + (words[slab + LIVE]! & LIVE_COUNT));
    if (words[slab + NEXT_SLAB] === 0) continue;
    const ring = withRoom.get(record) ?? new Set<number>();
    withRoom.set(record, ring.add(slab));
  }
  for (let i = 0; i < words[state + CLASS_COUNT]!; i += 1) {
    const record = state + CLASSES + i * CLASS_WORDS;
    checkRing(words, record, state + NO_SLAB, withRoom.get(record) ?? new Set());
    if (words[record + SLAB_COUNT] !== (slabCounts.get(record) ?? 0)) fail(`class ${i} counts ${words[record + SLAB_COUNT]!} slabs, ${slabCounts.get(record) ?? 0} are its own`);
    const allocated = memory.f64[(record + PAST_COUNT) / 2]! + words[record + ALLOCATED]!;
    if (allocated < (liveCounts.get(record) ?? 0)) fail(`class ${i} counts ${allocated} objects handed out, ${liveCounts.get(record) ?? 0} are live`);
  }
}

/** What a class is made with, and what it remembers. */
export function checkClasses(memory: Memory, state: number): void {
  const words = memory.i32;
  let previous = 0;
  for (let i = 0; i < words[state + CLASS_COUNT]!; i += 1) {
    const record = state + CLASSES + i * CLASS_WORDS;
    const size = words[record + OBJECT_SIZE]!;
    if (size <= previous || size % GRANULE !== 0 || size > 2 ** words[state + SLAB_LOG2]!) fail(`class ${i} has objects of ${size} bytes`);
    const past = memory.f64[(record + PAST_COUNT) / 2]!;
    const latest = words[record + ALLOCATED]!;
    if (!Number.isSafeInteger(past) || past < 0 || latest < 0) fail(`class ${i} remembers ${past} objects and ${latest}`);
    previous = size;
  }
}

/** The chain of batches is whole. */
export function checkBatches(words: Int32Array, state: number): void {
  const seen = new Set<number>();
  const each = descriptorWords(words[state + SLAB_LOG2]!);
  let total = 0;
  for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
    const count = words[batch + BATCH_COUNT]!;
    const size = words[batch + BATCH_SIZE]! >>> 0;
    const isSound = batch > 0 && count > 0 && batch + size / 4 <= words.length && count === Math.floor((size / 4 - BATCH_HEADER_WORDS) / each) && !seen.has(batch);
    total += size / 4;
    if (!isSound || total > words.length) fail(`the chain of descriptors is broken at ${at(batch)}`);
    seen.add(batch);
  }
}

/** Every slab is in the index at its place, and nothing else is. */
function checkIndex(words: Int32Array, state: number, slabs: ReadonlySet<number>): void {
  const index = words[state + INDEX]!;
  const length = words[state + INDEX_LENGTH]!;
  const blockSize = words[state + INDEX_BLOCK_SIZE]! >>> 0;
  const stateEnd = state + (words[state + STATE_BLOCK_SIZE]! >>> 0) / 4;
  const expected = blockSize !== 0 ? blockSize / 4 : stateEnd - index;
  if (index <= 0 || length <= 0 || index + length > words.length || length !== expected) fail(`the index lies at ${at(index)} and has ${length} words`);
  let count = 0;
  // Slabs beyond the memory there is would have no descriptor: the count tells.
  const slabNumberMax = Math.ceil((words.length * 4) / 2 ** words[state + SLAB_LOG2]!);
  for (let number = 0; number < Math.min(length, slabNumberMax); number += 1) {
    const slab = words[index + number]!;
    if (slab === 0) continue;
    count += 1;
    if (!slabs.has(slab)) fail(`the index leads from slab ${number} to ${at(slab)}, where no descriptor lies`);
    if (words[slab + SLAB_START]! !== number * (2 ** words[state + SLAB_LOG2]! / 4)) fail(`the index leads from slab ${number} to the one at ${at(words[slab + SLAB_START]!)}`);
  }
  if (count !== slabs.size) fail(`the index knows ${count} slabs of ${slabs.size}`);
}

function descriptorsWithoutSlab(words: Int32Array, state: number): Set<number> {
  const each = descriptorWords(words[state + SLAB_LOG2]!);
  const found = new Set<number>();
  for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
    for (let i = 0; i < words[batch + BATCH_COUNT]!; i += 1) {
      const slab = batch + BATCH_HEADER_WORDS + i * each;
      if (words[slab + SLAB_START] === 0) found.add(slab);
    }
  }
  return found;
}

/** The lists of spare slabs and of free descriptors. */
function checkLinks(words: Int32Array, state: number, slabs: ReadonlySet<number>): void {
  let spare = 0;
  for (let slab = words[state + FIRST_SPARE]!; slab !== 0; slab = words[slab + NEXT_SLAB]!) {
    if (!slabs.has(slab) || words[slab + SLAB_CLASS] !== 0) fail(`the descriptor at ${at(slab)} is not that of a spare slab`);
    spare += 1;
    if (spare > slabs.size) fail('the list of spare slabs never ends');
    const hasLiveBit = words.subarray(slab + LIVE_BITS, slab + descriptorWords(words[state + SLAB_LOG2]!)).some((bits) => bits !== 0);
    if (hasLiveBit || words[slab + LIVE] !== FULL) fail(`the spare slab at ${at(words[slab + SLAB_START]!)} has live objects`);
  }
  if (spare !== words[state + SPARE_COUNT]) fail(`${spare} slabs are spare, ${words[state + SPARE_COUNT]!} are counted`);
  const unclassed = [...slabs].filter((slab) => words[slab + SLAB_CLASS] === 0).length;
  if (unclassed !== spare) fail(`${unclassed} slabs have no class, ${spare} are spare`);
  const unused = descriptorsWithoutSlab(words, state);
  for (let slab = words[state + FREE_DESCRIPTOR]!; slab !== 0; slab = words[slab + NEXT_SLAB]!) {
    if (!unused.delete(slab)) fail(`the descriptor at ${at(slab)} is not free`);
  }
  if (unused.size !== 0) fail(`${unused.size} descriptors without a slab are not in the list of free ones`);
}

/** The free list, the fresh part and the live bits divide the slab among them. */
function checkSlab(words: Int32Array, state: number, slab: number): void {
  const slabLog2 = words[state + SLAB_LOG2]!;
  const record = words[slab + SLAB_CLASS]!;
  const start = words[slab + SLAB_START]!;
  const classIndex = (record - state - CLASSES) / CLASS_WORDS;
  if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= words[state + CLASS_COUNT]!) fail(`the slab at ${at(start)} is of no class`);
  const size = words[record + OBJECT_SIZE]! / 4;
  const end = words[slab + OBJECTS_END]!;
  const fresh = words[slab + FRESH_OBJECT]!;
  const capacity = Math.floor(2 ** slabLog2 / 4 / size);
  if (end !== start + capacity * size) fail(`the objects of the slab at ${at(start)} end at ${at(end)}`);
  if (fresh < start || fresh > end || (fresh - start) % size !== 0) fail(`the fresh part of the slab at ${at(start)} begins at ${at(fresh)}`);
  let live = 0;
  for (let i = 0; i < liveBitWords(slabLog2); i += 1) {
    for (let bits = words[slab + LIVE_BITS + i]!; bits !== 0; bits &= bits - 1) {
      const object = start + i * 128 + 4 * (31 - Math.clz32(bits & -bits));
      if ((object - start) % size !== 0 || object >= fresh) fail(`a live bit says that an object starts at ${at(object)}`);
      live += 1;
    }
  }
  const counted = words[slab + LIVE]! & LIVE_COUNT;
  if (live !== counted) fail(`${live} objects of the slab at ${at(start)} are live, ${counted} are counted`);
  const flags = words[slab + NEXT_SLAB] === 0 ? FULL : words[slab + NEXT_SLAB] === slab ? ALONE : 0;
  if (words[slab + LIVE] !== counted + flags) fail(`the slab at ${at(start)} is flagged ${words[slab + LIVE]! - counted}, its ring says ${flags}`);
  let free = 0;
  for (let object = words[slab + FREE_OBJECT]!; object !== 0; object = words[object]!) {
    const isObject = object >= start && object < fresh && (object - start) % size === 0;
    if (!isObject) fail(`the free list of the slab at ${at(start)} leads to ${at(object)}: a free object was written to`);
    if ((words[slab + LIVE_BITS + ((object - start) >>> 7)]! & (1 << (object >>> 2))) !== 0) fail(`the object at ${at(object)} is live, and in the free list`);
    free += 1;
    if (free > capacity) fail(`the free list of the slab at ${at(start)} never ends`);
  }
  if (live + free !== (fresh - start) / size) fail(`of ${(fresh - start) / size} objects of the slab at ${at(start)}, ${live} are live and ${free} free`);
  const hasRoom = free > 0 || fresh < end;
  if (hasRoom && words[slab + NEXT_SLAB] === 0) fail(`the slab at ${at(start)} has room, but is not in its ring`);
}

/** The ring runs through all slabs that have room, both ways. */
function checkRing(words: Int32Array, record: number, none: number, members: ReadonlySet<number>): void {
  const first = words[record + CURRENT]!;
  if (first === none) {
    if (words[none + FREE_OBJECT] !== 0) fail('the slab that does not exist has a free object');
    if (members.size !== 0) fail(`${members.size} slabs have room, but the class has no current one`);
    return;
  }
  let count = 0;
  let slab = first;
  do {
    if (!members.has(slab)) fail(`the ring of slabs leads to ${at(slab)}, which is not one of them`);
    const next = words[slab + NEXT_SLAB]!;
    if (words[next + PREVIOUS_SLAB] !== slab) fail(`the ring of slabs is broken behind ${at(slab)}`);
    count += 1;
    slab = next;
  } while (slab !== first && count <= members.size);
  if (count !== members.size) fail(`the ring has ${count} slabs of ${members.size}`);
}
