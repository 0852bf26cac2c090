/** Commands that print one table of allocators for each workload, their sweeps, and their single operations. */

import type { OperationsResult } from '../../measure-operations.ts';
import { formatNumber } from '../../report/number.ts';
import type { LinePlot } from '../../report/plot.ts';
import { styleOf } from '../../report/subject-style.ts';
import type { Result } from '../../result.ts';
import { LIVE_SWEEP_SIZE, SIZE_SWEEP_COUNT } from '../../sweep/points.ts';
import type { SweepResult } from '../../sweep/report.ts';
import type { Exhibit, Fact, Reading, Row } from '../exhibit.ts';
import { readingOf, type Output } from './output.ts';

/**
 * A table for each workload. The name of an exhibit is that of its workload, with the number of the run where that is not the first one.
 *
 * @param titleOf - What a workload of a run does.
 */
export function allocatorsReader(titleOf: (workload: string, run: number) => string): (outputs: readonly Output<Result>[]) => Reading {
  return (outputs) => readAllocators(outputs, titleOf);
}

function readAllocators(outputs: readonly Output<Result>[], titleOf: (workload: string, run: number) => string): Reading {
  const exhibits = outputs.flatMap(({ results }, run) =>
    [...new Set(results.map(({ workload }) => workload))].map(
      (workload): Exhibit => ({
        name: run === 0 ? workload : `${workload}-${run + 1}`,
        title: titleOf(workload, run),
        unit: 'ns',
        points: [{ label: '', rows: results.filter((result) => result.workload === workload).map(rowOf) }],
      }),
    ),
  );
  return readingOf(outputs, exhibits);
}

/** A curve for each sweep. */
export function readSweep(outputs: readonly Output<SweepResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const exhibits = [...new Set(results.map(({ sweep }) => sweep))].map((sweep): Exhibit => {
    const own = results.filter((result) => result.sweep === sweep);
    const isLive = sweep === 'live';
    return {
      name: sweep,
      title: isLive ? `One of so many live blocks of ${LIVE_SWEEP_SIZE} bytes freed, another one allocated` : `One of ${SIZE_SWEEP_COUNT} live blocks of so many bytes freed, another one allocated`,
      unit: 'ns',
      axis: { title: isLive ? 'live blocks' : 'size of a block [bytes]', scale: 'log', labels: isLive ? 'number' : 'bytes' },
      points: [...new Set(own.map(({ value }) => value))].map((x) => ({
        x,
        label: `${formatNumber(x, 0)} ${isLive ? 'live' : 'bytes'}`,
        rows: own.filter(({ value }) => value === x).map((result) => ({ ...rowOf(result), facts: [] })),
      })),
    };
  });
  return readingOf(outputs, exhibits);
}

const QUANTILES = [
  ['p50', 'p50Ns'],
  ['p99', 'p99Ns'],
  ['p99.9', 'p999Ns'],
  ['p99.99', 'p9999Ns'],
  ['slowest', 'maxNs'],
] as const;

/** Quantiles of each workload. */
export function readOperations(outputs: readonly Output<OperationsResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const exhibits = [...new Set(results.map(({ workload }) => workload))].map((workload): Exhibit => {
    const own = results.filter((result) => result.workload === workload);
    return {
      name: workload,
      title: `How long single mallocs and frees of ${workload} take`,
      unit: 'ns',
      points: QUANTILES.map(([label, key]) => ({
        label,
        rows: own.map(({ subject, kind, status, reason, distribution }): Row => ({ subject, kind, status, reason, median: distribution?.[key] })),
      })),
      notes: [
        'Each operation counts with the fastest of its passes, so that interruptions drop out. The clock is part of each figure; its resolution is that of the system, so equal figures need not be equal.',
      ],
      plot: curveOf(own),
    };
  });
  return readingOf(outputs, exhibits);
}

function curveOf(results: readonly OperationsResult[]): LinePlot {
  return {
    title: 'How long single mallocs and frees take',
    subtitle: [],
    x: { title: 'time of a single malloc or free [ns]', scale: 'log' },
    y: { title: 'those that take at least so long [%]', scale: 'log', labels: 'share' },
    series: results.flatMap(({ subject: name, kind, status, distribution }) =>
      status !== 'ok' || distribution === undefined ? [] : [{ name, style: styleOf({ name, kind }), points: distribution.curve.map(({ ns, share }) => ({ x: ns, y: share })) }],
    ),
    marksPoints: false,
  };
}

function rowOf({ subject, kind, status, reason, medianNs, bestNs, ratio, failedOperations, verified, peakFootprint, peakLive, worstNs }: Result): Row {
  const facts: Fact[] = [
    { head: 'x base', value: ratio, text: formatNumber(ratio, 2) },
    { head: 'failed', value: failedOperations, text: formatNumber(failedOperations, 0) },
    { head: 'verified', text: verified === undefined ? '-' : verified ? 'yes' : 'NO' },
    { head: 'footprint / live', text: peakFootprint === undefined || peakLive === 0 ? '-' : formatNumber(peakFootprint / peakLive, 2) },
    { head: 'slowest µs', text: worstNs === undefined ? '-' : formatNumber(worstNs / 1000, 1) },
  ];
  return { subject, kind, status, reason, median: medianNs, best: bestNs, facts };
}
