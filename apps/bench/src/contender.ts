/** A subject made ready for one workload: it can run a round, and tell what it took. */

import { setImmediate } from 'node:timers/promises';

import { collectGarbage } from './collector.ts';
import { linearRunner, objectRunner, type Runner } from './loops/runner.ts';
import { NativeSession } from './native/session.ts';
import type { Instance, LinearSubject, NativeSubject, ObjectSubject, Subject } from './subject.ts';
import { demandOf, type Workload } from './workload.ts';
import { worstOperation } from './worst.ts';

/** How a round went. */
export interface Round {
  readonly nanoseconds: number;
  /** The share of the round that was done before its time ran out. */
  readonly share: number;
}

export interface Contender {
  readonly subject: Subject;
  /** @param deadline - When to stop in the middle, by `performance.now()`. Native programs do not look at it. */
  round(deadline: number): Promise<Round>;
  /** Requests refused so far. */
  failureCount(): number;
  /** Blocks found damaged so far. */
  damageCount(): number;
  checksum(): number;
  /** Nanoseconds of the slowest operation, where that can be told. */
  worstOperation(): Promise<number | undefined>;
  /** Where it is not known from verifying. */
  peakFootprint(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** How contenders are made. */
export interface ContenderOptions {
  /** Pass the size when freeing. */
  readonly sizedFree: boolean;
}

/** Makes a subject ready: creates its heap, loads its loop, or starts its program. */
export async function makeContender(subject: Subject, workload: Workload, { sizedFree }: ContenderOptions): Promise<Contender> {
  switch (subject.shape) {
    case 'linear': {
      const instance = await subject.create(demandOf(workload.trace));
      return linearContender(subject, instance, workload, await linearRunner(subject, instance, workload, sizedFree));
    }
    case 'objects':
      return objectContender(subject, await objectRunner(subject, workload));
    case 'native':
      return nativeContender(subject, await NativeSession.start(subject.executable, workload));
  }
}

function runRound(runner: Runner, deadline: number): Round {
  runner.begin();
  const start = performance.now();
  let now = start;
  let step = 0;
  while (step < runner.stepCount && now < deadline) {
    runner.step(step);
    step += 1;
    now = performance.now();
  }
  const round = { nanoseconds: (now - start) * 1e6, share: step / runner.stepCount };
  // A round that was stopped is the last one: its heap is thrown away as it is.
  if (round.share === 1) runner.end();
  return round;
}

function linearContender(subject: LinearSubject, instance: Instance, workload: Workload, runner: Runner): Contender {
  return {
    subject,
    round: async (deadline) => {
      await setImmediate();
      return runRound(runner, deadline);
    },
    failureCount: () => runner.failureCount(),
    damageCount: () => runner.damageCount(),
    checksum: () => runner.checksum(),
    worstOperation: () => worstOperation(instance, workload.trace),
    peakFootprint: () => Promise.resolve(undefined),
    close: () => {
      instance.release?.();
      return Promise.resolve();
    },
  };
}

function objectContender(subject: ObjectSubject, runner: Runner): Contender {
  return {
    subject,
    round: async (deadline) => {
      await setImmediate();
      const round = runRound(runner, deadline);
      collectGarbage();
      return round;
    },
    failureCount: () => 0,
    damageCount: () => 0,
    checksum: () => runner.checksum(),
    worstOperation: () => Promise.resolve(undefined),
    peakFootprint: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

function nativeContender(subject: NativeSubject, session: NativeSession): Contender {
  let last = { failureCount: 0, damageCount: 0, checksum: 0 };
  return {
    subject,
    round: async () => {
      const round = await session.round();
      last = round;
      return { nanoseconds: round.nanoseconds, share: 1 };
    },
    failureCount: () => last.failureCount,
    damageCount: () => last.damageCount,
    checksum: () => last.checksum,
    worstOperation: () => session.worstOperation(),
    peakFootprint: () => session.peakFootprint(),
    close: () => session.close(),
  };
}
