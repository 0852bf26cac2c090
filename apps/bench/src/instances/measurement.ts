/** What a way of getting a clean instance took: a row of a table, of a CSV file, of a JSON report. */

import { summarise } from '../statistics.ts';

/** The parts of the command. */
export const INSTANCE_EXPERIMENTS = ['large', 'small', 'growth', 'slowdown'] as const;

export type InstanceExperimentName = (typeof INSTANCE_EXPERIMENTS)[number];

export interface InstanceRow {
  readonly experiment: InstanceExperimentName;
  readonly subject: string;
  readonly step: string;
  /** Size of the memory, in bytes. */
  readonly memoryBytes: number;
  /** Bytes that the run dirtied. */
  readonly dirtyBytes: number;
  readonly medianNs: number;
  readonly bestNs: number;
  readonly worstNs: number;
  readonly roundCount: number;
}

/** A row of samples in milliseconds. */
export function rowOf(facts: Pick<InstanceRow, 'experiment' | 'subject' | 'step' | 'memoryBytes' | 'dirtyBytes'>, samplesMs: readonly number[]): InstanceRow {
  const { median, best, worst, roundCount } = summarise(samplesMs.map((ms) => ms * 1e6));
  return { ...facts, medianNs: median, bestNs: best, worstNs: worst, roundCount };
}

/** What an action takes, in milliseconds. */
export function timed(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}
