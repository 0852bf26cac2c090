/**
 * One subject on its way through a measurement: what verifies it, what makes it warm, and how it takes turns with the others.
 *
 * Each subject lives in a worker of its own, or is a program; one of them works at a time, the others wait. What verifies is another worker.
 */

import type { Progress } from './report/progress.ts';
import type { Outcome } from './result.ts';
import { startSession, type Round, type Session } from './session.ts';
import type { Subject } from './subject.ts';
import { ThreadSession } from './thread/session.ts';
import type { Verdict } from './verify.ts';
import { shareWorkload, type Workload } from './workload.ts';

/** What getting ready needs to know. */
export interface PreparationOptions {
  /** Rounds before anything counts, for the engine to optimise and the memory to be touched. At least one: it tells who is too slow. */
  readonly warmRounds: number;
  /** Seconds a subject may take to verify, as many for its first round, and twice as many for all its rounds. */
  readonly budget: number;
  readonly verify: boolean;
  readonly sizedFree: boolean;
}

/** Our own heaps are never excused for being slow to verify: they get so many times the time. */
const OWN_PATIENCE = 10;

export interface Entry {
  readonly subject: Subject;
  verdict?: Verdict;
  session?: Session;
  /** Set when a round was cut short. */
  stopped?: Round;
  /** Set when it did the work wrong, or not at all. */
  problem?: string;
  /** Milliseconds it has worked. */
  spent: number;
  failedInWarmUp: number;
  warmRounds: number;
}

/** Verifies all of them, then starts and warms all of them. Never rejects for what a subject does. */
export async function prepare(workload: Workload, subjects: readonly Subject[], options: PreparationOptions, progress: Progress): Promise<Entry[]> {
  const entries: Entry[] = subjects.map((subject) => ({ subject, spent: 0, failedInWarmUp: 0, warmRounds: 0 }));
  const shared = shareWorkload(workload);
  for (const entry of entries) await guard(entry, () => verify(entry, shared, options, progress));
  for (const entry of entries) await guard(entry, () => warm(entry, shared, options, progress));
  return entries;
}

/** Whatever a subject throws is its problem, and ends it. */
export async function guard(entry: Entry, action: () => Promise<void>): Promise<void> {
  if (entry.problem !== undefined || entry.stopped !== undefined) return;
  try {
    await action();
  } catch (error) {
    entry.problem = error instanceof Error ? error.message : String(error);
  }
}

/** Lets all of them act in each round, another one first each time. Who has used up its time sits out, after its first round at the earliest. */
export async function takeTurns(
  entries: readonly Entry[],
  { rounds, budget }: { readonly rounds: number; readonly budget: number },
  progress: Progress,
  act: (entry: Entry, session: Session) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const entry = entries[(turn + round) % entries.length]!;
      progress.advance(`round ${round + 1} of ${rounds}`);
      const { session } = entry;
      if (session === undefined || (entry.spent > budget * 2000 && round > 0)) continue;
      await guard(entry, () => act(entry, session));
    }
  }
}

/** Ends the workers and the programs. */
export async function closeAll(entries: readonly Entry[]): Promise<void> {
  for (const { session } of entries) await session?.close().catch(() => undefined);
}

/** Who it is, and whether it did the work right. */
export function outcomeOf(entry: Entry, { name }: Workload): Outcome {
  const { subject, verdict, stopped, problem, failedInWarmUp, warmRounds } = entry;
  const { verified, failureCount = 0 } = verdict ?? {};
  const outcome = { workload: name, subject: subject.name, kind: subject.kind, ...(verified === undefined ? {} : { verified }) };
  if (problem !== undefined) return { ...outcome, status: 'failed', reason: problem, failedOperations: Math.max(1, failureCount) };
  if (stopped !== undefined) {
    return { ...outcome, status: 'stopped', reason: `too slow: stopped after ${Math.floor(stopped.share * 100)}% of the first round` };
  }
  const failedOperations = verified === undefined ? failedInWarmUp / Math.max(1, warmRounds) : failureCount;
  const reason = verdict?.reason === undefined ? {} : { reason: verdict.reason };
  return { ...outcome, status: failedOperations === 0 ? 'ok' : 'failed', ...reason, failedOperations };
}

async function verify(entry: Entry, workload: Workload, options: PreparationOptions, progress: Progress): Promise<void> {
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

async function warm(entry: Entry, workload: Workload, options: PreparationOptions, progress: Progress): Promise<void> {
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
