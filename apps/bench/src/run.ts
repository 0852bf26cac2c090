/** Runs the workloads of one command from the first line on the screen to the last file. */

import { writeFile } from 'node:fs/promises';

import type { CommandName, Field } from './catalogue.ts';
import { baseName, measure, type MeasureOptions } from './measure.ts';
import { formatCsv } from './report/csv.ts';
import { describeMachine, thisMachine } from './report/machine.ts';
import { makeProgress } from './report/progress.ts';
import { formatTable, LEGEND } from './report/table.ts';
import { isFlawless, type Result } from './result.ts';
import type { Workload } from './workload.ts';

/** How what was found is told. */
export interface ReportOptions {
  readonly command: CommandName;
  /** What was typed. */
  readonly commandLine: string;
  readonly seed: number;
  readonly json: boolean;
  readonly csv?: string;
  /** Said before anything else, to people. */
  readonly introduction?: readonly string[];
}

/**
 * Measures each workload and reports as it goes.
 *
 * @param workloads - One table each; made as they are needed.
 * @returns Whether every Allokit row is flawless. Peers may fail.
 */
export async function run(
  workloads: Iterable<Workload> | AsyncIterable<Workload>,
  { subjects, absences }: Field,
  options: MeasureOptions,
  report: ReportOptions,
): Promise<boolean> {
  const machine = thisMachine();
  const base = baseName(subjects, options.base);
  const say = (text: string): void => {
    if (!report.json) process.stdout.write(`${text}\n`);
  };
  for (const line of report.introduction ?? []) say(line);
  say(`$ ${report.commandLine}`);
  say(describeMachine(machine));
  say(`seed ${report.seed}; ${options.rounds} rounds after ${options.warmRounds} warm ones, all allocators in turn`);
  for (const { name, description } of subjects) say(`  ${name.padEnd(16)} ${description}`);
  for (const absence of absences) say(`  ${absence}`);

  const progress = makeProgress();
  const results: Result[] = [];
  for await (const workload of workloads) {
    const measured = await measure(workload, subjects, options, progress);
    results.push(...measured);
    say(`\n${formatTable(workload, measured, subjects, { base, colour: process.stdout.isTTY })}`);
  }
  say(`\n${LEGEND.join('\n')}`);

  if (report.csv !== undefined) await writeFile(report.csv, formatCsv(results));
  if (report.json) {
    const allocators = subjects.map(({ name, kind, description }) => ({ name, kind, description }));
    const { command, commandLine, seed } = report;
    process.stdout.write(`${JSON.stringify({ command, commandLine, seed, base, options, machine, allocators, absences, results }, undefined, 2)}\n`);
  }
  const flawed = results.filter((result) => result.kind === 'allokit' && !isFlawless(result, options.verify));
  for (const { workload, subject, status, reason } of flawed) {
    process.stderr.write(`${subject} in ${workload}: ${status}${reason === undefined ? '' : `: ${reason}`}\n`);
  }
  return flawed.length === 0;
}
