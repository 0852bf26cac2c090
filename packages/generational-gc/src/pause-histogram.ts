/** How long pauses were: a histogram of constant size whose buckets are at most an eighth of their value wide. */

/** Nanoseconds of the finest distinction. */
const UNIT_NS = 1000;
const STEPS_LOG2 = 3;
/** Up to 2^31 microseconds. */
const BUCKETS = 32 << STEPS_LOG2;

/** Figures of pauses, in milliseconds. A percentile is at most an eighth too high. */
export interface PauseStats {
  /** How many there were. */
  readonly count: number;
  /** Half of them took no longer. */
  readonly p50Ms: number;
  /** 99 in a hundred took no longer. */
  readonly p99Ms: number;
  /** The longest, exactly. */
  readonly maxMs: number;
  /** All together. */
  readonly totalMs: number;
}

/** Counts durations. */
export class PauseHistogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;
  #total = 0;

  /** Counts one. O(1). */
  record(ms: number): void {
    const units = Math.max(0, Math.min(2 ** 31 - 1, Math.round((ms * 1e6) / UNIT_NS)));
    this.#buckets[bucketOf(units)]! += 1;
    this.#count += 1;
    this.#total += ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** The figures as of now. O(buckets). */
  stats(): PauseStats {
    return { count: this.#count, p50Ms: this.#percentile(0.5), p99Ms: this.#percentile(0.99), maxMs: this.#max, totalMs: this.#total };
  }

  #percentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left === 0) return 0;
    for (let i = 0; i < BUCKETS; i += 1) {
      left -= this.#buckets[i]!;
      if (left <= 0) return Math.min(this.#max, (upperEnd(i) * UNIT_NS) / 1e6);
    }
    return this.#max;
  }
}

/** 0..7 have a bucket each; from there every doubling has eight. */
function bucketOf(units: number): number {
  if (units < 1 << STEPS_LOG2) return units;
  const shift = 31 - Math.clz32(units) - STEPS_LOG2;
  return (shift << STEPS_LOG2) + (units >>> shift);
}

function upperEnd(bucket: number): number {
  if (bucket < 1 << STEPS_LOG2) return bucket;
  const shift = (bucket >> STEPS_LOG2) - 1;
  return ((bucket - (shift << STEPS_LOG2)) + 1) * 2 ** shift;
}
