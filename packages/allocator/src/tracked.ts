/**
 * Statistics: passes every request on to its parent and keeps count of what came of it.
 *
 * The counts are kept by this object, outside the memory, where the blocks' owners cannot damage them and they take none of the room
 * that they measure. They cost a `Map` entry for each live block and some 100 ns a call, call stacks some microseconds:
 * this is for development and for tests. What an allocator counts itself, at no cost, its own `stats()` says.
 */

import { NULL, checkInteger, type Address } from './address.ts';
import type { Allocator, AllocatorStats } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator, refuseBlock, refuseSize } from './guards.ts';
import type { Memory } from './memory.ts';

/** Frames of a call stack that are kept by default. */
const DEPTH = 8;

/** Frames between the caller of an allocator and the place where the stack is taken: `captureStack`, `#site` and the public method. */
const OWN_DEPTH = 3;

/** One histogram entry for each power of two up to 2^32. */
const HISTOGRAM_LENGTH = 33;

/** What {@link Tracked.create} takes. */
export interface TrackedOptions {
  /** Whether to note the call stack of each allocation, and how many frames of it: 8 unless told otherwise. Default `false`. */
  readonly sites?:
    | boolean
    | {
        /** Frames to keep, 1..1000. */
        readonly depth: number;
      };
  /**
   * Called after each call that changed something, and after each request that found no room. It must not use the allocator, and not throw:
   * the call would be done, but its caller would not learn the address.
   */
  readonly onEvent?: (event: TrackedEvent) => void;
}

/** One call, as it went. Every event has every field. */
export interface TrackedEvent {
  /** Which method was called. A `reallocate` of `NULL` or to size 0 is reported as the `allocate` or `deallocate` that it is. */
  readonly operation: 'allocate' | 'deallocate' | 'reallocate' | 'resize' | 'reset' | 'release';
  /** Where the block is now; `NULL` when there was no room, or no block is concerned. Of a freed block, where it was. */
  readonly address: Address;
  /** The size asked for, or that of the freed block, in bytes. */
  readonly size: number;
  /** The alignment asked for, in bytes; 0 when none was. */
  readonly alignment: number;
  /** Where the block was before, `NULL` when there was none. */
  readonly oldAddress: Address;
  /** The size it had before, in bytes. */
  readonly oldSize: number;
}

/** The figures of what went through. `liveBytes` counts the usable sizes: less `requestedBytes`, it is what rounding wastes. */
export interface TrackedStats extends AllocatorStats {
  /** Blocks that are live. */
  readonly liveCount: number;
  /** The most blocks that were live at once. */
  readonly liveCountPeak: number;
  /** The most bytes that were live at once. */
  readonly liveBytesPeak: number;
  /** Bytes asked for by the owners of the live blocks. */
  readonly requestedBytes: number;
  /** Blocks handed out since creation. A reallocation counts as one, a resize does not. */
  readonly totalCount: number;
  /** Bytes asked for since creation. */
  readonly totalBytes: number;
  /** How many of these blocks were of which size: entry `k` counts sizes above 2^(k-1) up to 2^k. 33 entries. */
  readonly sizeCounts: readonly number[];
}

/** A place in the program that allocates. A snapshot. */
export interface AllocationSite {
  /** The call stack, a frame a line, the caller of the allocator first. */
  readonly stack: string;
  /** Blocks from here that are live. */
  readonly liveCount: number;
  /** Bytes asked for by their owners. */
  readonly liveBytes: number;
  /** Blocks handed out here since creation. */
  readonly totalCount: number;
  /** Bytes asked for here since creation. */
  readonly totalBytes: number;
}

/** A block that is still live. */
export interface Leak {
  /** Where it starts. */
  readonly address: Address;
  /** The size asked for, in bytes. */
  readonly size: number;
  /** The call stack that allocated it; empty when sites are not noted. */
  readonly stack: string;
}

interface Site {
  readonly stack: string;
  liveCount: number;
  liveBytes: number;
  totalCount: number;
  totalBytes: number;
}

interface TrackedBlock {
  readonly size: number;
  readonly usable: number;
  readonly site: Site | undefined;
}

/**
 * Counts what goes through. Transparent: addresses, sizes and errors are the parent's, but for blocks that it did not hand out itself,
 * which it refuses. Owns its parent: `reset` and `release` reach it. One thread at a time.
 */
export class Tracked<P extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  readonly #siteDepth: number;
  readonly #onEvent: ((event: TrackedEvent) => void) | undefined;
  readonly #blocks = new Map<Address, TrackedBlock>();
  readonly #sites = new Map<string, Site>();
  readonly #sizeCounts = new Array<number>(HISTOGRAM_LENGTH).fill(0);
  #liveBytes = 0;
  #liveBytesPeak = 0;
  #liveCountPeak = 0;
  #requestedBytes = 0;
  #totalCount = 0;
  #totalBytes = 0;
  #failureCount = 0;

  private constructor(parent: P, siteDepth: number, onEvent: ((event: TrackedEvent) => void) | undefined) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.#siteDepth = siteDepth;
    this.#onEvent = onEvent;
  }

  /**
   * Starts counting. Blocks that are live already are none of its own. O(1).
   *
   * @throws TypeError for what is no allocator, RangeError for a depth below 1.
   */
  static create<P extends Allocator>(parent: P, options: TrackedOptions = {}): Tracked<P> {
    checkAllocator(parent, 'parent');
    const { sites = false, onEvent } = options;
    if (onEvent !== undefined && typeof onEvent !== 'function') throw new TypeError(`onEvent must be a function, got ${String(onEvent)}`);
    const depth = typeof sites === 'object' ? sites.depth : sites ? DEPTH : 0;
    if (typeof sites === 'object') checkInteger(depth, 'depth', 1, 1000);
    return new Tracked(parent, depth, onEvent);
  }

  /** As the parent does. */
  allocate(size: number, alignment?: number): Address {
    const address = this.parent.allocate(size, alignment);
    if (size === 0) return address;
    this.#note(address, size, this.#site());
    this.#emit('allocate', address, size, alignment);
    return address;
  }

  /** As the parent does; also refuses a size less than was asked for. */
  deallocate(address: Address, size?: number): void {
    if (address === NULL) {
      this.parent.deallocate(address, size);
      return;
    }
    const block = this.#blocks.get(address) ?? refuseBlock(this.parent, address, size);
    if (size !== undefined) checkBlockSize(address, size, block);
    this.parent.deallocate(address, size ?? block.size);
    this.#remove(address, block);
    this.#emit('deallocate', address, block.size);
  }

  /** As the parent does; also refuses an old size less than was asked for. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (address === NULL) return this.parent.resize(address, oldSize, newSize);
    const block = this.#blocks.get(address) ?? refuseBlock(this.parent, address, oldSize);
    checkBlockSize(address, oldSize, block);
    if (!this.parent.resize(address, oldSize, newSize)) return false;
    if (newSize === block.size) return true;
    this.#remove(address, block);
    this.#add(address, newSize, block.site);
    this.#emit('resize', address, newSize, 0, address, block.size);
    return true;
  }

  /** As the parent does; also refuses an old size less than was asked for. The block belongs to the site that reallocated it last. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) {
      const target = this.parent.reallocate(address, oldSize, newSize, alignment);
      if (newSize === 0) return target;
      this.#note(target, newSize, this.#site());
      this.#emit('allocate', target, newSize, alignment);
      return target;
    }
    const block = this.#blocks.get(address) ?? refuseBlock(this.parent, address, oldSize);
    checkBlockSize(address, oldSize, block);
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    if (newSize === 0) {
      this.#remove(address, block);
      this.#emit('deallocate', address, block.size);
      return target;
    }
    if (target !== NULL) this.#remove(address, block);
    this.#note(target, newSize, this.#site());
    this.#emit('reallocate', target, newSize, alignment, address, block.size);
    return target;
  }

  /** As the parent says. */
  usableSize(address: Address): number {
    if (address === NULL) return this.parent.usableSize(address);
    return (this.#blocks.get(address) ?? refuseBlock(this.parent, address)).usable;
  }

  /** As the parent says. */
  owns(address: Address): boolean {
    return this.parent.owns(address);
  }

  /** Resets the parent. Totals, peaks and sites stay. O(live blocks). */
  reset(): void {
    this.parent.reset();
    this.#forget();
    this.#emit('reset', NULL, 0);
  }

  /** Releases the parent. {@link Tracked.sites} can still be asked. */
  release(): void {
    this.parent.release();
    this.#forget();
    this.#emit('release', NULL, 0);
  }

  /** The figures. Costs what the parent's cost. */
  stats(): TrackedStats {
    return {
      capacity: this.parent.stats().capacity,
      liveBytes: this.#liveBytes,
      failureCount: this.#failureCount,
      liveCount: this.#blocks.size,
      liveCountPeak: this.#liveCountPeak,
      liveBytesPeak: this.#liveBytesPeak,
      requestedBytes: this.#requestedBytes,
      totalCount: this.#totalCount,
      totalBytes: this.#totalBytes,
      sizeCounts: [...this.#sizeCounts],
    };
  }

  /** The places that allocated, most live bytes first; none when sites are not noted. O(sites). */
  sites(): AllocationSite[] {
    return [...this.#sites.values()].map((site) => ({ ...site })).sort((a, b) => b.liveBytes - a.liveBytes || b.totalBytes - a.totalBytes);
  }

  /** Every block that is live, oldest first: when none should be, the leaks. O(live blocks). */
  leaks(): Leak[] {
    return [...this.#blocks].map(([address, { size, site }]) => ({ address, size, stack: site?.stack ?? '' }));
  }

  /** The outcome of a request: a block handed out, or `NULL`. */
  #note(address: Address, size: number, site: Site | undefined): void {
    if (address === NULL) {
      this.#failureCount += 1;
      return;
    }
    this.#add(address, size, site);
    this.#count(size, site);
  }

  #add(address: Address, size: number, site: Site | undefined): void {
    const usable = this.parent.usableSize(address);
    this.#blocks.set(address, { size, usable, site });
    this.#liveBytes += usable;
    this.#requestedBytes += size;
    if (this.#liveBytes > this.#liveBytesPeak) this.#liveBytesPeak = this.#liveBytes;
    if (this.#blocks.size > this.#liveCountPeak) this.#liveCountPeak = this.#blocks.size;
    if (site === undefined) return;
    site.liveCount += 1;
    site.liveBytes += size;
  }

  #remove(address: Address, { size, usable, site }: TrackedBlock): void {
    this.#blocks.delete(address);
    this.#liveBytes -= usable;
    this.#requestedBytes -= size;
    if (site === undefined) return;
    site.liveCount -= 1;
    site.liveBytes -= size;
  }

  #count(size: number, site: Site | undefined): void {
    this.#totalCount += 1;
    this.#totalBytes += size;
    this.#sizeCounts[size === 1 ? 0 : 32 - Math.clz32(size - 1)]! += 1;
    if (site === undefined) return;
    site.totalCount += 1;
    site.totalBytes += size;
  }

  #forget(): void {
    this.#blocks.clear();
    this.#liveBytes = 0;
    this.#requestedBytes = 0;
    for (const site of this.#sites.values()) {
      site.liveCount = 0;
      site.liveBytes = 0;
    }
  }

  #site(): Site | undefined {
    if (this.#siteDepth === 0) return undefined;
    const stack = captureStack(this.#siteDepth);
    let site = this.#sites.get(stack);
    if (site === undefined) {
      site = { stack, liveCount: 0, liveBytes: 0, totalCount: 0, totalBytes: 0 };
      this.#sites.set(stack, site);
    }
    return site;
  }

  #emit(operation: TrackedEvent['operation'], address: Address, size: number, alignment = 0, oldAddress: Address = NULL, oldSize = 0): void {
    this.#onEvent?.({ operation, address, size, alignment, oldAddress, oldSize });
  }

  /** Checks the parent, and that it knows every block that is live here. O(live blocks) beyond the parent's check. */
  checkInvariants(): void {
    this.parent.checkInvariants();
    let requestedBytes = 0;
    let liveBytes = 0;
    for (const [address, { size, usable }] of this.#blocks) {
      if (this.parent.usableSize(address) !== usable) {
        throw new AllocatorError('corrupt', `the block at ${formatAddress(address)} no longer has ${usable} usable bytes`);
      }
      requestedBytes += size;
      liveBytes += usable;
    }
    if (requestedBytes !== this.#requestedBytes || liveBytes !== this.#liveBytes) {
      throw new AllocatorError('corrupt', `${liveBytes} bytes are live, ${this.#liveBytes} were counted`);
    }
  }
}

/** A size between what was asked for and what is usable is one that the block can have been given; C's `realloc` knows only the latter. */
function checkBlockSize(address: Address, size: number, block: TrackedBlock): void {
  if (size < block.size || size > block.usable) refuseSize(address, size, block.size);
}

/** The calling stack above the allocator, in the engine's own words, one frame a line. */
function captureStack(depth: number): string {
  // V8 takes ten frames unless told otherwise; elsewhere the property means nothing.
  const settings = Error as { stackTraceLimit?: number };
  const limit = settings.stackTraceLimit;
  settings.stackTraceLimit = depth + OWN_DEPTH;
  const lines = (new Error().stack ?? '').split('\n');
  if (limit === undefined) delete settings.stackTraceLimit;
  else settings.stackTraceLimit = limit;
  // V8 opens with the error's name, others with the first frame.
  const first = lines[0]?.startsWith('Error') === true ? 1 : 0;
  const frames = lines.slice(first + OWN_DEPTH, first + OWN_DEPTH + depth);
  return frames.map((line) => line.trim()).join('\n');
}
