/** What lies where in a pool, object by object: for pictures. */

import { AllocatorError, checkHeader, formatAddress, type Address, type ExtentVisitor, type ReadableMemory } from '@allokit/allocator';
import {
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_NEXT,
  BATCH_SIZE,
  CLASSES,
  CLASS_COUNT,
  CLASS_WORDS,
  FIRST_BATCH,
  GRANULE,
  HEADER,
  INDEX,
  INDEX_BLOCK_SIZE,
  LIVE_BITS,
  OBJECTS_END,
  OBJECT_SIZE,
  SLAB_CLASS,
  SLAB_LOG2,
  SLAB_START,
  STATE_BLOCK_SIZE,
  descriptorWords,
  liveBitWords,
} from './layout.ts';

/**
 * Visits a pool's state, its live objects and the free ones between them, in groups by their class: `64 B`. An empty slab is free in the group `spare`. Reads
 * only, and safe on any bytes, so that it can run while another thread uses the pool: what changes under its hands shows as damage, or as a picture of no one
 * moment. O(objects).
 *
 * @param address - The pool's.
 * @throws AllocatorError `bad-header` when no pool lies there, `corrupt` when its tables lead nowhere.
 */
export function visitSlabPool(memory: ReadableMemory, address: Address, visit: ExtentVisitor): void {
  checkHeader(memory, address, HEADER, CLASSES * 4);
  const words = memory.i32;
  const state = address >>> 2;
  visit(address, words[state + STATE_BLOCK_SIZE]! >>> 0, 'state', '');
  const indexSize = words[state + INDEX_BLOCK_SIZE]! >>> 0;
  if (indexSize !== 0) visit(words[state + INDEX]! * 4, indexSize, 'state', '');
  const each = descriptorWords(words[state + SLAB_LOG2]! & 31);
  let seen = 0;
  for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
    const count = words[batch + BATCH_COUNT] ?? -1;
    const end = batch + BATCH_HEADER_WORDS + count * each;
    seen += end - batch;
    if (batch < 0 || count < 0 || end > words.length || seen > words.length) fail(batch);
    visit(batch * 4, words[batch + BATCH_SIZE]! >>> 0, 'state', '');
    for (let slab = batch + BATCH_HEADER_WORDS; slab < end; slab += each) {
      if (words[slab + SLAB_START] !== 0) visitSlab(words, state, slab, visit);
    }
  }
}

function visitSlab(words: Int32Array, state: number, slab: number, visit: ExtentVisitor): void {
  const slabLog2 = words[state + SLAB_LOG2]!;
  const start = words[slab + SLAB_START]! * 4;
  const end = start + 2 ** slabLog2;
  const record = words[slab + SLAB_CLASS]!;
  if (start < 0 || end > words.length * 4) fail(slab);
  if (record === 0) {
    visit(start, end - start, 'free', 'spare');
    return;
  }
  const size = words[record + OBJECT_SIZE] ?? 0;
  const objectsEnd = words[slab + OBJECTS_END]! * 4;
  const isClass = record >= state + CLASSES && record < state + CLASSES + words[state + CLASS_COUNT]! * CLASS_WORDS;
  if (!isClass || size < GRANULE || size % GRANULE !== 0 || objectsEnd < start || objectsEnd > end) fail(slab);
  const group = `${size} B`;
  const mask = liveBitWords(slabLog2) - 1;
  let free = start;
  for (let object = start; object + size <= objectsEnd; object += size) {
    const bits = words[slab + LIVE_BITS + ((object >>> 9) & mask)]!;
    if (((bits >>> (object >>> 4)) & 1) === 0) continue;
    if (object > free) visit(free, object - free, 'free', group);
    visit(object, size, 'block', group);
    free = object + size;
  }
  if (objectsEnd > free) visit(free, objectsEnd - free, 'free', group);
  // Less than an object is left over.
  if (end > objectsEnd) visit(objectsEnd, end - objectsEnd, 'state', '');
}

function fail(word: number): never {
  throw new AllocatorError('corrupt', `slab pool: the tables lead nowhere at ${formatAddress(word * 4)}`);
}
