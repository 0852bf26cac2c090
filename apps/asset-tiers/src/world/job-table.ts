/**
 * What workers have allocated for the moment, in a block that all threads see: who draws the map reads it, and asks the workers to let go.
 *
 *     word 0        the hold: odd while nobody may allocate, even otherwise
 *     16 + 544 n    lane n: answered hold | allocations | damaged blocks | .. | address, size of each block it has
 *
 * A tier that is reset must have no users. Whoever wants to reset it raises the hold; each worker forgets its blocks at its next step and answers with the
 * hold's number; when all have answered, the tier is reset, and the hold raised again, to an even number.
 */

import type { Address, Memory } from '@allokit/allocator';

/** Blocks that a lane can have at once. */
export const JOB_COUNT_MAX = 256;

const HOLD = 0;
const LANES = 16;
const ANSWER = 0;
const ALLOCATIONS = 1;
const DAMAGED = 2;
const JOBS = 16;
const LANE_WORDS = JOBS + JOB_COUNT_MAX * 2;

/** Bytes of a table for so many lanes. */
export function jobTableSize(laneCount: number): number {
  return (LANES + laneCount * LANE_WORDS) * 4;
}

/** A thread's view of the table. */
export class JobTable {
  /** Where it lies. */
  readonly address: Address;
  /** How many lanes it has. */
  readonly laneCount: number;
  readonly #memory: Memory;

  constructor(memory: Memory, address: Address, laneCount: number) {
    this.#memory = memory;
    this.address = address;
    this.laneCount = laneCount;
  }

  /** Its bytes. */
  get size(): number {
    return jobTableSize(this.laneCount);
  }

  /** Makes all of it zero: by whoever allocated it, before others look. */
  clear(): void {
    this.#memory.i32.fill(0, this.address >>> 2, (this.address + jobTableSize(this.laneCount)) >>> 2);
  }

  /** The number of the hold; odd while it lasts. */
  get hold(): number {
    return Atomics.load(this.#memory.i32, (this.address >>> 2) + HOLD);
  }

  /** Begins a hold, or ends it. */
  raiseHold(): void {
    Atomics.add(this.#memory.i32, (this.address >>> 2) + HOLD, 1);
  }

  /** Says that a lane has seen the hold, and acts by it. */
  answer(lane: number, hold: number): void {
    Atomics.store(this.#memory.i32, this.#lane(lane) + ANSWER, hold);
  }

  /** The hold that a lane answered last. */
  answered(lane: number): number {
    return Atomics.load(this.#memory.i32, this.#lane(lane) + ANSWER);
  }

  /** How many blocks a lane has allocated so far, modulo 2^32. */
  allocationCount(lane: number): number {
    return Atomics.load(this.#memory.i32, this.#lane(lane) + ALLOCATIONS) >>> 0;
  }

  /** Counts allocations of a lane. */
  countAllocations(lane: number, count: number): void {
    Atomics.add(this.#memory.i32, this.#lane(lane) + ALLOCATIONS, count);
  }

  /** How many blocks a lane found damaged: none, unless an allocator gave one block to two. */
  damagedCount(lane: number): number {
    return Atomics.load(this.#memory.i32, this.#lane(lane) + DAMAGED);
  }

  /** Counts a damaged block. */
  countDamaged(lane: number): void {
    Atomics.add(this.#memory.i32, this.#lane(lane) + DAMAGED, 1);
  }

  /** Enters a block of a lane. Size 0 takes it out. */
  set(lane: number, job: number, address: Address, size: number): void {
    const at = this.#lane(lane) + JOBS + job * 2;
    Atomics.store(this.#memory.i32, at, address | 0);
    Atomics.store(this.#memory.i32, at + 1, size);
  }

  /** The blocks of a lane, as they are at about this moment. */
  *jobs(lane: number): Generator<{ readonly address: Address; readonly size: number }> {
    const words = this.#memory.i32;
    const start = this.#lane(lane) + JOBS;
    for (let job = 0; job < JOB_COUNT_MAX; job += 1) {
      const size = Atomics.load(words, start + job * 2 + 1);
      if (size !== 0) yield { address: Atomics.load(words, start + job * 2) >>> 0, size };
    }
  }

  #lane(lane: number): number {
    return (this.address >>> 2) + LANES + lane * LANE_WORDS;
  }
}
