/** Guests that allocate more and more, in instances of one pool: each finds all of the memory again, and 4 GiB is the end by design. */

import { InstancePool } from '@allokit/instance-pool';
import { rampModule } from './guests.ts';

/** Megabytes at a time, and how often. */
export type Ramp = readonly [megabytes: number, iterations: number];

export const RAMPS: readonly Ramp[] = [
  [10, 10],
  [50, 10],
  [100, 10],
  [100, 20],
  [100, 30],
];
/** More than 4 GiB. */
export const RAMP_BEYOND: Ramp = [100, 42];

export interface RampResult {
  readonly megabytes: number;
  readonly iterations: number;
  /** What the guest saw at the end, in bytes; `undefined` when it failed. */
  readonly size: number | undefined;
  readonly runMs: number;
  readonly resetMs: number;
}

/** Runs all ramps in turn. */
export async function runRamps(ramps: readonly Ramp[], memoryBytes: number): Promise<RampResult[]> {
  const abort = (): never => {
    throw new Error('the guest aborts');
  };
  // Not `using`: Node.js 22 runs this file as it is.
  const pool = await InstancePool.create(rampModule(), { imports: { env: { abort } }, ...(memoryBytes > 0 ? { preTouch: { bytes: memoryBytes } } : {}) });
  try {
    const results: RampResult[] = [];
    for (const [megabytes, iterations] of ramps) {
      const lease = await pool.acquire();
      const startMs = performance.now();
      let size: number | undefined;
      try {
        size = (lease.exports['ramp'] as (megabytes: number, iterations: number) => number)(megabytes, iterations) * 65_536;
      } catch (error) {
        // What cannot be had ends a guest: by a trap, or by its own abort.
        if (!(error instanceof Error)) throw error;
      }
      const runMs = performance.now() - startMs;
      lease.release();
      results.push({ megabytes, iterations, size, runMs, resetMs: performance.now() - startMs - runMs });
    }
    return results;
  } finally {
    pool.release();
  }
}
