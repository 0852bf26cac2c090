/**
 * The allocator that the arena and the pool replaced, as its documentation describes it: the baseline of `bench compile-mode`, and nothing to build on.
 *
 *     page, 4096 bytes   | next page : used | object | object | ...                  | unused |
 *     object             | header, 72 bytes | payload, a multiple of 8, zeroed at every allocation |
 *     header    byte  0  size of the payload, kind
 *                     8  state, mark
 *                    16  next free object, or next standalone one       (8 bytes each from here on: words of a 64-bit program,
 *                    24  number of the allocation                       of which the lower half is enough here)
 *                    32  page
 *                    40  hash, finalizer, origin, reserved: written as 0
 *
 * An object that no page has room for stands alone, in a block of the parent's. An allocation takes the first object of exactly its size from the one free
 * list, which holds all sizes and is searched from its head; else it moves the cursor of the last page; else it begins a page. Once a threshold of bytes was
 * allocated since the last time, everything that the roots lead to is marked, and the rest swept: into the free list, or back to the parent. Nothing moves.
 */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAllocator,
  checkInteger,
  checkSize,
  formatAddress,
  type Address,
  type Allocator,
  type Memory,
} from '@allokit/allocator';

/** Bytes of a page. */
export const V1_PAGE_SIZE = 4096;
/** Bytes before every payload. */
export const V1_HEADER_SIZE = 72;
/** Bytes allocated between two collections: the smaller of the documented thresholds. The larger one is 64 MiB. */
export const V1_THRESHOLD_DEFAULT = 8 * 2 ** 20;

const PAGE_HEADER_SIZE = 8;
/** Bytes of the largest object, header included, that lies in a page. */
const PAGED_SIZE_MAX = V1_PAGE_SIZE - PAGE_HEADER_SIZE;

// Words of a page.
const PAGE_NEXT = 0;
const PAGE_USED = 1;

// Words of a header.
const SIZE = 0;
const KIND = 1;
const STATE = 2;
const MARK = 3;
const NEXT = 4;
const NUMBER = 6;
const PAGE = 8;
const HEADER_WORDS = V1_HEADER_SIZE / 4;

const LIVE = 0x4c495645;
const FREE = 0x46524545;

/** Words from which on the engine's own `fill` is faster than a loop. */
const FILL_WORDS_MIN = 64;

const NO_WORDS = new Int32Array(0);

if (V1_HEADER_SIZE % 8 !== 0 || PAGE_HEADER_SIZE % 8 !== 0) throw new RangeError('payloads must lie on multiples of 8');
if ((PAGE + 1) * 4 > V1_HEADER_SIZE) throw new RangeError('the header must hold its fields');

/** What a collection needs to know of the program. */
export interface V1Tracer {
  /** Calls `heap.mark` with the address of every object that the program holds. */
  roots(heap: V1Heap): void;
  /** Calls `heap.mark` with every reference that the object at `address` holds. */
  references(heap: V1Heap, address: Address, kind: number, size: number): void;
}

/** How to make one. */
export interface V1HeapOptions {
  /** Bytes, headers included, that are allocated between two collections. Default {@link V1_THRESHOLD_DEFAULT}. */
  readonly threshold?: number;
  /** Who knows roots and references. */
  readonly tracer: V1Tracer;
}

/** The figures of a {@link V1Heap}. */
export interface V1HeapStats {
  /** Bytes of pages and standalone objects. What the parent adds to each block is not counted. */
  readonly takenBytes: number;
  /** The most `takenBytes` ever were since the last reset. */
  readonly takenBytesMax: number;
  /** Bytes of objects that are not known to be dead, headers included. */
  readonly liveBytes: number;
  /** The most `liveBytes` ever were since the last reset: at a collection, or now. */
  readonly liveBytesMax: number;
  /** Such objects. */
  readonly liveCount: number;
  /** Objects in the free list. */
  readonly freeCount: number;
  /** Allocations since the last reset. */
  readonly allocationCount: number;
  /** Free objects looked at by allocations since the last reset. */
  readonly searchCount: number;
  /** Collections since the last reset. */
  readonly collectionCount: number;
  /** What they took together, in milliseconds. */
  readonly collectionMs: number;
}

/**
 * A heap of pages, with a free list and mark-and-sweep. `allocate` is O(1) where the free list is empty or begins with the size, O(free objects) otherwise;
 * with a collection, O(objects). Single-owner.
 */
export class V1Heap {
  /** Where the objects lie. */
  readonly memory: Memory;

  // Private to TypeScript only: `#private` fields are never constant to V8, and these are what every allocation works on.
  declare private words: Int32Array;
  declare private page: Address;
  declare private cursor: Address;
  declare private limit: Address;
  declare private freeHead: Address;
  declare private sinceCollection: number;
  declare private liveBytes: number;
  declare private liveCount: number;
  declare private freeCount: number;
  declare private allocationCount: number;
  declare private searchCount: number;

  readonly #parent: Allocator;
  readonly #threshold: number;
  readonly #tracer: V1Tracer;
  readonly #grey: Address[] = [];
  #firstPage: Address = NULL;
  #firstStandalone: Address = NULL;
  #takenBytes = 0;
  #takenBytesMax = 0;
  #liveBytesMax = 0;
  #collectionCount = 0;
  #collectionMs = 0;

  private constructor(parent: Allocator, threshold: number, tracer: V1Tracer) {
    this.memory = parent.memory;
    this.#parent = parent;
    this.#threshold = threshold;
    this.#tracer = tracer;
    this.words = NO_WORDS;
    this.#forgetAll();
  }

  /**
   * Makes a heap that takes pages and standalone objects from `parent`. O(1).
   *
   * @throws TypeError or RangeError for a parent or a threshold that is none.
   */
  static create(parent: Allocator, { threshold = V1_THRESHOLD_DEFAULT, tracer }: V1HeapOptions): V1Heap {
    checkAllocator(parent, 'parent');
    checkInteger(threshold, 'threshold', V1_PAGE_SIZE);
    return new V1Heap(parent, threshold, tracer);
  }

  /**
   * Hands out a zeroed payload. May collect first: whatever the roots do not lead to is gone.
   *
   * @param kind - What the tracer is told about it: a whole number of 32 bits.
   * @param size - In bytes. Size 0 yields `NULL`.
   * @returns The address of the payload, a multiple of 8; `NULL` when there is no room even after a collection.
   * @throws TypeError or RangeError for a size that is none.
   */
  allocate(kind: number, size: number): Address {
    checkSize(size);
    if (size === 0) return NULL;
    const payload = alignUp(size, 8);
    const total = V1_HEADER_SIZE + payload;
    if (this.sinceCollection + total > this.#threshold && this.sinceCollection > 0) this.collect();
    let object = this.#take(payload, total);
    if (object === NULL) {
      this.collect();
      object = this.#take(payload, total);
      if (object === NULL) return NULL;
    }
    this.sinceCollection += total;
    this.liveBytes += total;
    this.liveCount += 1;
    this.allocationCount += 1;
    const { words } = this;
    const header = object >>> 2;
    words[header + SIZE] = payload;
    words[header + KIND] = kind;
    words[header + STATE] = LIVE;
    words[header + MARK] = 0;
    words[header + NUMBER] = this.allocationCount;
    words[header + NUMBER + 1] = 0;
    for (let word = header + PAGE + 1; word < header + HEADER_WORDS; word += 1) words[word] = 0;
    const start = header + HEADER_WORDS;
    const end = start + (payload >>> 2);
    if (end - start >= FILL_WORDS_MIN) words.fill(0, start, end);
    else for (let word = start; word < end; word += 1) words[word] = 0;
    return object + V1_HEADER_SIZE;
  }

  /** The kind that an object was allocated with. O(1). @throws AllocatorError `invalid-address` where no live object lies. */
  kindOf(address: Address): number {
    return this.words[this.#headerOf(address) + KIND]!;
  }

  /** Bytes of an object's payload. O(1). @throws AllocatorError `invalid-address` where no live object lies. */
  sizeOf(address: Address): number {
    return this.words[this.#headerOf(address) + SIZE]!;
  }

  /** What a tracer calls for every root and every reference; `NULL` is none. O(1). Only during a collection. */
  mark(address: Address): void {
    if (address === NULL) return;
    const { words } = this;
    const header = (address - V1_HEADER_SIZE) >>> 2;
    if (words[header + MARK] !== 0) return;
    words[header + MARK] = 1;
    this.#grey.push(address);
  }

  /** Marks what the roots lead to, and sweeps the rest, all at once. O(objects, free ones included). */
  collect(): void {
    const start = performance.now();
    this.#renew();
    this.#tracer.roots(this);
    const grey = this.#grey;
    for (let address = grey.pop(); address !== undefined; address = grey.pop()) {
      const header = (address - V1_HEADER_SIZE) >>> 2;
      this.#tracer.references(this, address, this.words[header + KIND]!, this.words[header + SIZE]!);
    }
    this.#liveBytesMax = Math.max(this.#liveBytesMax, this.liveBytes);
    this.freeHead = NULL;
    this.freeCount = 0;
    this.liveBytes = 0;
    this.liveCount = 0;
    this.#sweepPages();
    this.#sweepStandalone();
    this.sinceCollection = 0;
    this.#collectionCount += 1;
    this.#collectionMs += performance.now() - start;
  }

  /** Gives everything back to the parent, block by block, as a program does that ends in good order. O(pages and standalone objects). */
  reset(): void {
    this.#renew();
    for (let page = this.#firstPage; page !== NULL;) {
      const next = this.words[(page >>> 2) + PAGE_NEXT]! >>> 0;
      this.#parent.deallocate(page, V1_PAGE_SIZE);
      page = next;
    }
    for (let object = this.#firstStandalone; object !== NULL;) {
      const next = this.words[(object >>> 2) + NEXT]! >>> 0;
      this.#parent.deallocate(object, V1_HEADER_SIZE + this.words[(object >>> 2) + SIZE]!);
      object = next;
    }
    this.#forgetAll();
  }

  /** The figures as of now. O(1). */
  stats(): V1HeapStats {
    return {
      takenBytes: this.#takenBytes,
      takenBytesMax: this.#takenBytesMax,
      liveBytes: this.liveBytes,
      liveBytesMax: Math.max(this.#liveBytesMax, this.liveBytes),
      liveCount: this.liveCount,
      freeCount: this.freeCount,
      allocationCount: this.allocationCount,
      searchCount: this.searchCount,
      collectionCount: this.#collectionCount,
      collectionMs: this.#collectionMs,
    };
  }

  /** Walks pages, standalone objects and the free list, and compares. O(objects). @throws AllocatorError `corrupt`, naming what disagrees. */
  checkInvariants(): void {
    this.#renew();
    const { words } = this;
    const fail = (what: string): never => {
      throw new AllocatorError('corrupt', what);
    };
    let [taken, liveBytes, liveCount] = [0, 0, 0];
    const free = new Set<Address>();
    const look = (object: Address): number => {
      const [size, state, mark] = [words[(object >>> 2) + SIZE]!, words[(object >>> 2) + STATE]!, words[(object >>> 2) + MARK]!];
      if (size <= 0 || size % 8 !== 0) fail(`the object at ${formatAddress(object)} has ${size} bytes`);
      if (mark !== 0) fail(`the object at ${formatAddress(object)} is marked, and no collection is under way`);
      if (state === FREE) free.add(object);
      else if (state !== LIVE) fail(`the object at ${formatAddress(object)} is neither live nor free`);
      else {
        liveBytes += V1_HEADER_SIZE + size;
        liveCount += 1;
      }
      return V1_HEADER_SIZE + size;
    };
    for (let page = this.#firstPage; page !== NULL; page = words[(page >>> 2) + PAGE_NEXT]! >>> 0) {
      taken += V1_PAGE_SIZE;
      const end = this.#endOf(page);
      let object = page + PAGE_HEADER_SIZE;
      while (object < end) object += look(object);
      if (object !== end || end > page + V1_PAGE_SIZE)
        fail(`the objects of the page at ${formatAddress(page)} end at ${formatAddress(object)}, its cursor is ${formatAddress(end)}`);
    }
    for (let object = this.#firstStandalone; object !== NULL; object = words[(object >>> 2) + NEXT]! >>> 0) taken += look(object);
    let listed = 0;
    for (let object = this.freeHead; object !== NULL; object = words[(object >>> 2) + NEXT]! >>> 0) {
      if (!free.delete(object)) fail(`the free list leads to ${formatAddress(object)}, which is not free, or twice there`);
      listed += 1;
    }
    if (free.size > 0) fail(`${free.size} free objects are not in the free list`);
    if (listed !== this.freeCount) fail(`${listed} objects are free, ${this.freeCount} are said to be`);
    if (taken !== this.#takenBytes) fail(`${taken} bytes are taken, ${this.#takenBytes} are said to be`);
    if (liveBytes !== this.liveBytes || liveCount !== this.liveCount)
      fail(`${liveCount} objects of ${liveBytes} bytes live, ${this.liveCount} of ${this.liveBytes} are said to`);
  }

  #forgetAll(): void {
    this.page = NULL;
    this.cursor = NULL;
    this.limit = NULL;
    this.freeHead = NULL;
    this.sinceCollection = 0;
    this.allocationCount = 0;
    this.searchCount = 0;
    this.#firstPage = NULL;
    this.#firstStandalone = NULL;
    this.#takenBytes = 0;
    this.#takenBytesMax = 0;
    this.#liveBytesMax = 0;
    this.liveBytes = 0;
    this.liveCount = 0;
    this.freeCount = 0;
    this.#collectionCount = 0;
    this.#collectionMs = 0;
  }

  /** Takes the current view. */
  #renew(): void {
    this.words = this.memory.i32;
  }

  #headerOf(address: Address): number {
    checkAddress(address);
    this.#renew();
    const header = (address - V1_HEADER_SIZE) >>> 2;
    if (address % 8 !== 0 || address <= V1_HEADER_SIZE || this.words[header + STATE] !== LIVE) {
      throw new AllocatorError('invalid-address', `no live object lies at ${formatAddress(address)}`);
    }
    return header;
  }

  /** Where the objects of a page end. */
  #endOf(page: Address): Address {
    return page === this.page ? this.cursor : page + this.words[(page >>> 2) + PAGE_USED]!;
  }

  /** Room for an object, from wherever there is some; the header's own links are written. */
  #take(payload: number, total: number): Address {
    // A view that another owner's growth detached has no length.
    if (this.words.length === 0) this.#renew();
    if (total > PAGED_SIZE_MAX) return this.#takeStandalone(payload, total);
    const reused = this.#takeFree(payload);
    if (reused !== NULL) return reused;
    if (this.cursor + total > this.limit && !this.#beginPage()) return NULL;
    const object = this.cursor;
    this.cursor = object + total;
    const { words } = this;
    const header = object >>> 2;
    words[header + NEXT] = NULL;
    words[header + NEXT + 1] = 0;
    words[header + PAGE] = this.page;
    return object;
  }

  /** The first free object of exactly this size. */
  #takeFree(payload: number): Address {
    const { words } = this;
    let previous = NULL;
    for (let object = this.freeHead; object !== NULL;) {
      const header = object >>> 2;
      this.searchCount += 1;
      const next = words[header + NEXT]! >>> 0;
      if (words[header + SIZE] === payload) {
        if (previous === NULL) this.freeHead = next;
        else words[(previous >>> 2) + NEXT] = next;
        words[header + NEXT] = NULL;
        this.freeCount -= 1;
        return object;
      }
      previous = object;
      object = next;
    }
    return NULL;
  }

  #takeStandalone(payload: number, total: number): Address {
    const object = this.#parent.allocate(total);
    this.#renew();
    if (object === NULL) return NULL;
    this.#noteTaken(total);
    const header = object >>> 2;
    this.words[header + SIZE] = payload;
    this.words[header + NEXT] = this.#firstStandalone;
    this.words[header + NEXT + 1] = 0;
    this.words[header + PAGE] = NULL;
    this.#firstStandalone = object;
    return object;
  }

  #beginPage(): boolean {
    const page = this.#parent.allocate(V1_PAGE_SIZE);
    this.#renew();
    if (page === NULL) return false;
    const { words } = this;
    if (this.page !== NULL) words[(this.page >>> 2) + PAGE_USED] = this.cursor - this.page;
    words[(page >>> 2) + PAGE_NEXT] = this.#firstPage;
    words[(page >>> 2) + PAGE_USED] = PAGE_HEADER_SIZE;
    this.#firstPage = page;
    this.page = page;
    this.cursor = page + PAGE_HEADER_SIZE;
    this.limit = page + V1_PAGE_SIZE;
    this.#noteTaken(V1_PAGE_SIZE);
    return true;
  }

  #noteTaken(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes > this.#takenBytesMax) this.#takenBytesMax = this.#takenBytes;
  }

  #sweepPages(): void {
    const { words } = this;
    for (let page = this.#firstPage; page !== NULL; page = words[(page >>> 2) + PAGE_NEXT]! >>> 0) {
      const end = this.#endOf(page);
      for (let object = page + PAGE_HEADER_SIZE; object < end;) {
        const header = object >>> 2;
        const total = V1_HEADER_SIZE + words[header + SIZE]!;
        if (words[header + MARK] !== 0) {
          words[header + MARK] = 0;
          this.liveBytes += total;
          this.liveCount += 1;
        } else {
          words[header + STATE] = FREE;
          words[header + NEXT] = this.freeHead;
          this.freeHead = object;
          this.freeCount += 1;
        }
        object += total;
      }
    }
  }

  #sweepStandalone(): void {
    const { words } = this;
    let previous = NULL;
    for (let object = this.#firstStandalone; object !== NULL;) {
      const header = object >>> 2;
      const total = V1_HEADER_SIZE + words[header + SIZE]!;
      const next = words[header + NEXT]! >>> 0;
      if (words[header + MARK] !== 0) {
        words[header + MARK] = 0;
        this.liveBytes += total;
        this.liveCount += 1;
        previous = object;
      } else {
        if (previous === NULL) this.#firstStandalone = next;
        else words[(previous >>> 2) + NEXT] = next;
        words[header + STATE] = FREE;
        this.#takenBytes -= total;
        this.#parent.deallocate(object, total);
      }
      object = next;
    }
  }
}
