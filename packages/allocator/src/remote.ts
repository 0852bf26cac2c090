/** The side of a {@link RemoteFree} that other threads have: frees, and nothing else. */

import { NULL, checkAddress, checkSize, type Address } from './address.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkHeader } from './header.ts';
import type { WordSource } from './mutex.ts';
import { RELEASED, REMOTE_COUNT, REMOTE_HEADER, REMOTE_STATE_SIZE, RemoteMarks } from './remote-marks.ts';

/**
 * Frees blocks of an allocator that another thread owns. Wait-free: a handful of atomic operations, no loop, no lock, nothing allocated; fit for an audio
 * thread. Any number of threads, one object each.
 */
export class Remote {
  /** Where the state of the `RemoteFree` lies. */
  readonly address: Address;
  readonly #source: WordSource;
  readonly #marks: RemoteMarks;
  #isDetached = false;

  private constructor(source: WordSource, address: Address, marks: RemoteMarks) {
    this.address = address;
    this.#source = source;
    this.#marks = marks;
  }

  /** What `RemoteFree.remote` does. @internal */
  static at(source: WordSource, address: Address): Remote {
    const words = source.i32;
    const probe = { i32: words, u8: new Uint8Array(words.buffer), committed: words.length * 4, refresh: () => undefined };
    checkHeader(probe, address, REMOTE_HEADER, REMOTE_STATE_SIZE);
    const state = address >>> 2;
    const marks = RemoteMarks.at(source, state);
    if (marks === undefined) throw new AllocatorError('corrupt', `the state of the frees from other threads at ${formatAddress(address)} is damaged`);
    Atomics.add(words, state + REMOTE_COUNT, 1);
    return new Remote(source, address, marks);
  }

  /**
   * Hands a block back. It can be had again once its owner has collected it. O(1).
   *
   * @param address - A live block's, or `NULL`, which does nothing.
   * @param size - Checked for its kind only.
   * @throws TypeError or RangeError for what is no address or size; AllocatorError `double-free` when a thread has handed the block back already,
   *   `foreign-address` beyond the range that is covered, `invalid-address` where no block can start, `released`. Nothing changed then. Whether a live block
   *   starts there, only the owner sees: see `RemoteFreeOptions.onRefused`.
   */
  deallocate(address: Address, size?: number): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    if (this.#isDetached || Atomics.load(this.#source.i32, (this.address >>> 2) + RELEASED) !== 0) throw this.#gone();
    if (address === NULL) return;
    const marks = this.#marks;
    if (!marks.covers(address)) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in the range whose blocks other threads can free`);
    if ((address & (marks.granule - 1)) !== 0) {
      throw new AllocatorError('invalid-address', `${formatAddress(address)} is not a multiple of ${marks.granule}: no block starts there`);
    }
    if (!marks.set(address)) throw new AllocatorError('double-free', `the block at ${formatAddress(address)} was freed already, by this thread or another`);
  }

  /** Ends this object's use: later calls throw `released`. When all have, `release` can give the state's bytes back. O(1). */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    Atomics.sub(this.#source.i32, (this.address >>> 2) + REMOTE_COUNT, 1);
  }

  #gone(): AllocatorError {
    return new AllocatorError('released', this.#isDetached ? 'this remote was detached' : 'the allocator behind this remote was released');
  }
}
