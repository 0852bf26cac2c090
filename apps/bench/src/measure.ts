/**
 * Does a workload with every subject and says how it went.
 *
 *     verify each   ->  warm each (not counted)  ->  rounds, all subjects in turn, another one first each time  ->  slowest operation of each
 *
 * Each subject lives in a worker of its own, or is a program; one of them works at a time, the others wait. What verifies is another worker.
 * Who does the work wrong, or not at all, is reported so and not timed.
 */

import type { Progress } from './report/progress.ts';
import type { Result } from './result.ts';
import { startSession, type Round, type Session } from './session.ts';
import { summarise } from './statistics.ts';
import type { Subject } from './subject.ts';
import { ThreadSession } from './thread/session.ts';
import type { Verdict } from './verify.ts';
import { shareWorkload, type Workload } from './workload.ts';

export interface MeasureOptions {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before, for the engine to optimise and the memory to be touched. At least one: it tells who is too slow. */
  readonly warmRounds: number;
  /** Seconds a subject may take to verify, as many for its first round, and twice as many for all its rounds. */
  readonly budget: number;
  readonly verify: boolean;
  readonly sizedFree: boolean;
  /** The subject that ratios refer to. Default: the first Allokit subject. */
  readonly base?: string;
}

/** Our own heaps are never excused for being slow to verify: they get so many times the time. */
const OWN_PATIENCE = 10;

/** One subject on its way through the phases. */
interface Entry {
  readonly subject: Subject;
  verdict?: Verdict;
  session?: Session;
  /** The last one that was done. */
  round?: Round;
  /** Nanoseconds a round. */
  readonly samples: number[];
  /** Set when a round was cut short. */
  stopped?: Round;
  problem?: string;
  spent: number;
  failedInWarmUp: number;
  warmRounds: number;
  worstNs?: number;
  footprint?: number;
  checksum?: number;
}

/** The name of the subject that ratios refer to. */
export function baseName(subjects: readonly Subject[], wanted: string | undefined): string | undefined {
  return wanted ?? (subjects.find(({ kind }) => kind === 'allokit') ?? subjects[0])?.name;
}

/** Measures all subjects. Never rejects for what a subject does. */
export async function measure(workload: Workload, subjects: readonly Subject[], options: MeasureOptions, progress: Progress): Promise<Result[]> {
  const entries: Entry[] = subjects.map((subject) => ({ subject, samples: [], spent: 0, failedInWarmUp: 0, warmRounds: 0 }));
  progress.start(workload.title, entries.length * (options.rounds + options.warmRounds + 2));
  const shared = shareWorkload(workload);
  for (const entry of entries) await guard(entry, () => verify(entry, shared, options, progress));
  for (const entry of entries) await guard(entry, () => warm(entry, shared, options, progress));
  await runRounds(entries, options, progress);
  for (const entry of entries) await guard(entry, () => inspect(entry, progress));
  for (const { session } of entries) await session?.close().catch(() => undefined);
  progress.stop();
  return report(entries, workload, baseName(subjects, options.base));
}

/** Whatever a subject throws is its problem, and ends it. */
async function guard(entry: Entry, action: () => Promise<void>): Promise<void> {
  if (entry.problem !== undefined || entry.stopped !== undefined) return;
  try {
    await action();
  } catch (error) {
    entry.problem = error instanceof Error ? error.message : String(error);
  }
}

async function verify(entry: Entry, workload: Workload, options: MeasureOptions, progress: Progress): Promise<void> {
  const { subject } = entry;
  progress.advance(`verifying ${subject.name}`);
  if (!options.verify || subject.shape !== 'thread' || !subject.isVerifiable) return;
  const session = await ThreadSession.start(subject.source, workload, options.sizedFree);
  const patience = subject.kind === 'allokit' ? OWN_PATIENCE : 1;
  const verdict = await session.verify(options.budget * 1000 * patience).finally(() => session.close());
  if (verdict === undefined) return;
  entry.verdict = verdict;
  // Refusals leave something that can be timed; damage does not.
  if (verdict.isDamaged) entry.problem = verdict.reason ?? 'not verified';
}

async function warm(entry: Entry, workload: Workload, options: MeasureOptions, progress: Progress): Promise<void> {
  const session = await startSession(entry.subject, workload, options.sizedFree);
  entry.session = session;
  for (let round = 0; round < options.warmRounds; round += 1) {
    progress.advance(`warming ${entry.subject.name}`);
    const start = performance.now();
    const outcome = await session.round(options.budget * 1000);
    if (outcome.share < 1) {
      entry.stopped = outcome;
      return;
    }
    entry.warmRounds += 1;
    entry.failedInWarmUp = outcome.failureCount;
    entry.spent += performance.now() - start;
    // Slow ones are warm sooner.
    if (entry.spent > options.budget * 500) return;
  }
}

async function runRounds(entries: readonly Entry[], { rounds, budget }: MeasureOptions, progress: Progress): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const entry = entries[(turn + round) % entries.length]!;
      progress.advance(`round ${round + 1} of ${rounds}`);
      const { session } = entry;
      if (session === undefined || (entry.spent > budget * 2000 && entry.samples.length > 0)) continue;
      await guard(entry, async () => {
        const outcome = await session.round(Infinity);
        entry.round = outcome;
        entry.samples.push(outcome.nanoseconds);
        entry.spent += outcome.nanoseconds / 1e6;
        if (outcome.damageCount > 0) entry.problem = `${outcome.damageCount} blocks did not keep their first and last byte`;
      });
    }
  }
}

async function inspect(entry: Entry, progress: Progress): Promise<void> {
  const { session, round, subject } = entry;
  progress.advance(`slowest operation of ${subject.name}`);
  if (session === undefined || round === undefined) return;
  entry.checksum = round.checksum;
  const [typical = 0] = entry.samples;
  // Timing each operation three times takes a few rounds' time and more.
  if (typical / 1e6 < 250 || subject.kind === 'allokit') {
    const worstNs = await session.worstOperation();
    if (worstNs !== undefined) entry.worstNs = worstNs;
  }
  const footprint = await session.peakFootprint();
  if (footprint !== undefined) entry.footprint = footprint;
}

function report(entries: readonly Entry[], workload: Workload, base: string | undefined): Result[] {
  const baseEntry = entries.find(({ subject, problem }) => subject.name === base && problem === undefined);
  const baseMedian = baseEntry === undefined || baseEntry.samples.length === 0 ? undefined : summarise(baseEntry.samples).median;
  return entries.map((entry) => resultOf(entry, workload, baseMedian));
}

function resultOf(entry: Entry, workload: Workload, baseMedian: number | undefined): Result {
  const { subject, verdict, stopped, problem, samples } = entry;
  const footprint = verdict?.verified === undefined ? entry.footprint : verdict.footprint;
  const result = {
    workload: workload.name,
    subject: subject.name,
    kind: subject.kind,
    roundCount: samples.length,
    operationCount: workload.operationCount,
    peakLive: workload.trace.peakLiveBytes,
    ...(verdict?.verified === undefined ? {} : { verified: verdict.verified }),
    ...(footprint === undefined ? {} : { peakFootprint: footprint }),
  };
  if (problem !== undefined) return { ...result, status: 'failed', reason: problem, failedOperations: Math.max(1, verdict?.failureCount ?? 0) };
  if (stopped !== undefined) {
    const reason = `too slow: stopped after ${Math.floor(stopped.share * 100)}% of the first round`;
    if (stopped.share === 0) return { ...result, status: 'stopped', reason };
    const ns = stopped.nanoseconds / (workload.operationCount * stopped.share);
    return { ...result, status: 'stopped', reason: `${reason}; the time is that of this part`, medianNs: ns, bestNs: ns };
  }
  const { median, best } = summarise(samples);
  const failedOperations = verdict?.verified === undefined ? entry.failedInWarmUp / Math.max(1, entry.warmRounds) : verdict.failureCount;
  return {
    ...result,
    status: failedOperations === 0 ? 'ok' : 'failed',
    ...(verdict?.reason === undefined ? {} : { reason: verdict.reason }),
    medianNs: median / workload.operationCount,
    bestNs: best / workload.operationCount,
    ...(baseMedian === undefined ? {} : { ratio: median / baseMedian }),
    failedOperations,
    ...(entry.worstNs === undefined ? {} : { worstNs: entry.worstNs }),
    ...(entry.checksum === undefined ? {} : { checksum: entry.checksum }),
  };
}
