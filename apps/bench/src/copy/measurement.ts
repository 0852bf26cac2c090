/** Measures the subjects of one operation, all in turn. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { NativeProgram } from '../native/program.ts';
import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { SubjectKind } from '../subject.ts';
import type { CopyAssignment, Sample, Verdict } from './protocol.ts';
import { callCount, COPY_SIZES, FIELDS, type CopySubject, type Operation } from './subjects.ts';

/** One subject at one size. */
export interface CopyResult {
  readonly operation: Operation;
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly sizeBytes: number;
  readonly status: 'ok' | 'failed';
  /** Nanoseconds a call, or a move of a batch. */
  readonly medianNs: number;
  readonly bestNs: number;
  /** The median to the median of the C library; absent without a C compiler. */
  readonly ratio?: number;
  readonly roundCount: number;
  readonly callCount: number;
  readonly reason?: string;
}

export interface CopyRounds {
  readonly rounds: number;
  readonly warmRounds: number;
}

/** Somebody at work. */
interface Entry {
  readonly subject: CopySubject;
  readonly round: () => Promise<readonly Sample[]>;
  readonly close: () => Promise<unknown>;
  /** For each size, nanoseconds for all its calls. */
  readonly samples: number[][];
  problem?: string;
}

/**
 * Measures.
 *
 * @param executable - `native/copy.c`, compiled; without it the C library's rows are absent.
 * @param isAbsent - Whether there is nothing to measure a subject on.
 */
export async function measureCopies(
  operation: Operation,
  { rounds, warmRounds }: CopyRounds,
  executable: string | undefined,
  isAbsent: (subject: CopySubject) => boolean,
  progress: Progress,
): Promise<CopyResult[]> {
  const subjects = FIELDS[operation].filter((subject) => !isAbsent(subject));
  progress.start(operation, subjects.length * (1 + warmRounds + rounds));
  const entries: Entry[] = [];
  try {
    for (const subject of subjects) {
      progress.advance(`starting ${subject.name}`);
      entries.push(await start(operation, subject, executable));
    }
    for (let round = -warmRounds; round < rounds; round += 1) {
      // Another one first each time, as everywhere.
      for (let turn = 0; turn < entries.length; turn += 1) {
        const entry = entries[(turn + round + warmRounds) % entries.length]!;
        progress.advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
        if (entry.problem === undefined) await doRound(entry, round >= 0);
      }
    }
  } finally {
    await Promise.all(entries.map(({ close }) => close()));
    progress.stop();
  }
  return resultsOf(operation, entries);
}

async function doRound(entry: Entry, counts: boolean): Promise<void> {
  const samples = await entry.round();
  samples.forEach(({ nanoseconds, mistakeCount }, i) => {
    if (counts) entry.samples[i]!.push(nanoseconds);
    if (mistakeCount > 0) entry.problem = `${COPY_SIZES[i]!} bytes: ${mistakeCount} calls came out wrong`;
  });
}

function start(operation: Operation, subject: CopySubject, executable: string | undefined): Promise<Entry> {
  if (subject.script !== undefined) return startWorker(subject, { operation, ...subject.script });
  if (executable === undefined) throw new Error(`${subject.name} needs a C compiler`);
  return startProgram(operation, subject, executable);
}

async function startWorker(subject: CopySubject, assignment: CopyAssignment): Promise<Entry> {
  const worker = new Worker(siblingUrl('worker', import.meta.url), { workerData: assignment });
  const ask = async (command: string): Promise<unknown> => {
    const answer = once(worker, 'message');
    worker.postMessage(command);
    return ((await answer) as [unknown])[0];
  };
  // Rejects when the worker fails: that it is ready is the first thing it says.
  await once(worker, 'message');
  const { mistake } = (await ask('verify')) as Verdict;
  return {
    subject,
    round: () => ask('round') as Promise<Sample[]>,
    close: () => worker.terminate(),
    samples: COPY_SIZES.map(() => []),
    ...(mistake === undefined ? {} : { problem: mistake }),
  };
}

async function startProgram(operation: Operation, subject: CopySubject, executable: string): Promise<Entry> {
  const program = await NativeProgram.start(executable);
  // To the C library a batch is so many copies.
  const command = operation === 'bulk' ? 'copy' : operation;
  const round = async (): Promise<Sample[]> => {
    const samples: Sample[] = [];
    for (const size of COPY_SIZES) {
      const [nanoseconds = NaN, mistakeCount = NaN] = await program.ask(`${command} ${size} ${callCount(size)}`);
      samples.push({ nanoseconds, mistakeCount });
    }
    return samples;
  };
  return { subject, round, close: () => program.close(), samples: COPY_SIZES.map(() => []) };
}

function resultsOf(operation: Operation, entries: readonly Entry[]): CopyResult[] {
  const library = entries.find(({ subject }) => subject.kind === 'native');
  return entries.flatMap(({ subject: { name, kind }, samples, problem }) =>
    COPY_SIZES.map((sizeBytes, i): CopyResult => {
      const common = { operation, subject: name, kind, sizeBytes, callCount: callCount(sizeBytes), roundCount: samples[i]!.length };
      if (problem !== undefined) return { ...common, status: 'failed', medianNs: NaN, bestNs: NaN, reason: problem };
      const { median, best } = summarise(samples[i]!);
      const ratio = library === undefined ? {} : { ratio: median / summarise(library.samples[i]!).median };
      return { ...common, status: 'ok', medianNs: median / callCount(sizeBytes), bestNs: best / callCount(sizeBytes), ...ratio };
    }),
  );
}
