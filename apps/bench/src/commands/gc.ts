/** `gc`: a garbage-collected heap in linear memory against plain objects and AssemblyScript's runtime, and what it promises of its pauses. */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';

import { gcClaims, measureFacts } from '../gc/facts.ts';
import { measureGc, type GcResult, type GcRounds } from '../gc/measurement.ts';
import { formatFacts, formatGc, formatGcClaims, formatGcCsv, GC_LEGEND } from '../gc/report.ts';
import { gcWorkloads } from '../gc/workloads.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { makeProgress } from '../report/progress.ts';

/** Milliseconds that a step of the marking is given. */
const STEP_BUDGET_MS = 2;

/** The programs by name. */
export const GC_WORKLOADS = ['trees', 'survival', 'array', 'table'] as const;

/** What is asked for. */
export interface GcOptions extends GcRounds {
  readonly workloads: readonly (typeof GC_WORKLOADS)[number][];
  /** Of the binary trees. */
  readonly depth: number;
  /** Whether to measure allocation, pauses and memory too. */
  readonly facts: boolean;
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
}

/** Measures and reports. @returns Whether every program came to the same result everywhere. Claims that are not met are reported, and no failure. */
export async function gc({ workloads: picks, depth, facts: wantsFacts, rounds, warmRounds, commandLine, json, csv }: GcOptions): Promise<boolean> {
  const machine = thisMachine();
  const loadBefore = loadavg()[0]!;
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}\n${describeMachine(machine)}\n${rounds} rounds after ${warmRounds} warm ones, all in turn; load average ${loadBefore.toFixed(2)} before`);
  const progress = makeProgress();
  const results: GcResult[] = [];
  for (const workload of gcWorkloads(depth).filter(({ name }) => picks.includes(name))) {
    const measured = await measureGc(workload, { rounds, warmRounds }, progress);
    results.push(...measured);
    say(`\n${formatGc(workload, measured, colour)}`);
  }
  const facts = wantsFacts ? await measureFacts(rounds, STEP_BUDGET_MS) : [];
  if (facts.length > 0) say(`\n${formatFacts(facts, colour)}`);
  const claims = gcClaims(facts, results, STEP_BUDGET_MS);
  const load = { before: loadBefore, after: loadavg()[0]! };
  say(`\n${formatGcClaims(claims)}\n\n${GC_LEGEND.join('\n')}\nload average ${load.after.toFixed(2)} after`);
  if (csv !== undefined) await writeFile(csv, formatGcCsv(results));
  if (json) {
    const report = { command: 'gc', commandLine, options: { workloads: picks, depth, rounds, warmRounds }, machine, load, claims, facts, results };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  }
  return results.every(({ status }) => status === 'ok');
}
