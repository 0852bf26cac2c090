/** `pair`: one block at a time, allocated and freed. */

import { randomSource } from '../random.ts';
import { TraceBuilder } from '../trace/builder.ts';
import type { Workload } from '../workload.ts';

const PAIR_COUNT = 100_000;

/** Sizes of 16 to 1039 bytes, in a random order. */
export function pairWorkload(seed: number): Workload {
  const random = randomSource(seed);
  const sizes = Int32Array.from({ length: PAIR_COUNT }, () => 16 + (random() & 1023));
  const trace = new TraceBuilder();
  for (const size of sizes) {
    trace.allocate(0, size);
    trace.free(0);
  }
  return {
    name: 'pair',
    title: `pair: ${PAIR_COUNT.toLocaleString('en')} times one block of 16-1039 bytes allocated and freed`,
    operation: 'one allocation and its free',
    loop: 'pair',
    operationCount: PAIR_COUNT,
    trace: trace.finish('pair'),
    sizes,
    slots: new Int32Array(0),
    width: 0,
    resets: false,
    facts: [],
  };
}
