/**
 * Does an experiment: everything that is compared in one table, in turn, round by round.
 *
 * A probe begins with nothing and gives everything back, so that the next one finds the machine as it was. What it leaves resident on the way is held against
 * what must be; who fails that is reported so.
 */

import { setImmediate } from 'node:timers/promises';

import { AllocatorError } from '@allokit/allocator';
import { median } from 'simple-statistics';

import type { Progress } from '../report/progress.ts';
import { summarise } from '../statistics.ts';
import type { SubjectKind } from '../subject.ts';
import { collectGarbage } from '../thread/collector.ts';
import { rowName, type ExperimentName, type Measurement, type MeasurementStatus } from './measurement.ts';

/** One row. */
export interface Step {
  readonly name: string;
  /** Bytes that it is about. */
  readonly sizeBytes: number;
  /** The row that it is compared with. */
  readonly base?: string | undefined;
  /** What may be resident afterwards, both ends included. Absent: nobody asks. */
  readonly bounds?: ResidentBounds;
}

/** In bytes. */
export interface ResidentBounds {
  readonly min: number;
  readonly max: number;
}

/** What a step took in one round. */
export interface Observation {
  readonly nanoseconds: number;
  /** Resident afterwards, in bytes, as the operating system counts this memory. */
  readonly residentBytes?: number | undefined;
  /** What the process has grown by. Stands in for the former where that is not known. */
  readonly rssBytes?: number | undefined;
}

/** A series of steps that belong together. */
export interface Probe {
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly steps: readonly Step[];
  /** Those of one group follow each other in a round: see `Experiment.prime`. */
  readonly group?: string;
  /** One round; an observation for each step. Rejects with an AllocatorError `unsupported` where the platform cannot. */
  readonly run: () => Promise<readonly Observation[]>;
}

/** A table. */
export interface Experiment {
  readonly name: ExperimentName;
  readonly title: string;
  /** What must be known, a line each. */
  readonly facts: readonly string[];
  /** The unit of its times. */
  readonly unit: 'ms' | 'us';
  readonly probes: readonly Probe[];
  /** Brings the machine into the state in which every probe of a group leaves it to the next. Called before the first one in each round; not timed. */
  readonly prime?: (group: string | undefined) => Promise<void>;
}

export interface RoundOptions {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before: a virtual machine may get its memory only when that is touched for the first time ever. */
  readonly warmRounds: number;
}

/** How far a process's size may be off for reasons of its own, where it has to stand in for what is resident. */
const RSS_TOLERANCE = 8 * 2 ** 20;

/** One probe on its way through the rounds. */
interface Entry {
  readonly probe: Probe;
  /** Of the rounds that count. */
  readonly rounds: (readonly Observation[])[];
  /** What was wrong with a step, by its index; the first time it was. */
  readonly problems: Map<number, string>;
  /** Set when there will be no more rounds. */
  end?: { readonly status: MeasurementStatus; readonly reason: string };
}

/** Measures all probes. Never rejects for what a probe does. */
export async function measureExperiment(experiment: Experiment, { rounds, warmRounds }: RoundOptions, progress: Progress): Promise<Measurement[]> {
  const { name, title, probes, prime } = experiment;
  const entries = probes.map((probe): Entry => ({ probe, rounds: [], problems: new Map() }));
  progress.start(title, entries.length * (rounds + warmRounds));
  for (let round = -warmRounds; round < rounds; round += 1) {
    let primed: { readonly group: string | undefined } | undefined;
    for (const entry of turnsOf(entries, round + warmRounds)) {
      progress.advance(`${round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`}: ${entry.probe.subject}`);
      if (entry.end !== undefined) continue;
      const { group } = entry.probe;
      // What cannot be primed cannot be done either, and says so itself.
      if (primed === undefined || primed.group !== group) await prime?.(group).catch(() => undefined);
      primed = { group };
      await doRound(entry, round >= 0);
    }
  }
  progress.stop();
  return withRatios(entries.flatMap((entry) => entry.probe.steps.map((step, index) => measurementOf(name, entry, step, index))));
}

/** Another one first each time, and backwards every other time: what one leaves behind is not always left to the same. Groups stay together. */
function turnsOf(entries: readonly Entry[], round: number): Entry[] {
  const turns = round % 2 === 0 ? [...entries] : entries.toReversed();
  const rotated = [...turns, ...turns].slice(round % turns.length, (round % turns.length) + turns.length);
  const groups = new Set(rotated.map(({ probe }) => probe.group));
  return [...groups].flatMap((group) => rotated.filter(({ probe }) => probe.group === group));
}

/** The rows with their medians over those of their bases. */
function withRatios(rows: readonly Measurement[]): Measurement[] {
  const medians = new Map(rows.map((row) => [rowName(row), row.medianNs]));
  return rows.map((row) => {
    const base = row.base === undefined ? undefined : medians.get(row.base);
    return row.medianNs === undefined || base === undefined ? row : { ...row, ratio: row.medianNs / base };
  });
}

async function doRound(entry: Entry, isCounted: boolean): Promise<void> {
  const { probe } = entry;
  // A turn of the event loop between two probes: what they left to it is done before the next one is timed.
  await setImmediate();
  collectGarbage();
  try {
    const observations = await probe.run();
    probe.steps.forEach((step, index) => {
      const problem = problemOf(step, observations[index]!);
      if (problem !== undefined && !entry.problems.has(index)) entry.problems.set(index, problem);
    });
    if (isCounted) entry.rounds.push(observations);
  } catch (error) {
    const status = error instanceof AllocatorError && error.code === 'unsupported' ? 'unsupported' : 'failed';
    entry.end = { status, reason: error instanceof Error ? error.message : String(error) };
  }
}

function problemOf({ bounds }: Step, { residentBytes, rssBytes }: Observation): string | undefined {
  const bytes = residentBytes ?? rssBytes;
  if (bounds === undefined || bytes === undefined) return undefined;
  const tolerance = residentBytes === undefined ? RSS_TOLERANCE : 0;
  // A process that gave back memory of its own is smaller than before: where nothing has to be resident, that is no fault.
  const isEnough = bytes >= bounds.min - tolerance || (residentBytes === undefined && bounds.min === 0);
  if (isEnough && bytes <= bounds.max + tolerance) return undefined;
  return `${bytes} bytes were resident, not ${bounds.min} to ${bounds.max}`;
}

function measurementOf(experiment: ExperimentName, { probe, rounds, problems, end }: Entry, step: Step, index: number): Measurement {
  const { subject, kind } = probe;
  const { name, sizeBytes, base, bounds } = step;
  const row = { experiment, subject, step: name, kind, sizeBytes, roundCount: rounds.length };
  if (end !== undefined) return { ...row, ...end, verified: end.status === 'failed' ? false : undefined };
  const observations = rounds.map((observed) => observed[index]!);
  const times = summarise(observations.map(({ nanoseconds }) => nanoseconds));
  const residentBytes = medianBytes(observations.map((observed) => observed.residentBytes));
  const rssBytes = medianBytes(observations.map((observed) => observed.rssBytes));
  const problem = problems.get(index);
  const isKnown = bounds !== undefined && (residentBytes ?? rssBytes) !== undefined;
  return {
    ...row,
    status: problem === undefined ? 'ok' : 'failed',
    reason: problem,
    medianNs: times.median,
    bestNs: times.best,
    worstNs: times.worst,
    base,
    residentBytes,
    rssBytes,
    verified: isKnown ? problem === undefined : undefined,
  };
}

function medianBytes(samples: readonly (number | undefined)[]): number | undefined {
  const known = samples.filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : Math.round(median(known));
}
