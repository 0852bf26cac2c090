/**
 * What a tight loop is to the clock, and how each subject gets one of its own.
 *
 * V8 keeps what it learned about a call site per function literal, so that two subjects run by one loop would both be called megamorphically.
 * Importing the loop's module under a name of its own gives each subject its own code, optimised for it alone, as the one allocator of a program
 * has. What lies behind the call is shared as in any program: classes that two assemblies are made of serve both.
 */

import type { Instance, LinearSubject, ObjectSubject } from '../subject.ts';
import type { LoopName, Workload } from '../workload.ts';

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

/** What each file with a loop for linear memory exports. */
export interface LinearLoop {
  bind(instance: Instance, workload: Workload, sizedFree: boolean): Runner;
}

let importCount = 0;

function ownModule(file: string, subject: string): string {
  importCount += 1;
  return new URL(`./${file}.ts?subject=${encodeURIComponent(subject)}&import=${importCount}`, import.meta.url).href;
}

/** The loop that runs `workload` on `instance`, compiled for it alone. */
export async function linearRunner(subject: LinearSubject, instance: Instance, workload: Workload, sizedFree: boolean): Promise<Runner> {
  const loop = (await import(ownModule(workload.loop, subject.name))) as LinearLoop;
  return loop.bind(instance, workload, sizedFree || subject.sizedFree === true);
}

/** The loop that runs `workload` with blocks that are objects, compiled for this subject alone. */
export async function objectRunner(subject: ObjectSubject, workload: Workload): Promise<Runner> {
  const loops = (await import(ownModule('objects', subject.name))) as typeof import('./objects.ts');
  const bind: Record<LoopName, (subject: ObjectSubject, workload: Workload) => Runner> = {
    replay: loops.bindReplay,
    pair: loops.bindPair,
    churn: loops.bindChurn,
    bulk: loops.bindBulk,
    reuse: loops.bindReuse,
  };
  return bind[workload.loop](subject, workload);
}
