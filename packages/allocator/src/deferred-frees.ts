/**
 * Blocks that a thread wanted to free while another one had the lock, and that the next one to have it frees instead: a table of addresses in linear memory.
 *
 *     word 0     1 when there may be something in the table
 *          1     how often everything was freed at once: what a thread keeps to itself from before is not freed again
 *          2..   an address each, 0 when the place is free
 *
 * Nothing is written into the blocks, so neither a double free nor a foreign address can break the table. When it is full, a thread keeps what it has to free
 * to itself until it gets the lock.
 */

import { NULL, type Address } from './address.ts';
import type { Allocator } from './allocator.ts';
import type { WordSource } from './mutex.ts';

const PLACE_COUNT = 46;

// In words from the table's start.
const PENDING = 0;
const RESET_COUNT = 1;
const PLACES = 2;

/** Words of the table. */
export const DEFERRED_WORDS = PLACES + PLACE_COUNT;

/** One thread's handle on the table. */
export class DeferredFrees {
  readonly #source: WordSource;
  readonly #at: number;
  /** What this thread keeps to itself, and how many resets there were before. */
  readonly #own: Address[] = [];
  #resetCount = 0;

  /** @param at - The table's first word. */
  constructor(source: WordSource, at: number) {
    this.#source = source;
    this.#at = at;
  }

  /** Blocks that only this thread can free. */
  get ownCount(): number {
    return this.#own.length;
  }

  /** Whether a drain may have anything to do. Looks without synchronisation: of what the thread that had the lock last put in, it knows. O(1). */
  get isPending(): boolean {
    return this.#source.i32[this.#at + PENDING] !== 0 || this.#own.length !== 0;
  }

  /** Defers the free of a block. Never waits. O(places). */
  push(address: Address): void {
    const words = this.#source.i32;
    for (let place = this.#at + PLACES; place < this.#at + DEFERRED_WORDS; place += 1) {
      if (Atomics.load(words, place) !== 0 || Atomics.compareExchange(words, place, 0, address | 0) !== 0) continue;
      Atomics.store(words, this.#at + PENDING, 1);
      return;
    }
    this.#forgetOutdated();
    this.#own.push(address);
  }

  /** Makes the next drain look for what a dead thread put in without saying so. */
  remind(): void {
    Atomics.store(this.#source.i32, this.#at + PENDING, 1);
  }

  /**
   * Frees everything that was deferred. For who has the lock. A thread that dies on the way leaves what it did not get to, and the block that it was at: that
   * one is refused if it was freed already.
   *
   * @returns How many blocks the allocator refused.
   */
  drain(allocator: Allocator): number {
    let refusedCount = 0;
    const free = (address: Address): void => {
      try {
        allocator.deallocate(address);
      } catch {
        // Whoever misused it has gone on long ago: it is counted.
        refusedCount += 1;
      }
    };
    // First: who comes now sets it again.
    Atomics.store(this.#source.i32, this.#at + PENDING, 0);
    for (let place = this.#at + PLACES; place < this.#at + DEFERRED_WORDS; place += 1) {
      const address = Atomics.load(this.#source.i32, place) >>> 0;
      if (address === NULL) continue;
      free(address);
      Atomics.store(this.#source.i32, place, 0);
    }
    this.#forgetOutdated();
    for (let address = this.#own.pop(); address !== undefined; address = this.#own.pop()) free(address);
    return refusedCount;
  }

  /** Forgets everything that was deferred, by whatever thread: what a reset frees anyway. For who has the lock, before the reset. */
  clear(): void {
    const words = this.#source.i32;
    Atomics.add(words, this.#at + RESET_COUNT, 1);
    for (let place = this.#at + PLACES; place < this.#at + DEFERRED_WORDS; place += 1) Atomics.store(words, place, 0);
    this.#forgetOutdated();
  }

  /** Forgets what this thread kept to itself when everything was freed: its blocks may be somebody else's now. */
  #forgetOutdated(): void {
    const resetCount = Atomics.load(this.#source.i32, this.#at + RESET_COUNT);
    if (resetCount === this.#resetCount) return;
    this.#own.length = 0;
    this.#resetCount = resetCount;
  }
}
