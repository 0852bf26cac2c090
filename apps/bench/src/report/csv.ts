/** Results as CSV, a line for each subject in each workload. */

import { stringify } from 'csv-stringify/sync';

import type { Result } from '../result.ts';

const COLUMNS: readonly (keyof Result)[] = [
  'workload',
  'subject',
  'kind',
  'status',
  'medianNs',
  'bestNs',
  'ratio',
  'roundCount',
  'operationCount',
  'failedOperations',
  'verified',
  'peakFootprint',
  'peakLive',
  'worstNs',
  'checksum',
  'reason',
];

/** With a header line. */
export function formatCsv(results: readonly Result[]): string {
  return stringify([...results], { header: true, columns: [...COLUMNS], cast: { boolean: String } });
}
