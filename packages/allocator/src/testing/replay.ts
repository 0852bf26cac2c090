/** Runs a program against an allocator and its model. */

import { alignUp } from '../address.ts';
import { ConformanceError, errorOf, fail } from './assert.ts';
import { isAllocator, type AnyAllocator, type Block } from './model.ts';
import type { Operation, Order, Program } from './programs.ts';
import { Random } from './random.ts';
import { limitsOf, subjectOf, widthOf, type Create, type Expectations } from './subject.ts';
import { Trial } from './trial.ts';

/** How a program is run. */
export interface ReplayOptions extends Expectations {
  /** After how many calls `checkInvariants` runs. Default 1: after every call. */
  readonly checkInvariantsEvery?: number;
  /** After how many operations every live block is read back; a block that an operation touches is read in any case. Default 64. */
  readonly checkContentEvery?: number;
}

/** A program that failed, and where. */
export class ReplayError extends ConformanceError {
  /** The index of the operation that failed; the length of the program when what it left behind did. */
  readonly index: number;

  /** @param index - Of the operation that failed. */
  constructor(index: number, cause: Error) {
    super(cause.message, { cause });
    this.index = index;
  }
}

/**
 * Runs `program` on a fresh allocator.
 *
 * @throws ReplayError when the allocator breaks its contract; its cause is what was found.
 */
export function replay(create: Create<AnyAllocator>, program: Program, options: ReplayOptions): void {
  const subject = subjectOf(create);
  const trial = new Trial(subject, limitsOf(options, widthOf(subject.allocator)), options);
  const { checkContentEvery = 64 } = options;
  const named = new Map<number, Block>();
  let index = 0;
  const failure = errorOf(() => {
    for (const operation of program) {
      perform(trial, named, operation);
      index += 1;
      if (index % checkContentEvery === 0) trial.model.check();
    }
    trial.check();
  });
  const disposal = errorOf(() => {
    trial.dispose();
  });
  const error = failure ?? disposal;
  if (error !== undefined) throw new ReplayError(index, error);
}

/** Does one operation; nothing when its block is not live, as happens after a `NULL` or in a shrunk program. */
function perform(trial: Trial<AnyAllocator>, named: Map<number, Block>, operation: Operation): void {
  switch (operation.do) {
    case 'allocate':
      if (!named.has(operation.block)) keep(named, operation.block, allocate(trial, operation.size, operation.alignment));
      return;
    case 'fill':
      trial.fill(operation.size);
      return;
    case 'reset':
      named.clear();
      trial.reset();
      return;
    case 'drain':
      named.clear();
      trial.drain((blocks) => ordered(blocks, operation.order));
      return;
    default: {
      const block = named.get(operation.block);
      if (block !== undefined) change(trial, named, operation, block);
    }
  }
}

/** Does one operation on a live block. */
function change(
  trial: Trial<AnyAllocator>,
  named: Map<number, Block>,
  operation: Extract<Operation, { readonly do: 'deallocate' | 'reallocate' | 'resize' }>,
  block: Block,
): void {
  switch (operation.do) {
    case 'deallocate':
      named.delete(operation.block);
      if (isAllocator(trial.allocator)) trial.give(block, operation);
      return;
    case 'reallocate':
      if (operation.size > 0) keep(named, operation.block, trial.tryReallocate(block, operation.size));
      else {
        named.delete(operation.block);
        trial.reallocateToNothing(block);
      }
      return;
    case 'resize':
      keep(named, operation.block, trial.tryResize(block, operation.size));
  }
}

/** Remembers a block by its number, if it is one: after a refusal the old one stays. */
function keep(named: Map<number, Block>, number: number, block: Block | undefined): void {
  if (block !== undefined) named.set(number, block);
}

/** Allocates; an empty allocator must not refuse what it declared to serve. */
function allocate(trial: Trial<AnyAllocator>, size: number, alignment: number | undefined): Block | undefined {
  const { sizeMax, alignmentMax, refillRatio } = trial.limits;
  const empty = refillRatio > 0 && trial.allocator.stats().liveBytes === 0;
  const block = trial.tryTake(size, alignment);
  const served = size > 0 && alignUp(size, alignment ?? 1) <= sizeMax && (alignment ?? 1) <= alignmentMax;
  if (block === undefined && empty && served) fail(`an allocator without live blocks refused ${size} bytes, alignment ${alignment ?? 1}`);
  return block;
}

/** The blocks in the order they are to be freed; a random one is always the same. */
export function ordered(blocks: Block[], order: Order): readonly Block[] {
  if (order === 'fifo') return blocks;
  return order === 'lifo' ? blocks.reverse() : Random.fromSeed(blocks.length).shuffle(blocks);
}
