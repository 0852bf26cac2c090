/** What a worker does for its living here: allocates blocks of all sizes, marks them, and frees them again, verifying the marks. */

import { NULL, type Address } from '@allokit/allocator';
import type { Tier } from '@allokit/tiered-arena';
import { JOB_COUNT_MAX, type JobTable } from './job-table.ts';

const SIZE_MIN_LOG2 = 5;
const SIZE_MAX_LOG2 = 15;

interface Job {
  readonly address: Address;
  readonly size: number;
}

/** The temporary blocks of one lane. */
export class TemporaryWork {
  readonly #tier: Tier;
  readonly #table: JobTable;
  readonly #lane: number;
  readonly #jobs: (Job | undefined)[] = Array.from({ length: JOB_COUNT_MAX }, () => undefined);
  #random: number;

  constructor(tier: Tier, table: JobTable, lane: number) {
    this.#tier = tier;
    this.#table = table;
    this.#lane = lane;
    this.#random = lane + 1;
    // What a predecessor left that was terminated is freed with the tier, not by its successor.
    this.#forget();
  }

  /** Looks for a hold: forgets all blocks when there is a new one. @returns Whether allocating is allowed. */
  obey(): boolean {
    const { hold } = this.#table;
    if (this.#table.answered(this.#lane) !== hold) {
      // Blocks are forgotten when a hold begins, not when it ends; a hold that came and went unseen has taken them too.
      this.#forget();
      this.#table.answer(this.#lane, hold);
    }
    return hold % 2 === 0;
  }

  /** So many steps: each frees the block of a random place, or allocates one there. */
  step(count: number): void {
    if (!this.obey()) return;
    let allocated = 0;
    for (let i = 0; i < count; i += 1) {
      const place = this.#below(JOB_COUNT_MAX);
      const job = this.#jobs[place];
      if (job !== undefined) this.#free(place, job);
      else if (this.#allocate(place)) allocated += 1;
    }
    this.#table.countAllocations(this.#lane, allocated);
  }

  /** Frees everything. */
  stop(): void {
    this.obey();
    for (const [place, job] of this.#jobs.entries()) if (job !== undefined) this.#free(place, job);
  }

  #allocate(place: number): boolean {
    const exponent = SIZE_MIN_LOG2 + this.#below(SIZE_MAX_LOG2 - SIZE_MIN_LOG2);
    const size = 2 ** exponent + this.#below(2 ** exponent);
    const address = this.#tier.allocate(size);
    if (address === NULL) return false;
    const words = this.#tier.memory.i32;
    words[address >>> 2] = this.#mark(address);
    words[(address + size - 4) >>> 2] = this.#mark(address);
    this.#jobs[place] = { address, size };
    this.#table.set(this.#lane, place, address, size);
    return true;
  }

  #free(place: number, { address, size }: Job): void {
    const words = this.#tier.memory.i32;
    if (words[address >>> 2] !== this.#mark(address) || words[(address + size - 4) >>> 2] !== this.#mark(address)) this.#table.countDamaged(this.#lane);
    this.#table.set(this.#lane, place, NULL, 0);
    this.#jobs[place] = undefined;
    this.#tier.deallocate(address);
  }

  #forget(): void {
    this.#jobs.fill(undefined);
    for (let place = 0; place < JOB_COUNT_MAX; place += 1) this.#table.set(this.#lane, place, NULL, 0);
  }

  #mark(address: Address): number {
    return Math.imul(address, 0x9e37_79b1) ^ this.#lane;
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((this.#random >>> 8) / 2 ** 24) * limit);
  }
}
