/**
 * Memory of the operating system: reserved, committed, made resident and given back a page at a time.
 *
 * Its bytes lie outside of JavaScript's heap and of WebAssembly, at addresses that the whole process shares: another thread can attach, and system calls can
 * say what is resident, bring pages in, lock them and take them back.
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, alignUp, checkInteger } from '@allokit/allocator';
import type { OperatingSystem } from '../operating-system.ts';
import { PagedMemory } from '../paged-memory.ts';
import { residentBytes } from '../residency.ts';
import { requireOperatingSystem } from './find.ts';
import { checkBoolean, checkPageSize, NATIVE_PAGE_SIZE } from './page-size.ts';
import { Region, type RegionOptions } from './region.ts';

/** How to make a {@link NativeMemory}. */
export interface NativeMemoryOptions {
  /** Bytes that can be committed at the most, rounded up to pages: addresses only, no memory. */
  readonly reserve: number;
  /** Bytes to commit at once, or all of the reserve. Default: what the memory's own state takes. */
  readonly commit?: number | 'all';
  /** Commits twice as much each time it grows, as far as the reserve and the system go; otherwise a sixteenth more than was asked for. Default `false`. */
  readonly doubling?: boolean;
  /** Bytes in a page, a power of two, not less than the system's: the granularity of this root allocator. Default 65536. */
  readonly pageSize?: number;
  /** Asks for huge pages, which take a 512th of the page faults, and memory 2 MiB at a time. Default `false`. */
  readonly hugePages?: boolean;
}

/** The options that have been checked. */
interface Manner {
  readonly committed: number;
  readonly doubling: boolean;
  readonly hugePages: boolean;
}

/**
 * What another thread of the process attaches with: see {@link NativeMemory.token}. Goes through `postMessage` and `workerData`. What the handles share is
 * theirs: whoever writes to it can end the process.
 */
export interface NativeMemoryToken {
  /** The process in which it means something. */
  readonly processId: number;
  /** What all handles share. */
  readonly control: SharedArrayBuffer;
}

/**
 * A root allocator over memory of the operating system. Single-owner: one thread at a time may attach, allocate, commit or decommit.
 *
 * Views are plain `ArrayBuffer`s, not shared ones: `Atomics.wait` wants a `SharedArrayBuffer` beside the memory. They die (have length 0 then) when the
 * memory grows in this thread, when pages are taken away, and when it is released. A memory that is forgotten gives its memory back once it and its views
 * were collected; a thread that ends gives back what it held, but not one that is terminated.
 *
 * What the platform still does behind the scenes with a view of a released memory (a read into it, a compression of it) goes on with pages of zeros, and its
 * result is lost. Do not terminate a worker from outside while it attaches or its memory grows: koffi can end the process when it is interrupted there.
 */
export class NativeMemory extends PagedMemory {
  readonly shared = true;
  readonly #os: OperatingSystem;
  readonly #region: Region;
  readonly #doubling: boolean;
  #lastRefusal: AllocatorError | undefined;

  private constructor(os: OperatingSystem, region: Region, doubling: boolean) {
    super({ pageSize: region.pageSize, reserved: region.size, address: 0 });
    this.#os = os;
    this.#region = region;
    this.#doubling = doubling;
    region.watch(this);
  }

  /**
   * Makes a new memory: in constant time, though V8 counts committed bytes as its own and may collect garbage for them. Nothing but its state
   * becomes resident.
   *
   * @throws TypeError or RangeError for sizes that are none; AllocatorError `unsupported` without koffi or on a platform that it does not know,
   *   `out-of-memory` or `system` when the system refuses, naming its error, and the limit of the process that it stands for with its figures: nothing stays
   *   reserved then.
   */
  static create({ reserve, commit = 0, doubling = false, pageSize = NATIVE_PAGE_SIZE, hugePages = false }: NativeMemoryOptions): NativeMemory {
    const os = requireOperatingSystem();
    checkPageSize(os, pageSize);
    checkInteger(reserve, 'reserve', 1, ADDRESS_SPACE_SIZE);
    const reserved = alignUp(reserve, pageSize);
    const committed = commit === 'all' ? reserved : commit;
    checkInteger(committed, 'commit', 0, reserved);
    checkBoolean(doubling, 'doubling');
    checkBoolean(hugePages, 'hugePages');
    if (hugePages && os.hugePageSize === 0) throw new AllocatorError('unsupported', `huge pages are not to be had on ${os.platform} for the asking`);
    try {
      const alignment = Math.max(pageSize, hugePages ? os.hugePageSize : 0);
      return NativeMemory.#createIn(os, { size: reserved, pageSize, alignment }, { committed, doubling, hugePages });
    } catch (error) {
      throw withLimits(os, error, { reserved, committed: alignUp(committed, pageSize) });
    }
  }

  static #createIn(os: OperatingSystem, options: RegionOptions, { committed, doubling, hugePages }: Manner): NativeMemory {
    const region = Region.reserve(os, options);
    try {
      if (hugePages) os.adviseHugePages(region.address, region.size);
      const memory = new NativeMemory(os, region, doubling);
      memory.#formatFor(committed);
      return memory;
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /**
   * Finds the memory of another thread of this process. O(pages). Takes its turn: while the other one allocates, the state looks damaged.
   *
   * @param token - The other one's `token`.
   * @throws TypeError for what is no token, AllocatorError `released` when the other one was released, `bad-header` for the token of another process,
   *   `corrupt` when the memory's state is damaged.
   */
  static attach(token: NativeMemoryToken, { doubling = false }: Pick<NativeMemoryOptions, 'doubling'> = {}): NativeMemory {
    const os = requireOperatingSystem();
    const given: unknown = token;
    if (typeof given !== 'object' || given === null || !('control' in given) || !(given.control instanceof SharedArrayBuffer)) {
      throw new TypeError(`token must be one that a native memory gave out, got ${Object.prototype.toString.call(given)}`);
    }
    if (token.processId !== process.pid) {
      throw new AllocatorError('bad-header', `the token comes from process ${token.processId}, this is ${process.pid}: its addresses mean nothing here`);
    }
    const region = Region.join(os, token.control);
    try {
      const memory = new NativeMemory(os, region, doubling);
      memory.adopt();
      return memory;
    } catch (error) {
      region.letGo();
      throw error;
    }
  }

  /**
   * What `attach` needs in another thread.
   *
   * @throws AllocatorError `released`.
   */
  get token(): NativeMemoryToken {
    this.refresh();
    return { processId: process.pid, control: this.#region.control };
  }

  /** Why memory was last refused: what stands behind a `NULL`, or a `false` of `commit`. */
  get lastRefusal(): AllocatorError | undefined {
    return this.#lastRefusal;
  }

  /**
   * Bytes of `[from, to)` that are in physical memory. On Linux before 6.7, and elsewhere, pages that were only ever read count as well. O(pages of the range).
   *
   * @throws TypeError or RangeError for what is no range within the reserve, AllocatorError `released`.
   */
  resident(from = 0, to: number = this.committed): number {
    this.refresh();
    checkInteger(from, 'from', 0, this.reserved);
    checkInteger(to, 'to', from, this.reserved);
    return residentBytes(this.#os, this, from, to);
  }

  /**
   * Keeps the pages of `[from, to)` in physical memory until they are unlocked or released; they become resident.
   *
   * @throws AllocatorError `out-of-memory` when that is more than the process may lock, and the others of `resident`.
   */
  lock(from = 0, to: number = this.committed): void {
    const { start, size } = this.#pagesOf(from, to);
    if (size > 0) this.#os.lock(start, size);
  }

  /** Undoes `lock`. Throws as it does. */
  unlock(from = 0, to: number = this.committed): void {
    const { start, size } = this.#pagesOf(from, to);
    if (size > 0) this.#os.unlock(start, size);
  }

  /**
   * Gives the physical memory of all free pages back. They stay committed, and take memory again when they are used. O(runs of pages).
   *
   * @returns How many bytes are free: the most that was given back.
   * @throws AllocatorError `released`, or `system` for pages that are locked.
   */
  purge(): number {
    let bytes = 0;
    for (const { page, count, state } of this.runs()) {
      if (state !== 'free') continue;
      // The system takes whatever it is told to: an overwritten page map must not tell it.
      if (page < 0 || (page + count) * this.pageSize > this.committed) throw new AllocatorError('corrupt', `page map: a free run of ${count} pages at page ${page}`);
      this.#os.discard(this.#region.address + BigInt(page * this.pageSize), count * this.pageSize);
      bytes += count * this.pageSize;
    }
    return bytes;
  }

  /**
   * Takes back what is committed beyond `size` bytes, rounded up to pages, and what was made resident behind that. Every view of the memory dies. O(resident
   * pages).
   *
   * @returns `false` when a live block lies beyond, other threads have attached, or bytes of a view were moved away (as byte streams do): nothing changed.
   * @throws TypeError or RangeError for a size that is none, AllocatorError `released`.
   */
  decommit(size: number): boolean {
    checkInteger(size, 'size', 0, ADDRESS_SPACE_SIZE);
    const kept = this.shrinkable(size);
    if (kept === this.committed) return true;
    if (kept < 0 || !this.#region.decommit(kept)) return false;
    this.shrink(kept);
    return true;
  }

  protected override current(): {
    /** The buffer. */
    buffer: ArrayBufferLike;
    /** In bytes, from its start. */
    committed: number;
  } {
    const buffer = this.#region.buffer();
    return { buffer, committed: buffer.byteLength };
  }

  protected override hasEnded(): boolean {
    return this.#region.hasEnded;
  }

  protected override grow(committed: number): number {
    const before = this.#region.committed;
    const doubled = Math.min(before * 2, this.reserved);
    if (this.#doubling && doubled > committed && this.#commit(doubled)) return before;
    return this.#commit(committed) ? before : -1;
  }

  protected override discard(): void {
    this.#region.release();
  }

  #commit(committed: number): boolean {
    try {
      this.#region.commit(committed);
      return true;
    } catch (error) {
      if (!(error instanceof AllocatorError)) throw error;
      this.#lastRefusal = error;
      return false;
    }
  }

  /** As `format`, with the system's reason when it refuses. */
  #formatFor(committed: number): void {
    try {
      this.format(committed);
    } catch (error) {
      throw this.#lastRefusal ?? error;
    }
  }

  /** The system's pages that cover `[from, to)`, at their process addresses. */
  #pagesOf(from: number, to: number): { start: bigint; size: number } {
    this.refresh();
    checkInteger(from, 'from', 0, this.committed);
    checkInteger(to, 'to', from, this.committed);
    const { pageSize } = this.#os;
    const first = from - (from % pageSize);
    return { start: this.#region.address + BigInt(first), size: from === to ? 0 : alignUp(to, pageSize) - first };
  }
}

/** Adds to the system's refusal which limit of the process stands behind it. */
function withLimits(os: OperatingSystem, error: unknown, wanted: { readonly reserved: number; readonly committed: number }): unknown {
  if (!(error instanceof AllocatorError && error.code === 'out-of-memory')) return error;
  for (const { name, counts, limit, available } of os.memoryLimits()) {
    if ((counts !== 'reserved' && counts !== 'committed') || wanted[counts] <= available) continue;
    return new AllocatorError('out-of-memory', `${wanted[counts]} bytes cannot be ${counts}: ${name} is ${limit}, of which ${available} are left`, { cause: error.cause });
  }
  return error;
}
