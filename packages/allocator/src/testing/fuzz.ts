/**
 * Runs random programs against an allocator and its model, and on failure says which seed did it, where, and the shortest program that
 * does it as well.
 */

import { ConformanceError, errorOf, show } from './assert.ts';
import { isAllocator, type AnyAllocator } from './model.ts';
import { describeOperation, generateProgram, SHAPES, type Program, type Shape } from './programs.ts';
import { Random } from './random.ts';
import { replay, ReplayError, type ReplayOptions } from './replay.ts';
import { shrink } from './shrink.ts';
import { limitsOf, subjectOf, widthOf, type Create } from './subject.ts';

/** What is fuzzed, and for how long. */
export interface FuzzOptions extends ReplayOptions {
  /** Determines the program. By default the environment variable `ALLOKIT_SEED`, where there is one, or else a fresh one. */
  readonly seed?: number;
  /** What the program is like. By default the seed decides. */
  readonly shape?: Shape;
  /** How many operations, before those that run into out of memory and drain at the end. Default 2000. */
  readonly operations?: number;
  /** How many operations may be spent on making a failing program shorter. 0 for none. Default 200,000. */
  readonly shrinkOperations?: number;
}

/** How many operations before the one that failed are shown. */
const SHOWN_COUNT = 10;

/** How many operations of a minimal program are shown. */
const SHOWN_MINIMAL_COUNT = 60;

/** The allocator broke its contract in a random program: the message says how to see it again. */
export class FuzzError extends ConformanceError {
  /** The seed of the program. */
  readonly seed: number;
  /** The index of the operation that failed, in the program that the seed yields. */
  readonly index: number;
  /** The shortest program found that fails too, for `replay`. */
  readonly program: Program;

  /** @param message - With everything a person needs to reproduce the failure. */
  constructor(message: string, { seed, index, program, cause }: { seed: number; index: number; program: Program; cause: Error }) {
    super(message, { cause });
    this.seed = seed;
    this.index = index;
    this.program = program;
  }
}

/** The seed in the environment variable `ALLOKIT_SEED`, where there are environment variables and this one is set. */
export function environmentSeed(): number | undefined {
  // Browsers have no `process`, and this file imports nothing that they lack.
  const process = Reflect.get(globalThis, 'process') as { readonly env?: Readonly<Record<string, string | undefined>> } | undefined;
  const text = process?.env?.['ALLOKIT_SEED'];
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) throw new RangeError(`ALLOKIT_SEED must be in 0..4294967295, got ${show(text)}`);
  return seed;
}

/**
 * Runs one random program: allocates, frees, reallocates and resizes, into out of memory and down to no live block. Checks every call against
 * the contract and every block's content against the model.
 *
 * @throws FuzzError when the allocator breaks its contract.
 */
export function fuzz(create: Create<AnyAllocator>, options: FuzzOptions): void {
  const seed = options.seed ?? environmentSeed() ?? Math.floor(Math.random() * 0x1_0000_0000);
  const program = fuzzProgram(create, { ...options, seed });
  const error = failureOf(create, program, options);
  if (error === undefined) return;
  const reached = program.slice(0, error.index + 1);
  const { shrinkOperations = 200_000 } = options;
  const fails = (list: Program): boolean => failureOf(create, list, options) !== undefined;
  const minimal = shrinkOperations === 0 ? reached : shrink(reached, fails, { itemCountMax: shrinkOperations });
  throw new FuzzError(report(error, { seed, program, minimal, options }), { seed, index: error.index, program: minimal, cause: error });
}

/** The program that `fuzz` runs for these options. */
export function fuzzProgram(create: Create<AnyAllocator>, options: FuzzOptions & { readonly seed: number }): Program {
  const random = Random.fromSeed(options.seed);
  const subject = subjectOf(create);
  const limits = limitsOf(options, widthOf(subject.allocator));
  const freesBlocks = isAllocator(subject.allocator);
  if (subject.dispose === undefined) subject.allocator.release();
  else subject.dispose();
  const shape = options.shape ?? random.choice(SHAPES);
  return generateProgram(random, { ...limits, freesBlocks, shape, operationCount: options.operations ?? 2000 });
}

/** What replaying `program` finds wrong, if anything. */
function failureOf(create: Create<AnyAllocator>, program: Program, options: ReplayOptions): ReplayError | undefined {
  const error = errorOf(() => {
    replay(create, program, options);
  });
  if (error === undefined || error instanceof ReplayError) return error;
  return new ReplayError(0, error);
}

function report(
  error: ReplayError,
  { seed, program, minimal, options }: { readonly seed: number; readonly program: Program; readonly minimal: Program; readonly options: FuzzOptions },
): string {
  const call = JSON.stringify({ ...options, seed });
  const first = Math.max(0, error.index - SHOWN_COUNT + 1);
  const last = program.slice(first, error.index + 1).map((operation, i) => `    ${first + i}: ${describeOperation(operation)}`);
  const shown = minimal.slice(0, SHOWN_MINIMAL_COUNT).map((operation) => `    ${describeOperation(operation)}`);
  const rest = minimal.length > shown.length ? [`    ... and ${minimal.length - shown.length} more, in the error's \`program\``] : [];
  return [
    `operation ${error.index} of ${program.length} failed: ${error.message}`,
    `  seed ${seed}: see it again with fuzz(create, ${call}) or with ALLOKIT_SEED=${seed} in the environment`,
    '  last operations:',
    ...last,
    `  shortest program found, ${minimal.length} of ${program.length} operations, for replay(create, program, options):`,
    ...shown,
    ...rest,
    `  ${JSON.stringify(minimal.slice(0, SHOWN_MINIMAL_COUNT))}`,
  ].join('\n');
}
