/** A candidate of the tuner in a thread of its own, where no other makes its calls slower. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Trace } from '../trace.ts';
import { Timing, smallestBytes } from '../tune.ts';
import { candidatesOf } from './candidates.ts';

/** What the thread is to do. */
export interface TuneTask {
  /** What is replayed. */
  readonly trace: Trace;
  /** The candidate's name. */
  readonly candidate: string;
  /** The URL of a module that exports `candidates`; the package's own where there is none. */
  readonly module: string | undefined;
}

/** What the thread answers: first the memory, then after each turn the median so far. */
export interface TuneAnswer {
  /** See `smallestBytes`. */
  readonly bytes?: number;
  /** See `Timing.nanoseconds`. */
  readonly nanoseconds?: number;
}

async function work(task: TuneTask, port: NonNullable<typeof parentPort>): Promise<void> {
  const { trace, module } = task;
  const candidate = (await candidatesOf(module)).find(({ name }) => name === task.candidate)!;
  const bytes = smallestBytes(trace, candidate);
  const timing = bytes === undefined ? undefined : new Timing(trace, candidate, bytes);
  port.on('message', () => {
    timing?.turn();
    const nanoseconds = timing?.nanoseconds;
    port.postMessage((nanoseconds === undefined ? {} : { nanoseconds }) satisfies TuneAnswer);
  });
  port.postMessage((bytes === undefined ? {} : { bytes }) satisfies TuneAnswer);
}

if (parentPort !== null) await work(workerData as TuneTask, parentPort);
