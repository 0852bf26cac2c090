/**
 * `compile-mode`: a compiler whose records lie in V1, in an arena, in a pool with an arena, and one of plain objects; the documented mix of objects; what is
 * claimed of both.
 */

import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';

import { fieldOf } from '../catalogue.ts';
import { allocatorClaims, mixClaims, programClaims, type CompileClaim } from '../compile-mode/claims.ts';
import { measureCompilation, type CompileResult } from '../compile-mode/compile-measurement.ts';
import { measureMix, type MixResult } from '../compile-mode/mix-measurement.ts';
import { generatedProgram, GENERATED_LINES, writtenPrograms, type CompiledProgram } from '../compile-mode/programs.ts';
import { COMPILE_LEGEND, compilePlots, formatCompilations, formatCompileClaims, formatCompileCsv, formatKinds, formatMix } from '../compile-mode/report.ts';
import type { TurnRounds } from '../compile-mode/turns.ts';
import { measure } from '../measure.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { writePlots } from '../report/plot-files.ts';
import { makeProgress, type Progress } from '../report/progress.ts';
import type { Result } from '../result.ts';
import { hybridWorkload } from './hybrid.ts';
import { poolWorkloads } from './pool.ts';

/** What can be asked for by itself. */
export const COMPILE_EXPERIMENTS = ['programs', 'mix', 'allocators'] as const;

/** One of them. */
export type CompileExperiment = (typeof COMPILE_EXPERIMENTS)[number];

export interface CompileModeOptions extends TurnRounds {
  readonly experiments: readonly CompileExperiment[];
  /** Lines of the generated programs; without any, {@link GENERATED_LINES} and the written ones. */
  readonly lines: readonly number[];
  readonly seed: number;
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
  /** The folder for plots. */
  readonly svg?: string | undefined;
}

/** Who takes part in the workloads of `pool`, and in that of `hybrid`. */
const POOLS = ['slab-pool', 'sql.js-dlmalloc', 'rust-dlmalloc', 'native-malloc'];
const HYBRIDS = ['hybridPool'];
/** Seconds after which a peer is stopped. */
const PEER_BUDGET = 8;

/**
 * Measures and reports.
 *
 * @returns Whether every compiler made the same bytecode, and every object kept its bytes. Claims that are not met are reported, and no failure.
 */
export async function compileMode(options: CompileModeOptions): Promise<boolean> {
  const { experiments, lines, seed, rounds, warmRounds, commandLine, json, csv, svg } = options;
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json && text !== '') process.stdout.write(`${text}\n`);
  };
  const loadBefore = loadavg()[0]!;
  say(
    `$ ${commandLine}\n${describeMachine(machine)}\nseed ${seed}; ${rounds} rounds after ${warmRounds} warm ones, all in turn; ` +
      `load average ${loadBefore.toFixed(2)} before`,
  );
  const progress = makeProgress();

  const results: CompileResult[] = [];
  if (experiments.includes('programs')) {
    for (const program of await programsOf(lines, seed)) {
      const measured = await measureCompilation(program, { rounds, warmRounds }, progress);
      results.push(...measured);
      say(`\n${formatCompilations(measured, colour)}`);
    }
    const longest = results.reduce((most, { lineCount }) => Math.max(most, lineCount), 0);
    say(
      `\n${formatKinds(
        results.filter(({ lineCount }) => lineCount === longest),
        colour,
      )}\n\n${COMPILE_LEGEND.join('\n')}`,
    );
  }
  const mix: MixResult[] = experiments.includes('mix') ? await measureMix(seed, { rounds, warmRounds }, progress) : [];
  if (mix.length > 0) say(`\n${formatMix(mix, colour)}`);
  const allocators = experiments.includes('allocators') ? await measureAllocators({ rounds, warmRounds }, progress) : [];
  const claims: CompileClaim[] = [...programClaims(results), ...mixClaims(mix), ...allocatorClaims(allocators)];
  if (claims.length > 0) say(`\n${formatCompileClaims(claims, colour)}`);
  const load = { before: loadBefore, after: loadavg()[0]! };
  say(`load average ${load.after.toFixed(2)} after`);

  if (csv !== undefined) await writeFile(csv, formatCompileCsv(results, mix));
  if (svg !== undefined) for (const path of await writePlots(svg, compilePlots(results, describeMachine(machine)))) say(path);
  if (json) {
    const report = {
      command: 'compile-mode',
      commandLine,
      options: { experiments, lines, seed, rounds, warmRounds },
      machine,
      load,
      claims,
      programs: results,
      mix,
      allocators,
    };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  }
  return [...results, ...mix].every(({ status }) => status === 'ok');
}

async function programsOf(lines: readonly number[], seed: number): Promise<CompiledProgram[]> {
  if (lines.length > 0) return lines.map((count) => generatedProgram(count, seed));
  return [...(await writtenPrograms()), ...GENERATED_LINES.map((count) => generatedProgram(count, seed))];
}

async function measureAllocators(rounds: TurnRounds, progress: Progress): Promise<Result[]> {
  const options = { ...rounds, budget: PEER_BUDGET, verify: false, sizedFree: false, inspects: false };
  const pools = await fieldOf('pool', POOLS);
  const hybrids = await fieldOf('hybrid', HYBRIDS);
  const results: Result[] = [];
  for (const workload of poolWorkloads()) results.push(...(await measure(workload, pools.subjects, options, progress)));
  results.push(...(await measure(hybridWorkload(), hybrids.subjects, options, progress)));
  return results;
}
