/**
 * A memory that is its own root allocator: it hands out whole pages of itself, and every other allocator is built on it.
 *
 *     address        header: magic, kind, version, own address              16 bytes
 *     address + 16   page size, reserved pages, failures, committed pages   16 bytes
 *     address + 32   page map: fields and one word a reserved page
 *     next page      the first page that can be handed out
 *
 * The subclasses say where the buffer comes from and how it grows.
 */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkHeader,
  checkInteger,
  checkSize,
  formatAddress,
  isPowerOfTwo,
  moveBlock,
  writeHeader,
  ADDRESS_SPACE_SIZE,
  HEADER_SIZE,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Memory,
} from '@allokit/allocator';
import { PageMap, pageMapSize, type PageRun } from './page-map.ts';

const HEADER = { kind: 'PAGE', version: 1 };
const PAGE_SIZE = HEADER_SIZE;
const RESERVED_PAGES = HEADER_SIZE + 4;
const FAILURES = HEADER_SIZE + 8;
/** Written by subclasses whose buffer does not say it. */
const COMMITTED_PAGES = HEADER_SIZE + 12;
const MAP = HEADER_SIZE + 16;

/** The smallest page, in bytes. */
export const PAGE_SIZE_MIN = 64;

/** Growth takes a sixteenth of the committed bytes more than asked for, at most this many, so that many small requests grow seldom. */
const GROWTH_SLACK_MAX = 64 * 2 ** 20;

const NO_BUFFER = new ArrayBuffer(0);

/** The figures of a memory, in bytes. */
export interface PagedMemoryStats extends AllocatorStats {
  /** Bytes that can be accessed. */
  readonly committed: number;
  /** Bytes that can be committed at the most. */
  readonly reserved: number;
  /** Bytes inside that a WebAssembly module took by growing the memory itself. */
  readonly foreignBytes: number;
}

/** What a subclass found out before the memory is made. */
export interface PagedMemoryLayout {
  /** Bytes in a page, a power of two. */
  readonly pageSize: number;
  /** Bytes that can be committed at the most. */
  readonly reserved: number;
  /** Where the state goes: a multiple of the page size. */
  readonly address: Address;
}

/**
 * What the memories of this package share: views, commit, and the allocation of whole pages.
 *
 * `allocate` rounds up to pages and aligns to any power of two; it searches first fit, O(runs of pages), and commits more memory when no free run
 * is long enough. Everything else is O(1) but `reset` and `checkInvariants`. Single-owner; shared memories may be attached by several
 * threads, of which one at a time may allocate or commit.
 */
export abstract class PagedMemory implements Memory, Allocator {
  /** Where this memory's own state lies: what `attach` wants. */
  readonly address: Address;
  readonly pageSize: number;
  readonly reserved: number;
  /** Whether other threads can see the same bytes. */
  abstract readonly shared: boolean;
  /** Whether the bytes outlive the process. */
  readonly persistent: boolean = false;

  #buffer: ArrayBufferLike = NO_BUFFER;
  #i8: Int8Array = new Int8Array(NO_BUFFER);
  #u8: Uint8Array = new Uint8Array(NO_BUFFER);
  #i16: Int16Array = new Int16Array(NO_BUFFER);
  #u16: Uint16Array = new Uint16Array(NO_BUFFER);
  #i32: Int32Array = new Int32Array(NO_BUFFER);
  #u32: Uint32Array = new Uint32Array(NO_BUFFER);
  #i64: BigInt64Array = new BigInt64Array(NO_BUFFER);
  #u64: BigUint64Array = new BigUint64Array(NO_BUFFER);
  #f32: Float32Array = new Float32Array(NO_BUFFER);
  #f64: Float64Array = new Float64Array(NO_BUFFER);
  #committed = 0;
  #released = false;
  #map: PageMap | undefined;

  protected constructor({ pageSize, reserved, address }: PagedMemoryLayout) {
    this.pageSize = pageSize;
    this.reserved = reserved;
    this.address = address;
  }

  /** Where the state of a memory laid out so ends: a multiple of the page size, and what must be committed at the least. */
  protected static stateEnd({ pageSize, reserved, address }: PagedMemoryLayout): Address {
    return alignUp(address + MAP + pageMapSize(reserved / pageSize), pageSize);
  }

  /** The buffer as it is now, and how many of its bytes are committed. */
  protected abstract current(): {
    /** The buffer. */
    readonly buffer: ArrayBufferLike;
    /** In bytes, from its start. */
    readonly committed: number;
  };

  /**
   * Commits at least `committed` bytes in all. The buffer may be another one afterwards.
   *
   * @returns How many bytes were committed the moment before, which may be more than this object knew; -1 when refused.
   */
  protected abstract grow(committed: number): number;

  /** Lets go of the buffer: views that anybody still holds should die, where the platform can do that. */
  protected abstract discard(): void;

  get memory(): this {
    return this;
  }

  get alignment(): number {
    return this.pageSize;
  }

  /** Whether {@link PagedMemory.release} was called. */
  get released(): boolean {
    return this.#released;
  }

  get buffer(): ArrayBufferLike {
    this.#renewWhenDetached();
    return this.#buffer;
  }

  get committed(): number {
    this.#renewWhenDetached();
    return this.#committed;
  }

  get i8(): Int8Array {
    return this.#i8.length !== 0 ? this.#i8 : (this.#i8 = new Int8Array(this.buffer, 0, this.#committed));
  }

  get u8(): Uint8Array {
    return this.#u8.length !== 0 ? this.#u8 : (this.#u8 = new Uint8Array(this.buffer, 0, this.#committed));
  }

  get i16(): Int16Array {
    return this.#i16.length !== 0 ? this.#i16 : (this.#i16 = new Int16Array(this.buffer, 0, this.#committed / 2));
  }

  get u16(): Uint16Array {
    return this.#u16.length !== 0 ? this.#u16 : (this.#u16 = new Uint16Array(this.buffer, 0, this.#committed / 2));
  }

  get i32(): Int32Array {
    return this.#i32.length !== 0 ? this.#i32 : (this.#i32 = new Int32Array(this.buffer, 0, this.#committed / 4));
  }

  get u32(): Uint32Array {
    return this.#u32.length !== 0 ? this.#u32 : (this.#u32 = new Uint32Array(this.buffer, 0, this.#committed / 4));
  }

  get i64(): BigInt64Array {
    return this.#i64.length !== 0 ? this.#i64 : (this.#i64 = new BigInt64Array(this.buffer, 0, this.#committed / 8));
  }

  get u64(): BigUint64Array {
    return this.#u64.length !== 0 ? this.#u64 : (this.#u64 = new BigUint64Array(this.buffer, 0, this.#committed / 8));
  }

  get f32(): Float32Array {
    return this.#f32.length !== 0 ? this.#f32 : (this.#f32 = new Float32Array(this.buffer, 0, this.#committed / 4));
  }

  get f64(): Float64Array {
    return this.#f64.length !== 0 ? this.#f64 : (this.#f64 = new Float64Array(this.buffer, 0, this.#committed / 8));
  }

  refresh(): void {
    this.#checkUsable();
    const { buffer, committed } = this.current();
    if (buffer === this.#buffer && committed === this.#committed) return;
    this.#buffer = buffer;
    this.#committed = committed;
    this.#forgetViews();
  }

  commit(size: number): boolean {
    checkInteger(size, 'size', 0, ADDRESS_SPACE_SIZE);
    const map = this.#pages();
    this.#noteForeignPages(map);
    if (size <= this.#committed) return true;
    return size <= this.reserved && this.#growTo(map, size);
  }

  allocate(size: number, alignment: number = this.pageSize): Address {
    checkSize(size);
    checkAlignment(alignment);
    const map = this.#pages();
    if (size === 0) return NULL;
    const count = Math.ceil(size / this.pageSize);
    const alignmentPages = Math.max(1, alignment / this.pageSize);
    let page = map.take(count, alignmentPages);
    if (page < 0 && this.#extendFor(map, count, alignmentPages)) page = map.take(count, alignmentPages);
    if (page >= 0) return page * this.pageSize;
    this.u32[(this.address + FAILURES) >>> 2]! += 1;
    return NULL;
  }

  deallocate(address: Address, size?: number): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    const map = this.#pages();
    if (address === NULL) return;
    const { page, count } = this.#liveRun(map, address);
    if (size !== undefined) this.#checkRunSize(address, size, count);
    map.give(page);
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    const map = this.#pages();
    if (address === NULL) return false;
    const { page, count } = this.#liveRun(map, address);
    this.#checkRunSize(address, oldSize, count);
    if (newSize === 0) return false;
    const wanted = Math.ceil(newSize / this.pageSize);
    if (map.resize(page, wanted)) return true;
    // The last run, or the last but a free one, can grow with the memory.
    this.#noteForeignPages(map);
    const endsMap = page + count === map.tail;
    return endsMap && this.#growFor(map, page + wanted) && map.resize(page, wanted);
  }

  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = this.pageSize): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    const { count } = this.#liveRun(this.#pages(), address);
    this.#checkRunSize(address, oldSize, count);
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  usableSize(address: Address): number {
    checkAddress(address);
    const map = this.#pages();
    return address === NULL ? 0 : this.#liveRun(map, address).count * this.pageSize;
  }

  owns(address: Address): boolean {
    if (this.#released || typeof address !== 'number' || address >>> 0 !== address) return false;
    const map = this.#pages();
    const page = Math.floor(address / this.pageSize);
    if (page < map.first || page >= map.end) return false;
    return map.foreignCount === 0 || map.runAround(page)?.state !== 'foreign';
  }

  /** Frees every block at once, O(runs). The memory stays committed; foreign pages stay foreign. */
  reset(): void {
    this.#pages().clear();
  }

  /**
   * Lets go of the memory: every later use throws `released`. Views of an unshared buffer that this library made die at once, also those that
   * allocators on this memory hold, which then throw too. Other threads, and whoever brought the buffer along, keep theirs: the bytes are not
   * erased, and can be attached again.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#buffer = NO_BUFFER;
    this.#committed = 0;
    this.#forgetViews();
    this.discard();
  }

  /** O(1). */
  stats(): PagedMemoryStats {
    const map = this.#pages();
    return {
      capacity: (map.end - map.first - map.foreignCount) * this.pageSize,
      liveBytes: map.usedCount * this.pageSize,
      failureCount: this.u32[(this.address + FAILURES) >>> 2]!,
      committed: this.committed,
      reserved: this.reserved,
      foreignBytes: map.foreignCount * this.pageSize,
    };
  }

  /** The runs of pages in address order: for heap maps. O(runs). */
  *runs(): Generator<PageRun> {
    yield* this.#pages().runs();
  }

  checkInvariants(): void {
    const map = this.#pages();
    checkHeader(this, this.address, HEADER, MAP);
    const words = this.i32;
    if (words[(this.address + PAGE_SIZE) >>> 2] !== this.pageSize || words[(this.address + RESERVED_PAGES) >>> 2]! * this.pageSize !== this.reserved) {
      throw new AllocatorError('corrupt', `the page size or the reserved size of the memory at ${formatAddress(this.address)} changed`);
    }
    if (map.first !== this.#firstPage) {
      throw new AllocatorError('corrupt', `pages start at ${map.first}, the state of ${this.reserved} reserved bytes ends at ${this.#firstPage}`);
    }
    if (map.end * this.pageSize > this.committed) {
      throw new AllocatorError('corrupt', `the page map ends at ${formatAddress(map.end * this.pageSize)}, only ${this.committed} bytes are committed`);
    }
    map.checkInvariants();
  }

  /** Writes the state of a new memory at `this.address` and takes the pages behind it. For subclasses, once. */
  protected format(committed: number): void {
    const { address, pageSize, reserved } = this;
    const pageCount = reserved / pageSize;
    const first = this.#firstPage;
    if (first >= pageCount) throw new RangeError(`reserve must exceed the ${first * pageSize} bytes that this memory's own state ends at, got ${reserved}`);
    const size = alignUp(Math.max(committed, first * pageSize), pageSize);
    if (this.grow(size) < 0) throw new AllocatorError('out-of-memory', `the engine refuses to commit ${size} bytes`);
    this.refresh();
    const words = this.i32;
    words[(address + PAGE_SIZE) >>> 2] = pageSize;
    words[(address + RESERVED_PAGES) >>> 2] = pageCount;
    words[(address + FAILURES) >>> 2] = 0;
    this.#map = PageMap.create(() => this.i32, (address + MAP) >>> 2, first, pageCount);
    this.#map.extend(first, this.#committed / pageSize);
    writeHeader(this, address, HEADER);
  }

  /** Takes over the state that lies at `this.address`, having proved it sound. For subclasses, once. */
  protected adopt(): void {
    this.#map = PageMap.attach(() => this.i32, (this.address + MAP) >>> 2, this.reserved / this.pageSize);
    this.checkInvariants();
  }

  /** Whether whoever made the memory has released it, which other handles learn of. */
  protected hasEnded(): boolean {
    return false;
  }

  /** Whether anything but this package can grow the memory: pages that appear without us are its own then. */
  protected readonly growsByItself: boolean = false;

  /** `size` in whole pages, or where the state ends if that is more; -1 when a live block lies beyond. O(1). */
  protected shrinkable(size: number): number {
    const map = this.#pages();
    this.refresh();
    const kept = Math.min(Math.max(alignUp(size, this.pageSize), map.first * this.pageSize), this.#committed);
    return map.tail * this.pageSize > kept ? -1 : kept;
  }

  /** Forgets the pages beyond `committed` bytes, as `shrinkable` allowed, after they were taken away. For subclasses that can. */
  protected shrink(committed: number): void {
    this.refresh();
    this.#map!.cut(committed / this.pageSize);
  }

  /** The index of the word that counts committed pages, for subclasses whose buffer does not say it. */
  protected static committedWord(address: Address): number {
    return (address + COMMITTED_PAGES) >>> 2;
  }

  /** Writes into the state at the start of `buffer` how many pages are committed; for subclasses whose buffer can be cut short from outside. */
  protected static noteCommitted(buffer: ArrayBufferLike, pages: number): void {
    new Int32Array(buffer, 0, PagedMemory.committedWord(0) + 1)[PagedMemory.committedWord(0)] = pages;
  }

  /** What `noteCommitted` wrote. */
  protected static notedCommitted(buffer: ArrayBufferLike): number {
    return new Int32Array(buffer, 0, PagedMemory.committedWord(0) + 1)[PagedMemory.committedWord(0)]!;
  }

  /** Reads what `format` wrote, from a buffer that may hold anything. */
  protected static layoutAt(buffer: ArrayBufferLike, address: Address): PagedMemoryLayout {
    checkAddress(address);
    const wordCount = Math.min(Math.floor(buffer.byteLength / 4), ADDRESS_SPACE_SIZE / 4);
    const words = new Int32Array(buffer, 0, wordCount);
    const probe = { i32: words, u8: new Uint8Array(buffer, 0, wordCount * 4), committed: wordCount * 4, refresh: () => undefined };
    checkHeader(probe, address, HEADER, MAP);
    const pageSize = words[(address + PAGE_SIZE) >>> 2]!;
    const reserved = words[(address + RESERVED_PAGES) >>> 2]! * pageSize;
    const isSound =
      isPowerOfTwo(pageSize) &&
      pageSize >= PAGE_SIZE_MIN &&
      reserved > 0 &&
      reserved <= ADDRESS_SPACE_SIZE &&
      address % pageSize === 0 &&
      address + MAP + pageMapSize(reserved / pageSize) <= buffer.byteLength;
    if (!isSound) throw new AllocatorError('bad-header', `the memory at ${formatAddress(address)} has ${reserved} bytes in pages of ${pageSize}: truncated or damaged`);
    return { pageSize, reserved, address };
  }

  /** The page behind the state. */
  get #firstPage(): number {
    return PagedMemory.stateEnd(this) / this.pageSize;
  }

  #checkUsable(): void {
    if (this.#released || this.hasEnded()) throw new AllocatorError('released', 'this memory was released');
  }

  #pages(): PageMap {
    this.#checkUsable();
    return this.#map!;
  }

  #renewWhenDetached(): void {
    if (this.#i32.length === 0) {
      this.refresh();
      this.#i32 = new Int32Array(this.#buffer, 0, this.#committed / 4);
    }
  }

  #forgetViews(): void {
    this.#i8 = new Int8Array(NO_BUFFER);
    this.#u8 = new Uint8Array(NO_BUFFER);
    this.#i16 = new Int16Array(NO_BUFFER);
    this.#u16 = new Uint16Array(NO_BUFFER);
    this.#i32 = new Int32Array(NO_BUFFER);
    this.#u32 = new Uint32Array(NO_BUFFER);
    this.#i64 = new BigInt64Array(NO_BUFFER);
    this.#u64 = new BigUint64Array(NO_BUFFER);
    this.#f32 = new Float32Array(NO_BUFFER);
    this.#f64 = new Float64Array(NO_BUFFER);
  }

  /** Pages that appeared without us belong to whoever grew the memory: a WebAssembly module. Where none can, one of us died in the middle of growing it. */
  #noteForeignPages(map: PageMap): void {
    this.refresh();
    const seen = Math.min(this.#committed, this.reserved) / this.pageSize;
    if (seen > map.end) map.extend(this.growsByItself ? seen : map.end, seen);
  }

  #growTo(map: PageMap, size: number): boolean {
    const previous = this.grow(alignUp(size, this.pageSize));
    if (previous < 0) return false;
    this.refresh();
    map.extend(previous / this.pageSize, this.#committed / this.pageSize);
    return true;
  }

  /** Grows so that the pages end at `end` or later. */
  #growFor(map: PageMap, end: number): boolean {
    const size = end * this.pageSize;
    if (size > this.reserved) return false;
    const generous = Math.min(size + Math.min(this.#committed / 16, GROWTH_SLACK_MAX), this.reserved);
    return this.#growTo(map, generous) || this.#growTo(map, size);
  }

  /** Grows so that a run of `count` aligned pages fits behind the last live run. */
  #extendFor(map: PageMap, count: number, alignment: number): boolean {
    this.#noteForeignPages(map);
    const start = Math.ceil(map.tail / alignment) * alignment;
    return this.#growFor(map, start + count);
  }

  /** The live run that starts at `address`, or the error that says why there is none. */
  #liveRun(map: PageMap, address: Address): PageRun {
    const page = address / this.pageSize;
    const run = Number.isInteger(page) ? map.runAt(page) : undefined;
    if (run?.state === 'used') return run;
    const around = map.runAround(Math.floor(page));
    const where = formatAddress(address);
    if (around === undefined || around.state === 'foreign') throw new AllocatorError('foreign-address', `${where} is not one of this memory's pages`);
    if (around.state === 'free') throw new AllocatorError('double-free', `the page at ${where} is free`);
    throw new AllocatorError('invalid-address', `${where} lies inside the block at ${formatAddress(around.page * this.pageSize)}`);
  }

  #checkRunSize(address: Address, size: number, count: number): void {
    if (Math.ceil(size / this.pageSize) === count) return;
    throw new AllocatorError('size-mismatch', `the block at ${formatAddress(address)} has ${count * this.pageSize} bytes, which a request of ${size} does not give`);
  }
}
