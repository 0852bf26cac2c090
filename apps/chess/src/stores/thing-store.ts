/** The same records in `MemPool` of @thi.ng/malloc, an `ArrayBuffer` of fixed size. It adds a header of 8 bytes. */

import { MemPool } from '@thi.ng/malloc';

import type { MoveStore, StoreFigures } from './move-store.ts';
import { MOVE, NEXT, RECORD_SIZE, UNDO } from './record.ts';

/** Room for 40,000 moves. */
const SIZE = 2 ** 20;

export class ThingStore implements MoveStore<number> {
  readonly none = 0;
  readonly pool = new MemPool({ size: SIZE });
  private readonly words = new Int32Array(this.pool.buf);

  allocate(move: number, next: number): number {
    const address = this.pool.malloc(RECORD_SIZE);
    if (address === 0) throw new Error('the MemPool has no room for another move');
    const { words } = this;
    const word = address >>> 2;
    words[word + MOVE] = move;
    words[word + NEXT] = next;
    return address;
  }

  free(record: number): void {
    // It answers false for an address that it does not know.
    if (!this.pool.free(record)) throw new Error(`free(${record}) was refused`);
  }

  move(record: number): number {
    return this.words[(record >>> 2) + MOVE]!;
  }

  next(record: number): number {
    return this.words[(record >>> 2) + NEXT]!;
  }

  setNext(record: number, next: number): void {
    this.words[(record >>> 2) + NEXT] = next;
  }

  undo(record: number): number {
    return this.words[(record >>> 2) + UNDO]!;
  }

  setUndo(record: number, undo: number): void {
    this.words[(record >>> 2) + UNDO] = undo;
  }

  figures(): StoreFigures {
    return { memoryBytes: SIZE, live: this.pool.stats().used.count };
  }

  check(): void {
    const { top, total } = this.pool.stats();
    if (top > total) throw new Error(`the MemPool's top is ${top}, beyond its ${total} bytes`);
  }
}
