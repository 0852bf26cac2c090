/** The options that commands share: how they are typed, and what is refused. */

import { WASM_PAGE_SIZE } from '@allokit/vmem';
import { InvalidArgumentError, Option, type Command } from 'commander';

import { PROGRAM_LINES_MAX } from '../compile-mode/program-generator.ts';
import { formatSizes, type SizeRange } from '../commands/pair.ts';
import { VMEM_SIZE } from '../commands/vmem.ts';

/** Options of whatever is done in rounds and reported. */
export interface RoundsOptions {
  readonly json: boolean;
  readonly csv?: string;
  readonly rounds: number;
  readonly warm: number;
}

/** Options that every command that measures allocators has. */
export interface MeasuringOptions extends RoundsOptions {
  readonly seed: number;
  readonly budget: number;
  readonly allocator: readonly string[];
  readonly list: boolean;
  readonly verify: boolean;
  readonly sized: boolean;
}

/** Options of those that compare medians with a base. */
export interface ComparingOptions extends MeasuringOptions {
  readonly base?: string;
}

/** Options of those that draw. */
export interface DrawingOptions {
  readonly svg?: string;
}

/** What differs where nothing is typed. */
export interface Defaults {
  readonly rounds: number;
  readonly warm: number;
  /** The fewest that can be asked for. Default 0. */
  readonly warmMin?: number;
}

/** A command with the options of whatever is done in rounds and reported. */
export function roundsCommand(program: Command, name: string, description: string, { rounds, warm, warmMin = 0 }: Defaults): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON, and nothing else, on standard output', false)
    .option('--csv <file>', 'write the results to a file as well')
    .option('--rounds <number>', 'rounds that count', wholeNumber(1), rounds)
    .option('--warm <number>', 'rounds before that, which do not', wholeNumber(warmMin), warm);
}

/** A command with the options of all that measure allocators. */
export function measuringCommand(program: Command, name: string, description: string, defaults: Defaults & { readonly budget: number }): Command {
  // The first warm round tells who is too slow.
  return roundsCommand(program, name, description, { ...defaults, warmMin: 1 })
    .option('--seed <number>', 'seed of the random sizes and orders', wholeNumber(0), 1)
    .option('--budget <seconds>', 'time after which a slow allocator is stopped', wholeNumber(1), defaults.budget)
    .option('--allocator <name>', 'measure this one; repeat for more (default: all)', (pick: string, picks: string[]) => [...picks, pick], [] as string[])
    .option('--list', 'list the allocators of this command and stop', false)
    .option('--sized', 'pass the size when freeing (default: only where the interface demands it)', false)
    .addOption(new Option('--verify', 'check every byte in a pass of its own, before anything is timed').default(true))
    .option('--no-verify', 'do not; footprints are unknown then');
}

/** The same, where medians are compared with those of one subject. */
export function comparingCommand(program: Command, name: string, description: string, defaults: Defaults & { readonly budget: number }): Command {
  return measuringCommand(program, name, description, defaults).option('--base <name>', 'the allocator that ratios refer to (default: the first of ours)');
}

/** Blocks that nobody touches. */
export function bareOption(): Option {
  return new Option('--bare', 'leave the blocks untouched: what the allocator alone costs').default(false);
}

/** Plots. */
export function svgOption(): Option {
  return new Option('--svg <folder>', 'draw the results into a folder as well');
}

/** Bytes of a block. */
export function blockSizeOption(sizes: SizeRange): Option {
  return new Option('--size <min[-max]>', 'bytes of a block').argParser(sizeRange).default(sizes, formatSizes(sizes));
}

/** Parses a whole number. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < minimum) throw new InvalidArgumentError(`It must be a whole number of at least ${minimum}.`);
    return value;
  };
}

/** Parses one of a few names, and adds it to those typed before. */
export function oneOf<Name extends string>(names: readonly Name[]): (pick: string, picks: readonly Name[]) => Name[] {
  return (pick, picks) => {
    const name = names.find((candidate) => candidate === pick);
    if (name === undefined) throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`);
    return [...picks, name];
  };
}

/** Parses the length of a generated program, and adds it to those typed before. */
export function programLines(text: string, lines: readonly number[]): number[] {
  const count = wholeNumber(1)(text);
  if (count > PROGRAM_LINES_MAX) throw new InvalidArgumentError(`It must be at most ${PROGRAM_LINES_MAX}.`);
  return [...lines, count];
}

function sizeRange(text: string): SizeRange {
  const [min = NaN, max = min, ...rest] = text.split('-').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (!(min >= 1 && max >= min && max < 2 ** 31) || rest.length > 0) throw new InvalidArgumentError('It must be bytes as in 64 or 16-1039, at least 1.');
  return { min, max };
}

/** Bytes in whole pages of WebAssembly. */
export function memorySize(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(|[KMG])(?:i?B)?$/.exec(text) ?? [];
  const size = Math.ceil((Number(digits) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit)) / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;
  if (!(size >= VMEM_SIZE.min && size <= VMEM_SIZE.max)) throw new InvalidArgumentError('It must be a size as in 256MiB, of 1 MiB to 4 GiB.');
  return size;
}
