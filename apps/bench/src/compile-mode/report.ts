/** Measurements of compilers as tables for people, as CSV, and as plots. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { LinePlot, Series } from '../report/plot.ts';
import type { SubjectStyle } from '../report/subject-style.ts';
import type { CompileClaim } from './claims.ts';
import type { CompileResult } from './compile-measurement.ts';
import type { MixResult } from './mix-measurement.ts';
import { MIX_BYTES, MIX_COUNT, MIX_SUBJECTS } from './mix.ts';
import { COMPILE_SUBJECTS, type CompileSubject } from './subjects.ts';

const COLUMNS: readonly string[] = [
  'experiment',
  'program',
  'origin',
  'lineCount',
  'sourceBytes',
  'subject',
  'status',
  'medianMs',
  'bestMs',
  'ratio',
  'collectionShare',
  'searchesPerRecord',
  'recordCount',
  'requestedBytes',
  'peakBytes',
  'takenBytes',
  'residentBytes',
  'medianNs',
  'bestNs',
  'objectBytes',
  'heldBytes',
  'roundCount',
  'reason',
];

const STYLES: Readonly<Record<CompileSubject, SubjectStyle>> = {
  v1: { colour: '#222222', dash: [] },
  arena: { colour: '#8c564b', dash: [] },
  'pool+arena': { colour: '#d62728', dash: [] },
  objects: { colour: '#f0a58f', dash: [] },
  'v1-fresh': { colour: '#222222', dash: [7, 3] },
  'v1-fresh-64': { colour: '#9f9f9f', dash: [7, 3] },
  'arena-fresh': { colour: '#8c564b', dash: [7, 3] },
  'pool+arena-fresh': { colour: '#d62728', dash: [7, 3] },
};

/** What the tables of programs mean; printed once a run. */
export const COMPILE_LEGEND = [
  ...Object.entries(COMPILE_SUBJECTS).map(([name, description]) => `${name}: ${description}.`),
  'ms: one compilation, with the reset at its end where memory is used again: median and best; x: over v1, or v1-fresh. gc %: of that time, collections.',
  'All take turns, each in a worker of its own.',
  'searched: free objects that V1 looked at for each record. KB in records: the most that they took at once, headers and rounding included.',
  'taken: whole pages, slabs and chunks.',
  'resident: physical memory that the first compilation touched. Of objects: alive at the end, and what the heap had grown by before the next collection.',
];

/** One program: title, table, what failed. */
export function formatCompilations(results: readonly CompileResult[], colour: boolean): string {
  const [{ program, sourceBytes, recordCount, requestedBytes } = { program: '', sourceBytes: 0, recordCount: 0, requestedBytes: 0 }] = results.filter(
    ({ subject }) => subject === 'arena',
  );
  const head = ['records in', 'ms', 'best', 'x', 'gc %', 'searched', 'KB in records', 'taken', 'resident'];
  const table = makeTable(head, colour);
  for (const { subject, medianMs, bestMs, ratio, collectionShare, searchesPerRecord, peakBytes, takenBytes, residentBytes } of results) {
    const searched = subject.startsWith('v1') ? formatNumber(searchesPerRecord, 0) : '-';
    const times = [formatNumber(medianMs, 2), formatNumber(bestMs, 2), formatNumber(ratio, 2), formatNumber(collectionShare * 100, 1)];
    table.push([subject, ...times, searched, kilobytes(peakBytes), kilobytes(takenBytes), kilobytes(residentBytes)]);
  }
  const problems = results.filter(({ status }) => status === 'failed').map(({ subject, reason }) => `  FAILED ${subject}: ${reason ?? ''}`);
  const title = `${program}: ${kilobytes(sourceBytes)} KB of source, ${recordCount.toLocaleString('en')} records of ${kilobytes(requestedBytes)} KB`;
  return [title, table.toString(), ...problems].join('\n');
}

/** What the records of one program are, and what they cost in each place. */
export function formatKinds(results: readonly CompileResult[], colour: boolean): string {
  const subject = results.find((result) => result.subject === 'pool+arena');
  if (subject === undefined) return '';
  const head = ['kind', 'count', 'bytes', 'v1', 'arena', 'pool+arena', 'of these freed'];
  const table = makeTable(head, colour);
  const rows = subject.kinds.toSorted((a, b) => b.arenaBytes - a.arenaBytes);
  for (const { name, count, bytes, v1Bytes, arenaBytes, poolBytes, freedBytes } of rows) {
    table.push([name, ...[count, bytes, v1Bytes, arenaBytes, poolBytes, freedBytes].map((figure) => formatNumber(figure, 0))]);
  }
  const sum = (of: 'count' | 'bytes' | 'v1Bytes' | 'arenaBytes' | 'poolBytes' | 'freedBytes'): string =>
    formatNumber(
      rows.reduce((total, row) => total + row[of], 0),
      0,
    );
  table.push(['all', sum('count'), sum('bytes'), sum('v1Bytes'), sum('arenaBytes'), sum('poolBytes'), sum('freedBytes')]);
  return `${subject.program}: bytes of all records ever made, kind by kind\n${table.toString()}`;
}

/** The mix: title, table, what failed. */
export function formatMix(results: readonly MixResult[], colour: boolean): string {
  const base = results.find(({ subject }) => subject === 'v1')!;
  const table = makeTable(['objects in', 'ns', 'best', 'x v1', 'KB in objects', 'below v1', 'taken'], colour);
  for (const { subject, medianNs, bestNs, objectBytes, heldBytes } of results) {
    const below = subject === 'v1' ? '-' : `${formatNumber((1 - objectBytes / base.objectBytes) * 100, 1)}%`;
    table.push([
      subject,
      formatNumber(medianNs, 1),
      formatNumber(bestNs, 1),
      formatNumber(medianNs / base.medianNs, 2),
      kilobytes(objectBytes),
      below,
      kilobytes(heldBytes),
    ]);
  }
  const problems = results.filter(({ status }) => status === 'failed').map(({ subject, reason }) => `  FAILED ${subject}: ${reason ?? ''}`);
  const legend = Object.entries(MIX_SUBJECTS).map(([name, description]) => `  ${name}: ${description}`);
  return [
    `the documented mix: ${MIX_COUNT.toLocaleString('en')} objects of 24 to 128 bytes, ${kilobytes(MIX_BYTES)} KB, all of them alive until the end`,
    table.toString(),
    ...legend,
    ...problems,
  ].join('\n');
}

/** Claims as a table. */
export function formatCompileClaims(claims: readonly CompileClaim[], colour: boolean): string {
  const table = makeTable(['in this run', 'measured', 'claimed', 'at least', 'met'], colour);
  const figure = (value: number, unit: CompileClaim['unit']): string =>
    unit === '%' ? `${formatNumber(value, 1)}%` : formatNumber(value, value < 100 ? 1 : 0);
  for (const { text, measured, claimed, limit, unit, isMet } of claims) {
    table.push([unit === 'ops/ms' ? `${text} [ops/ms]` : text, figure(measured, unit), claimed, figure(limit, unit), isMet ? 'yes' : 'NO']);
  }
  return table.toString();
}

/** With a header line; kinds are in JSON only. */
export function formatCompileCsv(programs: readonly CompileResult[], mix: readonly MixResult[]): string {
  const rows = [...programs.map((row) => ({ experiment: 'programs', ...row })), ...mix.map((row) => ({ experiment: 'mix', ...row }))];
  return stringify(rows, { header: true, columns: [...COLUMNS] });
}

/** Time and memory of the generated programs, as they get longer. */
export function compilePlots(results: readonly CompileResult[], machine: string): Map<string, LinePlot> {
  const generated = results.filter(({ origin, status }) => origin === 'generated' && status === 'ok');
  if (generated.length === 0) return new Map();
  const series = (of: (result: CompileResult) => number): Series[] =>
    (Object.keys(COMPILE_SUBJECTS) as CompileSubject[]).map((name) => ({
      name,
      style: STYLES[name],
      points: generated.filter(({ subject }) => subject === name).map((result) => ({ x: result.lineCount, y: of(result) })),
    }));
  const x = { title: 'lines of the program', scale: 'log' } as const;
  const common = { x, marksPoints: true };
  return new Map<string, LinePlot>([
    [
      'compile-mode-time',
      {
        ...common,
        title: 'How long a Lox program takes to compile',
        subtitle: ['median, the reset at the end included', machine],
        y: { title: 'time [ms]', scale: 'log' },
        series: series(({ medianMs }) => medianMs),
      },
    ],
    [
      'compile-mode-memory',
      {
        ...common,
        title: "What the compiler's records take",
        subtitle: ['the most at once, headers and rounding included; of objects, what is alive at the end', machine],
        y: { title: 'memory', scale: 'log', labels: 'bytes' },
        series: series(({ peakBytes }) => peakBytes),
      },
    ],
  ]);
}

function kilobytes(bytes: number | undefined): string {
  return formatNumber(bytes === undefined ? undefined : bytes / 1000, bytes !== undefined && bytes < 10_000 ? 1 : 0);
}

/** @param head - The first column is text, the others are numbers. */
function makeTable(head: string[], colour: boolean): Table.Table {
  return new Table({
    head,
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
}
