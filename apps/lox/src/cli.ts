#!/usr/bin/env node
/** The command line: `lox [file]`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ExitCode } from './exit-code.ts';
import { drawHeap } from './heap-map.ts';
import { HybridSpace } from './records/index.ts';
import { repl } from './repl.ts';
import { formatReport, reportOf } from './report.ts';
import { Session } from './session.ts';
import { writeError, writeOutput } from './standard-streams.ts';
import { V1Space } from './v1/index.ts';

const MODES = ['runtime', 'compiler', 'v1'] as const;
const STRESS_ACTIONS = ['minor', 'step', 'full', 'compact'] as const;
const MIB = 2 ** 20;

interface Options {
  readonly mode: (typeof MODES)[number];
  readonly stats: boolean;
  readonly json: boolean;
  readonly heapMap?: string;
  readonly stressGc?: (typeof STRESS_ACTIONS)[number] | true;
  readonly limit: number;
}

/** Script runners change the working folder and say where they were started. */
function placeOf(path: string): string {
  const isScript = process.env['npm_package_name'] === 'lox' && process.env['npm_lifecycle_event'] === 'start';
  return isScript ? resolve(process.env['INIT_CWD'] ?? '', path) : path;
}

function mebibytes(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= 8 && value <= 2048)) throw new InvalidArgumentError('It must be a whole number from 8 to 2048.');
  return value * MIB;
}

async function run(file: string | undefined, { mode, stats, json, heapMap, stressGc, limit }: Options): Promise<number> {
  let source: Uint8Array | undefined;
  if (file !== undefined) {
    try {
      source = readFileSync(placeOf(file));
    } catch {
      writeError(`Could not open file "${file}".\n`);
      return ExitCode.File;
    }
  }
  // For JSON, what the program says is a part of it.
  const output: Buffer[] = [];
  let errors = '';
  const session = new Session({
    makeSpace: () => (mode === 'v1' ? V1Space.create() : HybridSpace.create()),
    compilesOnly: mode !== 'runtime',
    limit,
    flushesLines: !json && isatty(1),
    write: json ? (bytes) => void output.push(Buffer.from(bytes)) : writeOutput,
    writeError: json ? (text) => void (errors += text) : writeError,
    ...(stressGc === undefined ? {} : { stress: { action: stressGc === true ? 'step' : stressGc } }),
  });
  let exitCode: number = ExitCode.Ok;
  if (source === undefined) await repl(session, json);
  else exitCode = session.interpret(source);
  if (heapMap !== undefined && session.machine !== undefined) writeFileSync(placeOf(heapMap), drawHeap(session.machine.heap));
  if (json) {
    const report = { exitCode, output: Buffer.concat(output).toString(), errors, ...reportOf(session) };
    writeOutput(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
  } else if (stats) writeError(`\n${formatReport(reportOf(session))}`);
  return exitCode;
}

const program = new Command('lox')
  .description('Runs a Lox program, or asks for lines of one.')
  .argument('[file]', 'the program (default: a prompt)')
  .addOption(new Option('--mode <mode>', 'runtime compiles and runs; compiler compiles only; v1 too, in the allocator that compiler mode replaced').choices(MODES).default('runtime'))
  .option('--stats', 'say afterwards what it took, on the standard error stream', false)
  .option('--json', 'print JSON, and nothing else: what the program printed, its errors, and what it took', false)
  .option('--heap-map <file>', 'draw the heap as it is in the end, an SVG')
  .addOption(
    new Option('--stress-gc [action]', 'collect at every allocation (default: step, the nursery and a little of the rest)').choices(STRESS_ACTIONS),
  )
  .option('--limit <MiB>', 'the most that the heap may take', mebibytes, 512 * MIB)
  .allowExcessArguments(false)
  .exitOverride()
  .action(async (file: string | undefined, options: Options) => {
    process.exitCode = await run(file, options);
  });

/** Says what went wrong, to whoever can still be told. */
function complain(text: string): void {
  try {
    writeError(text);
  } catch {
    // Nobody: the exit code has to do.
  }
}

try {
  // Script runners pass on the "--" that separates their arguments from ours.
  const [first, ...rest] = process.argv.slice(2);
  await program.parseAsync(first === '--' ? rest : process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) complain('Usage: lox [path]\n');
    process.exitCode = error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
  } else if (error instanceof Error && 'syscall' in error) {
    // A picture that cannot be written, a reader that went away.
    if (!('code' in error && error.code === 'EPIPE')) complain(`error: ${error.message}\n`);
    process.exitCode = ExitCode.File;
  } else throw error;
}
