/** Where a sweep measures: numbers of live blocks, and sizes of blocks. */

import { churnWorkload } from '../commands/churn.ts';
import type { Workload } from '../workload.ts';

/** What is varied. */
export const SWEEPS = ['live', 'size'] as const;
export type SweepName = (typeof SWEEPS)[number];

export interface SweepPoint {
  readonly sweep: SweepName;
  /** Live blocks, or bytes of a block. */
  readonly value: number;
  /** Bytes of a block. */
  readonly sizeBytes: number;
  readonly makeWorkload: (seed: number) => Workload;
}

/** Bytes of a block while the number of live ones is varied. */
export const LIVE_SWEEP_SIZE = 64;
/** Live blocks while their size is varied. */
export const SIZE_SWEEP_COUNT = 256;

const LIVE_COUNTS = { full: [100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000], quick: [100, 1000, 10_000, 100_000, 1_000_000] };
const SIZES = { full: Array.from({ length: 18 }, (_, i) => 2 ** (3 + i)), quick: [2 ** 3, 2 ** 6, 2 ** 10, 2 ** 15, 2 ** 20] };

/** Replacements in a round. */
const REPLACEMENT_COUNT = 20_480;
/** Bytes of replacing blocks that are filled and looked at when verifying: all of the replacements, where blocks are small. */
const PROVEN_BYTES = 2 ** 26;

/** The points of one sweep, ascending. Live blocks never take more than 256 MiB. */
export function sweepPoints(sweep: SweepName, { quick }: { readonly quick: boolean }): SweepPoint[] {
  const values = (sweep === 'live' ? LIVE_COUNTS : SIZES)[quick ? 'quick' : 'full'];
  return values.map((value) => sweepPoint(sweep, value));
}

/** One of them. */
export function sweepPoint(sweep: SweepName, value: number, replacementCount = REPLACEMENT_COUNT): SweepPoint {
  const slotCount = sweep === 'live' ? value : SIZE_SWEEP_COUNT;
  const sizeBytes = sweep === 'live' ? LIVE_SWEEP_SIZE : value;
  const size = { min: sizeBytes, max: sizeBytes };
  const provenCount = Math.ceil(PROVEN_BYTES / sizeBytes);
  const makeWorkload = (seed: number): Workload => churnWorkload(seed, { name: `${sweep}-${value}`, slotCount, replacementCount, size, provenCount });
  return { sweep, value, sizeBytes, makeWorkload };
}
