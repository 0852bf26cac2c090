/**
 * Interned strings: every text lies in the heap once, and whoever holds it counts.
 *
 *     string   hash | references | length | UTF-16 units ...
 *     slots    address, or 0     a hash table with linear probing, at most three quarters full
 */

import type { Address, GameHeap } from 'allokit';
import { hashText } from './digest.ts';
import { take, takeZeroed } from './heap-full.ts';

const REFERENCES = 1;
const LENGTH = 2;
const UNITS_OFFSET = 12;
const CAPACITY_MIN = 16;

/** The strings of one heap. */
export class Strings {
  readonly #heap: GameHeap;
  #slots: Address;
  #capacity = CAPACITY_MIN;
  #count = 0;

  constructor(heap: GameHeap) {
    this.#heap = heap;
    this.#slots = takeZeroed(heap, CAPACITY_MIN, 4);
  }

  /** How many different ones there are. */
  get count(): number {
    return this.#count;
  }

  /** The string with this text, with one reference more. */
  intern(text: string): Address {
    const hash = hashText(text);
    const slot = this.#find(hash, text);
    const { i32 } = this.#heap.memory;
    const found = i32[this.#slots / 4 + slot]!;
    if (found !== 0) {
      i32[(found >>> 2) + REFERENCES]! += 1;
      return found >>> 0;
    }
    const string = this.#write(hash, text);
    this.#heap.memory.i32[this.#slots / 4 + slot] = string;
    this.#count += 1;
    if (this.#count * 4 > this.#capacity * 3) this.#grow();
    return string;
  }

  /** Counts one reference more. */
  retain(string: Address): void {
    this.#heap.memory.i32[(string >>> 2) + REFERENCES]! += 1;
  }

  /** Counts one reference less; the last one frees the string. */
  release(string: Address): void {
    const { i32 } = this.#heap.memory;
    const left = (i32[(string >>> 2) + REFERENCES]! -= 1);
    if (left > 0) return;
    this.#remove(string);
    this.#heap.deallocate(string);
  }

  hash(string: Address): number {
    return this.#heap.memory.i32[string >>> 2]!;
  }

  text(string: Address): string {
    const length = this.#heap.memory.i32[(string >>> 2) + LENGTH]!;
    const start = (string + UNITS_OFFSET) / 2;
    return String.fromCharCode(...this.#heap.memory.u16.subarray(start, start + length));
  }

  /** Frees the table. The strings must be gone. */
  destroy(): void {
    this.#heap.deallocate(this.#slots);
  }

  #write(hash: number, text: string): Address {
    const string = take(this.#heap, UNITS_OFFSET + text.length * 2);
    const { i32, u16 } = this.#heap.memory;
    i32[string >>> 2] = hash;
    i32[(string >>> 2) + REFERENCES] = 1;
    i32[(string >>> 2) + LENGTH] = text.length;
    const start = (string + UNITS_OFFSET) / 2;
    for (let i = 0; i < text.length; i += 1) u16[start + i] = text.charCodeAt(i);
    return string;
  }

  /** The slot that holds the text, or the empty one where it belongs. */
  #find(hash: number, text: string): number {
    const { i32 } = this.#heap.memory;
    const mask = this.#capacity - 1;
    let slot = hash & mask;
    for (;;) {
      const string = i32[this.#slots / 4 + slot]!;
      if (string === 0 || (i32[string >>> 2] === hash && this.#equals(string >>> 0, text))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(string: Address, text: string): boolean {
    const { i32, u16 } = this.#heap.memory;
    if (i32[(string >>> 2) + LENGTH] !== text.length) return false;
    const start = (string + UNITS_OFFSET) / 2;
    for (let i = 0; i < text.length; i += 1) if (u16[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    const slots = takeZeroed(this.#heap, capacity, 4);
    const { i32 } = this.#heap.memory;
    for (let i = 0; i < this.#capacity; i += 1) {
      const string = i32[this.#slots / 4 + i]!;
      if (string === 0) continue;
      let slot = i32[string >>> 2]! & (capacity - 1);
      while (i32[slots / 4 + slot] !== 0) slot = (slot + 1) & (capacity - 1);
      i32[slots / 4 + slot] = string;
    }
    this.#heap.deallocate(this.#slots);
    this.#slots = slots;
    this.#capacity = capacity;
  }

  /** Closes the gap by moving those back that had been pushed on past it. */
  #remove(string: Address): void {
    const { i32 } = this.#heap.memory;
    const base = this.#slots / 4;
    const mask = this.#capacity - 1;
    let gap = i32[string >>> 2]! & mask;
    while (i32[base + gap]! >>> 0 !== string) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; i32[base + slot] !== 0; slot = (slot + 1) & mask) {
      const home = i32[i32[base + slot]! >>> 2]! & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      i32[base + gap] = i32[base + slot]!;
      gap = slot;
    }
    i32[base + gap] = 0;
    this.#count -= 1;
  }
}
