/** Runs the programs: all subjects in turn, each in an isolate of its own. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { GcAssignment, GcRound } from './worker.ts';
import { GC_SUBJECTS, type GcSubject, type GcWorkload } from './workloads.ts';

/** One subject and one program. */
export interface GcResult {
  readonly workload: string;
  readonly parameters: string;
  readonly subject: GcSubject;
  readonly status: 'ok' | 'failed';
  readonly medianMs: number;
  readonly bestMs: number;
  readonly worstMs: number;
  /** The median to that of V8's objects. */
  readonly ratio: number;
  readonly roundCount: number;
  readonly checksum: number;
  readonly reason?: string;
}

/** How often. */
export interface GcRounds {
  readonly rounds: number;
  readonly warmRounds: number;
}

interface Entry {
  readonly subject: GcSubject;
  readonly worker: Worker;
  readonly samples: number[];
  checksum: number;
}

/** Measures one program. */
export async function measureGc(workload: GcWorkload, { rounds, warmRounds }: GcRounds, progress: Progress): Promise<GcResult[]> {
  progress.start(workload.title, GC_SUBJECTS.length * (1 + warmRounds + rounds));
  const entries: Entry[] = [];
  try {
    for (const subject of GC_SUBJECTS) {
      progress.advance(`starting ${subject}`);
      const assignment: GcAssignment = { subject, workload };
      const worker = new Worker(siblingUrl('worker', import.meta.url), { workerData: assignment });
      entries.push({ subject, worker, samples: [], checksum: NaN });
      await once(worker, 'message');
    }
    for (let round = -warmRounds; round < rounds; round += 1) {
      for (let turn = 0; turn < entries.length; turn += 1) {
        // Another one first each time, as everywhere.
        const entry = entries[(turn + round + warmRounds) % entries.length]!;
        progress.advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
        const answer = once(entry.worker, 'message');
        entry.worker.postMessage('round');
        const [{ milliseconds, checksum }] = (await answer) as [GcRound];
        if (round >= 0) entry.samples.push(milliseconds);
        entry.checksum = checksum;
      }
    }
  } finally {
    await Promise.all(entries.map(({ worker }) => worker.terminate()));
    progress.stop();
  }
  const truth = entries.find(({ subject }) => subject === 'v8-objects')!;
  const base = summarise(truth.samples).median;
  return entries.map(({ subject, samples, checksum }): GcResult => {
    const { median, best, worst } = summarise(samples);
    const isRight = checksum === truth.checksum;
    return {
      workload: workload.name,
      parameters: workload.parameters.join(' '),
      subject,
      status: isRight ? 'ok' : 'failed',
      medianMs: median,
      bestMs: best,
      worstMs: worst,
      ratio: median / base,
      roundCount: samples.length,
      checksum,
      ...(isRight ? {} : { reason: `its result is ${checksum}, not ${truth.checksum}` }),
    };
  });
}
