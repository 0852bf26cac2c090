/** The objects of one slab. Those that were never handed out are not linked yet: a new slab is touched only as far as it is used. */

import { FREE_OBJECT, FRESH_OBJECT, FULL, LIVE, LIVE_BITS, OBJECTS_END, OBJECT_SIZE, SLAB_CLASS, SLAB_START, liveBitWords } from './layout.ts';

/** Bytes of objects linked at once: a page's worth. */
const EXTENSION_BYTES = 4096;

/** Makes all objects of a slab fresh. O(objects / 32). */
export function clearSlab(words: Int32Array, slab: number, slabLog2: number): void {
  words[slab + FREE_OBJECT] = 0;
  words[slab + LIVE] = FULL;
  words[slab + FRESH_OBJECT] = words[slab + SLAB_START]!;
  words.fill(0, slab + LIVE_BITS, slab + LIVE_BITS + liveBitWords(slabLog2));
}

/** Gives a slab to a class, with all objects fresh. O(objects / 32). */
export function dedicateSlab(words: Int32Array, slab: number, slabLog2: number, record: number): void {
  const objectWords = words[record + OBJECT_SIZE]! / 4;
  const slabWords = 2 ** slabLog2 / 4;
  words[slab + SLAB_CLASS] = record;
  words[slab + OBJECTS_END] = words[slab + SLAB_START]! + Math.floor(slabWords / objectWords) * objectWords;
  clearSlab(words, slab, slabLog2);
}

/** Links a page's worth of objects that were never handed out. O(1). @returns Whether there were any. */
export function extendSlab(words: Int32Array, slab: number): boolean {
  const size = words[words[slab + SLAB_CLASS]! + OBJECT_SIZE]! / 4;
  const first = words[slab + FRESH_OBJECT]!;
  const left = (words[slab + OBJECTS_END]! - first) / size;
  if (left === 0) return false;
  const count = Math.min(left, Math.max(1, Math.floor(EXTENSION_BYTES / 4 / size)));
  const last = first + (count - 1) * size;
  for (let object = first; object < last; object += size) words[object] = object + size;
  words[last] = words[slab + FREE_OBJECT]!;
  words[slab + FREE_OBJECT] = first;
  words[slab + FRESH_OBJECT] = last + size;
  return true;
}
