/** Measurements of collectors as tables for people, and as CSV. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import { FACT_TITLES, type Fact, type GcClaim } from './facts.ts';
import type { GcResult } from './measurement.ts';
import type { GcWorkload } from './workloads.ts';

const COLUMNS: readonly (keyof GcResult)[] = ['workload', 'parameters', 'subject', 'status', 'medianMs', 'bestMs', 'worstMs', 'ratio', 'roundCount', 'checksum', 'reason'];

/** What the tables mean; printed once a run. */
export const GC_LEGEND = [
  'Milliseconds a round: median, best and worst; x: median over that of V8\'s objects. All subjects take turns; each has a worker of its own.',
  'allokit-gc: the generational heap, in TypeScript. v8-objects: plain JavaScript objects; V8 collects on several threads. as-incremental: AssemblyScript.',
];

function style(colour: boolean): { head: string[]; border: string[]; compact: boolean } {
  return { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true };
}

/** Title, table, what failed. */
export function formatGc(workload: GcWorkload, results: readonly GcResult[], colour: boolean): string {
  const table = new Table({ head: ['collector', 'ms', 'best', 'worst', 'x v8-objects'], colAligns: ['left', 'right', 'right', 'right', 'right'], style: style(colour) });
  for (const { subject, medianMs, bestMs, worstMs, ratio } of results) {
    table.push([subject, formatNumber(medianMs, 1), formatNumber(bestMs, 1), formatNumber(worstMs, 1), formatNumber(ratio, 2)]);
  }
  const problems = results.filter(({ status }) => status === 'failed').map(({ subject, reason }) => `  FAILED ${subject}: ${reason ?? ''}`);
  return [workload.title, table.toString(), ...problems].join('\n');
}

/** A line for each series. */
export function formatFacts(facts: readonly Fact[], colour: boolean): string {
  const table = new Table({ head: ['allokit-gc', 'unit', 'median', 'best', 'p99', 'max', 'of'], colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'], style: style(colour) });
  for (const { name, unit, median, best, p99, max, count } of facts) {
    table.push([FACT_TITLES[name], unit, formatNumber(median, 2), formatNumber(best, 2), Number.isNaN(p99) ? '-' : formatNumber(p99, 2), formatNumber(max, 2), formatNumber(count, 0)]);
  }
  return table.toString();
}

/** A line for each promise. */
export function formatGcClaims(claims: readonly GcClaim[]): string {
  return ['in this run:', ...claims.map(({ text, isMet, found }) => `  ${isMet ? 'yes' : 'NO '} ${text}: ${formatNumber(found, 2)}`)].join('\n');
}

/** With a header line. */
export function formatGcCsv(results: readonly GcResult[]): string {
  return stringify([...results], { header: true, columns: [...COLUMNS] });
}
