/**
 * What single operations took, as a distribution: typical ones, rare ones, and the slowest of all.
 *
 * It is one of mallocs and frees, which need not take longer for a larger block. A calloc clears its block and a realloc may copy it, so they must.
 */

import { quantileSorted } from 'simple-statistics';

import type { OperationTimes } from './operation-timer.ts';
import { KIND, OPERATION_WORDS, type Trace } from './trace/trace.ts';

/** A point of the curve that says how many operations are slow. */
export interface ExceedancePoint {
  readonly ns: number;
  /** The share of operations that take at least as long. */
  readonly share: number;
}

/** In nanoseconds. */
export interface Distribution {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly p9999Ns: number;
  readonly maxNs: number;
  /** The slowest calloc or realloc, where there is one. */
  readonly maxOthersNs?: number;
  /** Mallocs and frees that were done. */
  readonly operationCount: number;
  /** What the clock alone takes, which is part of all of them. */
  readonly clockNs: number;
  /** From all operations down to one of them. */
  readonly curve: readonly ExceedancePoint[];
}

/** Points of the curve in each factor of ten. */
const POINTS_PER_DECADE = 24;

/** Sums up the times of the operations of a trace. `undefined` where no malloc and no free was done. O(n log n). */
export function distributionOf(times: OperationTimes, { words }: Trace): Distribution | undefined {
  const { nanoseconds, clockNs } = times;
  const isPlain = (operation: number): boolean => (words[operation * OPERATION_WORDS]! & 0xff) <= KIND.free;
  const sorted = Array.from(nanoseconds.filter((ns, operation) => ns !== Infinity && isPlain(operation)).toSorted());
  if (sorted.length === 0) return undefined;
  const maxOthersNs = slowestOf({ nanoseconds: nanoseconds.filter((_, operation) => !isPlain(operation)) });
  const at = (share: number): number => quantileSorted(sorted, share);
  return {
    p50Ns: at(0.5),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
    p9999Ns: at(0.9999),
    maxNs: at(1),
    ...(maxOthersNs === 0 ? {} : { maxOthersNs }),
    operationCount: sorted.length,
    clockNs,
    curve: exceedance(sorted),
  };
}

/** The slowest operation of any kind, in nanoseconds; 0 where none was done. */
export function slowestOf({ nanoseconds }: Pick<OperationTimes, 'nanoseconds'>): number {
  return nanoseconds.reduce((slowest, ns) => (ns === Infinity ? slowest : Math.max(slowest, ns)), 0);
}

/** Evenly spaced on a logarithmic scale: the rare ones are what it is drawn for. */
function exceedance(sorted: readonly number[]): ExceedancePoint[] {
  const stepCount = Math.ceil(Math.log10(sorted.length) * POINTS_PER_DECADE);
  const points = Array.from({ length: stepCount }, (_, step) => {
    const slower = Math.floor(sorted.length * 10 ** (-step / POINTS_PER_DECADE));
    return { ns: sorted[sorted.length - slower]!, share: slower / sorted.length };
  });
  return [...points, { ns: sorted.at(-1)!, share: 1 / sorted.length }];
}
