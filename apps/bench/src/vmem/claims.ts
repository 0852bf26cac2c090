/** What is claimed of virtual memory, beside what was measured. */

import { C_MAP_POPULATE } from './c-program.ts';
import { TOLERANCE, TOUCHED_SIZES, touchedStep } from './follow.ts';
import type { ExperimentName, Measurement } from './measurement.ts';
import { NATIVE, WASM } from './memories.ts';
import { parallelStep, threadCounts } from './pre-touch.ts';
import { READY_STEP, TOUCH_STEP } from './setup.ts';

/** Claimed: 200 to 400 ms instead of 1500, on a machine with more cores than some. */
const PARALLEL_LIMIT = 0.27;

/** A figure that must not exceed a limit. */
export interface Claim {
  readonly text: string;
  readonly limit: number;
  readonly measured: number;
  readonly isMet: boolean;
}

/** A row, by what it is called. */
interface RowKey {
  readonly experiment: ExperimentName;
  readonly subject: string;
  readonly step: string;
}

/** The claims whose rows were measured. */
export function claimsOf(rows: readonly Measurement[]): Claim[] {
  const threads = Math.max(...threadCounts());
  const { subject: c, step: mapPopulate } = C_MAP_POPULATE;
  const setup = (subject: string, step: string): RowKey => ({ experiment: 'setup', subject, step });
  const preTouch = (subject: string, step: string): RowKey => ({ experiment: 'pre-touch', subject, step });
  const nativeWrite = preTouch(NATIVE.name, 'write');
  const candidates = [
    ...[NATIVE.name, WASM.name].map((name) =>
      ratioClaim(rows, `${name}: ${READY_STEP} of 1 GiB / ${TOUCH_STEP}`, setup(name, READY_STEP), setup(name, TOUCH_STEP), 0.01),
    ),
    ratioClaim(rows, 'NativeMemory: populate with huge pages / write', preTouch(NATIVE.name, 'populate, huge pages'), nativeWrite, 0.5),
    ratioClaim(rows, 'NativeMemory: populate / C mmap(MAP_POPULATE)', preTouch(NATIVE.name, 'populate'), preTouch(c, mapPopulate), 1.1),
    ratioClaim(rows, `NativeMemory: parallel, threads: ${threads} / write`, preTouch(NATIVE.name, parallelStep(threads, false)), nativeWrite, PARALLEL_LIMIT),
    ratioClaim(rows, 'NativeMemory: the same with huge pages / write', preTouch(NATIVE.name, parallelStep(threads, true)), nativeWrite, PARALLEL_LIMIT),
    ...[NATIVE.name, WASM.name].flatMap((name) => [
      deviationClaim(rows, name, 'residentBytes', 'resident'),
      deviationClaim(rows, name, 'rssBytes', 'RSS of the process'),
    ]),
  ];
  return candidates.filter((claim) => claim !== undefined);
}

function ratioClaim(rows: readonly Measurement[], text: string, over: RowKey, under: RowKey, limit: number): Claim | undefined {
  const numerator = find(rows, over)?.medianNs;
  const denominator = find(rows, under)?.medianNs;
  return numerator === undefined || denominator === undefined ? undefined : claim(text, numerator / denominator, limit);
}

/** How far what is in memory is at the most from what was written, in parts of the latter. */
function deviationClaim(rows: readonly Measurement[], subject: string, figure: 'residentBytes' | 'rssBytes', what: string): Claim | undefined {
  const deviations = TOUCHED_SIZES.map((sizeBytes) => {
    const bytes = find(rows, { experiment: 'follow', subject, step: touchedStep(sizeBytes) })?.[figure];
    return bytes === undefined ? undefined : Math.abs(bytes / sizeBytes - 1);
  }).filter((deviation) => deviation !== undefined);
  if (deviations.length < TOUCHED_SIZES.length) return undefined;
  return claim(`${subject}: ${what} off 10, 100, 500 MiB written, at the most`, Math.max(...deviations), TOLERANCE);
}

function claim(text: string, measured: number, limit: number): Claim {
  return { text, limit, measured, isMet: measured <= limit };
}

function find(rows: readonly Measurement[], { experiment, subject, step }: RowKey): Measurement | undefined {
  return rows.find((row) => row.experiment === experiment && row.subject === subject && row.step === step);
}
