/** Schedules that are yet to be run: taken out in no particular order, and never more of them than can still be run. */

import { mix } from './mix.ts';
import type { Departure } from './schedule.ts';

/** A schedule that is to be run. */
export interface Candidate {
  readonly departures: readonly Departure[];
  /** What the run must have been like up to the last departure; 0 when that is not known. */
  readonly hash: number;
}

/** A set of schedules. If not all of them are run, those that are have been spread over all that were added. */
export class Frontier {
  readonly #candidates: Candidate[] = [];
  readonly #limit: number;
  #addedCount = 0;
  #draws = 0;

  /** An empty set, which keeps at most `limit` schedules. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a schedule; in a full set it takes the place of another one, or is dropped, so that each has the same chance to be kept. O(1). */
  add(candidate: Candidate): void {
    this.#addedCount += 1;
    if (this.#candidates.length < this.#limit) {
      this.#candidates.push(candidate);
      return;
    }
    const at = this.#draw(this.#addedCount);
    if (at < this.#limit) this.#candidates[at] = candidate;
  }

  /** Takes out any schedule; `undefined` when there is none. O(1). */
  take(): Candidate | undefined {
    const { length } = this.#candidates;
    if (length === 0) return undefined;
    const at = this.#draw(length);
    const taken = this.#candidates[at];
    this.#candidates[at] = this.#candidates[length - 1]!;
    this.#candidates.pop();
    return taken;
  }

  /** A number below `limit`, the same in each exploration. */
  #draw(limit: number): number {
    this.#draws += 1;
    return Math.floor(((mix(this.#draws) >>> 0) / 0x1_0000_0000) * limit);
  }
}
