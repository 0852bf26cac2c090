/**
 * Hash tables from strings to values, with open addressing and linear probing. Nothing is ever removed from one.
 *
 * Keys are interned, so that they are equal when their references are; their hash is in them, and does not change when they move.
 */

import type { GenerationalHeap } from '@allokit/generational-gc';
import type { ObjectTypes } from './object-types.ts';
import { ABSENT } from './value.ts';

const CAPACITY_MIN = 4;

/** Words of a table before its entries. */
const COUNT = 0;
const MASK = 1;
const ENTRIES = 2;

/**
 * The word at which the value of a key stands; 0 where the table has no such key. O(1).
 *
 * @param words - The memory.
 * @param table - A table, or 0, which has nothing.
 * @param key - A string.
 */
export function findEntry(words: Int32Array, table: number, key: number): number {
  if (table === 0) return 0;
  const at = table >> 2;
  const mask = words[at + MASK]!;
  let index = words[key >> 2]! & mask;
  for (;;) {
    const entry = at + ENTRIES + 2 * index;
    const found = words[entry]!;
    if (found === key) return entry + 1;
    if (found === ABSENT) return 0;
    index = (index + 1) & mask;
  }
}

/** Makes tables, and writes to them. */
export class Tables {
  readonly #heap: GenerationalHeap;
  readonly #type: ObjectTypes['table'];

  constructor(heap: GenerationalHeap, types: ObjectTypes) {
    this.#heap = heap;
    this.#type = types.table;
  }

  /** Whether there is room for one more key. O(1). */
  hasRoom(table: number): boolean {
    if (table === 0) return false;
    const words = this.#heap.memory.i32;
    return (words[(table >> 2) + COUNT]! + 1) * 4 <= (words[(table >> 2) + MASK]! + 1) * 3;
  }

  /**
   * Makes a table for at least so many keys. May collect.
   *
   * @returns A reference to it, which is no root.
   */
  make(count: number): number {
    let capacity = CAPACITY_MIN;
    while (count * 4 > capacity * 3) capacity *= 2;
    return this.#allocate(capacity);
  }

  /**
   * Makes a table that has everything another has, and twice the room. May collect.
   *
   * @param read - What the other is, before and after.
   * @returns A reference to it, which is no root.
   */
  grown(read: () => number): number {
    const before = read();
    const table = this.#allocate(before === 0 ? CAPACITY_MIN : (this.#type.fields.mask.get(before) + 1) * 2);
    this.copy(read(), table);
    return table;
  }

  /** Adds everything that one table has to another, which has room for it. O(capacity). */
  copy(from: number, to: number): void {
    if (from === 0) return;
    const { elements } = this.#type;
    const length = elements.length(from);
    for (let i = 0; i < length; i += 2) {
      const key = elements.get(from, i);
      if (key !== ABSENT) this.put(to, key, elements.get(from, i + 1));
    }
  }

  /** Writes an entry of a table that has room. O(1). */
  put(table: number, key: number, value: number): void {
    const words = this.#heap.memory.i32;
    const { elements, fields } = this.#type;
    const mask = words[(table >> 2) + MASK]!;
    let index = words[key >> 2]! & mask;
    for (;;) {
      const found = elements.get(table, 2 * index);
      if (found === key) break;
      if (found === ABSENT) {
        elements.set(table, 2 * index, key);
        fields.count.set(table, fields.count.get(table) + 1);
        break;
      }
      index = (index + 1) & mask;
    }
    elements.set(table, 2 * index + 1, value);
  }

  /** Overwrites the value at a word that {@link findEntry} found. O(1). */
  replace(table: number, word: number, value: number): void {
    this.#type.elements.set(table, word - (table >> 2) - ENTRIES, value);
  }

  /** Keys in a table, or 0. O(1). */
  count(table: number): number {
    return table === 0 ? 0 : this.#type.fields.count.get(table);
  }

  #allocate(capacity: number): number {
    const table = this.#type.allocate(capacity * 2);
    this.#type.fields.mask.set(table, capacity - 1);
    return table;
  }
}
