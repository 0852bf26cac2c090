/** The commands that print one table for each workload: replays, and one pattern of allocation each. */

import type { Command } from 'commander';

import { arenaWorkload } from '../commands/arena.ts';
import { churnWorkload } from '../commands/churn.ts';
import { demoIntroduction, demoTraces } from '../commands/demo.ts';
import { hybridWorkload } from '../commands/hybrid.ts';
import { PAIR_SIZES, pairWorkload, type SizeRange } from '../commands/pair.ts';
import { poolWorkloads } from '../commands/pool.ts';
import { readTrace, requireFiles } from '../trace/file.ts';
import { replayWorkload, type Workload } from '../workload.ts';
import { execute } from './execute.ts';
import { bareOption, blockSizeOption, comparingCommand, type ComparingOptions } from './options.ts';
import { userPath } from './paths.ts';

const MICRO = { rounds: 41, warm: 10, budget: 8 };

interface BareOptions extends ComparingOptions {
  readonly bare: boolean;
}

/** Adds them to the program. */
export function addTableCommands(program: Command): void {
  comparingCommand(program, 'replay', 'Replay recorded traces.', { rounds: 15, warm: 3, budget: 30 })
    .argument('[file...]', 'traces, as in shared/traces; none: those of the demo')
    .action(async (files: string[], options: ComparingOptions) => {
      const paths = await tracePaths(files);
      await execute('replay', options, () => replays(paths ?? demoTraces()));
    });

  comparingCommand(program, 'pair', 'One block at a time, allocated and freed.', MICRO)
    .addOption(blockSizeOption(PAIR_SIZES))
    .addOption(bareOption())
    .action(async ({ size, bare, ...options }: BareOptions & { readonly size: SizeRange }) => {
      await execute('pair', options, (seed) => [pairWorkload(seed, size)], { size: size.max, bare });
    });

  comparingCommand(program, 'churn', 'A table of live blocks in which random ones are replaced.', MICRO)
    .addOption(bareOption())
    .action(async ({ bare, ...options }: BareOptions) => {
      await execute('churn', options, (seed) => [churnWorkload(seed)], { bare });
    });

  comparingCommand(program, 'pool', 'Objects of 64 bytes: 50,000 at once, then 100 over and over.', MICRO)
    .addOption(bareOption())
    .action(async ({ bare, ...options }: BareOptions) => {
      await execute('pool', options, () => poolWorkloads(), { bare });
    });

  comparingCommand(program, 'arena', 'Blocks that die together.', MICRO)
    .addOption(bareOption())
    .action(async ({ bare, ...options }: BareOptions) => {
      await execute('arena', options, (seed) => [arenaWorkload(seed)], { bare });
    });

  comparingCommand(program, 'hybrid', 'Small and large objects, 40,000 in all.', MICRO).action(async (options: ComparingOptions) => {
    await execute('hybrid', options, () => [hybridWorkload()]);
  });

  comparingCommand(program, 'demo', 'Replay the recorded traces of real programs, verified: a minute or two.', { rounds: 9, warm: 2, budget: 4 })
    .option('--traces <folder>', 'where the traces are')
    .action(async (options: ComparingOptions & { readonly traces?: string }) => {
      const paths = await demoTraces(options.traces === undefined ? undefined : await userPath(options.traces));
      await execute('demo', options, () => replays(paths), { introduction: demoIntroduction(paths) });
    });
}

/** The files that were named, which must be there. `undefined` when none was. */
export async function tracePaths(files: readonly string[]): Promise<string[] | undefined> {
  const paths = await Promise.all(files.map(userPath));
  await requireFiles(paths);
  return paths.length === 0 ? undefined : paths;
}

/** The work of replaying each, read when its turn comes. */
export async function* replays(paths: readonly string[] | Promise<readonly string[]>): AsyncIterable<Workload> {
  for (const path of await paths) yield replayWorkload(await readTrace(path));
}
