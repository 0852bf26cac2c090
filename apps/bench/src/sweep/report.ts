/** A sweep as a table for people, as CSV, and as plots. */

import Table from 'cli-table3';

import { formatCsv } from '../report/csv.ts';
import { formatNumber } from '../report/number.ts';
import type { LinePlot } from '../report/plot.ts';
import { styleOf } from '../report/subject-style.ts';
import type { Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import { LIVE_SWEEP_SIZE, SIZE_SWEEP_COUNT, type SweepName } from './points.ts';

/** What one subject did at one point. */
export interface SweepResult extends Result {
  readonly sweep: SweepName;
  /** Live blocks, or bytes of a block. */
  readonly value: number;
}

/** What the sweeps do, and how it is called. */
export interface SweepTexts {
  readonly title: string;
  readonly axis: string;
}

const UNIT = 'time of a free and an allocation [ns]';

/** What the table means; printed once a run. */
export const SWEEP_LEGEND = [
  'Nanoseconds for one free and one allocation: medians of the rounds, all subjects in turn.',
  '"-": does not hand out blocks of this size. In parentheses: too slow.',
];

function textsOf(sweep: SweepName, bare: boolean): SweepTexts {
  const untouched = bare ? '; blocks untouched' : '';
  return sweep === 'live'
    ? { title: `random ones of so many live blocks of ${LIVE_SWEEP_SIZE} bytes are replaced${untouched}`, axis: 'live blocks' }
    : { title: `random ones of ${SIZE_SWEEP_COUNT} live blocks of so many bytes are replaced${untouched}`, axis: 'size of a block [bytes]' };
}

/** Title, table, remarks. */
export function formatSweep(
  sweep: SweepName,
  rows: readonly SweepResult[],
  subjects: readonly Subject[],
  { bare, colour }: { readonly bare: boolean; readonly colour: boolean },
): string {
  const { title, axis } = textsOf(sweep, bare);
  const names = namesIn(rows, subjects);
  const table = new Table({
    head: [axis, ...names],
    colAligns: ['right', ...names.map(() => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const value of new Set(rows.map((row) => row.value))) {
    const cells = names.map((name) => cellOf(rows.find((row) => row.value === value && row.subject === name)));
    table.push([value.toLocaleString('en'), ...cells]);
  }
  const problems = rows.filter(({ status }) => status !== 'ok');
  const remarks = problems.map(({ status, subject, workload, reason }) => `  ${status.toUpperCase()} ${subject} in ${workload}: ${reason ?? ''}`);
  return [`${sweep}: ${title}, ns`, table.toString(), ...remarks].join('\n');
}

/** With a header line. */
export function formatSweepCsv(rows: readonly SweepResult[]): string {
  return formatCsv(rows, ['sweep', 'value']);
}

/** A line for each subject; what went wrong is not drawn. */
export function sweepPlot(
  sweep: SweepName,
  rows: readonly SweepResult[],
  subjects: readonly Subject[],
  { bare, machine }: { readonly bare: boolean; readonly machine: string },
): LinePlot {
  const { title, axis } = textsOf(sweep, bare);
  const names = namesIn(rows, subjects);
  return {
    title: sweep === 'live' ? 'Cost over live blocks' : 'Cost over block size',
    subtitle: [title, machine],
    x: { title: axis, scale: 'log', labels: sweep === 'live' ? 'number' : 'bytes' },
    y: { title: UNIT, scale: 'log' },
    series: subjects
      .filter(({ name }) => names.includes(name))
      .map((subject) => ({ name: subject.name, style: styleOf(subject), points: pointsOf(subject.name, rows) })),
    marksPoints: true,
  };
}

function pointsOf(name: string, rows: readonly SweepResult[]): { x: number; y: number }[] {
  const own = rows.filter(({ subject, status }) => subject === name && status === 'ok');
  return own.flatMap(({ value, medianNs }) => (medianNs === undefined ? [] : [{ x: value, y: medianNs }]));
}

function namesIn(rows: readonly SweepResult[], subjects: readonly Subject[]): string[] {
  return subjects.map(({ name }) => name).filter((name) => rows.some(({ subject }) => subject === name));
}

function cellOf(row: SweepResult | undefined): string {
  if (row === undefined) return '-';
  if (row.medianNs === undefined) return row.status;
  const text = formatNumber(row.medianNs, 1);
  if (row.status === 'ok') return text;
  return row.status === 'stopped' ? `(${text})` : `${text} NO`;
}
