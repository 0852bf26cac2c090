/**
 * Moves in Allokit's slab pool: 12 bytes go to the class of 16, without a header. Either the pool itself, as suits a program whose requests are all small, or
 * the documented `hybridPool`, which chooses between the pool and an arena for each of them.
 */

import { NULL, type Address, type Allocator } from '@allokit/allocator';
import { SlabPool, type SlabPoolStats } from '@allokit/slab-pool';
import { WasmMemory } from '@allokit/vmem';
import { hybridPool } from 'allokit';

import type { MoveStore, StoreFigures } from './move-store.ts';
import { MOVE, NEXT, RECORD_SIZE, RECORD_WORDS, UNDO } from './record.ts';

/** Address space for a few million moves. */
const RESERVE = 2 ** 26;
/** A search holds some hundreds of moves at a time, in a few slabs; this much is there from the start, because a memory that grew is slower ever after. */
const COMMIT = 2 ** 22;

export class PoolStore implements MoveStore<Address> {
  readonly none = NULL;
  private readonly pool: Allocator;
  private readonly stats: () => SlabPoolStats;
  /** The whole memory, as it was when it last grew. */
  private words: Int32Array;

  private constructor(pool: Allocator, stats: () => SlabPoolStats) {
    this.pool = pool;
    this.stats = stats;
    this.words = pool.memory.i32;
  }

  static direct(): PoolStore {
    const pool = SlabPool.create(WasmMemory.create({ reserve: RESERVE, commit: COMMIT }));
    return new PoolStore(pool, () => pool.stats());
  }

  static hybrid(): PoolStore {
    const pool = hybridPool(WasmMemory.create({ reserve: RESERVE, commit: COMMIT }));
    return new PoolStore(pool, () => pool.stats().small);
  }

  allocate(move: number, next: Address): Address {
    const address = this.pool.allocate(RECORD_SIZE);
    const word = address >>> 2;
    // The allocation may have grown the memory. The old view has length 0 then, or, were the memory shared, ends before what is new.
    if (address === NULL || word + RECORD_WORDS > this.words.length) this.renew(address);
    const { words } = this;
    words[word + MOVE] = move;
    words[word + NEXT] = next;
    return address;
  }

  free(record: Address): void {
    this.pool.deallocate(record);
  }

  move(record: Address): number {
    return this.words[(record >>> 2) + MOVE]!;
  }

  next(record: Address): Address {
    return this.words[(record >>> 2) + NEXT]! >>> 0;
  }

  setNext(record: Address, next: Address): void {
    this.words[(record >>> 2) + NEXT] = next;
  }

  undo(record: Address): number {
    return this.words[(record >>> 2) + UNDO]!;
  }

  setUndo(record: Address, undo: number): void {
    this.words[(record >>> 2) + UNDO] = undo;
  }

  figures(): StoreFigures {
    const { capacity, classes } = this.stats();
    return {
      memoryBytes: this.pool.memory.committed,
      capacity,
      allocated: classes.reduce((sum, { allocated }) => sum + allocated, 0),
      live: classes.reduce((sum, { live }) => sum + live, 0),
    };
  }

  check(): void {
    this.pool.checkInvariants();
  }

  private renew(address: Address): void {
    if (address === NULL) throw new Error('the pool has no room for another move');
    this.words = this.pool.memory.i32;
  }
}
