/** `pool`: objects of one size, first as many as 50,000 at once, then a few over and over. */

import { TraceBuilder } from '../trace/builder.ts';
import type { Workload } from '../workload.ts';
import { bulkWorkload } from './bulk-workload.ts';

const OBJECT_SIZE = 64;
const OBJECT_COUNT = 50_000;
const BATCH_COUNT = 1000;
const BATCH_SIZE = 100;

/** 50,000 allocations and 50,000 frees; 1000 times 100 allocations and 100 frees. */
export function poolWorkloads(): Workload[] {
  return [
    bulkWorkload({
      name: 'pool',
      title: `pool: ${OBJECT_COUNT.toLocaleString('en')} objects of ${OBJECT_SIZE} bytes allocated, then freed one by one`,
      operation: 'one allocation or one free',
      operationCount: 2 * OBJECT_COUNT,
      sizes: new Int32Array(OBJECT_COUNT).fill(OBJECT_SIZE),
      resets: false,
    }),
    reuseWorkload(),
  ];
}

function reuseWorkload(): Workload {
  const trace = new TraceBuilder();
  for (let batch = 0; batch < BATCH_COUNT; batch += 1) {
    for (let slot = 0; slot < BATCH_SIZE; slot += 1) trace.allocate(slot, OBJECT_SIZE);
    for (let slot = 0; slot < BATCH_SIZE; slot += 1) trace.free(slot);
  }
  return {
    name: 'reuse',
    title: `reuse: ${BATCH_COUNT} times ${BATCH_SIZE} objects of ${OBJECT_SIZE} bytes allocated and freed`,
    operation: 'one allocation or one free',
    loop: 'reuse',
    operationCount: 2 * BATCH_COUNT * BATCH_SIZE,
    trace: trace.finish('reuse'),
    sizes: new Int32Array(BATCH_COUNT * BATCH_SIZE).fill(OBJECT_SIZE),
    slots: new Int32Array(0),
    width: BATCH_SIZE,
    resets: false,
    bare: false,
    facts: [],
  };
}
