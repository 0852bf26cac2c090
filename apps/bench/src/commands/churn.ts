/** `churn`: a table of live blocks, of which random ones are replaced. */

import { randomSource } from '../random.ts';
import { TraceBuilder } from '../trace/builder.ts';
import type { Trace } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';
import { formatSizes, type SizeRange } from './pair.ts';

/** How much of what. */
export interface ChurnOptions {
  /** Default: `churn`. */
  readonly name?: string;
  /** Blocks that live at once. */
  readonly slotCount: number;
  readonly replacementCount: number;
  /** Bytes of a block. */
  readonly size: SizeRange;
  /** Replacements that are verified. Default: all. */
  readonly provenCount?: number;
}

/** What `churn` itself does. */
export const CHURN: ChurnOptions = { slotCount: 4096, replacementCount: 40_960, size: { min: 16, max: 1039 } };

/** 4096 slots, sizes of 16 to 1039 bytes, unless told otherwise. */
export function churnWorkload(seed: number, { name = 'churn', slotCount, replacementCount, size, provenCount }: ChurnOptions = CHURN): Workload {
  const random = randomSource(seed);
  const count = slotCount + replacementCount;
  const slots = Int32Array.from({ length: count }, (_, i) => (i < slotCount ? i : random() % slotCount));
  const sizes = Int32Array.from({ length: count }, () => size.min + (random() % (size.max - size.min + 1)));
  const trace = (replacements: number): Trace => churnTrace(name, slotCount, slots.subarray(0, slotCount + replacements), sizes);
  return {
    name,
    title:
      `${name}: ${slotCount.toLocaleString('en')} live blocks of ${formatSizes(size)} bytes, ` +
      `${replacementCount.toLocaleString('en')} times a random one is replaced`,
    operation: 'one replacement: a free and an allocation',
    loop: 'churn',
    operationCount: replacementCount,
    trace: trace(replacementCount),
    ...(provenCount === undefined || provenCount >= replacementCount ? {} : { proof: trace(provenCount) }),
    sizes,
    slots,
    width: slotCount,
    resets: false,
    bare: false,
    facts: [],
  };
}

function churnTrace(name: string, slotCount: number, slots: Int32Array, sizes: Int32Array): Trace {
  const trace = new TraceBuilder();
  slots.forEach((slot, i) => {
    if (i >= slotCount) trace.free(slot);
    trace.allocate(slot, sizes[i]!);
  });
  for (let slot = 0; slot < slotCount; slot += 1) trace.free(slot);
  return trace.finish(name);
}
