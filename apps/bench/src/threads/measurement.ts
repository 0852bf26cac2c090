/** Measures the subjects of one task, all in turn, on one thread and on several at once. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { NativeProgram } from '../native/program.ts';
import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { SubjectKind } from '../subject.ts';
import { makeGround } from './grounds.ts';
import { makeMail } from './mailbox.ts';
import { STOPPED } from './meeting.ts';
import type { ThreadsAssignment, ThreadsCommand, ThreadSample, ThreadsVerdict } from './protocol.ts';
import { FIELDS, operationCount, sharingsOf, type Sharing, type Task, type ThreadsSubject } from './subjects.ts';

/** One subject at one task, in one way, with so many threads. */
export interface ThreadsResult {
  readonly task: Task;
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly sharing: Sharing;
  readonly threadCount: number;
  readonly status: 'ok' | 'failed';
  /** Nanoseconds an operation of each thread, from the first thread's start to the last one's end. */
  readonly medianNs: number;
  readonly bestNs: number;
  /** How many times what one thread does all of them do in the same time, by the medians; where threads share nothing. */
  readonly speedup?: number;
  /** Which part of what they do apart they do together, by the medians. */
  readonly share?: number;
  readonly roundCount: number;
  /** Operations of each thread in a round. */
  readonly operationCount: number;
  readonly reason?: string;
}

export interface ThreadsRounds {
  readonly rounds: number;
  readonly warmRounds: number;
  /** In ascending order, from 1. */
  readonly threadCounts: readonly number[];
}

/** What a round of all its threads came to. */
interface RoundOutcome {
  /** From the first start to the last end. */
  readonly nanoseconds: number;
  readonly problem?: string;
}

/** Threads at work: of this process or of another one. */
interface Crew {
  round(threadCount: number, count: number): Promise<RoundOutcome>;
  /** What is wrong when all was freed. */
  settle(): Promise<string | undefined>;
  close(): Promise<unknown>;
}

/** A subject that does a task in one way. */
interface Entry {
  readonly subject: ThreadsSubject;
  readonly sharing: Sharing;
  readonly threadCounts: readonly number[];
  readonly crew: Crew;
  /** For each number of threads, nanoseconds. */
  readonly samples: number[][];
  problem?: string;
}

/** In verifying every word of every block is written and read: fewer will do. */
const CHECKED_PART = 16;

/**
 * Measures.
 *
 * @param executables - The C programs there are, by subject.
 */
export async function measureThreads(
  task: Task,
  { rounds, warmRounds, threadCounts }: ThreadsRounds,
  executables: ReadonlyMap<string, string>,
  progress: Progress,
): Promise<ThreadsResult[]> {
  const subjects = FIELDS[task].filter(({ name, script }) => script !== undefined || executables.has(name));
  const cases = subjects.flatMap((subject) => sharingsOf(task).map((sharing) => ({ subject, sharing })));
  progress.start(task, cases.length * (1 + warmRounds + rounds));
  const entries: Entry[] = [];
  try {
    for (const { subject, sharing } of cases) {
      progress.advance(`starting ${subject.name}`);
      const counts = sharing === 'apart' ? threadCounts : threadCounts.filter((count) => count > 1);
      const problem = await verify(task, sharing, subject, { threadCounts: counts, executable: executables.get(subject.name) });
      const crew = await start(task, sharing, subject, { threadCount: Math.max(...counts), executable: executables.get(subject.name), isChecked: false });
      entries.push({ subject, sharing, threadCounts: counts, crew, samples: counts.map(() => []), ...(problem === undefined ? {} : { problem }) });
    }
    for (let round = -warmRounds; round < rounds; round += 1) {
      // Another one first each time, as everywhere.
      for (let turn = 0; turn < entries.length; turn += 1) {
        progress.advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
        await doRound(task, entries[(turn + round + warmRounds) % entries.length]!, round >= 0);
      }
    }
    for (const entry of entries) {
      const problem = entry.problem ?? (await entry.crew.settle());
      if (problem !== undefined) entry.problem = problem;
    }
  } finally {
    await Promise.all(entries.map(({ crew }) => crew.close()));
    progress.stop();
  }
  return resultsOf(task, entries);
}

async function doRound(task: Task, entry: Entry, counts: boolean): Promise<void> {
  for (const [i, threadCount] of entry.threadCounts.entries()) {
    if (entry.problem !== undefined) return;
    const { nanoseconds, problem } = await entry.crew.round(threadCount, operationCount(task, entry.subject));
    if (counts) entry.samples[i]!.push(nanoseconds);
    if (problem !== undefined) entry.problem = problem;
  }
}

/** Does some of the task with every byte looked at, by threads that end thereafter: what is timed shall not have seen it. @returns What is wrong. */
async function verify(
  task: Task,
  sharing: Sharing,
  subject: ThreadsSubject,
  { threadCounts, executable }: { readonly threadCounts: readonly number[]; readonly executable: string | undefined },
): Promise<string | undefined> {
  if (task === 'spin') return undefined;
  const crew = await start(task, sharing, subject, { threadCount: Math.max(...threadCounts), executable, isChecked: true });
  try {
    for (const threadCount of threadCounts) {
      const { problem } = await crew.round(threadCount, operationCount(task, subject) / CHECKED_PART);
      if (problem !== undefined) return problem;
    }
    return await crew.settle();
  } finally {
    await crew.close();
  }
}

interface CrewOptions {
  readonly threadCount: number;
  readonly executable: string | undefined;
  readonly isChecked: boolean;
}

function start(task: Task, sharing: Sharing, subject: ThreadsSubject, { threadCount, executable, isChecked }: CrewOptions): Promise<Crew> {
  const { name, script } = subject;
  if (script === undefined) {
    if (executable === undefined) throw new Error(`${name} needs a C compiler`);
    return startProgram(`${task} ${sharing}`, executable, isChecked);
  }
  const ground = script === 'spin' ? {} : { ground: makeGround(script, task, sharing, threadCount) };
  return startWorkers({ task, sharing, isChecked, ...ground, ...makeMail(threadCount) }, threadCount);
}

async function startWorkers(assignment: Omit<ThreadsAssignment, 'thread'>, threadCount: number): Promise<Crew> {
  const workers = Array.from({ length: threadCount }, (_, thread) => new Worker(siblingUrl('worker', import.meta.url), { workerData: { ...assignment, thread } }));
  const ask = async (worker: Worker, command: ThreadsCommand): Promise<unknown> => {
    const answer = once(worker, 'message');
    worker.postMessage(command);
    return ((await answer) as [unknown])[0];
  };
  // Rejects when the worker fails: that it is ready is the first thing it says.
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return {
    async round(count, operations) {
      assignment.control.fill(0);
      const command: ThreadsCommand = { what: 'round', threadCount: count, count: operations };
      const samples = (await Promise.all(workers.slice(0, count).map((worker) => ask(worker, command)))) as ThreadSample[];
      return outcomeOf(samples);
    },
    async settle() {
      // First all free what they have, and only then it is looked at.
      for (const what of ['finish', 'settle'] as const) {
        for (const worker of workers) {
          const { problem } = (await ask(worker, { what })) as ThreadsVerdict;
          if (problem !== undefined) return problem;
        }
      }
      return undefined;
    },
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

function outcomeOf(samples: readonly ThreadSample[]): RoundOutcome {
  const refusedCount = samples.reduce((sum, sample) => sum + sample.refusedCount, 0);
  // Who was the first to stop knows why.
  const problems = samples.flatMap((sample) => sample.problem ?? []).toSorted((a, b) => Number(a === STOPPED) - Number(b === STOPPED));
  const problem = problems[0] ?? (refusedCount > 0 ? `${refusedCount} requests were refused` : undefined);
  const nanoseconds = Math.max(...samples.map(({ end }) => end)) - Math.min(...samples.map(({ start: begin }) => begin));
  return { nanoseconds, ...(problem === undefined ? {} : { problem }) };
}

async function startProgram(work: string, executable: string, isChecked: boolean): Promise<Crew> {
  const program = await NativeProgram.start(executable);
  return {
    async round(threadCount, count) {
      const [nanoseconds = NaN, mistakeCount = NaN] = await program.ask(`${work} ${threadCount} ${count} ${isChecked ? 1 : 0}`);
      return { nanoseconds, ...(mistakeCount === 0 ? {} : { problem: `${mistakeCount} requests were refused, or blocks changed` }) };
    },
    settle: () => Promise.resolve(undefined),
    close: () => program.close(),
  };
}

function resultsOf(task: Task, entries: readonly Entry[]): ThreadsResult[] {
  return entries.flatMap((entry): ThreadsResult[] => {
    const { subject, sharing, threadCounts, samples, problem } = entry;
    const { name, kind } = subject;
    const apart = entries.find((other) => other.subject === subject && other.sharing === 'apart')!;
    return threadCounts.map((threadCount, i) => {
      const operations = operationCount(task, subject);
      const common = { task, subject: name, kind, sharing, threadCount, operationCount: operations, roundCount: samples[i]!.length };
      if (problem !== undefined) return { ...common, status: 'failed', medianNs: NaN, bestNs: NaN, reason: problem };
      const { median, best } = summarise(samples[i]!);
      return { ...common, status: 'ok', medianNs: median / operations, bestNs: best / operations, ...ratiosOf(median, sharing, threadCount, apart) };
    });
  });
}

function ratiosOf(median: number, sharing: Sharing, threadCount: number, apart: Entry): { readonly speedup?: number; readonly share?: number } {
  if (apart.problem !== undefined) return {};
  const apartMedian = (count: number): number => summarise(apart.samples[apart.threadCounts.indexOf(count)]!).median;
  if (sharing === 'together') return { share: apartMedian(threadCount) / median };
  return threadCount === 1 ? {} : { speedup: (threadCount * apartMedian(1)) / median };
}
