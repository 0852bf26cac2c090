/** `churn`: a table of live blocks, of which random ones are replaced. */

import { randomSource } from '../random.ts';
import { TraceBuilder } from '../trace/builder.ts';
import type { Workload } from '../workload.ts';

const SLOT_COUNT = 4096;
const REPLACEMENT_COUNT = 40_960;

/** 4096 slots, sizes of 16 to 1039 bytes. */
export function churnWorkload(seed: number): Workload {
  const random = randomSource(seed);
  const count = SLOT_COUNT + REPLACEMENT_COUNT;
  const slots = Int32Array.from({ length: count }, (_, i) => (i < SLOT_COUNT ? i : random() & (SLOT_COUNT - 1)));
  const sizes = Int32Array.from({ length: count }, () => 16 + (random() & 1023));
  const trace = new TraceBuilder();
  for (let i = 0; i < count; i += 1) {
    if (i >= SLOT_COUNT) trace.free(slots[i]!);
    trace.allocate(slots[i]!, sizes[i]!);
  }
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) trace.free(slot);
  return {
    name: 'churn',
    title: `churn: ${SLOT_COUNT} live blocks of 16-1039 bytes, ${REPLACEMENT_COUNT.toLocaleString('en')} times a random one is replaced`,
    operation: 'one replacement: a free and an allocation',
    loop: 'churn',
    operationCount: REPLACEMENT_COUNT,
    trace: trace.finish('churn'),
    sizes,
    slots,
    width: SLOT_COUNT,
    resets: false,
    facts: [],
  };
}
