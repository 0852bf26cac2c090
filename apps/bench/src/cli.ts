/** The command line: `pnpm bench COMMAND`. */

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';

import { WASM_PAGE_SIZE } from '@allokit/vmem';
import { Command, InvalidArgumentError, Option } from 'commander';

import { fieldOf, UnknownAllocatorError, type CommandName } from './catalogue.ts';
import { arenaWorkload } from './commands/arena.ts';
import { churnWorkload } from './commands/churn.ts';
import { demoIntroduction, demoTraces } from './commands/demo.ts';
import { hybridWorkload } from './commands/hybrid.ts';
import { formatSizes, PAIR_SIZES, pairWorkload, type SizeRange } from './commands/pair.ts';
import { poolWorkloads } from './commands/pool.ts';
import { record } from './commands/record.ts';
import { vmem, VMEM_SIZE, VmemSizeError } from './commands/vmem.ts';
import type { MeasureOptions } from './measure.ts';
import { run } from './run.ts';
import { readTrace, requireFiles } from './trace/file.ts';
import { TraceError } from './trace/trace.ts';
import { EXPERIMENTS, type ExperimentName } from './vmem/measurement.ts';
import { replayWorkload, type Workload } from './workload.ts';

/** Options of whatever is done in rounds and reported. */
interface RoundsOptions {
  readonly json: boolean;
  readonly csv?: string;
  readonly rounds: number;
  readonly warm: number;
}

/** Options that every command that measures allocators has. */
interface CommonOptions extends RoundsOptions {
  readonly seed: number;
  readonly budget: number;
  readonly allocator: readonly string[];
  readonly base?: string;
  readonly list: boolean;
  readonly verify: boolean;
  readonly sized: boolean;
}

interface VmemCommandOptions extends RoundsOptions {
  readonly size?: number;
  readonly quick: boolean;
  readonly experiment: readonly ExperimentName[];
}

type WorkloadMaker = (seed: number) => Iterable<Workload> | AsyncIterable<Workload>;

const program = new Command('bench')
  .description('Measures the allocators of Allokit against their peers, on this machine, all in turn.')
  .configureHelp({ sortOptions: true })
  .showHelpAfterError('(add --help for the options)');

function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < minimum) throw new InvalidArgumentError(`It must be a whole number of at least ${minimum}.`);
    return value;
  };
}

function sizeRange(text: string): SizeRange {
  const [min = NaN, max = min, ...rest] = text.split('-').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (!(min >= 1 && max >= min && max < 2 ** 31) || rest.length > 0) throw new InvalidArgumentError('It must be bytes as in 64 or 16-1039, at least 1.');
  return { min, max };
}

/** Bytes in whole pages of WebAssembly. */
function memorySize(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(|[KMG])(?:i?B)?$/.exec(text) ?? [];
  const size = Math.ceil((Number(digits) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit)) / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;
  if (!(size >= VMEM_SIZE.min && size <= VMEM_SIZE.max)) throw new InvalidArgumentError('It must be a size as in 256MiB, of 1 MiB to 4 GiB.');
  return size;
}

function addExperiment(pick: string, picks: readonly ExperimentName[]): ExperimentName[] {
  const name = EXPERIMENTS.find((experiment) => experiment === pick);
  if (name === undefined) throw new InvalidArgumentError(`It must be one of ${EXPERIMENTS.join(', ')}.`);
  return [...picks, name];
}

/** A command with the options of whatever is done in rounds and reported. */
function roundsCommand(name: string, description: string, defaults: { rounds: number; warm: number }): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON, and nothing else, on standard output', false)
    .option('--csv <file>', 'write the results to a file as well')
    .option('--rounds <number>', 'rounds that count', wholeNumber(1), defaults.rounds)
    .option('--warm <number>', 'rounds before that, which do not', wholeNumber(1), defaults.warm);
}

/** A command with the options of all that measure allocators. */
function measuringCommand(name: string, description: string, defaults: { rounds: number; warm: number; budget: number }): Command {
  return roundsCommand(name, description, defaults)
    .option('--seed <number>', 'seed of the random sizes and orders', wholeNumber(0), 1)
    .option('--budget <seconds>', 'time after which a slow allocator is stopped', wholeNumber(1), defaults.budget)
    .option('--allocator <name>', 'measure this one; repeat for more (default: all)', (pick: string, picks: string[]) => [...picks, pick], [] as string[])
    .option('--base <name>', 'the allocator that ratios refer to (default: the first of ours)')
    .option('--list', 'list the allocators of this command and stop', false)
    .option('--sized', 'pass the size when freeing (default: only where the interface demands it)', false)
    .addOption(new Option('--verify', 'check every byte in a pass of its own, before anything is timed').default(true))
    .option('--no-verify', 'do not; footprints are unknown then');
}

/** What differs between commands. */
interface Execution {
  /** Said first. */
  readonly introduction?: readonly string[];
  /** The largest block, where that was the user's choice. */
  readonly size?: number;
}

async function execute(command: CommandName, options: CommonOptions, makeWorkloads: WorkloadMaker, { introduction, size }: Execution = {}): Promise<void> {
  const picks = options.base === undefined || options.allocator.length === 0 ? options.allocator : [...options.allocator, options.base];
  const field = await fieldOf(command, picks, size);
  if (options.list) {
    for (const { name, kind, description } of field.subjects) process.stdout.write(`${name.padEnd(16)} ${kind.padEnd(8)} ${description}\n`);
    for (const absence of field.absences) process.stdout.write(`${absence}\n`);
    return;
  }
  if (options.base !== undefined && !field.subjects.some(({ name }) => name === options.base)) await fieldOf(command, [options.base], size);
  const { rounds, warm: warmRounds, budget, verify, sized: sizedFree, base } = options;
  const measureOptions: MeasureOptions = { rounds, warmRounds, budget, verify, sizedFree, ...(base === undefined ? {} : { base }) };
  const { seed, json, csv } = options;
  const isFine = await run(makeWorkloads(seed), field, measureOptions, {
    command,
    commandLine: commandLine(),
    seed,
    json,
    ...(introduction === undefined ? {} : { introduction }),
    ...(csv === undefined ? {} : { csv: await userPath(csv) }),
  });
  if (!isFine) process.exitCode = 1;
}

/** What was typed. */
function commandLine(): string {
  return ['pnpm bench', ...process.argv.slice(2)].join(' ');
}

/** A path as the user meant it: script runners change the working folder and say where they were started. */
async function userPath(path: string): Promise<string> {
  const started = process.env['INIT_CWD'];
  if (started === undefined) return resolve(path);
  const here = resolve(path);
  const isHere = await access(here).then(
    () => true,
    () => false,
  );
  return isHere ? here : resolve(started, path);
}

const MICRO = { rounds: 41, warm: 10, budget: 8 };

measuringCommand('replay', 'Replay recorded traces.', { rounds: 15, warm: 3, budget: 30 })
  .argument('[file...]', 'traces, as in shared/traces; none: those of the demo')
  .action(async (files: string[], options: CommonOptions) => {
    const paths = await Promise.all(files.map(userPath));
    await requireFiles(paths);
    await execute('replay', options, async function* () {
      for (const path of paths.length === 0 ? await demoTraces() : paths) yield replayWorkload(await readTrace(path));
    });
  });

measuringCommand('pair', 'One block at a time, allocated and freed.', MICRO)
  .addOption(new Option('--size <min[-max]>', 'bytes of a block').argParser(sizeRange).default(PAIR_SIZES, formatSizes(PAIR_SIZES)))
  .action((options: CommonOptions & { readonly size: SizeRange }) => {
    return execute('pair', options, (seed) => [pairWorkload(seed, options.size)], { size: options.size.max });
  });

measuringCommand('churn', 'A table of live blocks in which random ones are replaced.', MICRO).action((options: CommonOptions) => {
  return execute('churn', options, (seed) => [churnWorkload(seed)]);
});

measuringCommand('pool', 'Objects of 64 bytes: 50,000 at once, then 100 over and over.', MICRO).action((options: CommonOptions) => {
  return execute('pool', options, () => poolWorkloads());
});

measuringCommand('arena', 'Blocks that die together.', MICRO).action((options: CommonOptions) => {
  return execute('arena', options, (seed) => [arenaWorkload(seed)]);
});

measuringCommand('hybrid', 'Small and large objects, 40,000 in all.', MICRO).action((options: CommonOptions) => {
  return execute('hybrid', options, () => [hybridWorkload()]);
});

measuringCommand('demo', 'Replay the recorded traces of real programs, verified: a minute or two.', { rounds: 9, warm: 2, budget: 4 })
  .option('--traces <folder>', 'where the traces are')
  .action(async (options: CommonOptions & { readonly traces?: string }) => {
    const paths = await demoTraces(options.traces === undefined ? undefined : await userPath(options.traces));
    await execute(
      'demo',
      options,
      async function* () {
        for (const path of paths) yield replayWorkload(await readTrace(path));
      },
      { introduction: demoIntroduction(paths) },
    );
  });

roundsCommand('vmem', 'Virtual memory: reserve, commit, pre-touch, what is resident, giving back.', { rounds: 5, warm: 1 })
  .addOption(new Option('--size <bytes>', 'what pre-touch makes resident (default: 4GiB, or what the machine can spare)').argParser(memorySize))
  .option('--quick', 'pre-touch 256 MiB, three rounds, unless told otherwise: under half a minute', false)
  .option('--experiment <name>', `do one only, of ${EXPERIMENTS.join(', ')}; repeat for more (default: all)`, addExperiment, [])
  .action(async (options: VmemCommandOptions, command: Command) => {
    const { json, csv, size, quick, rounds, warm: warmRounds, experiment: picks } = options;
    const isFine = await vmem({
      json,
      csv: csv === undefined ? undefined : await userPath(csv),
      commandLine: commandLine(),
      sizeBytes: size ?? (quick ? VMEM_SIZE.quick : undefined),
      rounds: quick && command.getOptionValueSource('rounds') === 'default' ? 3 : rounds,
      warmRounds,
      experiments: picks.length === 0 ? EXPERIMENTS : picks,
    });
    if (!isFine) process.exitCode = 1;
  });

program
  .command('record')
  .description('Record the allocations of a program on Linux: bench record -o FILE.altrace.gz -- COMMAND ARGUMENT...')
  .requiredOption('-o, --output <file>', 'the trace to write')
  .option('--limit <operations>', 'record the first so many only', wholeNumber(1), 2_000_000)
  .argument('<command...>', 'the program and its arguments')
  .action(async (command: string[], { output, limit }: { readonly output: string; readonly limit: number }) => {
    process.stdout.write(`${await record(command, await userPath(output), limit)}\n`);
  });

try {
  // Script runners pass on the "--" that separates their arguments from ours.
  const [first, ...rest] = process.argv.slice(2);
  await program.parseAsync(first === '--' ? rest : process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (!(error instanceof TraceError || error instanceof UnknownAllocatorError || error instanceof VmemSizeError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
