/** Work of one form: many blocks, then all of them freed. */

import { TraceBuilder } from '../trace/builder.ts';
import type { Workload } from '../workload.ts';

/** What differs between the commands that do it. */
export interface BulkOptions {
  readonly name: string;
  readonly title: string;
  readonly operation: string;
  readonly operationCount: number;
  readonly sizes: Int32Array;
  readonly resets: boolean;
  readonly facts?: readonly string[];
}

/** Blocks of the given sizes, freed in the order they came. */
export function bulkWorkload({ facts = [], ...options }: BulkOptions): Workload {
  const trace = new TraceBuilder();
  options.sizes.forEach((size, i) => {
    trace.allocate(i, size);
  });
  options.sizes.forEach((_, i) => {
    trace.free(i);
  });
  return { ...options, facts, loop: 'bulk', trace: trace.finish(options.name), slots: new Int32Array(0), width: 0, bare: false };
}
