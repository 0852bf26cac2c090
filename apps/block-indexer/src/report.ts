/** Reports for people. */

import Table from 'cli-table3';
import type { Comparison } from './comparison.ts';
import type { IndexReport } from './index-chain.ts';
import type { RampResult } from './ramp.ts';

const MIB = 2 ** 20;

function newTable(head: readonly string[]): InstanceType<typeof Table> {
  return new Table({ head: [...head], colAligns: ['left', ...head.slice(1).map(() => 'right' as const)], style: { head: [], border: [], compact: true } });
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(3);
}

/** What one run did. */
export function formatIndex(report: IndexReport, counts: Readonly<Record<string, number>>): string {
  const { mode, tracking, from, height, isComplete, root, perBlock, readyMs, totalMs, bytes } = report;
  const table = newTable(['ms per block', 'mean', 'median', 'p99']);
  for (const [what, figures] of Object.entries(perBlock ?? {})) table.push([what, ms(figures.meanMs), ms(figures.medianMs), ms(figures.p99Ms)]);
  const blocks = height === from ? `nothing to do after ${String(height)} blocks` : `blocks ${String(from)} to ${String(height - 1)}`;
  return [
    `${mode}${tracking === undefined ? '' : ` (${tracking})`}: ${blocks}, ${(bytes / MIB).toFixed(1)} MiB in ${(totalMs / 1000).toFixed(2)} s, ready after ${readyMs.toFixed(0)} ms`,
    ...(perBlock === undefined ? [] : [table.toString()]),
    `unspent outputs ${String(counts['o'] ?? 0)}, balances ${String(counts['b'] ?? 0)}`,
    ...(root === undefined ? [] : [`state root after block ${String(height - 1)}: ${root}`]),
    ...(isComplete ? [] : ['stopped: the next run goes on from here']),
    '',
  ].join('\n');
}

/** The modes beside one another. */
export function formatComparison({ reports, areRootsEqual, resetAdvantage }: Comparison): string {
  const table = newTable(['', 'blocks', 'ready ms', 'clean ms, mean', 'median', 'run ms', 'store ms']);
  for (const { mode, tracking, height, readyMs, perBlock } of reports) {
    const name = tracking === undefined ? mode : `${mode}, ${tracking}`;
    table.push([name, height, readyMs.toFixed(0), ms(perBlock?.clean.meanMs), ms(perBlock?.clean.medianMs), ms(perBlock?.run.meanMs), ms(perBlock?.store.meanMs)]);
  }
  const advantage = resetAdvantage === undefined ? '' : `; a reset is ${resetAdvantage.toFixed(0)} times cheaper than a fresh pre-touched instance`;
  return `${table.toString()}\nroots ${areRootsEqual ? 'equal' : 'DIFFER'}${advantage}\n`;
}

/** The ramps. */
export function formatRamps(results: readonly RampResult[]): string {
  const table = newTable(['ramp', 'guest size MiB', 'run ms', 'reset ms']);
  for (const { megabytes, iterations, size, runMs, resetMs } of results) {
    table.push([`${String(iterations)} x ${String(megabytes)} MB`, size === undefined ? 'fails' : size / MIB, runMs.toFixed(1), resetMs.toFixed(1)]);
  }
  return `${table.toString()}\n`;
}
