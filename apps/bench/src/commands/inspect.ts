/** `inspect`: what it costs a program to be looked at. */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';

import { measureInspect, stepCountOf, type InspectResult } from '../inspect/measurement.ts';
import type { ProgramName } from '../inspect/protocol.ts';
import { claimsOfInspect, formatInspect, formatInspectClaims, formatInspectCsv, INSPECT_LEGEND } from '../inspect/report.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { makeProgress } from '../report/progress.ts';

/** What is asked for. */
export interface InspectOptions {
  readonly programs: readonly ProgramName[];
  readonly rounds: number;
  readonly warmRounds: number;
  readonly seed: number;
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
}

/** Measures and reports. Claims that are not met are reported, and no failure. */
export async function inspect({ programs, rounds, warmRounds, seed, commandLine, json, csv }: InspectOptions): Promise<void> {
  const machine = thisMachine();
  const loadBefore = loadavg()[0]!;
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}\n${describeMachine(machine)}\n${rounds} rounds after ${warmRounds} warm ones, all in turn; load average ${loadBefore.toFixed(2)} before`);
  const progress = makeProgress();
  const results: InspectResult[] = [];
  for (const program of programs) {
    progress.start(program, stepCountOf(program, warmRounds + rounds));
    const measured = await measureInspect(program, { rounds, warmRounds, seed }, (label) => progress.advance(label));
    progress.stop();
    results.push(...measured);
    say(`\n${formatInspect(measured, colour)}`);
  }
  const claims = claimsOfInspect(results);
  const load = { before: loadBefore, after: loadavg()[0]! };
  say(`\n${formatInspectClaims(claims)}\n\n${INSPECT_LEGEND.join('\n')}\nload average ${load.after.toFixed(2)} after`);
  if (csv !== undefined) await writeFile(csv, formatInspectCsv(results));
  if (json) process.stdout.write(`${JSON.stringify({ command: 'inspect', commandLine, options: { programs, rounds, warmRounds, seed }, machine, load, claims, results }, undefined, 2)}\n`);
}
