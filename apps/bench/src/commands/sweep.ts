/** `sweep`: how the cost of an operation grows with the live blocks, and with the size of a block. */

import { writeFile } from 'node:fs/promises';

import { sizeMax, type Field } from '../catalogue.ts';
import { measure, type MeasureOptions } from '../measure.ts';
import { reportFlaws } from '../report/flaws.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { writePlots } from '../report/plot-files.ts';
import { formatPreamble } from '../report/preamble.ts';
import { makeProgress } from '../report/progress.ts';
import { SWEEPS, type SweepPoint } from '../sweep/points.ts';
import { formatSweep, formatSweepCsv, sweepPlot, SWEEP_LEGEND, type SweepResult } from '../sweep/report.ts';
import { bareWorkload } from '../workload.ts';

/** How it is done and told. */
export interface SweepOptions {
  /** What was typed. */
  readonly commandLine: string;
  readonly seed: number;
  /** Leave the blocks untouched. */
  readonly bare: boolean;
  readonly json: boolean;
  readonly csv?: string;
  /** The folder for plots. */
  readonly svg?: string;
}

/**
 * Measures at each point who hands out blocks of its size.
 *
 * @returns Whether every Allokit row is flawless.
 */
export async function sweep(points: readonly SweepPoint[], field: Field, options: MeasureOptions, report: SweepOptions): Promise<boolean> {
  const { commandLine, seed, bare, json, csv, svg } = report;
  const { subjects, absences } = field;
  const machine = thisMachine();
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(formatPreamble({ ...report, ...options, machine, field }));
  const progress = makeProgress();
  const rows: SweepResult[] = [];
  const sweeps = SWEEPS.filter((name) => points.some((point) => point.sweep === name));
  for (const name of sweeps) {
    for (const { value, sizeBytes, makeWorkload } of points.filter((point) => point.sweep === name)) {
      const workload = makeWorkload(seed);
      const able = subjects.filter((subject) => sizeBytes <= sizeMax(subject.name));
      const results = await measure(bare ? bareWorkload(workload) : workload, able, { ...options, inspects: false }, progress);
      rows.push(...results.map((result) => ({ sweep: name, value, ...result })));
    }
    say(`\n${formatSweep(name, of(rows, name), subjects, { bare, colour: process.stdout.isTTY })}`);
  }
  say(`\n${SWEEP_LEGEND.join('\n')}`);

  if (svg !== undefined) {
    const style = { bare, machine: describeMachine(machine) };
    const paths = await writePlots(svg, new Map(sweeps.map((name) => [`sweep-${name}`, sweepPlot(name, of(rows, name), subjects, style)])));
    for (const path of paths) say(path);
  }
  if (csv !== undefined) await writeFile(csv, formatSweepCsv(rows));
  if (json) {
    const allocators = subjects.map(({ name, kind, description }) => ({ name, kind, description }));
    const found = { command: 'sweep', commandLine, seed, bare, options, machine, allocators, absences, results: rows };
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  }
  return reportFlaws(rows, options.verify);
}

function of(rows: readonly SweepResult[], name: SweepResult['sweep']): SweepResult[] {
  return rows.filter((row) => row.sweep === name);
}
