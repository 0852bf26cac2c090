/** `compose`: what a call through an assembly costs while others are alive, plain and compiled, in a function of one's own and through a shared call site. */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { ALIVE_COUNTS } from '../compose/assemblies.ts';
import { SITES, type ComposeAssignment, type ComposeCase, type ComposeRound } from '../compose/protocol.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { formatNumber } from '../report/number.ts';
import { makeProgress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';

export interface ComposeOptions {
  readonly rounds: number;
  readonly warmRounds: number;
  readonly seed: number;
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
}

/** One case, measured. */
export interface ComposeResult extends ComposeCase {
  /** Nanoseconds a replacement: one free and one allocation. */
  readonly medianNs: number;
  readonly bestNs: number;
  readonly failureCount: number;
}

/** A worker at its case. */
interface Entry {
  readonly what: ComposeCase;
  readonly worker: Worker;
  readonly samples: number[];
  failureCount: number;
}

/** Measures and reports. @returns Whether no request was refused. */
export async function compose({ rounds, warmRounds, seed, commandLine, json, csv }: ComposeOptions): Promise<boolean> {
  const cases = SITES.flatMap((site) => ALIVE_COUNTS.flatMap((aliveCount) => [false, true].map((isCompiled) => ({ site, aliveCount, isCompiled }))));
  const progress = makeProgress();
  progress.start('compose', cases.length * (1 + warmRounds + rounds));
  const entries: Entry[] = [];
  for (const what of cases) {
    progress.advance('starting');
    entries.push(await start(what, seed));
  }
  for (let round = -warmRounds; round < rounds; round += 1) {
    // Another one first each time, as everywhere.
    for (let turn = 0; turn < entries.length; turn += 1) {
      const entry = entries[(turn + round + warmRounds) % entries.length]!;
      progress.advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
      const { nanoseconds, failureCount } = await ask(entry.worker);
      entry.failureCount = failureCount;
      if (round >= 0) entry.samples.push(nanoseconds);
    }
  }
  await Promise.all(entries.map(({ worker }) => worker.terminate()));
  progress.stop();

  const results = entries.map(({ what, samples, failureCount }): ComposeResult => {
    const { median, best } = summarise(samples);
    return { ...what, medianNs: median, bestNs: best, failureCount };
  });
  const machine = thisMachine();
  if (csv !== undefined) await writeFile(csv, stringify(results, { header: true, cast: { boolean: String } }));
  const report = { command: 'compose', commandLine, seed, options: { rounds, warmRounds }, machine, results };
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else process.stdout.write(`$ ${commandLine}\n${describeMachine(machine)}\n\n${formatCompose(results)}\n`);
  return results.every(({ failureCount }) => failureCount === 0);
}

async function start(what: ComposeCase, seed: number): Promise<Entry> {
  const assignment: ComposeAssignment = { ...what, seed };
  const worker = new Worker(siblingUrl('../compose/worker', import.meta.url), { workerData: assignment });
  // Rejects when the worker fails: that it is ready is the first thing it says.
  await once(worker, 'message');
  return { what, worker, samples: [], failureCount: 0 };
}

async function ask(worker: Worker): Promise<ComposeRound> {
  const answer = once(worker, 'message') as Promise<[ComposeRound]>;
  worker.postMessage('round');
  return (await answer)[0];
}

/** Title, table, legend. */
export function formatCompose(results: readonly ComposeResult[]): string {
  const table = new Table({
    head: ['calls stand in', 'assemblies alive', 'plain ns', 'compiled ns', 'compiled / plain'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const site of SITES) {
    for (const aliveCount of ALIVE_COUNTS) {
      const median = (isCompiled: boolean): number | undefined =>
        results.find((result) => result.site === site && result.aliveCount === aliveCount && result.isCompiled === isCompiled)?.medianNs;
      const [plain, compiled] = [median(false), median(true)];
      const ratio = plain === undefined || compiled === undefined ? undefined : compiled / plain;
      const where = site === 'own' ? 'a function each' : 'one for all';
      table.push([where, formatNumber(aliveCount, 0), formatNumber(plain, 1), formatNumber(compiled, 1), formatNumber(ratio, 2)]);
    }
  }
  return [
    'compose: generalPurpose() among other assemblies; one block of 16-1039 bytes freed and one allocated, 256 live',
    table.toString(),
    '  median of the rounds; each case in a worker of its own, all in turn. All assemblies of a case work, one is timed.',
  ].join('\n');
}
