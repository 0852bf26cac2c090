/**
 * Which places of a program hold how much memory: by every block, or by a sample of them that costs next to nothing.
 *
 * Samples lie at exponentially distributed distances of bytes, as in TCMalloc's heap profiler: a block of `size` bytes is in the sample with probability `1 -
 * e^(-size / interval)`, whatever was allocated before, and stands for as many blocks as it was unlikely. So sums over samples are right on average, for any
 * mix of sizes.
 *
 * What most calls cost is a subtraction, and one look into a small table, which tells a free that its block is in no sample.
 */

import {
  HOT_PATHS,
  NULL,
  checkAllocator,
  checkInteger,
  type Address,
  type AllocationSite,
  type Allocator,
  type AllocatorStats,
  type Compilable,
  type HotPathWriter,
  type HotPaths,
  type Leak,
  type Memory,
} from '@allokit/allocator';
import { captureStack, stackLines, type CapturedStack } from './stack.ts';

/**
 * Bytes between two samples on average at which a program that allocates a lot hardly slows down, and tens of megabytes are seen well: 2 MiB, as in TCMalloc.
 */
export const SAMPLE_INTERVAL = 2 * 2 ** 20;
/** The part of the time that taking samples may take, for programs that allocate faster than that: a thirty-third. */
export const SAMPLE_TIME_SHARE = 0.03;

/** Frames of a call stack that are kept by default. */
const DEPTH = 16;

/** Log2 of the table's entries: few enough to stay in the cache. */
const FILTER_LOG2 = 12;
/** What entry an address has: spread by 2^32 over the golden ratio. */
const FILTER_FACTOR = 0x9e37_79b1 | 0;
const FILTER_SHIFT = 32 - FILTER_LOG2;
/** An entry that has counted so far no longer counts. */
const FILTER_MAX = 0xff;

/** Samples after which it is looked at how long they took. */
const WINDOW_COUNT = 8;
/** The most bytes between two samples on average. */
const INTERVAL_MAX = 2 ** 30;

/** What the countdown has room for. */
const COUNTDOWN_MAX = 2 ** 31 - 1;

/** Freed samples whose stacks are kept unread, at the most: 1 MiB or so. */
const FREED_COUNT_MAX = 4096;

/** What {@link Profiled.create} takes. */
export interface ProfiledOptions {
  /** Bytes between two samples on average, up to 2^30. Default 0: every block is noted. See {@link SAMPLE_INTERVAL}. */
  readonly interval?: number;
  /** Frames of a call stack to keep, 1..1000. Default 16. */
  readonly depth?: number;
  /**
   * Whether what was freed stays in the sites' totals. Default `true`; without, a call stack whose block is freed is never put into words, which is most of
   * what an exact profile costs.
   */
  readonly totals?: boolean;
  /**
   * The part of the time that taking samples may take, above 0: while it would take more, more bytes lie between samples than `interval` says, and each sample
   * stands for more. So a program that allocates gigabytes a second is hardly slowed down either. Default: no limit.
   */
  readonly timeShareMax?: number;
  /** Numbers in 0..1 from which the distances come. Default: `Math.random`. */
  readonly random?: () => number;
}

/** What was freed, by where it came from. */
interface Freed {
  count: number;
  bytes: number;
}

interface Sample {
  readonly size: number;
  /** How many blocks this one stands for. */
  readonly weight: number;
  /** Where it came from: read when somebody asks, which is seldom. */
  readonly origin: CapturedStack;
}

/**
 * Notes where blocks come from. Transparent: addresses, sizes and errors are the parent's. Blocks that are live already are none of its own. Owns its parent:
 * `reset` and `release` reach it. One thread at a time.
 *
 * Exact, it costs some microseconds for each allocation, for the call stack, and tens for each free, for its text. Sampled, a few nanoseconds, or less: it
 * takes part in `compile`. A stack that nobody read yet keeps alive what its functions were called on.
 */
export class Profiled<P extends Allocator = Allocator> implements Allocator, Compilable {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  /** Bytes between two samples on average; 0 where every block is noted. */
  readonly interval: number;
  /** Frames of a call stack that are kept. */
  readonly depth: number;
  /** Whether what was freed stays in the sites' totals. */
  readonly totals: boolean;

  // Private to TypeScript only, and stored once: see the note in o1heap.
  /** One word: bytes until the next sample. */
  declare private readonly countdown: Int32Array;
  /** How many samples' addresses fall on each entry. */
  declare private readonly filter: Uint8Array;
  readonly #random: () => number;
  readonly #timeShareMax: number;
  /** Bytes between two samples as of the last one: what the next one's weight follows from. */
  #currentInterval: number;
  /** Bytes until the next sample beyond those that the countdown has room for. */
  #beyond = 0;
  #windowStartMs = 0;
  #windowSpentMs = 0;
  #windowCount = 0;
  /** Those that are live, oldest first. */
  readonly #samples = new Map<Address, Sample>();
  /** Those that were freed and not yet counted. Where they are too many, a random half stands for all. */
  #freed: Sample[] = [];
  /** How many freed samples each of these stands for. */
  #freedWeight = 1;
  /** What was freed before those, by call stack. */
  readonly #counted = new Map<string, Freed>();

  private constructor(parent: P, { interval, depth, totals, timeShareMax, random }: Required<ProfiledOptions>) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.interval = interval;
    this.depth = depth;
    this.totals = totals;
    this.countdown = new Int32Array(new ArrayBuffer(4));
    this.filter = new Uint8Array(new ArrayBuffer(2 ** FILTER_LOG2));
    this.#random = random;
    this.#timeShareMax = timeShareMax;
    this.#currentInterval = interval;
    this.#restart();
  }

  /**
   * Starts noting. O(1).
   *
   * @throws TypeError for what is no allocator or function, RangeError for an interval or a depth out of range.
   */
  static create<P extends Allocator>(parent: P, { interval = 0, depth = DEPTH, totals = true, timeShareMax = Infinity, random = Math.random }: ProfiledOptions = {}): Profiled<P> {
    checkAllocator(parent, 'parent');
    checkInteger(interval, 'interval', 0, INTERVAL_MAX);
    checkInteger(depth, 'depth', 1, 1000);
    if (typeof random !== 'function') throw new TypeError(`random must be a function, got ${typeof random}`);
    if (!(timeShareMax > 0)) throw new RangeError(`timeShareMax must be above 0, got ${String(timeShareMax)}`);
    return new Profiled(parent, { interval, depth, totals, timeShareMax, random });
  }

  /** As the parent does. */
  allocate(size: number, alignment?: number): Address {
    const address = this.parent.allocate(size, alignment);
    const { countdown } = this;
    const left = countdown[0]! - size;
    if (left > 0 && address !== NULL) countdown[0] = left;
    else this.noteAllocation(address, size, 'allocate');
    return address;
  }

  /** As the parent does. */
  deallocate(address: Address, size?: number): void {
    this.parent.deallocate(address, size);
    if (this.filter[Math.imul(address, FILTER_FACTOR) >>> FILTER_SHIFT] !== 0) this.noteFree(address);
  }

  /** As the parent does. The block stays with the site that it came from. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (!this.parent.resize(address, oldSize, newSize)) return false;
    const sample = this.#samples.get(address);
    if (sample === undefined) return true;
    this.#samples.set(address, { ...sample, size: newSize });
    return true;
  }

  /** As the parent does. The block belongs to the site that reallocated it last. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    if (target === NULL && newSize !== 0) return NULL;
    this.noteFree(address);
    if (target !== NULL) this.noteAllocation(target, newSize, 'reallocate');
    return target;
  }

  /** As the parent says. */
  usableSize(address: Address): number {
    return this.parent.usableSize(address);
  }

  /** As the parent says. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** Resets the parent. Totals and sites stay. O(samples). */
  reset(): void {
    this.parent.reset();
    this.#forget();
  }

  /** Releases the parent. {@link Profiled.sites} can still be asked. O(samples). */
  release(): void {
    this.parent.release();
    this.#forget();
  }

  /** The parent's figures. */
  stats(): ReturnType<P['stats']> & AllocatorStats {
    return this.parent.stats() as ReturnType<P['stats']> & AllocatorStats;
  }

  /** Checks the parent. */
  checkInvariants(): void {
    this.parent.checkInvariants();
  }

  /**
   * The places that allocated, most live bytes first. Bytes are those asked for. Sampled, they are estimates, rounded. O(samples), at some 20 microseconds each
   * the first time.
   */
  sites(): AllocationSite[] {
    this.#countFreed();
    const sites = new Map<string, AllocationSite>();
    const add = (stack: string, count: number, bytes: number, live: 0 | 1): void => {
      const { liveCount = 0, liveBytes = 0, totalCount = 0, totalBytes = 0 } = sites.get(stack) ?? {};
      sites.set(stack, { stack, liveCount: liveCount + count * live, liveBytes: liveBytes + bytes * live, totalCount: totalCount + count, totalBytes: totalBytes + bytes });
    };
    for (const [stack, { count, bytes }] of this.#counted) add(stack, count, bytes, 0);
    for (const { origin, size, weight } of this.#samples.values()) add(this.#stackOf(origin), weight, size * weight, 1);
    const rounded = [...sites.values()].map((site) => ({
      stack: site.stack,
      liveCount: Math.round(site.liveCount),
      liveBytes: Math.round(site.liveBytes),
      totalCount: Math.round(site.totalCount),
      totalBytes: Math.round(site.totalBytes),
    }));
    return rounded.sort((a, b) => b.liveBytes - a.liveBytes || b.totalBytes - a.totalBytes);
  }

  /** The blocks that are live, as far as they are in the sample, oldest first: when none should be, the leaks. O(samples). */
  leaks(): Leak[] {
    return [...this.#samples].map(([address, { size, origin }]) => ({ address, size, stack: this.#stackOf(origin) }));
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    const parent = writer.functions(this.parent);
    const countdown = writer.bind(this.countdown);
    const filter = writer.bind(this.filter);
    return {
      allocate: `
  const left = ${countdown}[0] - size;
  if (left <= 0) return ${NULL};
  const address = ${parent.allocate}(size);
  if (address !== ${NULL}) ${countdown}[0] = left;
  return address;`,
      deallocate: `
  if (${filter}[Math.imul(address, ${FILTER_FACTOR}) >>> ${FILTER_SHIFT}] !== 0) return -1;
  return ${parent.deallocate}(address, size);`,
    };
  }

  /** A block that may be in the sample; or none. */
  private noteAllocation(address: Address, size: number, method: 'allocate' | 'reallocate'): void {
    if (address === NULL) return;
    const left = this.countdown[0]! + this.#beyond - size;
    if (left > 0) {
      this.#countDown(left);
      return;
    }
    // It could be handed out again: so it was freed by somebody whom this is not between, as an arena is rewound, or a block freed by another thread.
    this.noteFree(address);
    // The chance that this block had to be in the sample.
    const weight = this.interval === 0 ? 1 : 1 / -Math.expm1(-size / this.#currentInterval);
    this.#samples.set(address, { size, weight, origin: this.#timedStack(method) });
    this.#restart();
    const entry = Math.imul(address, FILTER_FACTOR) >>> FILTER_SHIFT;
    if (this.filter[entry]! < FILTER_MAX) this.filter[entry]! += 1;
  }

  /** Takes the stack, and looks at how long that took: if too long for what the program does in between, the next samples lie further apart. */
  #timedStack(method: 'allocate' | 'reallocate'): CapturedStack {
    const own: unknown = Reflect.get(Profiled.prototype, method);
    if (this.interval === 0 || this.#timeShareMax === Infinity) return captureStack(this.depth, own);
    const startMs = performance.now();
    const origin = captureStack(this.depth, own);
    const endMs = performance.now();
    this.#windowSpentMs += endMs - startMs;
    this.#windowCount += 1;
    if (this.#windowCount < WINDOW_COUNT) return origin;
    const share = this.#windowSpentMs / (endMs - this.#windowStartMs);
    if (share > this.#timeShareMax) this.#currentInterval = Math.min(INTERVAL_MAX, this.#currentInterval * 2);
    else if (share < this.#timeShareMax / 4) this.#currentInterval = Math.max(this.interval, this.#currentInterval / 2);
    this.#windowStartMs = endMs;
    this.#windowSpentMs = 0;
    this.#windowCount = 0;
    return origin;
  }

  /** A block that may be in the sample, and is free now; or none. */
  private noteFree(address: Address): void {
    const sample = this.#samples.get(address);
    if (sample === undefined) return;
    this.#samples.delete(address);
    const entry = Math.imul(address, FILTER_FACTOR) >>> FILTER_SHIFT;
    if (this.filter[entry]! < FILTER_MAX) this.filter[entry]! -= 1;
    this.#noteFreed(sample);
  }

  #noteFreed(sample: Sample): void {
    if (!this.totals) return;
    if (this.interval === 0) {
      this.#count(sample, 1);
      return;
    }
    if (this.#freedWeight > 1 && this.#random() * this.#freedWeight >= 1) return;
    this.#freed.push(sample);
    if (this.#freed.length < FREED_COUNT_MAX) return;
    this.#freed = this.#freed.filter(() => this.#random() < 0.5);
    this.#freedWeight *= 2;
  }

  #count({ origin, size, weight }: Sample, factor: number): void {
    const stack = this.#stackOf(origin);
    const { count, bytes } = this.#counted.get(stack) ?? { count: 0, bytes: 0 };
    this.#counted.set(stack, { count: count + weight * factor, bytes: bytes + size * weight * factor });
  }

  #countFreed(): void {
    for (const sample of this.#freed) this.#count(sample, this.#freedWeight);
    this.#freed = [];
    this.#freedWeight = 1;
  }

  /** Draws the distance to the next sample. */
  #restart(): void {
    // With an interval of 0 every block is past the distance, which is nothing.
    this.#countDown(this.interval === 0 ? 0 : Math.ceil(-Math.log(1 - this.#random() * (1 - 2 ** -53)) * this.#currentInterval));
  }

  /**
   * So many bytes until the next sample: more than fit in the countdown follow when it has run out, as a distance cut short would make samples
   * too frequent for their weight.
   */
  #countDown(distance: number): void {
    this.countdown[0] = Math.min(COUNTDOWN_MAX, distance);
    this.#beyond = distance - this.countdown[0];
  }

  #stackOf(origin: CapturedStack): string {
    return stackLines(origin, this.depth).join('\n');
  }

  #forget(): void {
    for (const sample of this.#samples.values()) this.#noteFreed(sample);
    this.#samples.clear();
    this.filter.fill(0);
  }
}
