/** Which pages of a memory were written: what the system can tell without the help of those who write. */

import { AllocatorError, checkInteger, type Memory } from '@allokit/allocator';
import { findOperatingSystem } from '#operating-system';
import type { OperatingSystem, WrittenPages } from './operating-system.ts';
import { pagesAround } from './residency.ts';

/**
 * Tells which pages were written since it was asked last, whoever wrote: a module, JavaScript, another thread, or the system itself as it read a file.
 *
 * The first write to a page after each question costs a fault of about a microsecond; later ones cost nothing.
 */
export class WriteTracker {
  /** Who watches, by where the memory is. One that was dropped and never stopped keeps nobody away. */
  static readonly #watching = new Map<bigint, WeakRef<WriteTracker>>();
  /** Bytes in the pages that it tells apart. */
  readonly pageSize: number;
  readonly #memory: Memory;
  readonly #os: OperatingSystem;
  readonly #size: number;
  /** Where the pages were when they began to be watched: a memory that moves takes its pages elsewhere. */
  readonly #address: bigint;
  readonly #pages: WrittenPages;
  #isStopped = false;
  #isTaking = false;

  private constructor(os: OperatingSystem, memory: Memory, size: number, pages: WrittenPages) {
    this.#os = os;
    this.#memory = memory;
    this.#size = size;
    this.#address = os.addressOf(memory.buffer);
    this.#pages = pages;
    this.pageSize = os.pageSize;
  }

  /**
   * Begins to watch a memory. O(resident pages), some 50 ns each.
   *
   * @param memory - One whose bytes never move: any memory of this package or of WebAssembly.
   * @param size - Bytes to watch, from its start, up to `memory.reserved`: pages that it grows over later are watched too. Default: all of that.
   * @returns `undefined` where the platform cannot: it takes Linux 6.7 or later with koffi, a process that may use `userfaultfd`, and a memory that starts at
   *   the start of a page, which large `ArrayBuffer`s do not.
   * @throws TypeError or RangeError for a size that is none, AllocatorError `released`, `busy` while another tracker watches the memory: what one is told, the
   *   other would miss.
   */
  static start(memory: Memory, size: number = memory.reserved): WriteTracker | undefined {
    checkInteger(size, 'size', 0, memory.reserved);
    memory.refresh();
    const os = findOperatingSystem();
    if (os?.trackWrites === undefined || size === 0) return undefined;
    const address = os.addressOf(memory.buffer);
    if (address % BigInt(os.pageSize) !== 0n) return undefined;
    if (WriteTracker.#watching.get(address)?.deref() !== undefined) throw new AllocatorError('busy', 'another tracker watches the memory: stop that one first');
    const pages = os.trackWrites(address, pagesAround(os, memory, 0, size).size);
    if (pages === undefined) return undefined;
    const tracker = new WriteTracker(os, memory, size, pages);
    WriteTracker.#watching.set(address, new WeakRef(tracker));
    return tracker;
  }

  /**
   * Tells what was written since the last call, or since the start, and begins anew. O(resident pages) in the worst case, about a nanosecond each; with huge
   * pages two million bytes at a time as long as none of them was written.
   *
   * @param visit - Called for each run of pages: from where, up to where, in bytes. Runs are in order; neighbours may come as one or as several. What it writes
   *   to the run is not told the next time; nor is what other threads write to it meanwhile.
   * @param to - Where to end, in bytes, up to `memory.reserved`; runs are of whole pages. What lies behind is not looked at, and told the next time.
   * @returns How many bytes the runs have.
   * @throws TypeError or RangeError for an end that is none, AllocatorError `released` after `stop`, `busy` when `visit` calls it, `unsupported` when the
   *   memory has moved, `system` when the operating system refuses; what `visit` throws, and then at least the run that it was called for is told again.
   */
  take(visit: (from: number, to: number) => void, to: number = this.#memory.committed): number {
    checkInteger(to, 'to', 0, this.#memory.reserved);
    if (this.#isStopped) throw new AllocatorError('released', 'the tracker was stopped');
    if (this.#isTaking) throw new AllocatorError('busy', 'the tracker is telling already');
    if (this.#os.addressOf(this.#memory.buffer) !== this.#address) throw new AllocatorError('unsupported', 'the memory has moved since it is watched');
    this.#isTaking = true;
    try {
      return this.#pages.take(Math.min(to, this.#size), visit);
    } finally {
      this.#isTaking = false;
    }
  }

  /** Ends the watch: writes cost nothing any more. Does nothing the second time. O(pages). */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    WriteTracker.#watching.delete(this.#address);
    this.#pages.stop();
  }

  /** As `stop`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.stop();
  }
}
