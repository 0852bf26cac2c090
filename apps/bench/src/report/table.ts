/** Results as a table for people, with what must be known about them underneath. */

import Table from 'cli-table3';

import type { Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';
import { formatNumber } from './number.ts';

export interface TableOptions {
  /** The subject that ratios refer to. */
  readonly base: string | undefined;
  /** Wrap the names in colour. */
  readonly colour: boolean;
}

/** One workload: title, table, remarks. */
export function formatTable(workload: Workload, results: readonly Result[], subjects: readonly Subject[], options: TableOptions): string {
  const table = new Table({
    head: ['allocator', 'ns/op', 'best', `x ${options.base ?? '-'}`, 'ops/ms', 'failed', 'verified', 'footprint', 'peak KB', 'slowest us'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'right', 'right', 'right'],
    style: { head: options.colour ? ['bold'] : [], border: options.colour ? ['gray'] : [], compact: true },
  });
  for (const result of results) table.push(row(result));
  return [workload.title, table.toString(), ...remarks(workload, results, subjects)].join('\n');
}

function row(result: Result): string[] {
  const { medianNs, bestNs, ratio, failedOperations, peakFootprint, peakLive, worstNs, status } = result;
  const partial = (text: string): string => (status === 'stopped' && text !== '-' ? `(${text})` : text);
  return [
    result.subject,
    partial(formatNumber(medianNs, 1)),
    partial(formatNumber(bestNs, 1)),
    formatNumber(ratio, 2),
    medianNs === undefined ? '-' : partial(formatNumber(1e6 / medianNs, 0)),
    formatNumber(failedOperations, 0),
    verdict(result),
    peakFootprint === undefined || peakLive === 0 ? '-' : formatNumber(peakFootprint / peakLive, 2),
    peakFootprint === undefined ? '-' : formatNumber(peakFootprint / 1000, 0),
    worstNs === undefined ? '-' : formatNumber(worstNs / 1000, 1),
  ];
}

function verdict({ kind, verified, status }: Result): string {
  if (status === 'stopped') return 'too slow';
  if (kind === 'native' || verified === undefined) return status === 'failed' ? 'NO' : '-';
  return verified ? 'yes' : 'NO';
}

function remarks(workload: Workload, results: readonly Result[], subjects: readonly Subject[]): string[] {
  const lines = [`  one operation: ${workload.operation}`, ...workload.facts.map((fact) => `  ${fact}`)];
  for (const { subject, status, reason } of results) {
    if (status !== 'ok' && reason !== undefined) lines.push(`  ${status.toUpperCase()} ${subject}: ${reason}`);
  }
  for (const { name, note } of subjects) {
    if (note !== undefined && results.some(({ subject }) => subject === name)) lines.push(`  ${note}`);
  }
  return lines;
}

/** What the columns mean; printed once a run. */
export const LEGEND = [
  'ns/op: median of the rounds, and best; x: median over the base\'s, 2.00 is twice as slow. All subjects take turns, round by round.',
  'Each JavaScript one has a worker thread of its own, where the engine knows nothing but its loop. Heaps live from round to round, so their memory is warm.',
  'failed: requests refused or answered wrongly. verified: every block was filled with bytes of its own and looked at before it was freed, in another worker.',
  'footprint: from the lowest to the highest byte handed out (native-malloc: what malloc holds), over the peak of live bytes.',
  'slowest us: slowest single operation in microseconds, each counted with the fastest of three passes; the clock takes some 0.05 of it. Coarse.',
];
