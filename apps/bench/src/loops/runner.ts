/**
 * What a tight loop is to the clock, and which one runs what.
 *
 * A loop is bound once in each worker, so that its heap is a constant to the engine, as the one allocator of a program is.
 */

import type { Instance, ObjectSubject } from '../subject.ts';
import type { LoopName, Workload } from '../workload.ts';
import * as bare from './bare.ts';
import { bind as bindBulk } from './bulk.ts';
import { bind as bindChurn } from './churn.ts';
import * as objects from './objects.ts';
import { bind as bindPair } from './pair.ts';
import { bind as bindReplay } from './replay.ts';
import { bind as bindReuse } from './reuse.ts';

/** One round's work, cut into steps of well under a millisecond: many short calls are what the engine optimises best, and the clock is read between. */
export interface Runner {
  readonly stepCount: number;
  /** Prepares a round. Not timed. */
  begin(): void;
  /** Does part `index` of the round. */
  step(index: number): void;
  /** Leaves no block behind. Not timed. */
  end(): void;
  /** Requests that were refused, over all rounds. */
  failureCount(): number;
  /** Blocks whose first or last byte had changed when they were freed, over all rounds. */
  damageCount(): number;
  /** The sum of all addresses handed out: proof that they were needed. */
  checksum(): number;
}

type BindLinear = (instance: Instance, workload: Workload, sizedFree: boolean) => Runner;

const LINEAR: Record<LoopName, BindLinear> = {
  replay: bindReplay,
  pair: bindPair,
  churn: bindChurn,
  bulk: bindBulk,
  reuse: bindReuse,
};

/** Those that touch no block. */
const BARE: Record<Exclude<LoopName, 'replay'>, BindLinear> = {
  pair: bare.bindPair,
  churn: bare.bindChurn,
  bulk: bare.bindBulk,
  reuse: bare.bindReuse,
};

const OBJECTS: Record<LoopName, (subject: ObjectSubject, workload: Workload) => Runner> = {
  replay: objects.bindReplay,
  pair: objects.bindPair,
  churn: objects.bindChurn,
  bulk: objects.bindBulk,
  reuse: objects.bindReuse,
};

/** The loop that runs `workload` on `instance`. */
export function linearRunner(instance: Instance, workload: Workload, sizedFree: boolean): Runner {
  const { loop, bare: isBare } = workload;
  const bind = isBare && loop !== 'replay' ? BARE[loop] : LINEAR[loop];
  return bind(instance, workload, sizedFree);
}

/** The loop that runs `workload` with blocks that are objects. */
export function objectRunner(subject: ObjectSubject, workload: Workload): Runner {
  return workload.bare ? objects.bindBare(subject, workload) : OBJECTS[workload.loop](subject, workload);
}
