/** Watches which slots another store hands out, for a pass that is not timed: a set bit for each 4 bytes of the memory where a record has ever begun. */

import type { MoveStore, StoreFigures } from './move-store.ts';

export class AuditedStore implements MoveStore<number> {
  readonly none: number;
  /** Allocations that got a slot which had never been handed out before. */
  freshCount = 0;
  readonly #inner: MoveStore<number>;
  #seen = new Uint8Array(2 ** 16);

  constructor(inner: MoveStore<number>) {
    this.#inner = inner;
    this.none = inner.none;
  }

  allocate(move: number, next: number): number {
    const address = this.#inner.allocate(move, next);
    const byte = address >>> 5;
    const bit = 1 << ((address >>> 2) & 7);
    if (byte >= this.#seen.length) {
      const seen = new Uint8Array(2 * (byte + 1));
      seen.set(this.#seen);
      this.#seen = seen;
    }
    if ((this.#seen[byte]! & bit) === 0) {
      this.#seen[byte]! |= bit;
      this.freshCount += 1;
    }
    return address;
  }

  free(record: number): void {
    this.#inner.free(record);
  }

  move(record: number): number {
    return this.#inner.move(record);
  }

  next(record: number): number {
    return this.#inner.next(record);
  }

  setNext(record: number, next: number): void {
    this.#inner.setNext(record, next);
  }

  undo(record: number): number {
    return this.#inner.undo(record);
  }

  setUndo(record: number, undo: number): void {
    this.#inner.setUndo(record, undo);
  }

  figures(): StoreFigures {
    return this.#inner.figures();
  }

  check(): void {
    this.#inner.check();
  }
}
