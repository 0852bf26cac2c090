/** Single operations as a table for people, as CSV, and as a plot. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import type { OperationsResult } from '../measure-operations.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';
import { formatNumber } from './number.ts';
import type { LinePlot } from './plot.ts';
import { styleOf } from './subject-style.ts';

/** The columns that are times, in nanoseconds. */
const TIMES = [
  ['p50', 'p50Ns'],
  ['p99', 'p99Ns'],
  ['p99.9', 'p999Ns'],
  ['p99.99', 'p9999Ns'],
  ['max', 'maxNs'],
] as const;

const CSV_COLUMNS = [
  'workload',
  'subject',
  'kind',
  'status',
  'operationCount',
  'passCount',
  'failedOperations',
  'verified',
  ...TIMES.map(([, key]) => key),
  'maxOthersNs',
  'clockNs',
  'reason',
];

/** What the columns mean; printed once a run. */
export const OPERATIONS_LEGEND = [
  'Nanoseconds of a single malloc or free: half of them take at most p50, 99% at most p99. Each counts with the fastest of the passes, so that interruptions',
  "drop out, and with them what happens once in a heap's life, as growing does. others: the slowest calloc or realloc, which clear or copy a whole block.",
  'clock: what an operation of no duration seems to take, measured in the same way; it is part of every other figure.',
];

/** Title, table, remarks. */
export function formatOperations(workload: Workload, rows: readonly OperationsResult[], colour: boolean): string {
  const hasOthers = rows.some(({ distribution }) => distribution?.maxOthersNs !== undefined);
  const head = ['allocator', ...TIMES.map(([name]) => name), 'max / p50', ...(hasOthers ? ['others'] : []), 'clock', 'failed', 'verified'];
  const table = new Table({
    head,
    colAligns: head.map((name) => (name === 'allocator' || name === 'verified' ? 'left' : 'right')),
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const { subject, distribution, failedOperations, verified } of rows) {
    table.push([
      subject,
      ...TIMES.map(([, key]) => formatNumber(distribution?.[key], 0)),
      formatNumber(distribution === undefined ? undefined : distribution.maxNs / distribution.p50Ns, 1),
      ...(hasOthers ? [formatNumber(distribution?.maxOthersNs, 0)] : []),
      formatNumber(distribution?.clockNs, 0),
      formatNumber(failedOperations, 0),
      verified === undefined ? '-' : verified ? 'yes' : 'NO',
    ]);
  }
  const problems = rows.filter(({ status }) => status !== 'ok').map(({ status, subject, reason }) => `  ${status.toUpperCase()} ${subject}: ${reason ?? ''}`);
  return [workload.title, table.toString(), `  ${counts(rows)}`, ...problems].join('\n');
}

/** With a header line. */
export function formatOperationsCsv(rows: readonly OperationsResult[]): string {
  const flat = rows.map(({ distribution, ...row }) => ({ ...row, ...distribution }));
  return stringify(flat, { header: true, columns: CSV_COLUMNS, cast: { boolean: String } });
}

/** How many operations take at least so many nanoseconds: a bound shows as a line that drops. */
export function operationsPlot(workload: Workload, rows: readonly OperationsResult[], subjects: readonly Subject[], machine: string): LinePlot {
  return {
    title: 'How long single mallocs and frees take',
    subtitle: [workload.title, `each with the fastest of its passes; the clock is part of each: ${clocks(rows)}`, machine],
    x: { title: 'time of a single malloc or free [ns]', scale: 'log' },
    y: { title: 'those that take at least so long [%]', scale: 'log', labels: 'share' },
    series: subjects.flatMap((subject) => {
      const curve = rows.find((row) => row.subject === subject.name && row.status === 'ok')?.distribution?.curve;
      return curve === undefined ? [] : [{ name: subject.name, style: styleOf(subject), points: curve.map(({ ns, share }) => ({ x: ns, y: share })) }];
    }),
    marksPoints: false,
  };
}

/** What the clock took, in each language. */
function clocks(rows: readonly OperationsResult[]): string {
  const range = (isNative: boolean): string => {
    const times = rows.flatMap(({ kind, distribution }) => ((kind === 'native') === isNative && distribution !== undefined ? [distribution.clockNs] : []));
    return times.length === 0 ? '' : span(times);
  };
  const [script, native] = [range(false), range(true)];
  return [...(script === '' ? [] : [`${script} ns in JavaScript`]), ...(native === '' ? [] : [`${native} ns in C`])].join(', ');
}

function counts(rows: readonly OperationsResult[]): string {
  const timed = rows.flatMap(({ passCount, distribution }) => (distribution === undefined ? [] : [{ passCount, count: distribution.operationCount }]));
  if (timed.length === 0) return 'nothing was timed';
  return `${span(timed.map(({ count }) => count))} mallocs and frees, ${span(timed.map(({ passCount }) => passCount))} passes`;
}

/** From the least to the most, or what all have in common. */
function span(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => formatNumber(value, 0));
  return least === most ? least! : `${least!} to ${most!}`;
}
