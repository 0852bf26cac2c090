/** The command line: `pnpm --filter game-heap start`. */

import { resolve } from 'node:path';
import { AllocatorError, HEAP_SIZE_MIN } from 'allokit';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { MemoryKind } from './memory.ts';

interface Options {
  readonly memory: MemoryKind;
  readonly size: number;
  readonly frames?: number;
  readonly seed: number;
  readonly json: boolean;
  readonly plot: string | false;
  readonly quick: boolean;
}

/** Frames and rounds of the comparison. */
const FULL = { frames: 480, rounds: 2 } as const;
const QUICK = { frames: 150, rounds: 1 } as const;

const SIZE_MAX = 2 ** 32 - 2 ** 20;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const value = digits === '' ? NaN : Number(digits) * UNITS[unit.toLowerCase()]!;
  if (!(value >= HEAP_SIZE_MIN && value <= SIZE_MAX))
    throw new InvalidArgumentError(`It must be bytes as in 1GiB, 512MiB or 1048576, from ${HEAP_SIZE_MIN} to ${SIZE_MAX}.`);
  return value;
}

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= minimum && value <= maximum)) throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    return value;
  };
}

const program = new Command('game-heap')
  .description('A display-list runtime whose every byte lies in one heap: its life from reserve to release, and what its ways to commit memory cost.')
  .addOption(new Option('--memory <kind>', 'what the heap lies in').choices(['native', 'wasm']).default('native'))
  .option('--size <bytes>', 'bytes of the heap', bytes, 2 ** 30)
  .option('--frames <count>', `frames to run (default: ${FULL.frames}, quick ${QUICK.frames})`, wholeNumber(1, 100_000))
  .option('--seed <number>', 'seed of everything random', wholeNumber(0, 2 ** 32 - 1), 1)
  .option('--json', 'print JSON, and nothing else, on standard output', false)
  .option('--plot <file>', 'where the plot goes, an SVG', 'game-heap.svg')
  .option('--no-plot', 'draw none')
  .option('--quick', 'fewer frames, one round', false)
  .allowExcessArguments(false)
  .showHelpAfterError('(add --help for the options)')
  .action(async ({ memory, size, frames, seed, json, plot, quick }: Options) => {
    const { frames: framesDefault, rounds } = quick ? QUICK : FULL;
    // Script runners change the working folder and say where they were started.
    const path = plot === false ? {} : { plot: resolve(process.env['INIT_CWD'] ?? '', plot) };
    // Not before it is known what to do: it brings the plotting library along.
    const { run } = await import('./run.ts');
    const areAllGood = await run({ memory, size, frames: frames ?? framesDefault, seed, rounds, json, ...path });
    if (!areAllGood) process.exitCode = 1;
  });

try {
  const [first, ...rest] = process.argv.slice(2);
  await program.parseAsync(first === '--' ? rest : process.argv.slice(2), { from: 'user' });
} catch (error) {
  // A plot that cannot be written, a heap that cannot be had: the rest is our own mistake.
  if (!(error instanceof AllocatorError || (error instanceof Error && 'syscall' in error))) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
