/** Runs the workloads of one command from the first line on the screen to the last file. */

import { writeFile } from 'node:fs/promises';

import type { CommandName, Field } from './catalogue.ts';
import { baseName, measure, type MeasureOptions } from './measure.ts';
import { formatCsv } from './report/csv.ts';
import { reportFlaws } from './report/flaws.ts';
import { thisMachine } from './report/machine.ts';
import { formatPreamble } from './report/preamble.ts';
import { makeProgress } from './report/progress.ts';
import { formatTable, LEGEND } from './report/table.ts';
import type { Result } from './result.ts';
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
  field: Field,
  options: MeasureOptions,
  report: ReportOptions,
): Promise<boolean> {
  const { subjects, absences } = field;
  const machine = thisMachine();
  const base = baseName(subjects, options.base);
  const say = (text: string): void => {
    if (!report.json) process.stdout.write(`${text}\n`);
  };
  for (const line of report.introduction ?? []) say(line);
  say(formatPreamble({ ...report, ...options, machine, field }));

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
  return reportFlaws(results, options.verify);
}
