/** The use of an instance, from when it is taken to when it is given back and reset. */

import { AllocatorError } from '@allokit/allocator';
import type { PooledInstance } from './pooled-instance.ts';

/** What a lease asks of its pool. */
export interface LeaseKeeper {
  readonly giveBack: (instance: PooledInstance, isDiscarded: boolean) => void;
}

/** An instance in the state of the reset point, for one user. Give it back with `release`, or at the end of a `using` block. */
export class Lease {
  readonly #keeper: LeaseKeeper;
  readonly #instance: PooledInstance;
  #isReleased = false;

  /** @internal */
  constructor(keeper: LeaseKeeper, instance: PooledInstance) {
    this.#keeper = keeper;
    this.#instance = instance;
  }

  /**
   * What the module exports. Do not use it after the release: the instance is somebody else's then.
   *
   * @throws AllocatorError `released`.
   */
  get exports(): WebAssembly.Exports {
    this.#check();
    return this.#instance.exports;
  }

  /** Which instance of the pool it is, from 0: as `imports` and `initialise` were told. */
  get index(): number {
    return this.#instance.index;
  }

  /**
   * Tells that the host wrote to `[address, address + size)` of a memory, from an import or between two calls. Needed with tracking by `stores`, which sees what the
   * module does and nothing else; otherwise it does nothing.
   *
   * @param memory - The index of the memory in the module.
   * @throws TypeError or RangeError for a range that the memory does not have, AllocatorError `released`.
   */
  touch(address: number, size: number, memory = 0): void {
    this.#check();
    this.#instance.touch(address, size, memory);
  }

  /** Gives the instance back, and has a new one made in its place: for when the host knows that no reset will do. Does nothing the second time. */
  discard(): void {
    this.#end(true);
  }

  /**
   * Gives the instance back; it is reset at once. Does nothing the second time.
   *
   * @throws AllocatorError `corrupt` when `verify` finds that the reset failed: a new instance is made then. What `onReset` throws.
   */
  release(): void {
    this.#end(false);
  }

  /** As `release`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.#end(false);
  }

  #end(isDiscarded: boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#keeper.giveBack(this.#instance, isDiscarded);
  }

  #check(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'the lease was released: the instance may be in use by somebody else');
  }
}
