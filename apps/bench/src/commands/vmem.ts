/** `vmem`: what reserving, committing, touching and giving back memory costs, and whether it is resident when it must be, and only then. */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';

import { describeMachine, thisMachine } from '../report/machine.ts';
import { makeProgress } from '../report/progress.ts';
import { claimsOf } from '../vmem/claims.ts';
import { measureExperiment, type Experiment, type RoundOptions } from '../vmem/experiment.ts';
import { followExperiment } from '../vmem/follow.ts';
import type { ExperimentName, Measurement } from '../vmem/measurement.ts';
import { GIB, MIB } from '../vmem/memories.ts';
import { findPlatform, type Platform } from '../vmem/platform.ts';
import { preTouchExperiment } from '../vmem/pre-touch.ts';
import { formatClaims, formatExperiment, formatVmemCsv, VMEM_LEGEND } from '../vmem/report.ts';
import { setupExperiment } from '../vmem/setup.ts';
import { upkeepExperiment } from '../vmem/upkeep.ts';

/** Bytes that `pre-touch` makes resident: at the least, at the most, and when nothing is said and the machine has them to spare. */
export const VMEM_SIZE = { min: MIB, max: 4 * GIB, normal: 4 * GIB, quick: 256 * MIB } as const;

/** A size for which the machine is too small. */
export class VmemSizeError extends Error {
  override readonly name = 'VmemSizeError';
}

export interface VmemOptions extends RoundOptions {
  /** Bytes that `pre-touch` makes resident, a multiple of 64 KiB. Default: 4 GiB, or less where half of what is available is less. */
  readonly sizeBytes?: number | undefined;
  /** What to measure. */
  readonly experiments: readonly ExperimentName[];
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
}

/**
 * Measures and reports.
 *
 * @returns Whether no Allokit row failed. Claims that are not met are reported, and no failure.
 * @throws VmemSizeError for a size that is not available.
 */
export async function vmem(options: VmemOptions): Promise<boolean> {
  const sizeBytes = availableSize(options.sizeBytes);
  const platform = await findPlatform();
  try {
    return await measureAndReport(options, platform, sizeBytes);
  } finally {
    await platform.program?.close();
  }
}

async function measureAndReport(options: VmemOptions, platform: Platform, sizeBytes: number): Promise<boolean> {
  const { rounds, warmRounds, commandLine, json, csv } = options;
  const { versions, absences, hugePages } = platform;
  const machine = thisMachine();
  const loadBefore = loadavg()[0]!;
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}`);
  say(describeMachine(machine));
  say(`koffi ${versions.koffi ?? 'absent'}; C compiler ${versions.compiler ?? 'absent'}; load average ${loadBefore.toFixed(2)} before`);
  say(`${rounds} rounds after ${warmRounds} warm ones, all in turn`);
  for (const absence of absences) say(`  ${absence}`);

  const progress = makeProgress();
  const results: Measurement[] = [];
  for (const name of options.experiments) {
    const experiment = experimentOf(name, platform, sizeBytes);
    if (experiment.probes.length === 0) continue;
    const measured = await measureExperiment(experiment, options, progress);
    results.push(...measured);
    say(`\n${formatExperiment(experiment, measured, colour)}`);
  }
  const claims = claimsOf(results);
  const loadAfter = loadavg()[0]!;
  if (claims.length > 0) say(`\n${formatClaims(claims, colour)}`);
  say(`\n${VMEM_LEGEND.join('\n')}\nload average ${loadAfter.toFixed(2)} after`);

  if (csv !== undefined) await writeFile(csv, formatVmemCsv(results));
  if (json) {
    const load = { before: loadBefore, after: loadAfter };
    const settings = { sizeBytes, rounds, warmRounds, experiments: options.experiments };
    const report = { command: 'vmem', commandLine, options: settings, machine, versions, hugePages, load, absences, claims, results };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  }
  const failed = results.filter(({ kind, status }) => kind === 'allokit' && status === 'failed');
  for (const { experiment, subject, step, reason } of failed) process.stderr.write(`${experiment}: ${subject}: ${step} failed: ${reason ?? ''}\n`);
  return failed.length === 0;
}

function experimentOf(name: ExperimentName, platform: Platform, sizeBytes: number): Experiment {
  switch (name) {
    case 'setup':
      return setupExperiment(platform);
    case 'pre-touch':
      return preTouchExperiment(platform, sizeBytes);
    case 'follow':
      return followExperiment(platform);
    case 'upkeep':
      return upkeepExperiment(platform, sizeBytes);
  }
}

/** What was asked for if the machine has it, or what it has to spare. */
function availableSize(wanted: number | undefined): number {
  const available = process.availableMemory();
  if (wanted === undefined) return Math.max(VMEM_SIZE.min, Math.min(VMEM_SIZE.normal, 2 ** Math.floor(Math.log2(available / 2))));
  if (wanted > available * 0.9) throw new VmemSizeError(`${wanted} bytes cannot be made resident: ${available} are available; see --size`);
  return wanted;
}
