/**
 * What a thread has, written down where it survives the thread: a word for each block, 0 for none. The lowest bit of an address is free to say
 * that nobody can be sure: the block is being freed, or handed over, or received.
 */

import type { Address } from '@allokit/allocator';

/** A thread's blocks, as it writes them down and as others read them when it is dead or at rest. */
export class Journal {
  readonly #words: Int32Array;
  readonly #places: number[];

  /** The journal that is kept in these words, as many as the thread has blocks at the most. */
  constructor(words: Int32Array) {
    this.#words = words;
    this.#places = Array.from({ length: words.length }, (_, place) => place);
  }

  /** Where the next block goes. */
  open(): number {
    const place = this.#places.pop();
    if (place === undefined) throw new RangeError('the journal is full');
    return place;
  }

  /** The block is this thread's and whole. */
  keep(place: number, address: Address): void {
    Atomics.store(this.#words, place, address);
  }

  /** Something is about to happen to the block. */
  doubt(place: number, address: Address): void {
    Atomics.store(this.#words, place, address | 1);
  }

  /** The block is not this thread's any more. */
  close(place: number): void {
    Atomics.store(this.#words, place, 0);
    this.#places.push(place);
  }

  /** The blocks that are the thread's and whole. */
  kept(): Address[] {
    return Array.from(this.#words).filter((word) => word !== 0 && (word & 1) === 0);
  }

  /** The blocks of which it cannot be said. */
  doubtful(): Address[] {
    return Array.from(this.#words, (word) => ((word & 1) === 0 ? 0 : word - 1)).filter((address) => address !== 0);
  }
}
