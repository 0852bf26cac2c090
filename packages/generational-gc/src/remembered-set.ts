/**
 * The old objects that may refer to young ones: a sequential store buffer in which each object stands once, because its header says so.
 *
 * A large object also has a card for each 512 bytes of its payload, one byte before its header: only dirty cards are read again.
 */

import { LARGE, GENERATION_MASK, REMEMBERED, WIDE_PREFIX_SIZE, OBJECT_HEADER_SIZE } from './header.ts';

/** Bytes of payload that a card stands for, as a power of two. */
export const CARD_SIZE_LOG2 = 9;

/** Bytes of the cards before a large object of so many bytes, a multiple of 8. O(1). */
export function cardBytesOf(size: number): number {
  return (Math.ceil(size / 2 ** CARD_SIZE_LOG2) + 7) & ~7;
}

/** The address of a large object's last card: cards are counted downwards from the wide prefix. */
export function cardZeroOf(ref: number): number {
  return ref - OBJECT_HEADER_SIZE - WIDE_PREFIX_SIZE - 1;
}

/** What the write barrier writes to, and the minor collection prunes. */
export class RememberedSet {
  /** References. */
  entries: Int32Array = new Int32Array(1024);
  /** How many there are. */
  count = 0;
  /** Objects that the write barrier added, since creation. */
  hitCount = 0;

  /** Bytes that it takes. */
  get byteLength(): number {
    return this.entries.byteLength;
  }

  /**
   * Adds an object that is not in the set, or dirties the card of one that may be. Amortised O(1).
   *
   * @param ref - An old object.
   * @param second - Its second header word.
   * @param at - The word that was written.
   */
  note(words: Int32Array, bytes: Uint8Array, ref: number, second: number, at: number): void {
    if ((second & GENERATION_MASK) === LARGE) bytes[cardZeroOf(ref) - ((at * 4 - ref) >>> CARD_SIZE_LOG2)] = 1;
    if ((second & REMEMBERED) !== 0) return;
    words[(ref >> 2) - 1] = second | REMEMBERED;
    this.add(ref);
    this.hitCount += 1;
  }

  /** Adds an object whose header says so already. Amortised O(1). */
  add(ref: number): void {
    if (this.count === this.entries.length) {
      const entries = new Int32Array(this.count * 2);
      entries.set(this.entries);
      this.entries = entries;
    }
    this.entries[this.count] = ref;
    this.count += 1;
  }
}
