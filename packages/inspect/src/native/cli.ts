/** The command line: `npx @allokit/inspect COMMAND`. */

import { readFileSync } from 'node:fs';
import { AllocatorError } from '@allokit/allocator';
import { Command, InvalidArgumentError } from 'commander';
import { TraceError } from '../trace.ts';
import { inspectLeaks, inspectMap, inspectProfile, inspectRecord, type ProgramOptions } from './program-commands.ts';
import { isTraceName } from './trace-file.ts';
import { mapTrace, replayTraces, tuneTraces, type MapTraceOptions, type ReplayOptions, type TuneCommandOptions } from './trace-commands.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.resolve('@allokit/inspect/node')), 'utf8')) as { readonly version: string };

const program = new Command('allokit-inspect')
  .description('Looks at the allocators of a program that passes them through inspected(), and at recorded traces.')
  .version(version)
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for the options)');

/** A command that runs a program: everything behind its name is the program's. */
function programCommand(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .passThroughOptions()
    .argument('<program>', 'a JavaScript or TypeScript file')
    .argument('[arguments...]', 'what it is given');
}

programCommand('leaks', 'Run a program and report what is still allocated when it ends, by the place that allocated it. Exits with 1 where something is.')
  .option('-o, --output <file>', 'write the report to a file (default: to standard error)')
  .option('--sample <bytes>', 'note one block in so many bytes on average, 0 for all', wholeNumber(0, 2 ** 30), 0)
  .option('--depth <frames>', 'frames of a call stack', wholeNumber(1, 1000), 16)
  .option('--json', 'report as JSON', false)
  .action(async (file: string, rest: string[], options: ProgramOptions) => {
    process.exitCode = await inspectLeaks([file, ...rest], options);
  });

programCommand('profile', 'Run a program and write which places hold how much memory, for pprof or for Chrome, by the name of the file.')
  .requiredOption('-o, --output <file>', 'FILE.pb.gz, FILE.pb, or FILE.heapprofile')
  .option('--sample <bytes>', 'note one block in so many bytes on average, 0 for all', wholeNumber(0, 2 ** 30), 0)
  .option('--depth <frames>', 'frames of a call stack', wholeNumber(1, 1000), 64)
  .action(async (file: string, rest: string[], options: ProgramOptions & { readonly output: string }) => {
    process.exitCode = await inspectProfile([file, ...rest], options);
  });

programCommand('record', 'Run a program and record what it asks of its allocator, as a trace.')
  .requiredOption('-o, --output <file>', 'FILE.altrace.gz, or FILE.altrace')
  .option('--limit <operations>', 'record the first so many only', wholeNumber(1, 2 ** 28), 2 ** 24)
  .action(async (file: string, rest: string[], options: ProgramOptions & { readonly output: string }) => {
    process.exitCode = await inspectRecord([file, ...rest], options);
  });

programCommand('map', 'Draw what lies where in the memory of a program, or of an allocator that a trace is replayed over.')
  .requiredOption('-o, --output <file>', 'the SVG to write')
  .option('--after <operations>', 'as it is after so many operations (default: at the end of a program, at the peak of a trace)', wholeNumber(1))
  .option('--allocator <name>', 'what a trace is replayed over', 'general')
  .action(async (file: string, rest: string[], options: ProgramOptions & MapTraceOptions) => {
    process.exitCode = isTraceName(file) ? await mapTrace(file, options) : await inspectMap([file, ...rest], options);
  });

program
  .command('replay')
  .description('Replay traces over an allocator: time, failures, and the smallest memory they run in.')
  .argument('<traces...>', 'FILE.altrace or FILE.altrace.gz')
  .option('--allocator <name>', 'the one', 'general')
  .option('--rounds <number>', 'replays against the clock', wholeNumber(1, 1000), 5)
  .option('--json', 'print JSON', false)
  .action(async (files: string[], options: ReplayOptions) => {
    await replayTraces(files, options);
  });

program
  .command('tune')
  .description('Replay traces over several assemblies: which is the fastest, which needs the least memory, and what suffices in the worst case.')
  .argument('<traces...>', 'FILE.altrace or FILE.altrace.gz')
  .option('--allocator <name>', 'compare this one; repeat for more (default: all)', (pick: string, picks: string[]) => [...picks, pick], [] as string[])
  .option('--candidates <module>', 'a module that exports an array `candidates` to compare instead')
  .option('--rounds <number>', 'replays against the clock', wholeNumber(1, 1000), 5)
  .option('--json', 'print JSON', false)
  .action(async (files: string[], options: TuneCommandOptions) => {
    await tuneTraces(files, options);
  });

function wholeNumber(minimum: number, maximum = Infinity): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    const range = maximum === Infinity ? `of at least ${minimum}` : `in ${minimum}..${maximum}`;
    if (!(value >= minimum && value <= maximum)) throw new InvalidArgumentError(`It must be a whole number ${range}.`);
    return value;
  };
}

/** What a user can mend: anything else is shown with its stack. */
function isExpected(error: unknown): error is Error {
  if (error instanceof TraceError || error instanceof RangeError || error instanceof TypeError || error instanceof AllocatorError) return true;
  return error instanceof Error && 'syscall' in error;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 2;
}
