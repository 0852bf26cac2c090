/**
 * A bump allocator over chunks: an allocation moves a cursor, and everything comes back at once. What compilers, parsers and frames want.
 *
 *     first chunk     | state | chunk header | blocks ...             |
 *     other chunks            | chunk header | blocks ...             |
 *
 *     state   byte  0  header: magic, kind, version, own address
 *                  16  log2 of the granule, chunk size, current chunk, cursor, limit,
 *                  36  capacity, peak, failures
 *     chunk   byte  0  next chunk, size of the parent's block, bytes used before this chunk
 *
 * The chunks form one list in order of use. Those behind the current one are empty, left by a reset or a rewind; they are used again before the
 * parent is asked for more. Cursor and limit count granules (the alignment), so that they are small integers anywhere in 4 GiB.
 */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkAllocator,
  checkHeader,
  checkInteger,
  checkSize,
  copyBytes,
  eraseHeader,
  formatAddress,
  giveBack,
  hasHeader,
  isPowerOfTwo,
  writeHeader,
  ADDRESS_SPACE_SIZE,
  type Address,
  type AllocatorStats,
  type Memory,
  type MonotonicAllocator,
  type Parent,
  type Repair,
  type Repairable,
} from '@allokit/allocator';
import {
  CAPACITY,
  CHUNK_BLOCK_SIZE,
  CHUNK_HEADER_SIZE,
  CHUNK_NEXT,
  CHUNK_SIZE,
  CHUNK_USED_BEFORE,
  CURRENT,
  CURSOR,
  FAILURES,
  GRANULE_LOG2,
  HEADER,
  LIMIT,
  PEAK,
  STATE_SIZE,
} from './layout.ts';

/** Bytes of a chunk when nothing is said. */
export const CHUNK_SIZE_DEFAULT = 2 * 2 ** 20;
/** The alignment of blocks when nothing is said. */
export const ARENA_ALIGNMENT_DEFAULT = 8;

const ALIGNMENT_MIN = 4;
const ALIGNMENT_MAX = 4096;
const CHUNK_SIZE_MIN = 256;

const NO_WORDS = new Int32Array(0);

/** How to make an {@link Arena}. */
export interface ArenaOptions {
  /** Bytes of a chunk; a larger request gets a chunk of its own size. At least 256. Default 2 MiB. */
  readonly chunkSize?: number;
  /** The alignment of blocks in bytes, a power of two in 4..4096: sizes are rounded up to it. Default 8. */
  readonly alignment?: number;
}

/** How to attach to an {@link Arena}. */
export interface ArenaAttachOptions {
  /** Whether to put the arena in order first, where its owner died in the middle of a call. Nobody else may use it then. Default `false`: it is refused. */
  readonly repair?: boolean;
}

/** The figures of an arena. */
export interface ArenaStats extends AllocatorStats {
  /** The most `liveBytes` ever were. */
  readonly peakBytes: number;
  /** Chunks held, used or not. */
  readonly chunkCount: number;
}

/** A moment in an arena's life, to rewind to. Valid until the arena is reset or rewound to an earlier one. */
export interface ArenaMark {
  /** The chunk that was current. */
  readonly chunk: Address;
  /** The cursor in it, in granules. */
  readonly cursor: number;
}

/**
 * An arena: O(1) allocation by moving a cursor, no free, `reset`, `mark` and `rewind`.
 *
 * It cannot tell its blocks apart, so misuse is found only where an address lies outside what is in use. `resize` and `reallocate` work in place for the
 * latest block. Blocks of an arena rewound or reset are gone without trace. Single-owner.
 */
export class Arena implements MonotonicAllocator, Repairable {
  readonly monotonic = true;
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the arena's state lies: what `attach` wants. */
  readonly address: Address;

  // Private to TypeScript only, and stored once: see the note in o1heap. `#private` fields are stored twice and never count as constant in V8.
  declare private words: Int32Array;
  declare private readonly state: number;
  declare private readonly granuleLog2: number;

  readonly #parent: Parent;
  #released = false;

  private constructor(parent: Parent, address: Address, alignment: number) {
    this.memory = parent.memory;
    this.address = address;
    this.alignment = alignment;
    this.#parent = parent;
    this.words = parent.memory.i32;
    this.state = address >>> 2;
    this.granuleLog2 = 31 - Math.clz32(alignment);
  }

  /**
   * Makes an arena with one chunk taken from `parent`. O(1).
   *
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when the parent has no room for the first chunk.
   */
  static create(parent: Parent, { chunkSize = CHUNK_SIZE_DEFAULT, alignment = ARENA_ALIGNMENT_DEFAULT }: ArenaOptions = {}): Arena {
    checkAlignment(alignment);
    checkInteger(alignment, 'alignment', ALIGNMENT_MIN, ALIGNMENT_MAX);
    checkInteger(chunkSize, 'chunkSize', Math.max(CHUNK_SIZE_MIN, 4 * alignment), ADDRESS_SPACE_SIZE / 2);
    checkAllocator(parent, 'parent');
    const blockSize = alignUp(chunkSize, 16);
    const address = parent.allocate(blockSize, 16);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the arena's first chunk`);
    const arena = new Arena(parent, address, alignment);
    arena.#format(blockSize);
    return arena;
  }

  /**
   * Finds the arena that `create` made: from another thread, or in a restored image. O(chunks).
   *
   * @param parent - What the arena was created on.
   * @param address - The other one's `address`.
   * @param options - Whether to repair.
   * @throws AllocatorError `bad-header` when no arena lies there, `corrupt` when it is damaged.
   */
  static attach(parent: Parent, address: Address, { repair = false }: ArenaAttachOptions = {}): Arena {
    checkHeader(parent.memory, address, HEADER, STATE_SIZE + CHUNK_HEADER_SIZE);
    const granuleLog2 = parent.memory.i32[(address >>> 2) + GRANULE_LOG2]!;
    const alignment = 2 ** granuleLog2;
    if (!isPowerOfTwo(alignment) || alignment < ALIGNMENT_MIN || alignment > ALIGNMENT_MAX) {
      throw new AllocatorError('corrupt', `the arena at ${formatAddress(address)} aligns to 2^${granuleLog2} bytes`);
    }
    if (!parent.owns(address)) throw new AllocatorError('bad-header', `the parent does not own ${formatAddress(address)}`);
    const arena = new Arena(parent, address, alignment);
    if (repair) arena.repair();
    arena.checkInvariants();
    return arena;
  }

  allocate(size: number, alignment?: number): Address {
    const { words, state } = this;
    if (alignment === undefined && (size | 0) === size && size > 0) {
      const start = words[state + CURSOR]!;
      const end = start + ((size - 1) >>> this.granuleLog2) + 1;
      if (end <= words[state + LIMIT]!) {
        words[state + CURSOR] = end;
        return (start << this.granuleLog2) >>> 0;
      }
    }
    return this.allocateElsewhere(size, alignment);
  }

  /** In place for the latest block as far as the chunk goes, and for any that does not grow. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.#renew();
    if (address === NULL) return false;
    this.#checkBlock(address, oldSize);
    if (newSize === 0) return false;
    const { words, state } = this;
    const start = address / this.alignment;
    const oldEnd = start + this.#granules(oldSize);
    const newEnd = start + this.#granules(newSize);
    if (oldEnd !== words[state + CURSOR]) return newEnd <= oldEnd;
    if (newEnd > words[state + LIMIT]!) return false;
    if (newEnd < oldEnd) this.#notePeak();
    words[state + CURSOR] = newEnd;
    return true;
  }

  /** O(1) for the latest block, O(oldSize) for any other that grows: the old one stays where it is until the arena is reset. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = this.alignment): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.#renew();
    this.#checkBlock(address, oldSize);
    if (newSize === 0) return NULL;
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    const target = this.allocate(newSize, alignment);
    if (target !== NULL) copyBytes(this.memory, target, address, Math.min(oldSize, newSize));
    return target;
  }

  /** O(1) for the current chunk, O(chunks) otherwise. */
  owns(address: Address): boolean {
    if (typeof address !== 'number' || address >>> 0 !== address || !this.#isUsable()) return false;
    return this.#chunkAround(address, 'all') !== NULL;
  }

  /** Frees every block at once, keeping all chunks for reuse. O(1). */
  reset(): void {
    this.#renew();
    this.#notePeak();
    this.#enter(this.#firstChunk, 0);
  }

  /** Remembers this moment, for {@link Arena.rewind}. O(1). */
  mark(): ArenaMark {
    this.#renew();
    const { words, state } = this;
    return { chunk: words[state + CURRENT]! >>> 0, cursor: words[state + CURSOR]! };
  }

  /**
   * Frees every block allocated since `mark` was taken. O(1) within the current chunk, else O(chunks used since the first).
   *
   * @throws AllocatorError `invalid-address` when the arena stands before that moment: the mark is stale. A stale mark is not always told.
   */
  rewind({ chunk, cursor }: ArenaMark): void {
    checkAddress(chunk, 'mark.chunk');
    checkInteger(cursor, 'mark.cursor');
    this.#renew();
    const { words, state } = this;
    const current = words[state + CURRENT]! >>> 0;
    let candidate = chunk === current ? current : this.#firstChunk;
    while (candidate !== chunk && candidate !== current) candidate = words[(candidate >>> 2) + CHUNK_NEXT]! >>> 0;
    const { start, limit } = this.#span(candidate);
    if (candidate !== chunk || cursor < start || cursor > (chunk === current ? words[state + CURSOR]! : limit)) {
      throw new AllocatorError('invalid-address', `the mark at ${formatAddress(cursor * this.alignment)} in chunk ${formatAddress(chunk)} lies ahead of the arena: it is stale`);
    }
    this.#notePeak();
    words[state + CURRENT] = chunk;
    words[state + CURSOR] = cursor;
    words[state + LIMIT] = limit;
  }

  /**
   * A scope: everything allocated from now on is freed when it is disposed of, `using scope = arena.scope()` at the latest at the end of the block. Disposing
   * of it again does nothing.
   *
   * @throws What `rewind` throws, when disposed of after an outer scope.
   */
  scope(): Disposable {
    let mark: ArenaMark | undefined = this.mark();
    return {
      [Symbol.dispose]: () => {
        if (mark !== undefined) this.rewind(mark);
        mark = undefined;
      },
    };
  }

  /**
   * Gives the chunks that are not in use back to the parent. O(chunks).
   *
   * @returns How many bytes went back; 0 when the parent takes nothing back.
   */
  trim(): number {
    this.#renew();
    if ('monotonic' in this.#parent) return 0;
    const { words, state } = this;
    const last = words[state + CURRENT]! >>> 2;
    let returned = 0;
    for (let chunk = words[last + CHUNK_NEXT]! >>> 0; chunk !== NULL; ) {
      const next = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0;
      const size = words[(chunk >>> 2) + CHUNK_BLOCK_SIZE]! >>> 0;
      const { start, limit } = this.#span(chunk);
      words[last + CHUNK_NEXT] = next;
      words[state + CAPACITY]! -= (limit - start) * this.alignment;
      giveBack(this.#parent, chunk, size);
      returned += size;
      chunk = next;
    }
    return returned;
  }

  release(): void {
    if (!this.#isUsable()) return;
    const { words } = this;
    const parent = this.#parent;
    const first = this.#firstChunk >>> 2;
    const firstSize = words[first + CHUNK_BLOCK_SIZE]! >>> 0;
    let chunk = words[first + CHUNK_NEXT]! >>> 0;
    eraseHeader(this.memory, this.address);
    this.#released = true;
    this.words = NO_WORDS;
    while (chunk !== NULL) {
      const next = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0;
      giveBack(parent, chunk, words[(chunk >>> 2) + CHUNK_BLOCK_SIZE]! >>> 0);
      chunk = next;
    }
    giveBack(parent, this.address, firstSize);
  }

  /** O(chunks). */
  stats(): ArenaStats {
    this.#renew();
    const { words, state } = this;
    let chunkCount = 0;
    for (let chunk = this.#firstChunk; chunk !== NULL; chunk = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0) chunkCount += 1;
    const liveBytes = this.#liveBytes;
    return {
      capacity: words[state + CAPACITY]! >>> 0,
      liveBytes,
      failureCount: words[state + FAILURES]! >>> 0,
      peakBytes: Math.max(liveBytes, words[state + PEAK]! >>> 0),
      chunkCount,
    };
  }

  /**
   * Puts the arena in order after a thread or process died in the middle of a call. A reset or rewind that was cut short may keep more than it should until the
   * next; an empty chunk may stay with the parent. O(chunks).
   *
   * @throws AllocatorError `corrupt` when no call leaves such an arena behind, nothing having changed; or `released`.
   */
  repair(): Repair {
    this.#renew();
    const { words, state } = this;
    const current = words[state + CURRENT]! >>> 0;
    const cursor = words[state + CURSOR]!;
    const seen = new Set<Address>();
    let capacity = 0;
    let isCursorAhead = true;
    for (let chunk = this.#firstChunk; chunk !== NULL; chunk = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0) {
      if (seen.has(chunk) || !this.#isSound(chunk)) throw new AllocatorError('corrupt', `the chain of chunks is broken at ${formatAddress(chunk)}: it cannot be repaired`);
      const { start, limit } = this.#span(chunk);
      // The cursor of a chunk that was used before: then the arena had just entered the current one, and that is empty.
      if (!seen.has(current) && chunk !== current && cursor >= start && cursor <= limit) isCursorAhead = false;
      seen.add(chunk);
      capacity += (limit - start) * this.alignment;
    }
    if (!seen.has(current)) throw new AllocatorError('corrupt', `the current chunk, ${formatAddress(current)}, is not in the list: it cannot be repaired`);
    const { start, limit } = this.#span(current);
    // On the way back to an earlier chunk, how much of that is kept was to be said next.
    if (cursor < start || cursor > limit) words[state + CURSOR] = isCursorAhead ? limit : start;
    words[state + LIMIT] = limit;
    words[state + CAPACITY] = capacity;
    return { lostBytes: 0 };
  }

  /** Walks the chunks. O(chunks). */
  checkInvariants(): void {
    this.#renew();
    const { words, state, memory } = this;
    const fail = (what: string): never => {
      throw new AllocatorError('corrupt', `arena at ${formatAddress(this.address)}: ${what}`);
    };
    checkHeader(memory, this.address, HEADER, STATE_SIZE + CHUNK_HEADER_SIZE);
    if (words[state + GRANULE_LOG2] !== this.granuleLog2) fail(`the alignment changed to 2^${words[state + GRANULE_LOG2]!}`);
    if (words[state + CHUNK_SIZE]! >>> 0 < CHUNK_SIZE_MIN) fail(`new chunks would have ${words[state + CHUNK_SIZE]! >>> 0} bytes`);
    const current = words[state + CURRENT]! >>> 0;
    let capacity = 0;
    let usedMax = 0;
    let isUsed = true;
    const seen = new Set<Address>();
    for (let chunk = this.#firstChunk; chunk !== NULL; chunk = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0) {
      if (seen.has(chunk) || !this.#isSound(chunk)) fail(`the chunk at ${formatAddress(chunk)} is broken`);
      seen.add(chunk);
      const { start, limit } = this.#span(chunk);
      const usedBefore = words[(chunk >>> 2) + CHUNK_USED_BEFORE]! >>> 0;
      if (isUsed && usedBefore > usedMax) fail(`${usedBefore} bytes are said to be used before the chunk at ${formatAddress(chunk)}, ${usedMax} can be`);
      usedMax = usedBefore + (limit - start) * this.alignment;
      capacity += (limit - start) * this.alignment;
      if (chunk !== current) continue;
      isUsed = false;
      if (words[state + LIMIT] !== limit) fail(`the limit is ${words[state + LIMIT]!}, the current chunk ends at ${limit}`);
      if (words[state + CURSOR]! < start || words[state + CURSOR]! > limit) fail(`the cursor ${words[state + CURSOR]!} is not in the current chunk, ${start}..${limit}`);
    }
    if (isUsed) fail(`the current chunk, ${formatAddress(current)}, is not in the list`);
    if (capacity !== words[state + CAPACITY]! >>> 0) fail(`chunks hold ${capacity} bytes, the capacity is ${words[state + CAPACITY]! >>> 0}`);
    if ((words[state + PEAK]! >>> 0) % this.alignment !== 0) fail(`the peak is ${words[state + PEAK]! >>> 0} bytes`);
  }

  get #firstChunk(): Address {
    return this.address + STATE_SIZE;
  }

  get #liveBytes(): number {
    const { words, state } = this;
    const chunk = words[state + CURRENT]! >>> 0;
    return (words[(chunk >>> 2) + CHUNK_USED_BEFORE]! >>> 0) + (words[state + CURSOR]! - this.#span(chunk).start) * this.alignment;
  }

  #format(blockSize: number): void {
    const { words, state } = this;
    words.fill(0, state, state + (STATE_SIZE + CHUNK_HEADER_SIZE) / 4);
    words[state + GRANULE_LOG2] = this.granuleLog2;
    words[state + CHUNK_SIZE] = blockSize;
    words[(this.#firstChunk >>> 2) + CHUNK_BLOCK_SIZE] = blockSize;
    const { start, limit } = this.#span(this.#firstChunk);
    words[state + CAPACITY] = (limit - start) * this.alignment;
    this.#enter(this.#firstChunk, 0);
    writeHeader(this.memory, this.address, HEADER);
  }

  /** Whether there is anything left to use: neither this arena nor its memory was released. Takes the current view. */
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

  /** Takes the current view; throws when the arena was released, by this handle or another. */
  #renew(): void {
    if (this.#released) throw new AllocatorError('released', 'this arena was released');
    const words = this.memory.i32;
    if (words === this.words) return;
    this.words = words;
    if (!hasHeader(this.memory, this.address, HEADER)) {
      this.words = NO_WORDS;
      throw new AllocatorError('released', `the arena at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
  }

  #granules(size: number): number {
    return Math.ceil(size / this.alignment);
  }

  /** The parent's block that a chunk lies in: the first one shares it with the state. */
  #blockOf(chunk: Address): Address {
    return chunk === this.#firstChunk ? this.address : chunk;
  }

  /** Whether a chunk lies where one can, and is as long as one can be. */
  #isSound(chunk: Address): boolean {
    if (chunk % 16 !== 0 || chunk + CHUNK_HEADER_SIZE > this.memory.committed) return false;
    const size = this.words[(chunk >>> 2) + CHUNK_BLOCK_SIZE]! >>> 0;
    const block = this.#blockOf(chunk);
    return size % 16 === 0 && block + size <= this.memory.committed && size >= CHUNK_HEADER_SIZE + (chunk - block);
  }

  /** The granules of a chunk that blocks can fill. */
  #span(chunk: Address): { readonly start: number; readonly limit: number } {
    const size = this.words[(chunk >>> 2) + CHUNK_BLOCK_SIZE]! >>> 0;
    return { start: this.#granules(chunk + CHUNK_HEADER_SIZE), limit: Math.floor((this.#blockOf(chunk) + size) / this.alignment) };
  }

  /** The chunk that holds `address`, or NULL: of all, or of those in use. */
  #chunkAround(address: Address, which: 'all' | 'used'): Address {
    const { words, state } = this;
    const current = words[state + CURRENT]! >>> 0;
    if (this.#holds(current, address)) return current;
    for (let chunk = this.#firstChunk; chunk !== NULL; chunk = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0) {
      if (which === 'used' && chunk === current) return NULL;
      if (this.#holds(chunk, address)) return chunk;
    }
    return NULL;
  }

  #holds(chunk: Address, address: Address): boolean {
    const { start, limit } = this.#span(chunk);
    return address >= start * this.alignment && address < limit * this.alignment;
  }

  #enter(chunk: Address, usedBefore: number): void {
    const { words, state } = this;
    const { start, limit } = this.#span(chunk);
    words[(chunk >>> 2) + CHUNK_USED_BEFORE] = usedBefore;
    words[state + CURRENT] = chunk;
    words[state + CURSOR] = start;
    words[state + LIMIT] = limit;
  }

  /** The peak is noted where the use goes down: allocations need not. */
  #notePeak(): void {
    const { words, state } = this;
    const liveBytes = this.#liveBytes;
    if (liveBytes > words[state + PEAK]! >>> 0) words[state + PEAK] = liveBytes;
  }

  /** What `allocate` does with a bad size, an alignment, a stale view or a full chunk. */
  private allocateElsewhere(size: number, alignment: number = this.alignment): Address {
    checkSize(size);
    checkAlignment(alignment);
    this.#renew();
    if (size === 0) return NULL;
    const granules = this.#granules(size);
    const step = Math.max(1, alignment / this.alignment);
    const { words, state } = this;
    let start = alignUp(words[state + CURSOR]!, step);
    if (start + granules > words[state + LIMIT]!) {
      if (!this.#nextChunk(granules, step)) {
        this.words[state + FAILURES]! += 1;
        return NULL;
      }
      start = alignUp(this.words[state + CURSOR]!, step);
    }
    this.words[state + CURSOR] = start + granules;
    return start * this.alignment;
  }

  /** Enters a chunk in which the request fits: the first such one behind the current chunk, moved up behind it, or a new one. */
  #nextChunk(granules: number, step: number): boolean {
    const { words, state } = this;
    const current = words[state + CURRENT]! >>> 0;
    let previous = current;
    for (let chunk = words[(current >>> 2) + CHUNK_NEXT]! >>> 0; chunk !== NULL; ) {
      const next = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0;
      const { start, limit } = this.#span(chunk);
      if (alignUp(start, step) + granules <= limit) {
        words[(previous >>> 2) + CHUNK_NEXT] = next;
        this.#append(current, chunk);
        return true;
      }
      previous = chunk;
      chunk = next;
    }
    const least = CHUNK_HEADER_SIZE + (granules + step) * this.alignment;
    const size = Math.max(alignUp(least, 16), words[state + CHUNK_SIZE]! >>> 0);
    if (size >= ADDRESS_SPACE_SIZE) return false;
    let chunk = this.#parent.allocate(size, 16);
    // Chunks too small for this request may stand in its way.
    if (chunk === NULL && this.trim() > 0) chunk = this.#parent.allocate(size, 16);
    this.#renew();
    if (chunk === NULL) return false;
    this.words[(chunk >>> 2) + CHUNK_BLOCK_SIZE] = size;
    const { start, limit } = this.#span(chunk);
    this.words[state + CAPACITY]! += (limit - start) * this.alignment;
    this.#append(current, chunk);
    return true;
  }

  /** [ current ][ empty.. ] => [ current ][ chunk ][ empty.. ], and enters the chunk. */
  #append(current: Address, chunk: Address): void {
    const { words } = this;
    const usedBefore = this.#liveBytes;
    words[(chunk >>> 2) + CHUNK_NEXT] = words[(current >>> 2) + CHUNK_NEXT]!;
    words[(current >>> 2) + CHUNK_NEXT] = chunk;
    this.#enter(chunk, usedBefore);
  }

  /** Refuses what cannot be a block of `size` bytes. */
  #checkBlock(address: Address, size: number): void {
    const { words, state } = this;
    const chunk = this.#chunkAround(address, 'used');
    const isCurrent = chunk === words[state + CURRENT]! >>> 0;
    const end = chunk === NULL ? NULL : (isCurrent ? words[state + CURSOR]! : this.#span(chunk).limit) * this.alignment;
    if (address % this.alignment === 0 && size > 0 && address + size <= end) return;
    const where = formatAddress(address);
    if (chunk === NULL && this.#chunkAround(address, 'all') === NULL) throw new AllocatorError('foreign-address', `${where} does not lie in this arena`);
    if (address % this.alignment !== 0) throw new AllocatorError('invalid-address', `${where} is not a multiple of ${this.alignment}: no block starts there`);
    if (address >= end) throw new AllocatorError('invalid-address', `no block lies at ${where}: the arena was reset, or rewound`);
    throw new AllocatorError('size-mismatch', `the block at ${where} cannot have ${size} bytes: ${end - address} are in use from there`);
  }
}
