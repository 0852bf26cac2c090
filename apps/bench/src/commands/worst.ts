/** `worst`: what single operations take, from the typical one to the slowest. */

import { writeFile } from 'node:fs/promises';

import type { Field } from '../catalogue.ts';
import { measureOperations, type OperationsOptions, type OperationsResult } from '../measure-operations.ts';
import { reportFlaws } from '../report/flaws.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { formatOperations, formatOperationsCsv, operationsPlot, OPERATIONS_LEGEND } from '../report/operations.ts';
import { writePlots } from '../report/plot-files.ts';
import type { LinePlot } from '../report/plot.ts';
import { formatPreamble } from '../report/preamble.ts';
import { makeProgress } from '../report/progress.ts';
import type { Workload } from '../workload.ts';

/** How it is told. */
export interface WorstOptions {
  /** What was typed. */
  readonly commandLine: string;
  readonly seed: number;
  readonly json: boolean;
  readonly csv?: string;
  /** The folder for plots. */
  readonly svg?: string;
}

/**
 * Times the operations of each workload.
 *
 * @returns Whether every Allokit row is flawless.
 */
export async function worst(
  workloads: Iterable<Workload> | AsyncIterable<Workload>,
  field: Field,
  options: OperationsOptions,
  report: WorstOptions,
): Promise<boolean> {
  const { commandLine, seed, json, csv, svg } = report;
  const { subjects, absences } = field;
  const machine = thisMachine();
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(formatPreamble({ ...report, ...options, machine, field }));
  const progress = makeProgress();
  const rows: OperationsResult[] = [];
  const plots = new Map<string, LinePlot>();
  for await (const workload of workloads) {
    const measured = await measureOperations(workload, subjects, options, progress);
    rows.push(...measured);
    plots.set(`worst-${workload.name}`, operationsPlot(workload, measured, subjects, describeMachine(machine)));
    say(`\n${formatOperations(workload, measured, process.stdout.isTTY)}`);
  }
  say(`\n${OPERATIONS_LEGEND.join('\n')}`);

  if (svg !== undefined) for (const path of await writePlots(svg, plots)) say(path);
  if (csv !== undefined) await writeFile(csv, formatOperationsCsv(rows));
  if (json) {
    const allocators = subjects.map(({ name, kind, description }) => ({ name, kind, description }));
    const found = { command: 'worst', commandLine, seed, options, machine, allocators, absences, results: rows };
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  }
  return reportFlaws(rows, options.verify);
}
