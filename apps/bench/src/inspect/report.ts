/** What looking costs, as a table, as CSV, and against what is promised. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { InspectResult } from './measurement.ts';
import type { Way } from './protocol.ts';

/** By how much a program may take longer at the most. */
const LIMITS: Partial<Record<Way, number>> = { recorded: 2, sampled: 1.1, off: 1.05 };

/** A promise, held against a run. */
export interface InspectClaim {
  readonly text: string;
  readonly measured: number;
  readonly limit: number;
  readonly isMet: boolean;
}

/** What is promised of every program and form that was measured. That nothing costs nothing is measured, too, to a twentieth. */
export function claimsOfInspect(results: readonly InspectResult[]): InspectClaim[] {
  return results.flatMap(({ program, way, isCompiled, ratio }) => {
    const limit = LIMITS[way];
    return limit === undefined ? [] : [{ text: `${program}${isCompiled ? ', compiled' : ''}: ${way}`, measured: ratio, limit, isMet: ratio <= limit }];
  });
}

/** The table of one program. */
export function formatInspect(results: readonly InspectResult[], colour: boolean): string {
  const table = new Table({
    head: ['looked at', 'heap', 'median ns', 'best ns', 'ratio'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style: { head: colour ? ['bold'] : [], border: [], compact: true },
  });
  for (const { way, isCompiled, medianNs, bestNs, ratio } of results) {
    const heap = way.startsWith('objects') ? 'objects' : isCompiled ? 'compiled' : 'as it is';
    table.push([WAY_NAMES[way], heap, formatNumber(medianNs, 1), formatNumber(bestNs, 1), formatNumber(ratio, 2)]);
  }
  return `inspect: ${results[0]!.program}\n${table.toString()}`;
}

/** What each way is, in words. */
export const WAY_NAMES: Readonly<Record<Way, string>> = {
  plain: 'not at all',
  off: 'inspected(), no tool',
  recorded: 'recorded',
  sampled: 'sampled, 2 MiB',
  leaks: 'every block, until freed',
  exact: 'every block',
  objects: 'not at all',
  'objects sampled': 'V8 sampling, 2 MiB',
  'objects recorded': 'V8 allocation timeline',
};

/** Said below the tables. */
export const INSPECT_LEGEND: readonly string[] = [
  'An allocation, its free, and what the program does with the block. churn: 4096 blocks of 16-1039 bytes replaced at random, both ends written;',
  'trees: binary trees of 24-byte nodes built, added up and taken apart; trace: a mix of mostly small blocks replayed.',
  'Processor time of the thread. The ratio is that of the medians, to the same program with nobody looking. Each case in a worker of its own, those with a promise in three, all in turn.',
];

/** The promises, a line each. */
export function formatInspectClaims(claims: readonly InspectClaim[]): string {
  return claims.map(({ text, measured, limit, isMet }) => `${isMet ? 'kept    ' : 'NOT KEPT'}  ${text}: ${formatNumber(measured, 2)}, at most ${formatNumber(limit, 2)}`).join('\n');
}

/** The results as CSV. */
export function formatInspectCsv(results: readonly InspectResult[]): string {
  return stringify([...results], { header: true, cast: { boolean: String } });
}
