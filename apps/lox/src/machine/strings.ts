/**
 * The strings: each stands once, so that two are equal when their references are. The table of them does not keep them alive.
 *
 *     string table   | hash:32 | number of a weak reference + 1:32 | ...        0 where nothing was ever
 */

import type { GenerationalHeap, WeakTable } from '@allokit/generational-gc';
import type { ObjectTypes } from './object-types.ts';
import { Root } from './roots.ts';

const CAPACITY_MIN = 256;
const HASH_BASIS = 0x811c_9dc5 | 0;
const HASH_PRIME = 0x0100_0193;
/** Words of a string before its bytes, and bytes. */
const BYTES_OFFSET = 4;
/** Bytes up to which a loop copies faster than a call. */
const COPIED_SINGLY_MAX = 64;

/** The strings of a heap. */
export class Strings {
  readonly #heap: GenerationalHeap;
  readonly #type: ObjectTypes['string'];
  readonly #tableType: ObjectTypes['stringTable'];
  readonly #weak: WeakTable;
  #mask = CAPACITY_MIN - 1;
  /** Entries that are not empty, dead ones included. */
  #usedCount = 0;

  /** The slot of the stack for the table must be there. */
  constructor(heap: GenerationalHeap, types: ObjectTypes) {
    this.#heap = heap;
    this.#type = types.string;
    this.#tableType = types.stringTable;
    this.#weak = heap.weakTable();
    heap.stack.set(Root.Strings, this.#tableType.allocate(CAPACITY_MIN * 2));
  }

  /** Bytes of a string. O(1). */
  length(ref: number): number {
    return this.#type.elements.length(ref);
  }

  /** The bytes of a string, until the next call that may collect. O(1). */
  bytes(ref: number): Uint8Array {
    return this.#type.bytes(ref);
  }

  /** The string of some bytes from outside of the heap. May collect. O(length). */
  intern(bytes: Uint8Array): number {
    const { length } = bytes;
    let hash = HASH_BASIS;
    for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ bytes[i]!, HASH_PRIME);
    const found = this.#find(hash, bytes, 0, length, 0, 0);
    if (found !== 0) return found;
    this.#makeRoom();
    const ref = this.#type.allocate(length);
    this.#type.bytes(ref).set(bytes);
    this.#add(ref, hash);
    return ref;
  }

  /** The string of two others, one after the other, which stand on top of the stack. May collect. O(length). */
  concatenate(): number {
    const { stack, memory } = this.#heap;
    const { depth } = stack;
    let left = stack.get(depth - 2);
    let right = stack.get(depth - 1);
    const leftLength = this.length(left);
    const rightLength = this.length(right);
    if (leftLength === 0) return right;
    if (rightLength === 0) return left;
    let bytes = memory.u8;
    let hash = memory.i32[left >> 2]!;
    for (let at = right + BYTES_OFFSET; at < right + BYTES_OFFSET + rightLength; at += 1) hash = Math.imul(hash ^ bytes[at]!, HASH_PRIME);
    const found = this.#find(hash, bytes, left + BYTES_OFFSET, leftLength, right + BYTES_OFFSET, rightLength);
    if (found !== 0) return found;
    this.#makeRoom();
    const ref = this.#type.allocate(leftLength + rightLength);
    bytes = memory.u8;
    left = stack.get(depth - 2);
    right = stack.get(depth - 1);
    copy(bytes, ref + BYTES_OFFSET, left + BYTES_OFFSET, leftLength);
    copy(bytes, ref + BYTES_OFFSET + leftLength, right + BYTES_OFFSET, rightLength);
    this.#add(ref, hash);
    return ref;
  }

  /** Strings that are alive, or were when the last collection looked. O(capacity). */
  count(): number {
    const table = this.#heap.stack.get(Root.Strings);
    const { elements } = this.#tableType;
    let count = 0;
    for (let i = 0; i <= this.#mask; i += 1) {
      const number = elements.get(table, 2 * i + 1) - 1;
      if (number >= 0 && this.#weak.isAlive(number)) count += 1;
    }
    return count;
  }

  /** The string that is the one and the other piece of some bytes, or 0. */
  #find(hash: number, source: Uint8Array, first: number, firstLength: number, second: number, secondLength: number): number {
    const { memory, stack } = this.#heap;
    const words = memory.i32;
    const entries = stack.get(Root.Strings) >> 2;
    for (let index = hash & this.#mask; ; index = (index + 1) & this.#mask) {
      const number = words[entries + 2 * index + 1]!;
      if (number === 0) return 0;
      if (words[entries + 2 * index] !== hash) continue;
      const ref = this.#weak.get(number - 1);
      if (ref === 0 || this.length(ref) !== firstLength + secondLength) continue;
      const at = ref + BYTES_OFFSET;
      const bytes = memory.u8;
      if (areEqual(bytes, at, source, first, firstLength) && areEqual(bytes, at + firstLength, source, second, secondLength)) return ref;
    }
  }

  /** Before a string is made, which must not be collected before it is in the table and on the stack. */
  #makeRoom(): void {
    if ((this.#usedCount + 1) * 4 <= (this.#mask + 1) * 3) return;
    this.#sweep();
    if (this.#usedCount * 2 > this.#mask) this.#grow();
  }

  /** Removes the entries of dead strings. */
  #sweep(): void {
    const entries = this.#heap.stack.get(Root.Strings) >> 2;
    const words = this.#heap.memory.i32;
    for (let index = 0; index <= this.#mask; ) {
      const number = words[entries + 2 * index + 1]!;
      if (number === 0 || this.#weak.isAlive(number - 1)) index += 1;
      else {
        this.#weak.remove(number - 1);
        // What moves up to here is looked at next.
        this.#remove(words, entries, index);
        this.#usedCount -= 1;
      }
    }
  }

  /**
   * Closes the gap that an entry leaves: what stands behind it, and would not be found any more, moves up (D. E. Knuth, The Art of Computer Programming,
   * 6.4, algorithm R).
   */
  #remove(words: Int32Array, entries: number, index: number): void {
    const mask = this.#mask;
    let gap = index;
    for (let next = (gap + 1) & mask; words[entries + 2 * next + 1] !== 0; next = (next + 1) & mask) {
      const home = words[entries + 2 * next]! & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      words[entries + 2 * gap] = words[entries + 2 * next]!;
      words[entries + 2 * gap + 1] = words[entries + 2 * next + 1]!;
      gap = next;
    }
    words[entries + 2 * gap + 1] = 0;
  }

  #grow(): void {
    const { memory, stack } = this.#heap;
    const countBefore = this.#mask + 1;
    const table = this.#tableType.allocate(countBefore * 4);
    const entriesBefore = stack.get(Root.Strings) >> 2;
    const words = memory.i32;
    this.#mask = countBefore * 2 - 1;
    for (let i = 0; i < countBefore; i += 1) {
      const number = words[entriesBefore + 2 * i + 1]!;
      if (number !== 0) this.#put(words, table >> 2, words[entriesBefore + 2 * i]!, number);
    }
    stack.set(Root.Strings, table);
  }

  #put(words: Int32Array, entries: number, hash: number, number: number): void {
    let index = hash & this.#mask;
    while (words[entries + 2 * index + 1] !== 0) index = (index + 1) & this.#mask;
    words[entries + 2 * index] = hash;
    words[entries + 2 * index + 1] = number;
  }

  #add(ref: number, hash: number): void {
    const { memory, stack } = this.#heap;
    this.#type.fields.hash.set(ref, hash);
    this.#put(memory.i32, stack.get(Root.Strings) >> 2, hash, this.#weak.add(ref) + 1);
    this.#usedCount += 1;
  }
}

function areEqual(bytes: Uint8Array, at: number, others: Uint8Array, other: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (bytes[at + i] !== others[other + i]) return false;
  return true;
}

function copy(bytes: Uint8Array, to: number, from: number, length: number): void {
  if (length > COPIED_SINGLY_MAX) bytes.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i += 1) bytes[to + i] = bytes[from + i]!;
}
