/** The command line: `pnpm bench COMMAND`. */

import { Command, Option } from 'commander';

import { UnknownAllocatorError } from './catalogue.ts';
import { memorySize, oneOf, programLines, roundsCommand, svgOption, wholeNumber, type DrawingOptions, type RoundsOptions } from './cli/options.ts';
import { commandLine, outputPaths, userPath } from './cli/paths.ts';
import { addPictureCommands } from './cli/pictures.ts';
import { addReportCommand } from './cli/report.ts';
import { addTableCommands } from './cli/tables.ts';
import { assets } from './commands/assets.ts';
import { compileMode, COMPILE_EXPERIMENTS, type CompileExperiment } from './commands/compile-mode.ts';
import { compose } from './commands/compose.ts';
import { copy } from './commands/copy.ts';
import { gc, GC_WORKLOADS } from './commands/gc.ts';
import { inspect } from './commands/inspect.ts';
import { instances, INSTANCES_SIZE } from './commands/instances.ts';
import { record } from './commands/record.ts';
import { threads } from './commands/threads.ts';
import { vmem, VMEM_SIZE, VmemSizeError } from './commands/vmem.ts';
import { PROGRAM_LINES_MAX } from './compile-mode/program-generator.ts';
import { OPERATIONS, type Operation } from './copy/subjects.ts';
import { PROGRAMS, type ProgramName } from './inspect/protocol.ts';
import { INSTANCE_EXPERIMENTS, type InstanceExperimentName } from './instances/measurement.ts';
import { TASKS, type Task } from './threads/subjects.ts';
import { TraceError } from './trace/trace.ts';
import { EXPERIMENTS, type ExperimentName } from './vmem/measurement.ts';

interface VmemCommandOptions extends RoundsOptions {
  readonly size?: number;
  readonly quick: boolean;
  readonly experiment: readonly ExperimentName[];
}

interface InstancesCommandOptions extends RoundsOptions, DrawingOptions {
  readonly size?: number;
  readonly quick: boolean;
  readonly experiment: readonly InstanceExperimentName[];
}

interface CompileModeCommandOptions extends RoundsOptions, DrawingOptions {
  readonly seed: number;
  readonly lines: readonly number[];
  readonly experiment: readonly CompileExperiment[];
}

const program = new Command('bench')
  .description('Measures the allocators of Allokit against their peers, on this machine, all in turn.')
  .configureHelp({ sortOptions: true })
  .showHelpAfterError('(add --help for the options)');

addTableCommands(program);
addPictureCommands(program);
addReportCommand(program);

roundsCommand(program, 'vmem', 'Virtual memory: reserve, commit, pre-touch, what is resident, giving back.', { rounds: 5, warm: 1 })
  .addOption(new Option('--size <bytes>', 'what pre-touch makes resident (default: 4GiB, or what the machine can spare)').argParser(memorySize))
  .option('--quick', 'pre-touch 256 MiB, three rounds, unless told otherwise: under half a minute', false)
  .option('--experiment <name>', `do one only, of ${EXPERIMENTS.join(', ')}; repeat for more (default: all)`, oneOf(EXPERIMENTS), [] as ExperimentName[])
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

roundsCommand(program, 'compose', 'A call through an assembly while others are alive: plain and compiled, at its own call site and a shared one.', { rounds: 21, warm: 8 })
  .option('--seed <number>', 'seed of the random sizes', wholeNumber(0), 1)
  .action(async ({ json, csv, rounds, warm: warmRounds, seed }: RoundsOptions & { readonly seed: number }) => {
    const isFine = await compose({ rounds, warmRounds, seed, json, csv: csv === undefined ? undefined : await userPath(csv), commandLine: commandLine() });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'compile-mode', 'A compiler whose records lie in V1, in an arena, in a pool with an arena; one of objects.', { rounds: 15, warm: 10 })
  .addOption(svgOption())
  .option('--seed <number>', 'seed of the generated programs and of the mix', wholeNumber(0), 1)
  .option(
    '--lines <number>',
    `compile a generated program of so many lines, at most ${PROGRAM_LINES_MAX}; repeat for more (default: five, and the written ones)`,
    programLines,
    [] as number[],
  )
  .option(
    '--experiment <name>',
    `do one only, of ${COMPILE_EXPERIMENTS.join(', ')}; repeat for more (default: all)`,
    oneOf(COMPILE_EXPERIMENTS),
    [] as CompileExperiment[],
  )
  .action(async (options: CompileModeCommandOptions) => {
    const { json, rounds, warm: warmRounds, seed, lines, experiment: picks } = options;
    const experiments = COMPILE_EXPERIMENTS.filter((name) => picks.length === 0 || picks.includes(name));
    const isFine = await compileMode({ experiments, lines, seed, rounds, warmRounds, json, commandLine: commandLine(), ...(await outputPaths(options)) });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'copy', 'Bytes copied, filled, compared and searched, 6 of them to a million, one call at a time and in batches.', { rounds: 41, warm: 15 })
  .addOption(svgOption())
  .option('--operation <name>', `do one only, of ${OPERATIONS.join(', ')}; repeat for more (default: all)`, oneOf(OPERATIONS), [] as Operation[])
  .action(async (options: RoundsOptions & DrawingOptions & { readonly operation: readonly Operation[] }) => {
    const { json, rounds, warm: warmRounds, operation: picks } = options;
    const operations = OPERATIONS.filter((name) => picks.length === 0 || picks.includes(name));
    const isFine = await copy({ operations, rounds, warmRounds, json, commandLine: commandLine(), ...(await outputPaths(options)) });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'assets', 'Assets over HTTP into linear memory, beside reading their bodies and nothing else: time, and peak memory.', { rounds: 9, warm: 2 })
  .option('--count <number>', 'how many assets', wholeNumber(1), 1000)
  .option('--size <bytes>', 'bytes of each', wholeNumber(1), 65_536)
  .option('--memory-rounds <number>', 'fresh processes in which the memory of each is measured (on Linux)', wholeNumber(1), 5)
  .action(async ({ json, csv, rounds, warm: warmRounds, count, size: sizeBytes, memoryRounds }: RoundsOptions & { readonly count: number; readonly size: number; readonly memoryRounds: number }) => {
    const isFine = await assets({ count, sizeBytes, rounds, warmRounds, memoryRounds, json, csv: csv === undefined ? undefined : await userPath(csv), commandLine: commandLine() });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'gc', 'Garbage collection: programs in a generational heap, on plain objects and in AssemblyScript; pauses, allocation and memory of the first.', { rounds: 11, warm: 4 })
  .option('--depth <number>', 'of the binary trees', wholeNumber(4), 16)
  .option('--workload <name>', `do one only, of ${GC_WORKLOADS.join(', ')}; repeat for more (default: all)`, oneOf(GC_WORKLOADS), [] as (typeof GC_WORKLOADS)[number][])
  .option('--no-facts', 'leave out allocation, pauses and memory')
  .action(async (options: RoundsOptions & { readonly depth: number; readonly workload: readonly (typeof GC_WORKLOADS)[number][]; readonly facts: boolean }) => {
    const { json, csv, rounds, warm: warmRounds, depth, workload: picks, facts } = options;
    const workloads = GC_WORKLOADS.filter((name) => picks.length === 0 || picks.includes(name));
    const isFine = await gc({ workloads, depth, facts, rounds, warmRounds, json, commandLine: commandLine(), csv: csv === undefined ? undefined : await userPath(csv) });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'instances', 'A clean WebAssembly instance for each run: fresh ones against the reset of pooled ones.', { rounds: 3, warm: 0 })
  .addOption(svgOption())
  .addOption(new Option('--size <bytes>', 'the large memory (default: 4GiB, or what the machine can spare)').argParser(memorySize))
  .option('--quick', 'a large memory of 256 MiB unless told otherwise', false)
  .option('--experiment <name>', `do one only, of ${INSTANCE_EXPERIMENTS.join(', ')}; repeat for more (default: all)`, oneOf(INSTANCE_EXPERIMENTS), [] as InstanceExperimentName[])
  .action(async (options: InstancesCommandOptions) => {
    const { json, size, quick, rounds, experiment: picks } = options;
    const experiments = INSTANCE_EXPERIMENTS.filter((name) => picks.length === 0 || picks.includes(name));
    const sizeBytes = size ?? (quick ? INSTANCES_SIZE.quick : undefined);
    await instances({ sizeBytes, rounds, experiments, json, commandLine: commandLine(), ...(await outputPaths(options)) });
  });

roundsCommand(program, 'threads', 'Allocating in one thread and in several at once: blocks of their own, blocks of one another, the same few slabs.', { rounds: 41, warm: 15 })
  .addOption(svgOption())
  .option('--task <name>', `do one only, of ${TASKS.join(', ')}; repeat for more (default: all)`, oneOf(TASKS), [] as Task[])
  .action(async (options: RoundsOptions & DrawingOptions & { readonly task: readonly Task[] }) => {
    const { json, rounds, warm: warmRounds, task: picks } = options;
    const tasks = TASKS.filter((name) => picks.length === 0 || picks.includes(name));
    const isFine = await threads({ tasks, rounds, warmRounds, json, commandLine: commandLine(), ...(await outputPaths(options)) });
    if (!isFine) process.exitCode = 1;
  });

roundsCommand(program, 'inspect', 'What it costs a program to be looked at: recorded, sampled, every block noted, or not at all; V8\'s own profilers beside.', { rounds: 21, warm: 8 })
  .option('--seed <number>', 'seed of the random sizes', wholeNumber(0), 1)
  .option('--program <name>', `do one only, of ${PROGRAMS.join(', ')}; repeat for more (default: all)`, oneOf(PROGRAMS), [] as ProgramName[])
  .action(async ({ json, csv, rounds, warm: warmRounds, seed, program: picks }: RoundsOptions & { readonly seed: number; readonly program: readonly ProgramName[] }) => {
    const programs = PROGRAMS.filter((name) => picks.length === 0 || picks.includes(name));
    await inspect({ programs, rounds, warmRounds, seed, json, commandLine: commandLine(), csv: csv === undefined ? undefined : await userPath(csv) });
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
