/** Measurements of loads as a table for people and as CSV, and what is promised of them. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { AssetResult } from './measurement.ts';
import { CONCURRENCY } from './subjects.ts';

const MIB = 2 ** 20;
const TIME_RATIO_MAX = 1.2;
const EXCESS_BYTES_MAX = 16 * MIB;
const COLUMNS: readonly (keyof AssetResult)[] = [
  'subject',
  'kind',
  'status',
  'count',
  'sizeBytes',
  'medianNs',
  'bestNs',
  'bestCpuNs',
  'base',
  'ratio',
  'cpuRatio',
  'roundCount',
  'peakBytes',
  'excessBytes',
  'reason',
];

/** A promise, held against a run. */
export interface Claim {
  readonly text: string;
  readonly measured: number;
  readonly limit: number;
  readonly isMet: boolean;
}

/** What the columns mean; printed once a run. */
export const ASSETS_LEGEND = [
  `All subjects take turns, each in a process of its own, the server in another; ${CONCURRENCY} requests at once. arrayBuffer: fetch and nothing else. pieces: read and forgotten. tiers: into a`,
  "TieredArena in shared memory; heap: into a TLSF heap in WebAssembly memory that grows. unsized: the server does not say how long bodies are. x: best round over the base's; CPU: of all threads.",
  "peak: what a process that keeps the assets has at the most, beyond what it has when it drops each at once: that is the network's and the collector's. Fresh processes, the median of them.",
];

/** The table, and what failed. */
export function formatAssets(results: readonly AssetResult[], colour: boolean): string {
  const table = new Table({
    head: ['', 'median ms', 'best ms', 'us an asset', 'x', 'CPU ms', 'x', 'peak MiB', 'beyond the assets'],
    colAligns: ['left', ...Array.from({ length: 8 }, () => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  const scaled = (value: number | undefined, unit: number, digits: number): string => formatNumber(value === undefined ? undefined : value / unit, digits);
  for (const { subject, medianNs, bestNs, bestCpuNs, ratio, cpuRatio, peakBytes, excessBytes, count } of results) {
    const times = [
      scaled(medianNs, 1e6, 0),
      scaled(bestNs, 1e6, 0),
      scaled(bestNs, 1e3 * count, 0),
      formatNumber(ratio, 2),
      scaled(bestCpuNs, 1e6, 0),
      formatNumber(cpuRatio, 2),
    ];
    table.push([subject, ...times, scaled(peakBytes, MIB, 1), scaled(excessBytes, MIB, 1)]);
  }
  const problems = results.filter(({ status }) => status === 'failed').map(({ subject, reason }) => `  FAILED ${subject}: ${reason ?? ''}`);
  return [table.toString(), ...problems].join('\n');
}

/** What is promised, as far as it was measured. */
export function claimsOf(results: readonly AssetResult[]): Claim[] {
  return results
    .filter(({ subject }) => subject === 'tiers' || subject === 'heap')
    .flatMap(({ subject, ratio, excessBytes }) => [
      ...(ratio === undefined
        ? []
        : [{ text: `${subject}: time, over that of arrayBuffer() alone`, measured: ratio, limit: TIME_RATIO_MAX, isMet: ratio <= TIME_RATIO_MAX }]),
      ...(excessBytes === undefined
        ? []
        : [
            {
              text: `${subject}: peak memory beyond the assets, in MiB`,
              measured: excessBytes / MIB,
              limit: EXCESS_BYTES_MAX / MIB,
              isMet: excessBytes <= EXCESS_BYTES_MAX,
            },
          ]),
    ]);
}

/** Promises beside what was measured. */
export function formatClaims(claims: readonly Claim[]): string {
  return claims
    .map(({ text, measured, limit, isMet }) => `  ${isMet ? 'yes' : 'NO '} ${text}: ${formatNumber(measured, 2)}, at most ${formatNumber(limit, 2)}`)
    .join('\n');
}

/** With a header line. */
export function formatAssetsCsv(results: readonly AssetResult[]): string {
  return stringify([...results], { header: true, columns: [...COLUMNS] });
}
