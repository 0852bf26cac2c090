/** What one step of virtual memory took, and left resident: a row of a table, of a CSV file, of a JSON report. */

import type { SubjectKind } from '../subject.ts';

/** The parts of the command. */
export const EXPERIMENTS = ['setup', 'pre-touch', 'follow', 'upkeep'] as const;

export type ExperimentName = (typeof EXPERIMENTS)[number];

/**
 * - `ok`: measured, and as much was resident as must be
 * - `failed`: it could not be done, or left another amount resident; the reason says how
 * - `unsupported`: this platform has no such thing
 */
export type MeasurementStatus = 'ok' | 'failed' | 'unsupported';

export interface Measurement {
  readonly experiment: ExperimentName;
  readonly subject: string;
  readonly step: string;
  readonly kind: SubjectKind;
  readonly status: MeasurementStatus;
  /** Why it is not `ok`. */
  readonly reason?: string | undefined;
  /** Bytes that the step is about. */
  readonly sizeBytes: number;
  readonly roundCount: number;
  readonly medianNs?: number | undefined;
  readonly bestNs?: number | undefined;
  readonly worstNs?: number | undefined;
  /** The row that `ratio` refers to. */
  readonly base?: string | undefined;
  /** Median over the base's median: 2 is twice as slow. */
  readonly ratio?: number | undefined;
  /** The median of what the operating system counted of the memory itself afterwards; absent where it was not asked, or does not tell. */
  readonly residentBytes?: number | undefined;
  /** The median of what the whole process had grown by; absent where that was not looked at. */
  readonly rssBytes?: number | undefined;
  /** Whether as much was resident as must be, in every round; absent where that is not the question. */
  readonly verified?: boolean | undefined;
}

/** What a row is called, alone in its experiment. */
export function rowName({ subject, step }: { readonly subject: string; readonly step: string }): string {
  return `${subject}: ${step}`;
}
