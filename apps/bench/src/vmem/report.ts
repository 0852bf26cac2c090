/** Measurements as tables for people, and as CSV. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { Claim } from './claims.ts';
import type { Experiment } from './experiment.ts';
import { rowName, type Measurement } from './measurement.ts';
import { GIB, MIB } from './memories.ts';

/** A column, and what stands in it. */
interface Column {
  readonly head: string;
  readonly cell: (row: Measurement) => string;
}

const CSV_COLUMNS: readonly (keyof Measurement)[] = [
  'experiment',
  'subject',
  'step',
  'kind',
  'status',
  'sizeBytes',
  'medianNs',
  'bestNs',
  'worstNs',
  'base',
  'ratio',
  'roundCount',
  'residentBytes',
  'rssBytes',
  'verified',
  'reason',
];

/** What the columns mean; printed once a run. */
export const VMEM_LEGEND = [
  'median, best, worst of the rounds; x: ratio of medians, 2.00 takes twice as long. All take turns; each mapping is new, and gone before the next.',
  'resident: what the system counts of this memory; RSS: what the process grew by. verified: as much was resident as must be, in every round.',
];

/** Title, table, remarks. */
export function formatExperiment({ title, unit, facts }: Experiment, rows: readonly Measurement[], colour: boolean): string {
  // A column in which nobody has anything to say is left out.
  const columns = columnsIn(unit).filter(({ cell }) => rows.some((row) => cell(row) !== '-'));
  const table = newTable(['', ...columns.map(({ head }) => head)], colour);
  for (const row of rows) table.push([rowName(row), ...columns.map(({ cell }) => cell(row))]);
  const problems = rows.filter(({ status }) => status !== 'ok').map((row) => `  ${row.status.toUpperCase()} ${rowName(row)}: ${row.reason ?? ''}`);
  return [title, table.toString(), ...facts.map((fact) => `  ${fact}`), ...new Set(problems)].join('\n');
}

/** Claims beside what was measured. */
export function formatClaims(claims: readonly Claim[], colour: boolean): string {
  const table = newTable(['claim', 'measured', 'at most', 'met'], colour);
  for (const { text, measured, limit, isMet } of claims) table.push([text, formatNumber(measured, 4), formatNumber(limit, 4), isMet ? 'yes' : 'NO']);
  return ['claims', table.toString()].join('\n');
}

/** With a header line. */
export function formatVmemCsv(rows: readonly Measurement[]): string {
  return stringify([...rows], { header: true, columns: [...CSV_COLUMNS], cast: { boolean: String } });
}

function columnsIn(unit: 'ms' | 'us'): Column[] {
  const time = (ns: number | undefined): string => formatNumber(ns === undefined ? undefined : ns / (unit === 'ms' ? 1e6 : 1e3), 1);
  const size = (bytes: number | undefined): string => formatNumber(bytes === undefined ? undefined : bytes / MIB, 1);
  return [
    { head: `median ${unit}`, cell: ({ medianNs }) => time(medianNs) },
    { head: 'best', cell: ({ bestNs }) => time(bestNs) },
    { head: 'worst', cell: ({ worstNs }) => time(worstNs) },
    { head: 'x', cell: ({ ratio }) => formatNumber(ratio, ratio !== undefined && ratio < 0.1 ? 5 : 2) },
    {
      head: 'GiB/s',
      cell: ({ experiment, medianNs, sizeBytes }) =>
        experiment !== 'pre-touch' || medianNs === undefined ? '-' : formatNumber(sizeBytes / GIB / (medianNs / 1e9), 2),
    },
    { head: 'resident MiB', cell: ({ residentBytes }) => size(residentBytes) },
    { head: 'RSS MiB', cell: ({ rssBytes }) => size(rssBytes) },
    { head: 'verified', cell: verdict },
  ];
}

function verdict({ status, verified }: Measurement): string {
  if (status === 'unsupported') return 'unsupported';
  if (verified === undefined) return '-';
  return verified ? 'yes' : 'NO';
}

function newTable(head: readonly string[], colour: boolean): InstanceType<typeof Table> {
  return new Table({
    head: [...head],
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
}
