/**
 * Pools of equal objects cut from slabs, one pool a size class: the next allocation of a class returns the object last freed. After J. Bonwick, "The slab
 * allocator: an object-caching kernel memory allocator" (1994), with the free lists sharded by slab as in D. Leijen, B. Zorn and L. de Moura,
 * "Mimalloc: free list sharding in action" (2019). The layout is in `layout.ts`.
 */

import {
  AllocatorError,
  HOT_PATHS,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkAllocator,
  checkHeader,
  checkInteger,
  checkSize,
  eraseHeader,
  formatAddress,
  giveBack,
  hasHeader,
  isPowerOfTwo,
  moveBlock,
  writeHeader,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Compilable,
  type HotPathWriter,
  type HotPaths,
  type Memory,
  type Parent,
  type Repair,
  type Repairable,
} from '@allokit/allocator';
import { checkPool } from './check.ts';
import { CLASS_SIZES_DEFAULT } from './classes.ts';
import { hotPaths } from './hot-paths.ts';
import {
  ALLOCATED,
  BATCH_NEXT,
  BATCH_SIZE,
  CLASSES,
  CLASS_COUNT,
  CLASS_WORDS,
  CURRENT,
  FAILURES,
  FIRST_BATCH,
  FREE_OBJECT,
  GRANULE,
  HEADER,
  INDEX,
  INDEX_BLOCK_SIZE,
  INDEX_LENGTH,
  LIVE,
  LIVE_BITS,
  LIVE_COUNT,
  NEEDS_NOTICE,
  NEXT_SLAB,
  NO_SLAB,
  OBJECTS_END,
  OBJECT_SIZE,
  PAST_COUNT,
  SLAB_CLASS,
  SLAB_COUNT,
  SLAB_LOG2,
  SLAB_START,
  SPARE_COUNT,
  SPARE_COUNT_MAX,
  STATE_BLOCK_SIZE,
  liveBitWords,
  slabsOf,
} from './layout.ts';
import { clearSlab, dedicateSlab, extendSlab } from './objects.ts';
import { repairPool } from './repair.ts';
import { linkSlab, unlinkSlab } from './rings.ts';
import { SlabSupply } from './supply.ts';

/** Bytes of a slab when nothing is said. */
export const SLAB_SIZE_DEFAULT = 65_536;
/** Bytes of empty slabs that a pool keeps when nothing is said. */
export const SPARE_BYTES_DEFAULT = 4 * 2 ** 20;

const CLASS_COUNT_MAX = 1024;
const NO_WORDS = new Int32Array(0);

/** How to make a {@link SlabPool}. */
export interface SlabPoolOptions {
  /** Bytes of the objects of each class, ascending multiples of 16. Default 16, 32, 64, 128, 256. */
  readonly classes?: readonly number[];
  /** Bytes of a slab, a power of two in 4 KiB..1 MiB: the alignment asked of the parent too. Default 64 KiB. */
  readonly slabSize?: number;
  /** Bytes of empty slabs to keep for reuse by any class, instead of giving them back to the parent at once. Default 4 MiB. */
  readonly spareBytes?: number;
}

/** How to attach to a {@link SlabPool}. */
export interface SlabPoolAttachOptions {
  /** Whether to put the pool in order first, where its owner died in the middle of a call. Nobody else may use it then. Default `false`: it is refused. */
  readonly repair?: boolean;
}

/** The figures of one class. */
export interface SlabClassStats {
  /** Bytes of an object. */
  readonly size: number;
  /** Objects handed out since creation. */
  readonly allocated: number;
  /** Objects taken back since creation, those of a `reset` included. */
  readonly freed: number;
  /** Objects alive. */
  readonly live: number;
  /** Slabs of this class. */
  readonly slabs: number;
}

/** The figures of a pool. */
export interface SlabPoolStats extends AllocatorStats {
  /** Each class, in the order of sizes. */
  readonly classes: readonly SlabClassStats[];
  /** Slabs held, the spare ones included. */
  readonly slabCount: number;
  /** Empty slabs held for any class. */
  readonly spareCount: number;
}

/**
 * An allocator for small objects: O(1), no header, and memory use that follows the live objects.
 *
 * A request goes to the smallest class that holds it; more than the largest class is `NULL`. An object of a class is aligned to the largest power of two
 * that divides its size; an alignment asked for leads to the first class that has it. Double, foreign, misaligned and interior frees are told exactly,
 * by a bit for each object outside of it. An empty slab is kept for any class, or goes back to the parent. Single-owner.
 */
export class SlabPool implements Allocator, Compilable, Repairable {
  readonly memory: Memory;
  readonly alignment = GRANULE;
  /** Where the pool's state lies: what `attach` wants. */
  readonly address: Address;
  /** The largest request this pool serves, in bytes. */
  declare readonly sizeMax: number;

  // Private to TypeScript only, and stored once: see the note in o1heap. `#private` fields are stored twice and never count as constant in V8.
  declare private words: Int32Array;
  declare private readonly state: number;
  declare private readonly slabLog2: number;
  declare private readonly liveBitMask: number;
  /** From a size in granules to the offset of its class record. */
  declare private readonly classOffsets: Uint16Array;

  readonly #parent: Parent;
  readonly #supply: SlabSupply;
  #released = false;

  private constructor(parent: Parent, address: Address, slabLog2: number, classSizes: readonly number[]) {
    this.memory = parent.memory;
    this.address = address;
    this.sizeMax = classSizes.at(-1)!;
    this.#parent = parent;
    this.words = parent.memory.i32;
    this.state = address >>> 2;
    this.slabLog2 = slabLog2;
    this.#supply = new SlabSupply(parent, this.state, slabLog2);
    this.liveBitMask = liveBitWords(slabLog2) - 1;
    // With a buffer of its own, or V8 would keep a short array inside its heap, where its address is no constant.
    this.classOffsets = new Uint16Array(new ArrayBuffer((this.sizeMax / GRANULE + 1) * 2));
    let granules = 0;
    classSizes.forEach((size, i) => {
      for (; granules <= size / GRANULE; granules += 1) this.classOffsets[granules] = CLASSES + i * CLASS_WORDS;
    });
  }

  /**
   * Makes a pool whose state and slabs come from `parent`. O(classes).
   *
   * @param parent - Must align blocks to a slab's size on request.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when the parent has no room for the state.
   */
  static create(parent: Parent, { classes = CLASS_SIZES_DEFAULT, slabSize = SLAB_SIZE_DEFAULT, spareBytes = SPARE_BYTES_DEFAULT }: SlabPoolOptions = {}): SlabPool {
    checkInteger(slabSize, 'slabSize', 4096, 2 ** 20);
    if (!isPowerOfTwo(slabSize)) throw new RangeError(`slabSize must be a power of two, got ${slabSize}`);
    checkInteger(spareBytes, 'spareBytes');
    checkInteger(classes.length, 'classes.length', 1, CLASS_COUNT_MAX);
    let previous = 0;
    for (const size of classes) {
      checkInteger(size, 'class size', previous + 1, slabSize);
      if (size % GRANULE !== 0) throw new RangeError(`class size must be a multiple of ${GRANULE}, got ${size}`);
      previous = size;
    }
    checkAllocator(parent, 'parent');
    const stateWords = CLASSES + classes.length * CLASS_WORDS;
    const blockSize = alignUp(stateWords * 4 + 256, Math.max(GRANULE, parent.alignment));
    const address = parent.allocate(blockSize, GRANULE);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the pool's state`);
    const pool = new SlabPool(parent, address, 31 - Math.clz32(slabSize), classes);
    pool.#format(classes, blockSize, Math.floor(spareBytes / slabSize));
    return pool;
  }

  /**
   * Finds the pool that `create` made: from another thread, or in a restored image. Walks it all to prove it sound. O(slabs).
   *
   * @param parent - What the pool was created on.
   * @param address - The other one's `address`.
   * @param options - Whether to repair.
   * @throws AllocatorError `bad-header` when no pool lies there, `corrupt` when it is damaged, or what the parent says of a block it does not know.
   */
  static attach(parent: Parent, address: Address, { repair = false }: SlabPoolAttachOptions = {}): SlabPool {
    const { memory } = parent;
    checkHeader(memory, address, HEADER, CLASSES * 4);
    const words = memory.i32;
    const state = address >>> 2;
    const slabLog2 = words[state + SLAB_LOG2]!;
    const classCount = words[state + CLASS_COUNT]!;
    if (slabLog2 < 12 || slabLog2 > 20 || classCount < 1 || classCount > CLASS_COUNT_MAX || state + CLASSES + classCount * CLASS_WORDS > words.length) {
      throw new AllocatorError('corrupt', `the pool at ${formatAddress(address)} has ${classCount} classes in slabs of 2^${slabLog2} bytes`);
    }
    const classes = Array.from({ length: classCount }, (_, i) => words[state + CLASSES + i * CLASS_WORDS + OBJECT_SIZE]!);
    if (classes.some((size, i) => size % GRANULE !== 0 || size <= (classes[i - 1] ?? 0) || size > 2 ** slabLog2)) {
      throw new AllocatorError('corrupt', `the pool at ${formatAddress(address)} has the classes ${classes.join(', ')}`);
    }
    const blockSize = words[state + STATE_BLOCK_SIZE]! >>> 0;
    const holds = 'usableSize' in parent ? parent.usableSize(address) >= blockSize : parent.owns(address);
    if (!holds) throw new AllocatorError('bad-header', `the parent has no block of ${blockSize} bytes at ${formatAddress(address)}`);
    const pool = new SlabPool(parent, address, slabLog2, classes);
    if (repair) pool.repair();
    pool.checkInvariants();
    return pool;
  }

  allocate(size: number, alignment?: number): Address {
    const { words, state } = this;
    if (alignment === undefined && (size | 0) === size && size > 0 && size <= this.sizeMax) {
      const record = state + this.classOffsets[(size + (GRANULE - 1)) >>> 4]!;
      const slab = words[record + CURRENT]!;
      const object = words[slab + FREE_OBJECT]!;
      if (object) {
        const allocated = (words[record + ALLOCATED]! + 1) | 0;
        words[slab + FREE_OBJECT] = words[object]!;
        words[slab + LIVE_BITS + ((object >>> 7) & this.liveBitMask)]! |= 1 << (object >>> 2);
        words[slab + LIVE]! += 1;
        words[record + ALLOCATED] = allocated;
        if (allocated < 0) this.settle(record);
        return (object << 2) >>> 0;
      }
      // A stale view knows no object at all.
      if (object === 0) return this.allocateFrom(record);
    }
    return this.allocateElsewhere(size, alignment);
  }

  deallocate(address: Address, size?: number): void {
    const { words, state } = this;
    const number = address >>> this.slabLog2;
    if (address >>> 0 === address && number < words[state + INDEX_LENGTH]!) {
      const slab = words[words[state + INDEX]! + number]!;
      const object = address >>> 2;
      const at = slab + LIVE_BITS + ((object >>> 7) & this.liveBitMask);
      const bits = words[at]!;
      const bit = 1 << (object >>> 2);
      const record = words[slab + SLAB_CLASS]!;
      const fits = size === undefined || ((size | 0) === size && size > 0 && size <= words[record + OBJECT_SIZE]!);
      if (slab && bits & bit && !(address & (GRANULE - 1)) && fits) {
        const live = words[slab + LIVE]! - 1;
        words[at] = bits ^ bit;
        words[object] = words[slab + FREE_OBJECT]!;
        words[slab + FREE_OBJECT] = object;
        words[slab + LIVE] = live;
        if (((live - 1) | live) & NEEDS_NOTICE) this.notice(slab);
        // Stored even where it stays the same: which slab it is nobody can predict, and a wrong guess costs more than a store.
        else words[record + CURRENT] = slab;
        return;
      }
    }
    this.deallocateNothing(address, size);
  }

  /** In place within the class; never into another one. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#renew();
    if (address === NULL) return false;
    const record = this.#recordOf(address);
    this.#checkObjectSize(address, record, oldSize);
    return newSize > 0 && newSize <= this.sizeMax && this.classOffsets[Math.ceil(newSize / GRANULE)] === record - this.state;
  }

  /** O(1) within the class, O(size) into another one. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = GRANULE): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.#renew();
    this.#checkObjectSize(address, this.#recordOf(address), oldSize);
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  usableSize(address: Address): number {
    checkAddress(address);
    this.#renew();
    return address === NULL ? 0 : this.words[this.#recordOf(address) + OBJECT_SIZE]!;
  }

  /** O(1). */
  owns(address: Address): boolean {
    const { words, state } = this;
    if (typeof address !== 'number' || address >>> 0 !== address) return false;
    const number = address >>> this.slabLog2;
    return number < words[state + INDEX_LENGTH]! ? words[words[state + INDEX]! + number] !== 0 : this.ownsElsewhere(address);
  }

  /** Frees every object at once; all slabs are kept, for any class. O(slabs). */
  reset(): void {
    this.#renew();
    const { words } = this;
    for (const slab of slabsOf(words, this.state)) {
      if (words[slab + SLAB_CLASS] === 0) continue;
      this.#leaveClass(slab);
      clearSlab(words, slab, this.slabLog2);
      this.#supply.addSpare(slab);
    }
  }

  /**
   * Gives all empty slabs back to the parent, the spare ones included, and descriptors that then describe nothing. O(slabs).
   *
   * @returns How many bytes went back; 0 when the parent takes nothing back.
   */
  trim(): number {
    this.#renew();
    if ('monotonic' in this.#parent) return 0;
    this.#gatherSpares();
    return this.#supply.trim();
  }

  release(): void {
    if (!this.#isUsable()) return;
    const { words, state } = this;
    const parent = this.#parent;
    const slabs = slabsOf(words, state).map((slab) => words[slab + SLAB_START]! * 4);
    const batches: { address: Address; size: number }[] = [];
    for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
      batches.push({ address: batch * 4, size: words[batch + BATCH_SIZE]! >>> 0 });
    }
    const indexSize = words[state + INDEX_BLOCK_SIZE]! >>> 0;
    if (indexSize !== 0) batches.push({ address: words[state + INDEX]! * 4, size: indexSize });
    batches.push({ address: this.address, size: words[state + STATE_BLOCK_SIZE]! >>> 0 });
    eraseHeader(this.memory, this.address);
    this.#released = true;
    this.words = NO_WORDS;
    for (const slab of slabs) giveBack(parent, slab, 2 ** this.slabLog2);
    for (const { address, size } of batches) giveBack(parent, address, size);
  }

  /** O(slabs). */
  stats(): SlabPoolStats {
    this.#renew();
    const { words, state } = this;
    const doubles = this.memory.f64;
    const live = new Map<number, number>();
    const slabs = slabsOf(words, state);
    for (const slab of slabs) live.set(words[slab + SLAB_CLASS]!, (live.get(words[slab + SLAB_CLASS]!) ?? 0) + (words[slab + LIVE]! & LIVE_COUNT));
    const classes = Array.from({ length: words[state + CLASS_COUNT]! }, (_, i) => {
      const record = state + CLASSES + i * CLASS_WORDS;
      const allocated = doubles[(record + PAST_COUNT) / 2]! + words[record + ALLOCATED]!;
      const alive = live.get(record) ?? 0;
      return { size: words[record + OBJECT_SIZE]!, allocated, freed: allocated - alive, live: alive, slabs: words[record + SLAB_COUNT]! };
    });
    return {
      capacity: slabs.length * 2 ** this.slabLog2,
      liveBytes: classes.reduce((sum, { size, live }) => sum + size * live, 0),
      failureCount: words[state + FAILURES]! >>> 0,
      classes,
      slabCount: slabs.length,
      spareCount: words[state + SPARE_COUNT]!,
    };
  }

  /** Walks every slab, every free list and every live bit. O(objects). */
  checkInvariants(): void {
    this.#renew();
    checkPool(this.memory, this.address);
  }

  /**
   * Puts the pool in order after a thread or process died in the middle of a call: at most the object of that call is lost. What the parent had just given it,
   * or was about to get back, may stay with the parent. O(objects).
   *
   * @throws AllocatorError `corrupt` when no call leaves such a pool behind; or `released`.
   */
  repair(): Repair {
    this.#renew();
    const parent = this.#parent;
    return repairPool(this.memory, this.address, (address) => ('usableSize' in parent ? parent.usableSize(address) : undefined));
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    const { state, slabLog2, liveBitMask, sizeMax } = this;
    return hotPaths(writer.bind(this), writer.bind(this.classOffsets), { state, slabLog2, liveBitMask, sizeMax });
  }

  #format(classes: readonly number[], blockSize: number, spareCountMax: number): void {
    const { words, state } = this;
    words.fill(0, state, state + blockSize / 4);
    words[state + SLAB_LOG2] = this.slabLog2;
    words[state + CLASS_COUNT] = classes.length;
    words[state + INDEX] = state + CLASSES + classes.length * CLASS_WORDS;
    words[state + INDEX_LENGTH] = state + blockSize / 4 - words[state + INDEX]!;
    words[state + STATE_BLOCK_SIZE] = blockSize;
    words[state + SPARE_COUNT_MAX] = Math.min(spareCountMax, 2 ** 20);
    classes.forEach((size, i) => {
      words[state + CLASSES + i * CLASS_WORDS + OBJECT_SIZE] = size;
      words[state + CLASSES + i * CLASS_WORDS + CURRENT] = state + NO_SLAB;
    });
    writeHeader(this.memory, this.address, HEADER);
  }

  /** Whether there is anything left to use: neither this pool nor its memory was released. Takes the current view. */
  #isUsable(): boolean {
    try {
      this.#renew();
      return true;
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'released')) throw error;
      this.#released = true;
      this.words = NO_WORDS;
      return false;
    }
  }

  /** Takes the current view; throws when the pool was released, by this handle or another. */
  #renew(): void {
    if (this.#released) throw new AllocatorError('released', 'this pool was released');
    const words = this.memory.i32;
    if (words === this.words) return;
    this.words = words;
    if (!hasHeader(this.memory, this.address, HEADER)) {
      this.words = NO_WORDS;
      throw new AllocatorError('released', `the pool at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
  }

  /** What `allocate` does when its class's current slab has no free object linked. */
  private allocateFrom(record: number): Address {
    if (this.advance(record) || this.#addSlab(record)) return this.allocate(this.words[record + OBJECT_SIZE]!);
    this.words[this.state + FAILURES]! += 1;
    return NULL;
  }

  /** What `allocate` does with a bad size, an alignment and a stale view. */
  private allocateElsewhere(size: number, alignment: number = GRANULE): Address {
    checkSize(size);
    checkAlignment(alignment);
    this.#renew();
    if (size === 0) return NULL;
    const record = this.#recordFor(size, alignment);
    if (record !== 0) return this.allocate(this.words[record + OBJECT_SIZE]!);
    this.words[this.state + FAILURES]! += 1;
    return NULL;
  }

  /** The class that serves a request, or 0. */
  #recordFor(size: number, alignment: number): number {
    if (size > this.sizeMax) return 0;
    const { words, state } = this;
    const end = state + CLASSES + words[state + CLASS_COUNT]! * CLASS_WORDS;
    for (let record = state + this.classOffsets[Math.ceil(size / GRANULE)]!; record < end; record += CLASS_WORDS) {
      if (words[record + OBJECT_SIZE]! % alignment === 0) return record;
      // Below 16 bytes every class is aligned enough.
      if (alignment <= GRANULE) return record;
    }
    return 0;
  }

  /** Makes the class's current slab one with a free object linked, if it has such a slab. O(1) amortised. */
  private advance(record: number): boolean {
    const { words } = this;
    const none = this.state + NO_SLAB;
    for (let slab = words[record + CURRENT]!; slab !== none; slab = words[record + CURRENT]!) {
      if (words[slab + FREE_OBJECT] !== 0 || extendSlab(words, slab)) return true;
      // The slab is full: it leaves the ring, until an object comes back.
      unlinkSlab(words, this.state, slab);
    }
    return false;
  }

  /** Gives a class a slab: a spare one, or one from the parent. */
  #addSlab(record: number): boolean {
    const slab = this.#takeSlab();
    if (slab === 0) return false;
    const { words, state } = this;
    dedicateSlab(words, slab, this.slabLog2, record);
    words[record + SLAB_COUNT]! += 1;
    linkSlab(words, state, slab);
    return extendSlab(words, slab);
  }

  #takeSlab(): number {
    const supply = this.#supply;
    const spare = supply.takeSpare();
    if (spare !== 0) return spare;
    const slab = supply.takeNew();
    this.#renew();
    if (slab !== 0) return slab;
    this.#gatherSpares();
    return supply.takeSpare();
  }

  /** A full slab got a free object, or one that is not alone lost its last live one. */
  private notice(slab: number): void {
    const { words } = this;
    if (words[slab + NEXT_SLAB] === 0) linkSlab(words, this.state, slab);
    words[words[slab + SLAB_CLASS]! + CURRENT] = slab;
    // The last slab with room stays, however empty: or a class that comes and goes would take it again at once.
    if (words[slab + LIVE] === 0) {
      this.#leaveClass(slab);
      this.#supply.takeBack(slab);
    }
  }

  /** A class's count reached 2^31. */
  private settle(record: number): void {
    this.memory.f64[(record + PAST_COUNT) / 2]! += 2 ** 31;
    this.words[record + ALLOCATED] = 0;
  }

  /** A slab without a live object leaves its class. */
  #leaveClass(slab: number): void {
    const { words } = this;
    words[words[slab + SLAB_CLASS]! + SLAB_COUNT]! -= 1;
    if (words[slab + NEXT_SLAB] !== 0) unlinkSlab(words, this.state, slab);
    words[slab + SLAB_CLASS] = 0;
    words[slab + FREE_OBJECT] = 0;
  }

  /** Takes from every class the empty slabs that it kept. O(slabs): before giving memory back, or giving up. */
  #gatherSpares(): void {
    const { words } = this;
    for (const slab of slabsOf(words, this.state)) {
      if (words[slab + SLAB_CLASS] === 0 || (words[slab + LIVE]! & LIVE_COUNT) !== 0) continue;
      this.#leaveClass(slab);
      this.#supply.addSpare(slab);
    }
  }

  /** What `owns` does with a stale view, and with an address beyond the index. */
  private ownsElsewhere(address: Address): boolean {
    const { words } = this;
    return this.#isUsable() && this.words !== words && this.owns(address);
  }

  /** The descriptor of the slab that `address` lies in, or 0. The view is fresh. */
  #slabOf(address: Address): number {
    const { words, state } = this;
    const number = address >>> this.slabLog2;
    return number < words[state + INDEX_LENGTH]! ? words[words[state + INDEX]! + number]! : 0;
  }

  /** The class record of the live object at `address`, or the error that says why there is none. The view is fresh. */
  #recordOf(address: Address): number {
    const { words } = this;
    const slab = this.#slabOf(address);
    if (slab === 0) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in a slab of this pool`);
    const record = words[slab + SLAB_CLASS]!;
    const object = address >>> 2;
    const isLive = (words[slab + LIVE_BITS + ((object >>> 7) & this.liveBitMask)]! >>> (object >>> 2)) & 1;
    if (isLive !== 0 && address % GRANULE === 0) return record;
    if (record === 0) throw new AllocatorError('double-free', `the object at ${formatAddress(address)} is free already: its whole slab is`);
    const size = words[record + OBJECT_SIZE]!;
    if ((address - words[slab + SLAB_START]! * 4) % size !== 0 || object >= words[slab + OBJECTS_END]!) {
      throw new AllocatorError('invalid-address', `no object of ${size} bytes starts at ${formatAddress(address)}`);
    }
    throw new AllocatorError('double-free', `the object at ${formatAddress(address)} is free already`);
  }

  /** What `deallocate` does with NULL, a stale view, and with everything that is wrong. */
  private deallocateNothing(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    this.#renew();
    if (address === NULL) return;
    const record = this.#recordOf(address);
    if (size !== undefined) this.#checkObjectSize(address, record, size);
    this.deallocate(address);
  }

  #checkObjectSize(address: Address, record: number, size: number): void {
    const objectSize = this.words[record + OBJECT_SIZE]!;
    if (size > 0 && size <= objectSize) return;
    throw new AllocatorError('size-mismatch', `the object at ${formatAddress(address)} has ${objectSize} bytes, its size cannot be ${size}`);
  }
}
