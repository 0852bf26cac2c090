/** A subject at work on one workload, wherever it lives: its heap stays warm between rounds, and it runs one whenever it is asked. */

import { NativeSession } from './native/session.ts';
import type { OperationTimes } from './operation-timer.ts';
import type { Subject } from './subject.ts';
import { ThreadSession } from './thread/session.ts';
import type { Workload } from './workload.ts';

/** How a round went. */
export interface Round {
  readonly nanoseconds: number;
  /** The share of the round that was done: less than 1 when its time ran out, and then it was the last one. */
  readonly share: number;
  /** Requests refused, in all rounds so far. */
  readonly failureCount: number;
  /** Blocks found damaged, in all rounds so far. */
  readonly damageCount: number;
  /** The sum of all addresses handed out so far. */
  readonly checksum: number;
}

export interface Session {
  /** @param allowance - Milliseconds it may take. Native programs do not look at it. */
  round(allowance: number): Promise<Round>;
  /**
   * Does the trace once more and times each operation.
   *
   * @param allowance - Milliseconds it may take. Native programs do not look at it.
   * @returns Whether it came to its end. Otherwise the subject does nothing any more.
   */
  timeOperations(allowance: number): Promise<boolean>;
  /** What each operation took in the fastest of these passes, where single operations can be timed. */
  operationTimes(): Promise<OperationTimes | undefined>;
  /** Bytes, where it is not known from verifying. */
  peakFootprint(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Makes a subject ready: starts its worker with its heap and its loop, or its program. */
export function startSession(subject: Subject, workload: Workload, sizedFree: boolean): Promise<Session> {
  if (subject.shape === 'native') return NativeSession.start(subject.executable, workload);
  return ThreadSession.start(subject.source, workload, sizedFree);
}
