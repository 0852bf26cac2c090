/** `instances`: a clean instance of a module for each run, by a fresh one and by the reset of a pooled one. */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';

import { measureLarge } from '../instances/large.ts';
import type { InstanceExperimentName, InstanceRow } from '../instances/measurement.ts';
import { claimsOfInstances, formatInstanceClaims, formatInstances, formatInstancesCsv, growthPlots } from '../instances/report.ts';
import { measureSlowdown } from '../instances/slowdown.ts';
import { measureGrowth, measureSmall } from '../instances/small.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { writePlots } from '../report/plot-files.ts';
import { makeProgress } from '../report/progress.ts';

/** Bytes of the large memory: at the least, at the most, and with `--quick`. */
export const INSTANCES_SIZE = { min: 2 ** 22, max: 2 ** 32, quick: 2 ** 28 } as const;

/** What one experiment does more often than the rounds that are asked for, since it takes microseconds. */
const REPEATS = { small: 10, growth: 7, slowdown: 5 } as const;

export interface InstancesOptions {
  /** Default: 4 GiB, or what half of the available memory has room for. */
  readonly sizeBytes: number | undefined;
  readonly rounds: number;
  readonly experiments: readonly InstanceExperimentName[];
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
  /** The folder for plots. */
  readonly svg?: string | undefined;
}

/** Measures and reports. Claims that are not met are reported, and no failure. */
export async function instances(options: InstancesOptions): Promise<void> {
  const { rounds, experiments, commandLine, json, csv, svg } = options;
  const room = 2 ** Math.floor(Math.log2(process.availableMemory() / 2));
  const sizeBytes = options.sizeBytes ?? Math.max(INSTANCES_SIZE.min, Math.min(INSTANCES_SIZE.max, room));
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}\n${describeMachine(machine)}; load average ${loadavg()[0]!.toFixed(2)} before`);
  const progress = makeProgress();
  const rows: InstanceRow[] = [];
  for (const experiment of experiments) {
    progress.start(experiment, 100);
    const measured = await measure(experiment, sizeBytes, rounds, (label) => progress.advance(label));
    progress.stop();
    rows.push(...measured);
    say(`\n${formatInstances(experiment, measured, colour)}`);
  }
  const claims = claimsOfInstances(rows);
  if (claims.length > 0) say(`\n${formatInstanceClaims(claims, colour)}`);
  say(`load average ${loadavg()[0]!.toFixed(2)} after`);
  if (svg !== undefined) for (const path of await writePlots(svg, growthPlots(rows, describeMachine(machine)))) say(path);
  if (csv !== undefined) await writeFile(csv, formatInstancesCsv(rows));
  if (json) process.stdout.write(`${JSON.stringify({ command: 'instances', commandLine, options: { sizeBytes, rounds, experiments }, machine, claims, results: rows }, undefined, 2)}\n`);
}

function measure(experiment: InstanceExperimentName, sizeBytes: number, rounds: number, advance: (label: string) => void): Promise<InstanceRow[]> {
  switch (experiment) {
    case 'large':
      return measureLarge(sizeBytes, rounds, advance);
    case 'small':
      return measureSmall(rounds * REPEATS.small, advance);
    case 'growth':
      return measureGrowth(sizeBytes, rounds * REPEATS.growth, advance);
    case 'slowdown':
      return measureSlowdown(rounds * REPEATS.slowdown, advance);
  }
}
