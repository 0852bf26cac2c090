/**
 * Does a workload with every subject and says how it went.
 *
 *     verify each   ->  warm each (not counted)  ->  rounds, all subjects in turn, another one first each time  ->  slowest operation of each
 *
 * Who does the work wrong, or not at all, is reported so and not timed.
 */

import { slowestOf } from './distribution.ts';
import { closeAll, guard, outcomeOf, prepare, takeTurns, type Entry, type PreparationOptions } from './entry.ts';
import type { Progress } from './report/progress.ts';
import type { Result } from './result.ts';
import type { Round, Session } from './session.ts';
import { summarise } from './statistics.ts';
import type { Subject } from './subject.ts';
import type { Workload } from './workload.ts';

export interface MeasureOptions extends PreparationOptions {
  /** Rounds that count. */
  readonly rounds: number;
  /** The subject that ratios refer to. Default: the first Allokit subject. */
  readonly base?: string;
  /** Whether to look for the slowest operation, and for what native programs hold. Default `true`. */
  readonly inspects?: boolean;
}

/** Passes in which each operation is timed. */
const OPERATION_PASSES = 3;

/** What the rounds of one subject have shown. */
interface Findings {
  /** Nanoseconds a round. */
  readonly samples: number[];
  /** The last one that was done. */
  round?: Round;
  worstNs?: number;
  footprint?: number;
}

/** The name of the subject that ratios refer to. */
export function baseName(subjects: readonly Subject[], wanted: string | undefined): string | undefined {
  return wanted ?? (subjects.find(({ kind }) => kind === 'allokit') ?? subjects[0])?.name;
}

/** Measures all subjects. Never rejects for what a subject does. */
export async function measure(workload: Workload, subjects: readonly Subject[], options: MeasureOptions, progress: Progress): Promise<Result[]> {
  progress.start(workload.title, subjects.length * (options.rounds + options.warmRounds + 2));
  const entries = await prepare(workload, subjects, options, progress);
  const findings = new Map(entries.map((entry): [Entry, Findings] => [entry, { samples: [] }]));
  await takeTurns(entries, options, progress, (entry, session) => doRound(entry, session, findings.get(entry)!));
  for (const entry of entries) {
    progress.advance(`slowest operation of ${entry.subject.name}`);
    if (options.inspects !== false) await guard(entry, () => inspect(entry, findings.get(entry)!, options.budget * 1000));
  }
  await closeAll(entries);
  progress.stop();
  return report(findings, workload, baseName(subjects, options.base));
}

async function doRound(entry: Entry, session: Session, findings: Findings): Promise<void> {
  const outcome = await session.round(Infinity);
  findings.round = outcome;
  findings.samples.push(outcome.nanoseconds);
  entry.spent += outcome.nanoseconds / 1e6;
  if (outcome.damageCount > 0) entry.problem = `${outcome.damageCount} blocks did not keep their first and last byte`;
}

async function inspect({ session, subject }: Entry, findings: Findings, allowance: number): Promise<void> {
  const [typical] = findings.samples;
  if (session === undefined || typical === undefined) return;
  // Timing each operation three times takes a few rounds' time and more; much more where a round ends with a reset, which a pass does without.
  if (typical / 1e6 < 250 || subject.kind === 'allokit') {
    const patience = subject.kind === 'allokit' ? Infinity : allowance;
    for (let pass = 0; pass < OPERATION_PASSES; pass += 1) if (!(await session.timeOperations(patience))) return;
    const times = await session.operationTimes();
    if (times !== undefined) findings.worstNs = slowestOf(times);
  }
  const footprint = await session.peakFootprint();
  if (footprint !== undefined) findings.footprint = footprint;
}

function report(findings: ReadonlyMap<Entry, Findings>, workload: Workload, base: string | undefined): Result[] {
  const rows = [...findings];
  const [, baseFindings] = rows.find(([{ subject, problem }]) => subject.name === base && problem === undefined) ?? [];
  const baseMedian = baseFindings === undefined || baseFindings.samples.length === 0 ? undefined : summarise(baseFindings.samples).median;
  return rows.map(([entry, found]) => resultOf(entry, found, workload, baseMedian));
}

function resultOf(entry: Entry, { samples, round, worstNs, footprint }: Findings, workload: Workload, baseMedian: number | undefined): Result {
  const { verdict, stopped, problem } = entry;
  const peakFootprint = verdict?.verified === undefined ? footprint : verdict.footprint;
  const result = {
    ...outcomeOf(entry, workload),
    roundCount: samples.length,
    operationCount: workload.operationCount,
    peakLive: workload.trace.peakLiveBytes,
    ...(peakFootprint === undefined ? {} : { peakFootprint }),
  };
  if (problem !== undefined) return result;
  if (stopped !== undefined) {
    if (stopped.share === 0) return result;
    const ns = stopped.nanoseconds / (workload.operationCount * stopped.share);
    return { ...result, reason: `${result.reason ?? ''}; the time is that of this part`, medianNs: ns, bestNs: ns };
  }
  const { median, best } = summarise(samples);
  return {
    ...result,
    medianNs: median / workload.operationCount,
    bestNs: best / workload.operationCount,
    ...(baseMedian === undefined ? {} : { ratio: median / baseMedian }),
    ...(worstNs === undefined ? {} : { worstNs }),
    ...(round === undefined ? {} : { checksum: round.checksum }),
  };
}
