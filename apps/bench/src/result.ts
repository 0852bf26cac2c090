/** What one subject did in one workload: a row of a table, of a CSV file, of a JSON report. */

import type { SubjectKind } from './subject.ts';

/**
 * - `ok`: measured, nothing went wrong
 * - `stopped`: too slow for the time allowed; the figures are those of the part that was done
 * - `failed`: did not do the work, or did it wrong; the reason says how
 */
export type ResultStatus = 'ok' | 'stopped' | 'failed';

/** Who did what, and whether it was right. */
export interface Outcome {
  readonly workload: string;
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly status: ResultStatus;
  /** Why it is not `ok`, or what else must be known. */
  readonly reason?: string;
  /** Operations refused or answered wrongly in one pass over the work. */
  readonly failedOperations?: number;
  /** Whether every block kept its bytes; absent where nobody looked. */
  readonly verified?: boolean;
}

/** What it took. */
export interface Result extends Outcome {
  /** Nanoseconds per operation: the median round, and the best one. */
  readonly medianNs?: number;
  readonly bestNs?: number;
  /** Median over the base's median: 2 is twice as slow. */
  readonly ratio?: number;
  readonly roundCount: number;
  readonly operationCount: number;
  /** Bytes from the lowest to the highest byte handed out; what the allocator holds, for the native ones that tell. */
  readonly peakFootprint?: number;
  readonly peakLive: number;
  /** Nanoseconds of the slowest single operation. */
  readonly worstNs?: number;
  /** The sum of all addresses handed out. */
  readonly checksum?: number;
}

/** Whether an Allokit row is what it must always be: measured, verified where that was asked for, without a failed operation. */
export function isFlawless({ status, verified, failedOperations }: Outcome, mustBeVerified: boolean): boolean {
  return status === 'ok' && (verified === true || (verified === undefined && !mustBeVerified)) && (failedOperations ?? 0) === 0;
}
