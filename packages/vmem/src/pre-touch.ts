/**
 * Pre-touch: makes memory resident before it is used, or fails at once.
 *
 * Committed memory is a promise; the system supplies a page when it is first written. (Any write does it, of zeros too; only reads are served from one
 * shared page of zeros.) Here all pages are asked for in one go, limits are looked at first, and the system is asked afterwards whether it kept its word.
 */

import { AllocatorError, alignDown, checkInteger, type Memory } from '@allokit/allocator';
import { findOperatingSystem } from '#operating-system';
import { checkDemand, type MemoryDemand } from './memory-demand.ts';
import type { OperatingSystem } from './operating-system.ts';
import { pagesAround, residentBytes } from './residency.ts';
import { startTouchWorker, type TouchWorker } from './touch-worker.ts';
import { writePages, writePatterns } from './touch.ts';

/**
 * How pages are made resident.
 *
 * | strategy | what it does | where |
 * |---|---|---|
 * | `lazy` | nothing: pages come when they are used | everywhere |
 * | `write` | writes to each page from JavaScript, in slices; safe while other threads use the memory | everywhere |
 * | `pattern` | gives each page data of its own, so that none can be merged with others, then its former contents; nobody else may use the memory | everywhere |
 * | `populate` | has the operating system supply them, off this thread; safe while others use the memory | Linux 5.14 and later, with koffi; elsewhere it is `write` |
 * | `parallel` | `threads` shares side by side: as `populate` does, else as `write` does in worker threads | as `populate`; else shared memory |
 */
export type PreTouchStrategy = 'lazy' | 'write' | 'pattern' | 'populate' | 'parallel';

const STRATEGIES: readonly PreTouchStrategy[] = ['lazy', 'write', 'pattern', 'populate', 'parallel'];

/** How far a pre-touch has come. */
export interface PreTouchProgress {
  /** Bytes done, never fewer than the time before. */
  readonly touchedBytes: number;
  /** Bytes to do. */
  readonly totalBytes: number;
}

/** What to make resident, and how. */
export interface PreTouchOptions {
  /** Default `populate`. */
  readonly strategy?: PreTouchStrategy | undefined;
  /** Where the range starts, in bytes. All pages that overlap it are touched. Default 0. */
  readonly from?: number | undefined;
  /** Where it ends, up to `memory.reserved`. Default `memory.committed`. */
  readonly to?: number | undefined;
  /** Shares that `parallel` works on at a time; Node.js runs at most `UV_THREADPOOL_SIZE` (4) system calls at once. Default: the processors, at most 4. */
  readonly threads?: number | undefined;
  /** Whether to ask for huge pages first: several times faster, where the system grants them. Default `false`. */
  readonly hugePages?: boolean | undefined;
  /** Whether to lock the pages in memory at the end, so that they are never swapped out. Default `false`. */
  readonly lock?: boolean | undefined;
  /** Called after each step, the last time with everything done; by `lazy` never. What it throws ends the pre-touch. */
  readonly onProgress?: ((progress: PreTouchProgress) => void) | undefined;
  /** Ends the pre-touch between two steps. */
  readonly signal?: AbortSignal | undefined;
}

/** What a pre-touch did. Sizes in bytes. */
export interface PreTouchReport {
  /** The one that was used. */
  readonly strategy: PreTouchStrategy;
  /** Size of the range. */
  readonly bytes: number;
  /** Size of the system's pages; 4096 where it is not known. */
  readonly pageSize: number;
  /** What of the range was resident before; `undefined` where the platform cannot tell. */
  readonly residentBefore: number | undefined;
  /** The same afterwards. */
  readonly residentAfter: number | undefined;
  /** Whether the operating system says that the whole range is resident. */
  readonly verified: boolean;
  /** Time that it took, verification included. */
  readonly milliseconds: number;
}

/** Where the page size is unknown: no platform has smaller ones, so that each page is hit, larger ones several times. */
const PAGE_SIZE_ASSUMED = 4096;

/** Bytes touched between two looks at the clock, the signal and the memory: some milliseconds, or tens of microseconds for the system to work off. */
const SLICE = { here: 4 * 2 ** 20, worker: 16 * 2 ** 20, system: 64 * 2 ** 20 } as const;

/** The event loop runs again after this much work on its thread, in milliseconds. */
const BUSY_MS_MAX = 20;

const THREADS_DEFAULT_MAX = 4;
const THREADS_MAX = 256;

/** Makes one slice resident. */
type Touch = (from: number, to: number) => Promise<void>;

/** The options, checked and complete. */
interface Request {
  readonly strategy: PreTouchStrategy;
  readonly from: number;
  readonly to: number;
  readonly threads: number;
  readonly hugePages: boolean;
  readonly lock: boolean;
  readonly onProgress: ((progress: PreTouchProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes `[from, to)` of a memory resident: contents unchanged, every page in physical memory, or an error. O(pages).
 *
 * A range may reach behind the current size of a `WasmMemory`: its pages are then brought in behind the scenes, whatever the strategy. The memory does
 * not grow, a module still traps there, and whoever grows the memory later finds them resident. Where the platform cannot (anywhere but on Linux 5.14 and later
 * with koffi), commit first.
 *
 * Before the first touch, what is missing is held against the limits of the process: control groups, resource limits and the memory of the machine.
 * What others take meanwhile is beyond foresight. (Before Linux 6.7, and elsewhere, pages that were only read pass for resident here.)
 *
 * JavaScript on this thread waits some 20 ms at the most. Other threads may use the memory, save with `pattern`; they may not grow it
 * while pages behind its size are brought in. When it grows on this thread, the pre-touch goes on; when it is released, it fails.
 *
 * After an error or a cancellation contents are unchanged and the range is not locked; some of its pages may be resident.
 *
 * @param memory - Any memory of at most 4 GiB.
 * @returns A promise that is rejected with TypeError or RangeError for bad options, the signal's reason when cancelled, and AllocatorError: `unsupported` where
 *   memory or platform cannot do what was asked, `out-of-memory` where a limit is too small (nothing was touched then) or the system does not make
 *   the range resident, `released`, `system` when the operating system refuses.
 */
export async function preTouch(memory: Memory, options: PreTouchOptions = {}): Promise<PreTouchReport> {
  return preTouchOn(findOperatingSystem(), memory, options);
}

/** `preTouch` on a given system, or on none. */
export async function preTouchOn(os: OperatingSystem | undefined, memory: Memory, options: PreTouchOptions): Promise<PreTouchReport> {
  const startMs = performance.now();
  const request = checkedRequest(os, memory, options);
  const { strategy, from, to, signal } = request;
  signal?.throwIfAborted();
  memory.refresh();
  checkSupport(os, memory, request);
  const residentBefore = os && residentBytes(os, memory, from, to);
  const mustBeResident = strategy !== 'lazy' || request.lock;
  if (os !== undefined && mustBeResident) checkDemand(os, demandOf(os, memory, request));
  if (os !== undefined && request.hugePages) adviseHugePages(os, memory, from, Math.min(to, memory.buffer.byteLength));
  if (strategy !== 'lazy') await sweep(os, memory, request);
  if (os !== undefined && request.lock) await lockPages(os, memory, request);

  memory.refresh();
  const residentAfter = os && residentBytes(os, memory, from, to);
  if (mustBeResident && residentAfter !== undefined && residentAfter < to - from) {
    throw new AllocatorError('out-of-memory', `only ${residentAfter} of ${to - from} bytes are resident after the strategy "${strategy}" touched them all`);
  }
  return {
    strategy,
    bytes: to - from,
    pageSize: os?.pageSize ?? PAGE_SIZE_ASSUMED,
    residentBefore,
    residentAfter,
    verified: residentAfter === to - from,
    milliseconds: performance.now() - startMs,
  };
}

function checkedRequest(os: OperatingSystem | undefined, memory: Memory, options: PreTouchOptions): Request {
  const { strategy = 'populate', from = 0, to = memory.committed, hugePages = false, lock = false } = options;
  const { threads = Math.min(navigator.hardwareConcurrency, THREADS_DEFAULT_MAX), onProgress, signal } = options;
  if (typeof strategy !== 'string') throw new TypeError(`strategy must be a string, got ${String(strategy)} (${typeof strategy})`);
  if (!STRATEGIES.includes(strategy)) throw new RangeError(`strategy must be one of ${STRATEGIES.join(', ')}, got "${strategy}"`);
  checkInteger(from, 'from', 0, memory.reserved);
  checkInteger(to, 'to', from, memory.reserved);
  checkInteger(threads, 'threads', 1, THREADS_MAX);
  for (const [name, value] of Object.entries({ hugePages, lock })) {
    if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${String(value)} (${typeof value})`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') throw new TypeError(`onProgress must be a function, got ${typeof onProgress}`);
  if (signal !== undefined && typeof signal.throwIfAborted !== 'function') throw new TypeError(`signal must be an AbortSignal, got ${typeof signal}`);
  const isPossible = strategy !== 'populate' || os?.populate !== undefined;
  return { strategy: isPossible ? strategy : 'write', from, to, threads, hugePages, lock, onProgress, signal };
}

function checkSupport(os: OperatingSystem | undefined, memory: Memory, { strategy, to, hugePages, lock }: Request): void {
  const { byteLength } = memory.buffer;
  const refuse = (message: string): never => {
    throw new AllocatorError('unsupported', message);
  };
  const isPersistent = 'persistent' in memory && memory.persistent === true;
  if (strategy === 'pattern' && isPersistent) refuse('the strategy "pattern" writes data of its own for a moment, which a file might keep: "write" does without');
  if (strategy === 'parallel' && os?.populate === undefined && !isSharedBuffer(memory.buffer)) {
    refuse('the strategy "parallel" needs shared memory, or Linux 5.14 or later and the package koffi: "write" works everywhere');
  }
  if (hugePages && !os?.hugePageSize) refuse('huge pages cannot be asked for on this platform, or without the package koffi');
  if (lock && os === undefined) refuse('memory can be locked by the operating system only: that needs Node.js and the package koffi');
  if (to <= byteLength) return;
  if (isPersistent) refuse(`bytes up to ${to} cannot be made resident while the file is only ${byteLength} bytes long: commit first`);
  if (lock) refuse(`bytes up to ${to} cannot be locked while only ${byteLength} are accessible: commit first`);
  if (strategy !== 'lazy' && os?.populateReserved === undefined) {
    refuse(`bytes up to ${to} cannot be made resident here while only ${byteLength} are accessible: commit first`);
  }
}

/** Whether worker threads can have it. Native memory is shared by its address, which is nothing to them without the system. */
function isSharedBuffer(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}

function demandOf(os: OperatingSystem, memory: Memory, { strategy, from, to, threads, lock }: Request): MemoryDemand {
  const { address, size } = pagesAround(os, memory, from, to);
  const behind = strategy === 'lazy' ? 0 : Math.max(0, to - Math.max(from, memory.buffer.byteLength));
  return {
    resident: size === 0 ? 0 : size - os.resident(address, size),
    locked: lock ? size : 0,
    // Pages behind the memory are made elsewhere and moved, a slice at a time.
    reserved: Math.min(behind, SLICE.system * (strategy === 'parallel' ? threads : 1)),
    // They count in full once the memory has grown over them, which must not be what fails then.
    committed: behind,
  };
}

/** Those that lie in the range: the others are shared with neighbours. */
function adviseHugePages(os: OperatingSystem, memory: Memory, from: number, to: number): void {
  const base = os.addressOf(memory.buffer);
  const huge = BigInt(os.hugePageSize);
  const start = ((base + BigInt(from) + huge - 1n) / huge) * huge;
  const end = ((base + BigInt(to)) / huge) * huge;
  if (start < end) os.adviseHugePages(start, Number(end - start));
}

/** Touches everything, slice by slice: first what is accessible, then what lies behind it. */
async function sweep(os: OperatingSystem | undefined, memory: Memory, { strategy, from, to, threads, onProgress, signal }: Request): Promise<void> {
  const isSystems = strategy === 'populate' || (strategy === 'parallel' && os?.populate !== undefined);
  const isWorkers = strategy === 'parallel' && !isSystems;
  const sliceSize = isSystems ? SLICE.system : isWorkers ? SLICE.worker : SLICE.here;
  const accessible = Math.min(to, memory.buffer.byteLength);
  const sliceCount = Math.ceil(to / sliceSize) - Math.floor(from / sliceSize);
  const laneCount = strategy === 'parallel' ? Math.min(threads, sliceCount) : 1;
  const totalBytes = to - from;
  let touchedBytes = 0;
  const advance = (bytes: number): void => {
    touchedBytes += bytes;
    onProgress?.({ touchedBytes, totalBytes });
    signal?.throwIfAborted();
  };
  if (totalBytes === 0) advance(0);
  const workers: TouchWorker[] = [];
  try {
    if (isWorkers) for (let i = 0; i < laneCount; i += 1) workers.push(startTouchWorker());
    const lanes = Array.from({ length: laneCount }, (_, i) => {
      if (isSystems) return populating(os!, memory);
      return isWorkers ? inWorker(os, memory, workers[i]!) : writing(os, memory, strategy === 'pattern' ? writePatterns : writePages);
    });
    await share(lanes, from, accessible, sliceSize, advance);
    if (to > accessible) {
      const behind = lanes.map((touch) => touchingBehind(os!, memory, touch));
      await share(behind, Math.max(from, accessible), to, SLICE.system, advance);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

/** Lets each lane take the next slice until all are done, or one has failed; settles when no lane is at work any more. */
async function share(lanes: readonly Touch[], from: number, to: number, sliceSize: number, advance: (bytes: number) => void): Promise<void> {
  let next = from;
  const work = async (touch: Touch): Promise<void> => {
    try {
      while (next < to) {
        const start = next;
        const end = Math.min(to, alignDown(start, sliceSize) + sliceSize);
        next = end;
        await touch(start, end);
        advance(end - start);
      }
    } catch (error) {
      next = to;
      throw error;
    }
  };
  const results = await Promise.allSettled(lanes.map(work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Lets the event loop run when it has waited long enough. */
function breathing(): () => Promise<void> {
  let startMs = performance.now();
  return async () => {
    if (performance.now() - startMs < BUSY_MS_MAX) return;
    await new Promise((resolve) => setTimeout(resolve));
    startMs = performance.now();
  };
}

/** Touches on this thread, which is let go now and then. */
function writing(os: OperatingSystem | undefined, memory: Memory, write: typeof writePages): Touch {
  const breathe = breathing();
  return async (from, to) => {
    const { buffer } = memory;
checkCommitted(buffer, from, to);
    write(new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4)), from, to, os?.pageSize ?? PAGE_SIZE_ASSUMED);
    await breathe();
  };
}

/** Pages may go while others are touched. */
function checkCommitted({ byteLength }: ArrayBufferLike, from: number, to: number): void {
  if (to > byteLength) throw new AllocatorError('invalid-address', `bytes ${from}..${to} were decommitted while they were touched: ${byteLength} are left`);
}

function inWorker(os: OperatingSystem | undefined, memory: Memory, worker: TouchWorker): Touch {
  return (from, to) => worker.touch(memory.buffer, from, to, os?.pageSize ?? PAGE_SIZE_ASSUMED);
}

/**
 * Has the system touch. Should the memory be released meanwhile, the system finds nothing mapped there, or brings in what somebody else has mapped since:
 * neither does harm.
 */
function populating(os: OperatingSystem, memory: Memory): Touch {
  return async (from, to) => {
    const { address, size } = pagesAround(os, memory, from, to);
    try {
      await os.populate!(address, size);
    } finally {
      // Keeps the memory from being collected while its address is in use, and says first whether it was released.
      memory.refresh();
    }
    checkCommitted(memory.buffer, from, to);
  };
}

/** Brings in what lies behind the buffer; `touch` is for what the memory has grown over meanwhile. */
function touchingBehind(os: OperatingSystem, memory: Memory, touch: Touch): Touch {
  return async function touchOrReserve(from, to): Promise<void> {
    memory.refresh();
    const accessible = memory.buffer.byteLength;
    if (from < accessible) await touch(from, Math.min(to, accessible));
    if (to <= accessible) return;
    const start = Math.max(from, accessible);
    const { address, size } = pagesAround(os, memory, start, to);
    // A second time would replace what the first brought in. Where pages of zeros count as resident there is no telling.
    if (os.tellsZeroPages && os.resident(address, size) === size) return;
    try {
      await os.populateReserved!(address, size);
    } catch (error) {
      memory.refresh();
      if (memory.buffer.byteLength <= start) throw error;
      await touchOrReserve(start, to);
    }
  };
}

/** Locks in slices; unlocks again when it fails. */
async function lockPages(os: OperatingSystem, memory: Memory, { from, to, signal }: Request): Promise<void> {
  const breathe = breathing();
  let end = from;
  try {
    while (end < to) {
      memory.refresh();
      const start = end;
      end = Math.min(to, start + SLICE.system);
      const { address, size } = pagesAround(os, memory, start, end);
      os.lock(address, size);
      await breathe();
      signal?.throwIfAborted();
    }
  } catch (error) {
    memory.refresh();
    const { address, size } = pagesAround(os, memory, from, end);
    os.unlock(address, size);
    throw error;
  }
}
