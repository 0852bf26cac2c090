/** An allocator under test beside its model: every call goes through here and is checked against what the contract promises of it. */

import { NULL, type Address } from '../address.ts';
import type { Allocator, AllocatorStats } from '../allocator.ts';
import type { AllocatorErrorCode } from '../errors.ts';
import { assert, assertSame, errorOf, fail, show } from './assert.ts';
import { describeBlock, isAllocator, Model, type AnyAllocator, type Block } from './model.ts';
import type { Limits, Subject } from './subject.ts';

/** What a refused call is expected to throw. */
export interface Refusal {
  /** The class of a wrong kind or value, or the codes of an `AllocatorError` that describe a broken contract. */
  readonly as: 'TypeError' | 'RangeError' | readonly AllocatorErrorCode[];
  /** What the message must name, in decimal or hexadecimal; nothing when absent. */
  readonly naming?: unknown;
}

/** How a trial checks. */
export interface TrialOptions {
  /** After how many calls `checkInvariants` runs. Default 1: after every call. */
  readonly checkInvariantsEvery?: number;
}

/** How much rarer invariants are checked while an allocator is filled or drained. */
const SPARSITY = 64;

/** One allocator, from its creation to its disposal. */
export class Trial<A extends AnyAllocator> {
  readonly allocator: A;
  readonly model: Model;
  readonly limits: Limits;
  /** Addresses that belong to somebody else. */
  readonly foreign: readonly Address[];
  readonly #subject: Subject<A>;
  readonly #checkInvariantsEvery: number;
  #callCount = 0;
  /** While many calls of one kind follow each other, invariants are checked this many times less often, or the suite would be quadratic. */
  #sparsity = 1;

  /** Starts a trial of an allocator that has no live block. */
  constructor(subject: Subject<A>, limits: Limits, { checkInvariantsEvery = 1 }: TrialOptions = {}) {
    this.#subject = subject;
    this.#checkInvariantsEvery = checkInvariantsEvery;
    this.allocator = subject.allocator;
    this.foreign = subject.foreign ?? [];
    this.limits = limits;
    this.model = new Model(subject.allocator);
  }

  /** Allocates what must be possible: call it while there is room. */
  take(size: number, alignment?: number): Block {
    const block = this.tryTake(size, alignment);
    const { count, sizeSum } = this.model;
    return block ?? fail(`${describeRequest(size, alignment)} is NULL with ${sizeSum} bytes live in ${count} blocks`);
  }

  /** Allocates; `undefined` when there is no room. Checks that this changed nothing but the count of failures. */
  tryTake(size: number, alignment?: number): Block | undefined {
    const { allocator } = this;
    const before = allocator.stats();
    const address = alignment === undefined ? allocator.allocate(size) : allocator.allocate(size, alignment);
    const after = allocator.stats();
    if (address === NULL || size === 0) {
      assertSame(address, NULL, describeRequest(size, alignment));
      this.#checkFailed(before, after, size === 0 ? 0 : 1, describeRequest(size, alignment));
      return undefined;
    }
    const block = this.model.add(address, size, alignment);
    assertSame(after.failureCount, before.failureCount, `failureCount after ${describeRequest(size, alignment)} succeeded`);
    const taken = after.liveBytes - before.liveBytes;
    if (taken < size) fail(`liveBytes grew by ${taken} for ${describeBlock(block)}`);
    this.#called();
    return block;
  }

  /** Frees a block; gives its size along when asked to. */
  give(block: Block, { sized = false }: { readonly sized?: boolean } = {}): void {
    const allocator = this.asAllocator();
    const before = allocator.stats();
    this.model.remove(block);
    if (sized) allocator.deallocate(block.address, block.size);
    else allocator.deallocate(block.address);
    const after = allocator.stats();
    const freed = before.liveBytes - after.liveBytes;
    if (freed < block.size) fail(`liveBytes fell by ${freed} when ${describeBlock(block)} was freed`);
    assertSame(after.failureCount, before.failureCount, `failureCount after ${describeBlock(block)} was freed`);
    this.#called();
  }

  /** Resizes a block where it stands; `undefined` when it would have to move. Checks that this changed nothing. */
  tryResize(block: Block, newSize: number): Block | undefined {
    const { allocator } = this;
    const before = allocator.stats();
    const what = `resize of ${describeBlock(block)} to ${newSize}`;
    const done: unknown = allocator.resize(block.address, block.size, newSize);
    const after = allocator.stats();
    if (done !== true) {
      assertSame(done, false, what);
      this.#checkFailed(before, after, 0, what);
      return undefined;
    }
    assert(newSize !== 0, `${what} is true: a block of no size has no address`);
    const resized = this.model.replace(block, block.address, newSize);
    assertSame(after.failureCount, before.failureCount, `failureCount after ${what}`);
    this.#called();
    return resized;
  }

  /** Resizes a block, which may move; `undefined` when there is no room. Checks that then the old one is as it was. */
  tryReallocate(block: Block, newSize: number): Block | undefined {
    assert(newSize > 0, 'tryReallocate is for sizes of at least 1');
    const { allocator } = this;
    const { address, size, alignment } = block;
    const before = allocator.stats();
    const what = `reallocation of ${describeBlock(block)} to ${newSize}`;
    const target =
      alignment === undefined ? allocator.reallocate(address, size, newSize) : allocator.reallocate(address, size, newSize, alignment);
    const after = allocator.stats();
    if (target === NULL) {
      this.#checkFailed(before, after, 1, what);
      return undefined;
    }
    const moved = this.model.replace(block, target, newSize);
    assertSame(after.failureCount, before.failureCount, `failureCount after ${what}`);
    this.#called();
    return moved;
  }

  /** Reallocates a block to size 0, which frees it. */
  reallocateToNothing(block: Block): void {
    const before = this.allocator.stats();
    const what = `reallocation of ${describeBlock(block)} to 0`;
    this.model.remove(block);
    assertSame(this.allocator.reallocate(block.address, block.size, 0), NULL, what);
    const after = this.allocator.stats();
    const freed = before.liveBytes - after.liveBytes;
    if (isAllocator(this.allocator)) assert(freed >= block.size, `${what} must free it, but liveBytes fell by ${freed}`);
    assertSame(after.failureCount, before.failureCount, `failureCount after ${what}`);
    this.#called();
  }

  /** Frees everything at once. */
  reset(): void {
    this.model.check();
    const before = this.allocator.stats();
    this.allocator.reset();
    this.model.clear();
    const after = this.allocator.stats();
    assertSame(after.liveBytes, 0, 'liveBytes after reset');
    assertSame(after.failureCount, before.failureCount, 'failureCount, which counts since creation, after reset');
    this.check();
  }

  /**
   * Allocates blocks of one size until there is no room.
   *
   * @throws ConformanceError when there is room for several times the capacity that was declared.
   */
  fill(size: number): Block[] {
    const blocks: Block[] = [];
    const countMax = 64 + Math.ceil((4 * this.limits.capacity) / size);
    this.#sparsity = SPARSITY;
    for (;;) {
      const block = this.tryTake(size);
      if (block === undefined) break;
      blocks.push(block);
      if (blocks.length <= countMax) continue;
      fail(`${blocks.length} blocks of ${size} bytes fit, but a capacity of ${this.limits.capacity} bytes was declared`);
    }
    this.#sparsity = 1;
    this.check();
    return blocks;
  }

  /** Frees every live block, by {@link Trial.give} in the given order, or by {@link Trial.reset} where that is all there is. */
  drain(order: (blocks: Block[]) => readonly Block[] = (blocks) => blocks): void {
    this.#sparsity = SPARSITY;
    if (isAllocator(this.allocator)) for (const block of order(this.model.blocks)) this.give(block);
    else this.reset();
    this.#sparsity = 1;
    this.check();
    assertSame(this.allocator.stats().liveBytes, 0, 'liveBytes when no block is live');
  }

  /**
   * Requires a call to be refused, and to have changed nothing: not a figure, not a byte of a live block.
   *
   * @param what - The call, for the message.
   */
  refuses(what: string, call: () => unknown, refusal: Refusal): void {
    checkRefusal(
      what,
      this.unchanged(what, () => errorOf(call)),
      refusal,
    );
  }

  /** Requires a call to say that the allocator was released. Nothing can be compared then. */
  throwsReleased(what: string, call: () => unknown): void {
    checkRefusal(what, errorOf(call), { as: ['released'] });
  }

  /** Makes a call that must change nothing, and returns its result. */
  unchanged<T>(what: string, call: () => T): T {
    const before = this.#figures();
    const result = call();
    const after = this.#figures();
    for (const [name, value] of before) assertSame(after.get(name), value, `stats().${name} after ${what}`);
    this.check();
    return result;
  }

  /** Requires the allocator to serve the most ordinary requests, as it must after any refusal. */
  works(): void {
    const first = this.take(Math.min(24, this.limits.sizeMax));
    const second = this.take(Math.min(40, this.limits.sizeMax));
    if (!isAllocator(this.allocator)) return;
    this.give(first);
    this.give(second, { sized: true });
  }

  /** Compares everything there is to compare, now. */
  check(): void {
    this.allocator.checkInvariants();
    this.model.check();
    this.#checkStats();
  }

  /** Ends the trial, giving back what the allocator holds. */
  dispose(): void {
    if (this.#subject.dispose === undefined) this.allocator.release();
    else this.#subject.dispose();
  }

  /** The allocator, which must be able to free single blocks. */
  asAllocator(): Allocator {
    const allocator: AnyAllocator = this.allocator;
    if (!isAllocator(allocator)) fail('a monotonic allocator has no deallocate');
    return allocator;
  }

  #called(): void {
    this.#callCount += 1;
    if (this.#callCount % (this.#checkInvariantsEvery * this.#sparsity) === 0) this.allocator.checkInvariants();
    this.#checkStats();
  }

  /** Checks that a request which could not be met changed nothing but `failureCount`. */
  #checkFailed(before: AllocatorStats, after: AllocatorStats, failures: number, what: string): void {
    assertSame(after.failureCount - before.failureCount, failures, `the increase of failureCount by ${what}`);
    assertSame(after.liveBytes, before.liveBytes, `liveBytes after ${what} failed`);
    if (!this.limits.volatileStats.includes('capacity')) assertSame(after.capacity, before.capacity, `capacity after ${what} failed`);
    this.#called();
  }

  #checkStats(): void {
    const { capacity, liveBytes, failureCount } = this.allocator.stats();
    for (const [name, value] of Object.entries({ capacity, liveBytes, failureCount })) {
      if (!Number.isInteger(value) || value < 0) fail(`stats().${name} must be a whole number, got ${show(value)}`);
    }
    if (liveBytes > capacity) fail(`liveBytes ${liveBytes} exceeds capacity ${capacity}`);
    if (liveBytes < this.model.sizeSum) fail(`liveBytes is ${liveBytes} while blocks of ${this.model.sizeSum} bytes are live`);
    // What a monotonic allocator handed out stays counted until it is reset, even when its owner has forgotten it.
    if (liveBytes !== 0 && this.model.count === 0 && isAllocator(this.allocator)) fail(`liveBytes is ${liveBytes} while no block is live`);
  }

  /** Every figure that an allocator publishes, but for those that change by themselves. */
  #figures(): Map<string, unknown> {
    const stats = this.allocator.stats();
    const { capacity, liveBytes, failureCount } = stats;
    const figures = new Map<string, unknown>(Object.entries({ capacity, liveBytes, failureCount }));
    for (const [name, value] of Object.entries(stats)) {
      if (typeof value !== 'object' && !this.limits.volatileStats.includes(name)) figures.set(name, value);
    }
    return figures;
  }
}

/** A request as it stands in the suite's messages. */
function describeRequest(size: number, alignment: number | undefined): string {
  return alignment === undefined ? `allocate(${size})` : `allocate(${size}, ${alignment})`;
}

/** Requires a call to have thrown what is expected. */
function checkRefusal(what: string, error: Error | undefined, { as, naming }: Refusal): void {
  if (error === undefined) fail(`${what} must throw ${typeof as === 'string' ? as : `AllocatorError ${as.join(' or ')}`}, but returned`);
  const thrown = `${what} threw ${error.name}${'code' in error ? ` ${show(error.code)}` : ''} (${JSON.stringify(error.message)})`;
  if (as === 'TypeError') assert(error instanceof TypeError, `${thrown} instead of a TypeError`);
  else if (as === 'RangeError') assert(error instanceof RangeError, `${thrown} instead of a RangeError`);
  else {
    // Not `instanceof`: the allocator under test may come from another copy of the package.
    const code: unknown = error.name === 'AllocatorError' && 'code' in error ? error.code : undefined;
    assert(as.some((expected) => expected === code), `${thrown} instead of an AllocatorError ${as.join(' or ')}`);
  }
  if (naming === undefined) return;
  const names = typeof naming === 'number' ? [String(naming), naming.toString(16)] : [show(naming), show(naming).replaceAll('"', '')];
  assert(names.some((name) => error.message.toLowerCase().includes(name.toLowerCase())), `${thrown}: the message must name ${show(naming)}`);
}
