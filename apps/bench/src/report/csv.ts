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

/** With a header line. @param leading - Columns that rows of this kind have besides. */
export function formatCsv<Row extends Result>(results: readonly Row[], leading: readonly (keyof Row & string)[] = []): string {
  return stringify([...results], { header: true, columns: [...leading, ...COLUMNS], cast: { boolean: String } });
}
