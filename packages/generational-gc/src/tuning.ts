/** When the nursery and the threshold of the old space change, and to what. Pure functions. */

import type { Settings } from './settings.ts';

/** Survivors that fill more of their space than this make the nursery grow. */
const FULL = 0.8;
/** Survivors that fill less than this let it shrink. */
const SPARSE = 0.3;

/** What a minor collection left, and what is allowed. */
export interface NurserySituation {
  /** Bytes of the eden. */
  readonly size: number;
  /** The least it may have. */
  readonly sizeMin: number;
  /** The most. */
  readonly sizeMax: number;
  /** Bytes of survivors to bytes of their space. */
  readonly occupancy: number;
  /** What minor collections took lately, the typical one, in milliseconds. */
  readonly pauseMs: number;
  /** What they may take. */
  readonly pauseTargetMs: number;
}

/** Bytes of the eden from now on: half of it where pauses are too long or survivors few, twice where they are many. O(1). */
export function nextNurserySize({ size, sizeMin, sizeMax, occupancy, pauseMs, pauseTargetMs }: NurserySituation): number {
  if (pauseMs > pauseTargetMs || occupancy < SPARSE) return Math.max(sizeMin, size / 2);
  // Twice the nursery takes up to twice as long.
  if (occupancy > FULL && pauseMs * 2 <= pauseTargetMs) return Math.min(sizeMax, size * 2);
  return size;
}

/**
 * Bytes of old objects at which the next marking starts: what the last one found alive, times the growth, within what was set and what there can be. O(1).
 *
 * @param liveBytes - What was found alive.
 * @param settings - The least; all the heap may take; and the growth.
 */
export function nextThreshold(liveBytes: number, { threshold, limit, growth }: Pick<Settings, 'threshold' | 'limit' | 'growth'>): number {
  // With less than a quarter of the room left, marking has to start at once to be in time.
  return Math.max(Math.min(liveBytes * growth, limit * 0.75), threshold);
}
