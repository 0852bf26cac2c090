/** Measurements as tables for people, as CSV, and as plots. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { LinePlot } from '../report/plot.ts';
import type { Claim } from './claims.ts';
import { BATCH_SIZE } from './loops.ts';
import type { CopyResult } from './measurement.ts';
import { COPY_SIZES, FIELDS, type CopySubject, type Operation } from './subjects.ts';

const TITLES: Readonly<Record<Operation, string>> = {
  copy: 'copy: so many bytes from one place to another',
  fill: 'fill: so many bytes set to a value',
  equal: 'equal: two ranges of so many bytes compared that do not differ',
  find: 'find: so many bytes searched for one that is not there',
  bulk: `bulk: so many bytes copied in batches of ${BATCH_SIZE}, for each copy`,
};

/** What native code gains over WebAssembly in the original, as published: from so many bytes on. */
const ORIGINAL: readonly (readonly [sizeBytes: number, ratio: string])[] = [
  [0, '6-13'],
  [1025, '-'],
  [65_536, '1.9'],
  [65_537, '-'],
];

const COLUMNS: readonly (keyof CopyResult)[] = ['operation', 'subject', 'kind', 'sizeBytes', 'status', 'medianNs', 'bestNs', 'ratio', 'roundCount', 'callCount', 'reason'];

/** What the tables mean; printed once a run. */
export const COPY_LEGEND = [
  'Nanoseconds a call: the median of the rounds, all subjects in turn, each in an isolate or a process of its own. In parentheses: times what the C library takes.',
  'Addresses vary by 4 KiB and are aligned to nothing. copier: on WebAssembly memory; -shared: on a shared one; -javascript: on a buffer; -native: on native memory.',
];

/** Title, table, what failed. */
export function formatCopies(operation: Operation, results: readonly CopyResult[], colour: boolean): string {
  const subjects = subjectsOf(operation, results);
  const table = new Table({
    head: ['bytes', ...subjects.map(({ name }) => name)],
    colAligns: ['right', ...subjects.map(() => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const size of COPY_SIZES) table.push([size.toLocaleString('en'), ...subjects.map(({ name }) => cellOf(find(results, operation, name, size)))]);
  const problems = results.filter((result) => result.operation === operation && result.status === 'failed' && result.sizeBytes === COPY_SIZES[0]);
  return [TITLES[operation], table.toString(), ...problems.map(({ subject, reason }) => `  FAILED ${subject}: ${reason ?? ''}`)].join('\n');
}

/** What native code gains, beside what it gained in the original. Empty where there is no C compiler. */
export function formatOriginal(results: readonly CopyResult[], colour: boolean): string {
  const own = results.filter(({ operation, subject, ratio }) => operation === 'copy' && subject === 'copier' && ratio !== undefined);
  if (own.length === 0) return '';
  const table = new Table({
    head: ['bytes', ...own.map(({ sizeBytes }) => sizeBytes.toLocaleString('en'))],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  table.push(['copier / memcpy', ...own.map(({ ratio }) => formatNumber(ratio, 1))]);
  table.push(['the original', ...own.map(({ sizeBytes }) => ORIGINAL.findLast(([from]) => sizeBytes >= from)![1])]);
  return ['what native code gains over WebAssembly, called from JavaScript; the original called both from native code', table.toString()].join('\n');
}

/** A line for each promise. */
export function formatClaims(claims: readonly Claim[]): string {
  const lines = claims.map(({ text, isMet, worst, sizeBytes }) => `  ${isMet ? 'yes' : 'NO '} ${text}: ${formatNumber(worst, 2)} times, at ${sizeBytes.toLocaleString('en')} bytes`);
  return ['copier, in the worst case of this run:', ...lines].join('\n');
}

/** With a header line. */
export function formatCopyCsv(results: readonly CopyResult[]): string {
  return stringify([...results], { header: true, columns: [...COLUMNS] });
}

/** A line for each subject; what failed is not drawn. */
export function copyPlot(operation: Operation, results: readonly CopyResult[], machine: string): LinePlot {
  return {
    title: TITLES[operation],
    subtitle: ['median of the rounds', machine],
    x: { title: 'size [bytes]', scale: 'log', labels: 'bytes' },
    y: { title: `time of a ${operation === 'bulk' ? 'copy' : 'call'} [ns]`, scale: 'log' },
    series: subjectsOf(operation, results).map(({ name, kind, colour }) => ({
      name,
      style: { colour, dash: { allokit: [], peer: [7, 3], native: [2, 2] }[kind] },
      points: COPY_SIZES.flatMap((size) => {
        const result = find(results, operation, name, size);
        return result?.status === 'ok' ? [{ x: size, y: result.medianNs }] : [];
      }),
    })),
    marksPoints: true,
  };
}

function subjectsOf(operation: Operation, results: readonly CopyResult[]): CopySubject[] {
  return FIELDS[operation].filter(({ name }) => results.some((result) => result.operation === operation && result.subject === name));
}

function find(results: readonly CopyResult[], operation: Operation, name: string, size: number): CopyResult | undefined {
  return results.find((result) => result.operation === operation && result.subject === name && result.sizeBytes === size);
}

function cellOf(result: CopyResult | undefined): string {
  if (result === undefined) return '-';
  if (result.status === 'failed') return 'failed';
  const { medianNs, ratio } = result;
  return `${formatNumber(medianNs, medianNs < 1000 ? 1 : 0)}${ratio === undefined || ratio === 1 ? '' : ` (${formatNumber(ratio, 1)})`}`;
}
