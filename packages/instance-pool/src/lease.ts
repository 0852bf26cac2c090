/** The use of an instance, from when it is taken to when it is given back and reset. */

import { AllocatorError } from '@allokit/allocator';
import type { PooledInstance } from './pooled-instance.ts';

/** What a lease asks of its pool. */
export interface LeaseKeeper {
  readonly giveBack: (instance: PooledInstance, isDiscarded: boolean) => void;
}

/** An instance in the state of the reset point, for one user. Give it back with `release`, or at the end of a `using` block. */
export interface InstanceLease extends Disposable {
  /**
   * What the module exports. Do not keep it beyond the release: the instance is somebody else's then.
   *
   * @throws AllocatorError `released`.
   */
  readonly exports: WebAssembly.Exports;

  /** Which instance of the pool it is, from 0: as `imports` and `initialise` were told. */
  readonly index: number;

  /**
   * Tells that the host wrote to `[address, address + size)` of a memory, from an import or between two calls. Needed with tracking by `stores`, which sees
   * what the module does and nothing else; otherwise it does nothing.
   *
   * @param address - In bytes.
   * @param size - In bytes.
   * @param memory - The index of the memory in the module. Default 0.
   * @throws TypeError or RangeError for a range that the memory does not have, AllocatorError `released`.
   */
  touch(address: number, size: number, memory?: number): void;

  /**
   * Gives the instance back, and has a new one made in its place: for when the host knows that no reset will do. Its memory is given back at once where that
   * can be done, and reads as zeros then. Does nothing the second time.
   */
  discard(): void;

  /**
   * Gives the instance back; it is reset at once, O(dirty pages) where these are told. Does nothing the second time. Not for imports that the module is just
   * calling: it would go on in an instance that is somebody else's.
   *
   * @throws AllocatorError `corrupt` when `verify` finds that the reset failed: a new instance is made then. What `onReset` throws.
   */
  release(): void;
}

/** The lease that a pool hands out. */
export class PoolLease implements InstanceLease {
  readonly #keeper: LeaseKeeper;
  readonly #instance: PooledInstance;
  #isReleased = false;

  constructor(keeper: LeaseKeeper, instance: PooledInstance) {
    this.#keeper = keeper;
    this.#instance = instance;
  }

  get exports(): WebAssembly.Exports {
    this.#check();
    return this.#instance.exports;
  }

  get index(): number {
    return this.#instance.index;
  }

  touch(address: number, size: number, memory = 0): void {
    this.#check();
    this.#instance.touch(address, size, memory);
  }

  discard(): void {
    this.#end(true);
  }

  release(): void {
    this.#end(false);
  }

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
