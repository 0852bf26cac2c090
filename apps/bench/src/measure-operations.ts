/**
 * Does a workload with every subject and times each single operation.
 *
 *     verify each   ->  warm each (not counted)  ->  passes, all subjects in turn: each operation counts with its fastest  ->  distributions
 */

import { distributionOf, type Distribution } from './distribution.ts';
import { closeAll, guard, outcomeOf, prepare, takeTurns, type Entry, type PreparationOptions } from './entry.ts';
import type { Progress } from './report/progress.ts';
import type { Outcome } from './result.ts';
import type { Subject } from './subject.ts';
import type { Workload } from './workload.ts';

export interface OperationsOptions extends PreparationOptions {
  /** Passes in which each operation is timed. */
  readonly rounds: number;
}

/** What one subject's operations took. */
export interface OperationsResult extends Outcome {
  readonly passCount: number;
  /** Absent where nothing could be timed. */
  readonly distribution?: Distribution;
}

/** Measures all subjects. Never rejects for what a subject does. */
export async function measureOperations(
  workload: Workload,
  subjects: readonly Subject[],
  options: OperationsOptions,
  progress: Progress,
): Promise<OperationsResult[]> {
  progress.start(workload.title, subjects.length * (options.rounds + options.warmRounds + 1));
  const entries = await prepare(workload, subjects, options, progress);
  const passCounts = new Map<Entry, number>();
  await takeTurns(entries, options, progress, async (entry, session) => {
    const start = performance.now();
    await session.timeOperations(Infinity);
    entry.spent += performance.now() - start;
    passCounts.set(entry, (passCounts.get(entry) ?? 0) + 1);
  });
  const results: OperationsResult[] = [];
  for (const entry of entries) results.push(await resultOf(entry, workload, passCounts.get(entry) ?? 0));
  await closeAll(entries);
  progress.stop();
  return results;
}

async function resultOf(entry: Entry, workload: Workload, passCount: number): Promise<OperationsResult> {
  let distribution: Distribution | undefined;
  await guard(entry, async () => {
    const times = await entry.session?.operationTimes();
    if (times !== undefined) distribution = distributionOf(times, workload.trace);
  });
  return { ...outcomeOf(entry, workload), passCount, ...(distribution === undefined ? {} : { distribution }) };
}
