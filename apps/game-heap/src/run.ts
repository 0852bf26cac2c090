/** One run of the demo, from the first line to the last check. */

import { writeFile } from 'node:fs/promises';
import { compare, frameTimes, type Contender } from './comparison.ts';
import { Script } from './frame.ts';
import { available, type MemoryKind } from './memory.ts';
import { ModelStage } from './model-stage.ts';
import { plot } from './plot.ts';
import { POLICY_NAMES } from './policy.ts';
import {
  SAMPLE_HEAD,
  beginningLines,
  checkLines,
  claimsTable,
  comparisonTable,
  legend,
  machine,
  mib,
  ms,
  sampleLine,
  timesLine,
  type Check,
} from './report.ts';
import { exhaust, pair, type Exhaustion, type Pairs } from './scenarios.ts';
import { runSession, type Sample, type SessionResult } from './session.ts';

/** What to run. */
export interface RunOptions {
  readonly memory: MemoryKind;
  /** Bytes of the heap. */
  readonly size: number;
  readonly frames: number;
  readonly seed: number;
  /** Of the comparison. */
  readonly rounds: number;
  /** Print JSON and nothing else. */
  readonly json: boolean;
  /** Where the plot goes; none without. */
  readonly plot?: string;
}

/** Lines that tell of the heap between its frames, about. */
const LINE_COUNT = 10;

/** Above this, a heap was not merely laid out. */
const RESIDENT_AFTER_INIT_MAX = 2 ** 20;

/** Runs everything; returns whether all checks hold. */
export async function run(options: RunOptions): Promise<boolean> {
  const { size, frames, seed, rounds, json } = options;
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  const colour = process.stdout.isTTY;
  say(machine());
  const { kind, reason } = available(options.memory);
  if (reason !== undefined) say(`Native memory is not to be had: ${reason}. WebAssembly memory takes its place.`);
  say(`${kind === 'native' ? 'Native' : 'WebAssembly'} memory, a heap of ${mib(size)}; ${frames} frames, seed ${seed}\n`);

  const main = await life(kind, options, say);
  const contenders = main.failure === undefined ? await compete(kind, options, say) : [];
  if (contenders.length > 0) say(`${comparisonTable(contenders, colour)}\n${legend(rounds)}\n`);
  const exhaustion = await exhaust(kind, size);
  say(`100,000 blocks of 20 KiB: ${exhaustionText(exhaustion)}`);
  const pairs = await pair(kind, size);
  say(`1,000,000 pairs of 100 bytes: ${ms(pairs.medianMs)}, the first time ${ms(pairs.firstMs)}\n`);
  const expectedDigest = main.failure === undefined ? digestOfModel(seed, frames) : undefined;
  const checks = [...sessionChecks(main, contenders, expectedDigest), ...scenarioChecks(exhaustion, pairs)];
  if (contenders.length > 0) say(`${claimsTable(main, contenders, exhaustion, pairs, colour)}\n`);
  for (const line of checkLines(checks)) say(line);
  if (options.plot !== undefined && contenders.length > 0) {
    await writeFile(
      options.plot,
      plot(contenders, `A heap of ${mib(size)} in ${kind === 'native' ? 'native' : 'WebAssembly'} memory, ${frames} frames, seed ${seed}`),
    );
    say(`\nPlot: ${options.plot}`);
  }
  if (json) {
    const timeline = main.samples;
    const frame = main.frameMs.length > 0 ? frameTimes(main.frameMs) : undefined;
    const { beginning, digest, failure } = main;
    const comparison = contenders.map(({ policy, startMs, startFrames, times, beginning: first, runs }) => ({
      policy,
      startMs,
      startFrames,
      times,
      beginning: first,
      absence: runs[0]?.absence,
    }));
    const report = {
      machine: machine(),
      memory: kind,
      fallback: reason,
      size,
      frames,
      seed,
      rounds,
      beginning,
      frameTimes: frame,
      digest,
      failure,
      timeline,
      comparison,
    };
    process.stdout.write(`${JSON.stringify({ ...report, exhaustion, pairs, checks, plot: contenders.length > 0 ? options.plot : undefined }, undefined, 2)}\n`);
  }
  return checks.every(({ holds }) => holds);
}

/** One session in this process, told as it goes. */
async function life(kind: MemoryKind, { size, frames, seed }: RunOptions, say: (text: string) => void): Promise<SessionResult> {
  say('The life of a heap that commits all');
  const lineEvery = Math.max(1, Math.floor(frames / LINE_COUNT));
  let nextLine = 0;
  const main = await runSession(
    { kind, size, policy: 'all', frames, seed },
    {
      onBeginning: (beginning) => say([...beginningLines(beginning, size), SAMPLE_HEAD].join('\n')),
      onSample: (sample: Sample) => {
        if (sample.frame < nextLine && sample.frame !== frames) return;
        nextLine = sample.frame + lineEvery;
        say(sampleLine(sample));
      },
    },
  );
  if (main.failure === undefined) say(`${timesLine(main)}\n`);
  else say(`  OUT OF MEMORY ${main.failure}\n`);
  return main;
}

async function compete(kind: MemoryKind, { size, frames, seed, rounds }: RunOptions, say: (text: string) => void): Promise<Contender[]> {
  say('Policies');
  return compare({ kind, size, frames, seed }, rounds, (round, policy) => {
    process.stderr.write(`  round ${round + 1} of ${rounds}: ${POLICY_NAMES[policy]}\n`);
  });
}

function exhaustionText({ count, expectedCount, outOfMemoryCount, allocateMs, freeMs }: Exhaustion): string {
  const end = outOfMemoryCount === 0 ? 'and all fit' : `then out of memory, counted ${outOfMemoryCount === 1 ? 'once' : `${outOfMemoryCount} times`}`;
  return `${count.toLocaleString('en')} of ${expectedCount.toLocaleString('en')} that must fit, ${end}; ${ms(allocateMs)} to allocate, ${ms(freeMs)} to free`;
}

/** What must be in the heap after the frames, from plain objects. */
function digestOfModel(seed: number, frames: number): number {
  const script = new Script(new ModelStage(), seed);
  for (let frame = 0; frame < frames; frame += 1) script.frame();
  return script.digest();
}

function sessionChecks(main: SessionResult, contenders: readonly Contender[], expectedDigest: number | undefined): Check[] {
  if (main.failure !== undefined) return [{ name: 'all frames ran', holds: false }];
  const runs = [main, ...contenders.flatMap((contender) => contender.runs)].filter(({ absence }) => absence === undefined);
  const afterInit = runs.flatMap(({ beginning }) => (beginning?.residentAfterInit === undefined ? [] : [beginning.residentAfterInit]));
  return [
    { name: `all frames ran, in ${runs.length} runs`, holds: runs.every(({ failure }) => failure === undefined) },
    {
      name: `what lay in the heap at the end is what plain objects hold after the same frames: checksum ${expectedDigest!.toString(16)}`,
      holds: runs.every(({ digest }) => digest === expectedDigest),
    },
    { name: 'nothing was left in the heap when everything was freed', holds: runs.every(({ isDrained }) => isDrained) },
    ...(afterInit.length === 0
      ? []
      : [{ name: 'less than 1 MiB was resident after init', holds: afterInit.every((bytes) => bytes < RESIDENT_AFTER_INIT_MAX) }]),
  ];
}

function scenarioChecks({ count, expectedCount, outOfMemoryCount, isOnePiece }: Exhaustion, { isUnchanged }: Pairs): Check[] {
  const isCounted = outOfMemoryCount === (count === 100_000 ? 0 : 1);
  return [
    {
      name: `${expectedCount.toLocaleString('en')} blocks of 20 KiB fit, the failure is counted, and all is one piece again`,
      holds: count === expectedCount && isCounted && isOnePiece,
    },
    { name: '1,000,000 pairs left the heap as it was', holds: isUnchanged },
  ];
}
