/**
 * The conformance suite: what the contract promises, as a list of cases that any test runner can run.
 *
 *     for (const { name, run } of conformance({ name: 'MyHeap', create, capacity: 1 << 20 })) test(name, run);
 */

import type { Allocator } from '../allocator.ts';
import { ConformanceError, errorOf } from './assert.ts';
import { BLOCK_CASES } from './block-cases.ts';
import type { Case } from './cases.ts';
import { fuzz, type FuzzOptions } from './fuzz.ts';
import { MISUSE_CASES } from './misuse-cases.ts';
import type { AnyAllocator } from './model.ts';
import { SHAPES } from './programs.ts';
import { SOURCE_CASES } from './source-cases.ts';
import { limitsOf, subjectOf, widthOf, type Create, type Expectations } from './subject.ts';
import { Trial } from './trial.ts';

/** One property of the contract, for a test runner. */
export interface ConformanceCase {
  /** The allocator's name and the property, unique in the list. */
  readonly name: string;
  /** Returns when the allocator has the property, throws a {@link ConformanceError} when it has not. Synchronous, independent of the other cases. */
  readonly run: () => void;
}

/** What is tested, and what may be expected of it. */
export interface ConformanceOptions<A extends AnyAllocator = Allocator> extends Expectations {
  /** What the allocator is called; case names start with it. */
  readonly name: string;
  /** Makes a fresh allocator; called at least once for each case. */
  readonly create: Create<A>;
  /** The random programs: how long they are, and how often everything is checked. */
  readonly fuzz?: Pick<FuzzOptions, 'operations' | 'checkInvariantsEvery' | 'checkContentEvery' | 'shrinkOperations'>;
}

/**
 * The suite for an allocator whose blocks can be freed one by one.
 *
 * @returns The cases; nothing has run yet.
 */
export function conformance(options: ConformanceOptions): readonly ConformanceCase[] {
  return [...casesOf(options, [...SOURCE_CASES, ...BLOCK_CASES, ...MISUSE_CASES]), ...randomPrograms(options)];
}

/** Binds cases to an allocator. */
export function casesOf<A extends AnyAllocator>(options: ConformanceOptions<A>, cases: readonly Case<A>[]): ConformanceCase[] {
  return cases.map(({ name, run }) => named(`${options.name}: ${name}`, () => {
    withTrials(options, run);
  }));
}

/** One random program of each shape from a fixed seed, and one from a fresh seed or that in `ALLOKIT_SEED`. */
export function randomPrograms<A extends AnyAllocator>({ name, create, fuzz: length, ...expectations }: ConformanceOptions<A>): ConformanceCase[] {
  const program = (title: string, chosen: Pick<FuzzOptions, 'seed' | 'shape'>): ConformanceCase =>
    named(`${name}: random program, ${title}`, () => {
      fuzz(create, { ...expectations, ...length, ...chosen });
    });
  return [...SHAPES.map((shape, index) => program(shape, { shape, seed: index + 1 })), program('fresh seed', {})];
}

/** A case whose failures carry its name, for runners that show only the message. */
function named(name: string, run: () => void): ConformanceCase {
  return {
    name,
    run: () => {
      const error = errorOf(run);
      if (error !== undefined) throw new ConformanceError(`${name}: ${error.message}`, { cause: error });
    },
  };
}

/** Runs a case and disposes of every allocator it opened; of two failures, the case's own is the one to see. */
function withTrials<A extends AnyAllocator>(options: ConformanceOptions<A>, run: Case<A>['run']): void {
  const trials: Trial<A>[] = [];
  const failure = errorOf(() => {
    run(() => {
      const subject = subjectOf(options.create);
      const trial = new Trial(subject, limitsOf(options, widthOf(subject.allocator)));
      trials.push(trial);
      return trial;
    });
  });
  const disposals = trials.map((trial) => errorOf(trial.dispose.bind(trial)));
  const error = failure ?? disposals.find((disposal) => disposal !== undefined);
  if (error !== undefined) throw error;
}
