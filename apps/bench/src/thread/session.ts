/** A subject in a worker thread, which waits for its turn as the native programs do, and can be stopped in the middle of whatever it does. */

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import type { OperationTimes } from '../operation-timer.ts';
import type { Round, Session } from '../session.ts';
import { siblingUrl } from '../sibling.ts';
import type { Source } from '../subject.ts';
import type { Verdict } from '../verify.ts';
import type { Workload } from '../workload.ts';
import { PROGRESS, type Assignment, type Commands } from './protocol.ts';

/** The longest time that a timer can wait: 24 days. */
const TIMER_MAX = 2 ** 31 - 1;

const OUT_OF_TIME = Symbol('out of time');

/** See `worker.ts` for the other end. */
export class ThreadSession implements Session {
  readonly #worker: Worker;
  readonly #progress: Float64Array;
  /** Never resolves; rejects when the worker has ended, with what it failed of. */
  readonly #end: Promise<never>;

  private constructor(worker: Worker, progress: Float64Array) {
    this.#worker = worker;
    this.#progress = progress;
    this.#end = new Promise((_, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code) => {
        reject(new Error(`its worker ended (${code})`));
      });
    });
    // One that ends between two commands is found out by the next.
    this.#end.catch(() => undefined);
  }

  /**
   * Starts a worker, which resolves packages as this thread does, and makes the subject in it.
   *
   * @param workload - Copied, unless its arrays are in shared memory: see `shareWorkload`.
   */
  static async start(source: Source, workload: Workload, sizedFree: boolean): Promise<ThreadSession> {
    const progress = new Float64Array(new SharedArrayBuffer(PROGRESS.length * Float64Array.BYTES_PER_ELEMENT));
    const assignment: Assignment = { source, workload, sizedFree, progress };
    const session = new ThreadSession(new Worker(siblingUrl('worker', import.meta.url), { workerData: assignment }), progress);
    await session.#answer();
    return session;
  }

  /** Replays the trace with every byte checked. For a worker that nothing else is asked of: what is timed shall not have seen it. */
  async verify(allowance: number): Promise<Verdict | undefined> {
    const verdict = await this.#ask('verify', allowance);
    if (verdict !== OUT_OF_TIME) return verdict;
    const percentage = Math.floor(this.#progress[PROGRESS.share]! * 100);
    const reason = `too slow to verify: ${percentage}% of the operations in the time allowed`;
    return { verified: undefined, isDamaged: false, reason, failureCount: 0, footprint: 0 };
  }

  async round(allowance: number): Promise<Round> {
    const round = await this.#ask('round', allowance);
    if (round !== OUT_OF_TIME) return round;
    const { [PROGRESS.share]: share = 0, [PROGRESS.nanoseconds]: nanoseconds = 0 } = this.#progress;
    return { nanoseconds, share, failureCount: 0, damageCount: 0, checksum: 0 };
  }

  async timeOperations(allowance: number): Promise<boolean> {
    return (await this.#ask('timeOperations', allowance)) !== OUT_OF_TIME;
  }

  async operationTimes(): Promise<OperationTimes | undefined> {
    const times = await this.#ask('operationTimes', Infinity);
    return times === OUT_OF_TIME ? undefined : times;
  }

  peakFootprint(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Stops the worker when it takes longer than `allowance` milliseconds. */
  async #ask<C extends keyof Commands>(command: C, allowance: number): Promise<ReturnType<Commands[C]> | typeof OUT_OF_TIME> {
    this.#worker.postMessage(command);
    const answer = await this.#answer(allowance);
    if (answer === OUT_OF_TIME) await this.close();
    return answer as ReturnType<Commands[C]> | typeof OUT_OF_TIME;
  }

  /** The next message. */
  async #answer(allowance = Infinity): Promise<unknown> {
    const stopped = new AbortController();
    const { signal } = stopped;
    try {
      const answer = once(this.#worker, 'message', { signal }).then(([message]: unknown[]) => message);
      return await Promise.race([answer, this.#end, setTimeout(Math.min(allowance, TIMER_MAX), OUT_OF_TIME, { signal })]);
    } finally {
      stopped.abort();
    }
  }
}
