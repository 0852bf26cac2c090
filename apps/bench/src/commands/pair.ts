/** `pair`: one block at a time, allocated and freed. */

import { randomSource } from '../random.ts';
import { TraceBuilder } from '../trace/builder.ts';
import type { Workload } from '../workload.ts';

const PAIR_COUNT = 100_000;

/** The smallest and the largest block. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

/** The sizes where nobody asks for others. */
export const PAIR_SIZES: SizeRange = { min: 16, max: 1039 };

/** Sizes from the range, in a random order. */
export function pairWorkload(seed: number, { min, max }: SizeRange = PAIR_SIZES): Workload {
  const random = randomSource(seed);
  const sizes = Int32Array.from({ length: PAIR_COUNT }, () => min + (random() % (max - min + 1)));
  const trace = new TraceBuilder();
  for (const size of sizes) {
    trace.allocate(0, size);
    trace.free(0);
  }
  return {
    name: 'pair',
    title: `pair: ${PAIR_COUNT.toLocaleString('en')} times one block of ${formatSizes({ min, max })} bytes allocated and freed`,
    operation: 'one allocation and its free',
    loop: 'pair',
    operationCount: PAIR_COUNT,
    trace: trace.finish('pair'),
    sizes,
    slots: new Int32Array(0),
    width: 0,
    resets: false,
    bare: false,
    facts: [],
  };
}

/** As it is typed and read: `64`, `16-1039`. */
export function formatSizes({ min, max }: SizeRange): string {
  return min === max ? String(min) : `${min}-${max}`;
}
