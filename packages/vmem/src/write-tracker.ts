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
  /** Bytes in the pages that it tells apart. */
  readonly pageSize: number;
  readonly #memory: Memory;
  readonly #os: OperatingSystem;
  readonly #size: number;
  /** Where the pages were when they began to be watched: a memory that moves takes its pages elsewhere. */
  readonly #address: bigint;
  readonly #pages: WrittenPages;
  #isStopped = false;

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
   * @returns `undefined` where the platform cannot: it takes Linux 6.7 or later with koffi, a process that may use `userfaultfd`, and a memory that starts at the
   *   start of a page, which large `ArrayBuffer`s do not.
   * @throws RangeError for a size that is none, AllocatorError `released`.
   */
  static start(memory: Memory, size: number = memory.reserved): WriteTracker | undefined {
    checkInteger(size, 'size', 0, memory.reserved);
    memory.refresh();
    const os = findOperatingSystem();
    if (os?.trackWrites === undefined || size === 0) return undefined;
    const address = os.addressOf(memory.buffer);
    if (address % BigInt(os.pageSize) !== 0n) return undefined;
    const pages = os.trackWrites(address, pagesAround(os, memory, 0, size).size);
    return pages && new WriteTracker(os, memory, size, pages);
  }

  /**
   * Tells what was written since the last call, or since the start, and begins anew. O(resident pages) in the worst case, about a nanosecond each; with huge pages
   * two million bytes at a time as long as none of them was written.
   *
   * @param visit - Called for each run of pages: from where, up to where, in bytes. Runs are in order; neighbours may come as one or as several. What it writes
   *   to the run is not told the next time.
   * @param to - Where to end, in bytes. What lies behind is not looked at, and told the next time.
   * @returns How many bytes the runs have.
   * @throws AllocatorError `released` after `stop`, `system` when the operating system refuses.
   */
  take(visit: (from: number, to: number) => void, to: number = this.#memory.committed): number {
    if (this.#isStopped) throw new AllocatorError('released', 'the tracker was stopped');
    if (this.#os.addressOf(this.#memory.buffer) !== this.#address) throw new AllocatorError('unsupported', 'the memory has moved since it is watched');
    return this.#pages.take(Math.min(to, this.#size), visit);
  }

  /** Ends the watch: writes cost nothing any more. Does nothing the second time. O(pages). */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#pages.stop();
  }

  /** As `stop`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.stop();
  }
}
