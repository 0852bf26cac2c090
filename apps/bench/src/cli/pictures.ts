/** The commands whose result is a picture: how cost grows, and how it is spread. */

import type { Command } from 'commander';

import { CHURN, churnWorkload } from '../commands/churn.ts';
import type { SizeRange } from '../commands/pair.ts';
import { sweep } from '../commands/sweep.ts';
import { worst } from '../commands/worst.ts';
import { sweepPoints, SWEEPS, type SweepName } from '../sweep/points.ts';
import { chosenField, measureOptions } from './execute.ts';
import {
  bareOption,
  blockSizeOption,
  comparingCommand,
  measuringCommand,
  oneOf,
  svgOption,
  type ComparingOptions,
  type DrawingOptions,
  type MeasuringOptions,
} from './options.ts';
import { commandLine, outputPaths } from './paths.ts';
import { replays, tracePaths } from './tables.ts';

interface SweepCommandOptions extends ComparingOptions, DrawingOptions {
  readonly quick: boolean;
  readonly bare: boolean;
  readonly sweep: readonly SweepName[];
}

interface WorstCommandOptions extends MeasuringOptions, DrawingOptions {
  readonly size: SizeRange;
}

/** What `--quick` does unless told otherwise. */
const QUICK = { rounds: 5, warm: 5 };

/** Adds them to the program. */
export function addPictureCommands(program: Command): void {
  comparingCommand(program, 'sweep', 'How cost grows: with the number of live blocks, and with their size.', { rounds: 21, warm: 8, budget: 20 })
    .addOption(svgOption())
    .addOption(bareOption())
    .option('--quick', `fewer points, ${QUICK.rounds} rounds, unless told otherwise: about half a minute`, false)
    .option('--sweep <name>', `do one only, of ${SWEEPS.join(', ')}; repeat for more (default: all)`, oneOf(SWEEPS), [] as SweepName[])
    .action(async (options: SweepCommandOptions, command: Command) => {
      const field = await chosenField('sweep', options);
      if (field === undefined) return;
      const { quick, seed, bare, json, sweep: picks } = options;
      const isQuickly = (name: 'rounds' | 'warm'): boolean => quick && command.getOptionValueSource(name) === 'default';
      const rounds = isQuickly('rounds') ? QUICK.rounds : options.rounds;
      const warm = isQuickly('warm') ? QUICK.warm : options.warm;
      const points = SWEEPS.filter((name) => picks.length === 0 || picks.includes(name)).flatMap((name) => sweepPoints(name, { quick }));
      const report = { commandLine: commandLine(), seed, bare, json, ...(await outputPaths(options)) };
      if (!(await sweep(points, field, measureOptions({ ...options, rounds, warm }), report))) process.exitCode = 1;
    });

  measuringCommand(program, 'worst', 'What single operations take, from the typical one to the slowest.', { rounds: 21, warm: 3, budget: 20 })
    .argument('[file...]', 'traces to replay (default: the work of churn)')
    .addOption(svgOption())
    .addOption(blockSizeOption(CHURN.size))
    .action(async (files: string[], options: WorstCommandOptions) => {
      const paths = await tracePaths(files);
      // Recorded programs ask for blocks of any size.
      const field = await chosenField('worst', options, paths === undefined ? options.size.max : Infinity);
      if (field === undefined) return;
      const { seed, json, size } = options;
      const workloads = paths === undefined ? [churnWorkload(seed, { ...CHURN, size })] : replays(paths);
      const report = { commandLine: commandLine(), seed, json, ...(await outputPaths(options)) };
      if (!(await worst(workloads, field, measureOptions(options), report))) process.exitCode = 1;
    });
}
