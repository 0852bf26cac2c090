/**
 * Property tables: numbers by name, in the order in which the names came.
 *
 *     table     entries | index | count | capacity
 *     entries   key, -, value (8 bytes) ...          grown by reallocation
 *     index     entry + 1, or 0 ...                  twice the capacity, linear probing; made anew when the entries grow
 *
 * Keys are interned strings, so that equal names have equal addresses.
 */

import type { Address, GameHeap } from 'allokit';
import { retake, take, takeZeroed } from './heap-full.ts';
import type { Strings } from './strings.ts';

const ENTRIES = 0;
const INDEX = 1;
const COUNT = 2;
const CAPACITY = 3;
const TABLE_SIZE = 16;
const ENTRY_SIZE = 16;
const CAPACITY_MIN = 4;

/** All tables of one heap. */
export class PropertyTables {
  readonly #heap: GameHeap;
  readonly #strings: Strings;

  constructor(heap: GameHeap, strings: Strings) {
    this.#heap = heap;
    this.#strings = strings;
  }

  create(): Address {
    const table = take(this.#heap, TABLE_SIZE);
    const entries = take(this.#heap, CAPACITY_MIN * ENTRY_SIZE);
    const index = takeZeroed(this.#heap, 2 * CAPACITY_MIN, 4);
    this.#heap.memory.i32.set([entries, index, 0, CAPACITY_MIN], table >>> 2);
    return table;
  }

  set(table: Address, key: Address, value: number): void {
    const found = this.#find(table, key);
    if (found >= 0) {
      this.#heap.memory.f64[found / 8 + 1] = value;
      return;
    }
    const words = table >>> 2;
    const count = this.#heap.memory.i32[words + COUNT]!;
    if (count === this.#heap.memory.i32[words + CAPACITY]) this.#grow(table);
    const { i32, f64 } = this.#heap.memory;
    const entry = (i32[words + ENTRIES]! >>> 0) + count * ENTRY_SIZE;
    i32[entry >>> 2] = key;
    f64[entry / 8 + 1] = value;
    i32[words + COUNT] = count + 1;
    this.#enter(table, key, count);
    this.#strings.retain(key);
  }

  get(table: Address, key: Address): number | undefined {
    const found = this.#find(table, key);
    return found < 0 ? undefined : this.#heap.memory.f64[found / 8 + 1];
  }

  /** In the order of their first `set`. `visit` must not change the table. */
  forEach(table: Address, visit: (key: Address, value: number) => void): void {
    const { i32, f64 } = this.#heap.memory;
    const entries = i32[(table >>> 2) + ENTRIES]! >>> 0;
    const count = i32[(table >>> 2) + COUNT]!;
    for (let i = 0; i < count; i += 1) visit(i32[entries / 4 + i * 4]! >>> 0, f64[entries / 8 + i * 2 + 1]!);
  }

  destroy(table: Address): void {
    this.forEach(table, (key) => this.#strings.release(key));
    const { i32 } = this.#heap.memory;
    this.#heap.deallocate(i32[(table >>> 2) + ENTRIES]! >>> 0);
    this.#heap.deallocate(i32[(table >>> 2) + INDEX]! >>> 0);
    this.#heap.deallocate(table);
  }

  /** The entry's address, or -1. */
  #find(table: Address, key: Address): number {
    const { i32 } = this.#heap.memory;
    const words = table >>> 2;
    const entries = i32[words + ENTRIES]! >>> 0;
    const index = i32[words + INDEX]! >>> 2;
    const mask = 2 * i32[words + CAPACITY]! - 1;
    for (let slot = i32[key >>> 2]! & mask; ; slot = (slot + 1) & mask) {
      const number = i32[index + slot]!;
      if (number === 0) return -1;
      const entry = entries + (number - 1) * ENTRY_SIZE;
      if (i32[entry >>> 2]! >>> 0 === key) return entry;
    }
  }

  #enter(table: Address, key: Address, entry: number): void {
    const { i32 } = this.#heap.memory;
    const index = i32[(table >>> 2) + INDEX]! >>> 2;
    const mask = 2 * i32[(table >>> 2) + CAPACITY]! - 1;
    let slot = i32[key >>> 2]! & mask;
    while (i32[index + slot] !== 0) slot = (slot + 1) & mask;
    i32[index + slot] = entry + 1;
  }

  #grow(table: Address): void {
    const words = table >>> 2;
    const capacity = 2 * this.#heap.memory.i32[words + CAPACITY]!;
    const entries = retake(this.#heap, this.#heap.memory.i32[words + ENTRIES]! >>> 0, capacity * ENTRY_SIZE);
    this.#heap.memory.i32[words + ENTRIES] = entries;
    const index = takeZeroed(this.#heap, 2 * capacity, 4);
    const { i32 } = this.#heap.memory;
    this.#heap.deallocate(i32[words + INDEX]! >>> 0);
    i32[words + INDEX] = index;
    i32[words + CAPACITY] = capacity;
    const count = i32[words + COUNT]!;
    for (let i = 0; i < count; i += 1) this.#enter(table, i32[entries / 4 + i * 4]! >>> 0, i);
  }
}
