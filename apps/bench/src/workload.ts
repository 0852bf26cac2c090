/** What is done to every subject: the same operations in the same order, as a trace for whoever checks and as arrays for the tight loops. */

import { KIND, OPERATION_WORDS, type Trace } from './trace/trace.ts';
import type { Demand } from './subject.ts';

/** Which tight loop runs it: a file in `loops/`, and a branch in `native/bench.c`. */
export type LoopName = 'replay' | 'pair' | 'churn' | 'bulk' | 'reuse';

/** One table's worth of work. */
export interface Workload {
  readonly name: string;
  /** What is done, in one line. */
  readonly title: string;
  /** What the figures are per, e.g. "one malloc, free, calloc or realloc". */
  readonly operation: string;
  readonly loop: LoopName;
  /** The operations that a round is divided by. */
  readonly operationCount: number;
  /** Everything that a round does, from an empty heap to the end. */
  readonly trace: Trace;
  /** What is verified instead of the trace: less of the same, where filling every block would take too long. */
  readonly proof?: Trace;
  /** Sizes in the order they are asked for. Empty for `replay`. */
  readonly sizes: Int32Array;
  /** `churn`: which slot is replaced. Empty elsewhere. */
  readonly slots: Int32Array;
  /** `churn`: slots. `reuse`: blocks that live at once. 0 elsewhere. */
  readonly width: number;
  /** `bulk`: free everything with one reset where the subject has it, as part of what is timed. */
  readonly resets: boolean;
  /** Whether blocks are left untouched while timed: only their addresses are summed up. Never in `replay`. See `bareWorkload`. */
  readonly bare: boolean;
  /** Facts about the work that belong under its table. */
  readonly facts: readonly string[];
}

/** The work of replaying a trace. */
export function replayWorkload(trace: Trace): Workload {
  return {
    name: trace.name,
    title: `replay of ${trace.name}: ${trace.operationCount.toLocaleString('en')} operations, peak live ${megabytes(trace.peakLiveBytes)} MB`,
    operation: 'one malloc, calloc, realloc or free',
    loop: 'replay',
    operationCount: trace.operationCount,
    trace,
    sizes: new Int32Array(0),
    slots: new Int32Array(0),
    width: 0,
    resets: false,
    bare: false,
    facts: [],
  };
}

/** The same work with blocks that nobody touches: what the allocator alone costs. Not for `replay`. */
export function bareWorkload(workload: Workload): Workload {
  const { name, title, loop, resets, facts } = workload;
  if (loop === 'replay') throw new RangeError('a replay touches its blocks');
  const storing = resets ? ['addresses are stored by those only that free block by block'] : [];
  return {
    ...workload,
    bare: true,
    name: `${name}-bare`,
    title: `${title}; blocks untouched`,
    facts: ['blocks are not touched, and not looked at: their addresses are summed up', ...storing, ...facts],
  };
}

/** The same work with its arrays in shared memory, where all workers read the one copy. */
export function shareWorkload(workload: Workload): Workload {
  const { trace, proof, sizes, slots } = workload;
  return {
    ...workload,
    trace: shareTrace(trace),
    ...(proof === undefined ? {} : { proof: shareTrace(proof) }),
    sizes: new Int32Array(sharedCopy(sizes)),
    slots: new Int32Array(sharedCopy(slots)),
  };
}

function shareTrace(trace: Trace): Trace {
  return { ...trace, words: new Uint32Array(sharedCopy(trace.words)) };
}

function sharedCopy({ buffer, byteOffset, byteLength }: ArrayBufferView): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(byteLength);
  new Uint8Array(shared).set(new Uint8Array(buffer, byteOffset, byteLength));
  return shared;
}

/** What a heap must hold to do this work. */
export function demandOf({ words, peakLiveBytes }: Trace): Demand {
  let totalBytes = 0;
  for (let at = 0; at < words.length; at += OPERATION_WORDS) {
    // 16 bytes more for whatever a heap puts around each block.
    if ((words[at]! & 0xff) !== KIND.free) totalBytes += words[at + 2]! + 16;
  }
  return { peakLiveBytes, totalBytes };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
