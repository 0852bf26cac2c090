/** Measurements as tables for people, as CSV, and as plots. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { LinePlot } from '../report/plot.ts';
import type { Claim } from './claims.ts';
import type { ThreadsResult } from './measurement.ts';
import { FIELDS, sharingsOf, type Sharing, type Task } from './subjects.ts';

const TITLES: Readonly<Record<Task, string>> = {
  spin: 'spin: threads that count and do nothing else: what this machine gives to more than one',
  pair: 'pair: a block of 64 bytes allocated and freed',
  mix: 'mix: a block of 16-1039 bytes allocated and freed',
  churn: 'churn: one of 1024 blocks of 64 bytes freed, another one allocated; each thread has its own',
  'hand-over': 'hand-over: 64 blocks of 64 bytes at a time sent to another thread, freed by who allocated them (apart) or by who got them (together)',
  'few-slabs': 'few-slabs: one of 160 blocks of 64 bytes freed, another one allocated; each thread in a place of its own (apart), or all in one (together)',
};

const COLUMNS: readonly (keyof ThreadsResult)[] = [
  'task',
  'subject',
  'kind',
  'sharing',
  'threadCount',
  'status',
  'medianNs',
  'bestNs',
  'speedup',
  'share',
  'roundCount',
  'operationCount',
  'reason',
];

/** What the tables mean; printed once a run. */
export const THREADS_LEGEND = [
  'Nanoseconds an operation of each thread, from the first one to start to the last one to end: the median of the rounds, and the best. All subjects in turn.',
  'In parentheses: how many times what one thread does they do in the same time; for "together", which part of what they do apart. Blocks are not touched.',
  'o1heap and slab-pool are for one thread: each thread has a memory and a heap of its own, as remote-free-o1heap has a heap of its own in shared memory.',
];

const SPIN_LEGEND = 'Where that is far from 2, the processors were not theirs, and nothing can be told of two threads.';

/** Title, table, what failed. */
export function formatThreads(task: Task, results: readonly ThreadsResult[], colour: boolean): string {
  const own = results.filter((result) => result.task === task);
  const columns = columnsOf(own);
  const isContended = sharingsOf(task).length > 1;
  const head = columns.map(({ sharing, threadCount }) => `${threadCount} thread${threadCount === 1 ? '' : 's'}${isContended ? `, ${sharing}` : ''}`);
  const table = new Table({
    head: ['', ...head.flatMap((text) => [text, 'best'])],
    colAligns: ['left', ...columns.flatMap(() => ['right', 'right'] as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const { name } of FIELDS[task]) {
    const row = own.filter(({ subject }) => subject === name);
    if (row.length === 0) continue;
    table.push([
      name,
      ...columns.flatMap(({ sharing, threadCount }) => cellsOf(row.find((result) => result.sharing === sharing && result.threadCount === threadCount))),
    ]);
  }
  const failed = new Map(own.filter(({ status }) => status === 'failed').map(({ subject, reason }) => [subject, reason]));
  return [TITLES[task], table.toString(), ...[...failed].map(([subject, reason]) => `  FAILED ${subject}: ${reason ?? ''}`)].join('\n');
}

/** A line for each promise. */
export function formatClaims(claims: readonly Claim[]): string {
  const lines = claims.map(({ text, measured, limit, bound, isMet }) => {
    const digits = bound === 'at most' ? 1 : 2;
    return `  ${isMet ? 'yes' : 'NO '} ${text}: ${formatNumber(measured, digits)}, ${bound} ${limit}`;
  });
  const spin = claims.find((claim) => claim.spin !== undefined)?.spin;
  const machine = spin === undefined ? [] : [`  Two threads that only count did ${formatNumber(spin, 2)} times what one does. ${SPIN_LEGEND}`];
  return ['tiered-arena:', ...lines, ...machine].join('\n');
}

/** With a header line. */
export function formatThreadsCsv(results: readonly ThreadsResult[]): string {
  return stringify([...results], { header: true, columns: [...COLUMNS] });
}

/** Throughput over threads, a line for each subject and each way; what failed is not drawn. */
export function threadsPlot(task: Task, results: readonly ThreadsResult[], machine: string): LinePlot {
  const series = FIELDS[task].flatMap(({ name, colour }) =>
    sharingsOf(task).map((sharing) => ({
      name: sharing === 'together' ? `${name} +` : name,
      style: { colour, dash: sharing === 'apart' ? [] : [6, 3] },
      points: results
        .filter((result) => result.task === task && result.subject === name && result.sharing === sharing && result.status === 'ok')
        .map(({ threadCount, medianNs }) => ({ x: threadCount, y: (threadCount * 1000) / medianNs })),
    })),
  );
  return {
    title: TITLES[task],
    subtitle: [sharingsOf(task).length > 1 ? 'median of the rounds; dashed, with +: together' : 'median of the rounds', machine],
    x: { title: 'threads', scale: 'log' },
    y: { title: 'operations of all threads [million/s]', scale: 'log' },
    series: series.filter(({ points }) => points.length > 0),
    marksPoints: true,
  };
}

function columnsOf(results: readonly ThreadsResult[]): { readonly sharing: Sharing; readonly threadCount: number }[] {
  const counts = [...new Set(results.map(({ threadCount }) => threadCount))].toSorted((a, b) => a - b);
  return counts.flatMap((threadCount) =>
    (['apart', 'together'] as const)
      .filter((sharing) => results.some((result) => result.sharing === sharing && result.threadCount === threadCount))
      .map((sharing) => ({ sharing, threadCount })),
  );
}

function cellsOf(result: ThreadsResult | undefined): string[] {
  if (result === undefined) return ['-', '-'];
  if (result.status === 'failed') return ['failed', 'failed'];
  const { medianNs, bestNs, speedup, share } = result;
  const ratio = speedup ?? share;
  const digits = (ns: number): number => (ns < 10 ? 2 : ns < 1000 ? 1 : 0);
  return [`${formatNumber(medianNs, digits(medianNs))}${ratio === undefined ? '' : ` (${formatNumber(ratio, 2)})`}`, formatNumber(bestNs, digits(bestNs))];
}
