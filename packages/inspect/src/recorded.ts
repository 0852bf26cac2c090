/**
 * Records what a program asks of its allocator, so that the program becomes a benchmark: see `trace.ts` for the form it takes on disk.
 *
 * A call is noted as it is, with addresses, in a buffer of words that is small enough to stay in the cache; slots take the place of addresses only in {@link
 * Recorded.trace}.
 *
 *     buffer   word 0  where the next event goes      event   kind | alignLog2 << 8, address, size
 */

import {
  HOT_PATHS,
  NULL,
  checkAllocator,
  checkInteger,
  type Address,
  type Allocator,
  type AllocatorStats,
  type Compilable,
  type HotPathWriter,
  type HotPaths,
  type Memory,
} from '@allokit/allocator';
import { TraceBuilder } from './trace-builder.ts';
import { KIND, type Trace } from './trace.ts';

/** Events that the buffer holds. */
const BUFFER_EVENTS = 4096;
const EVENT_WORDS = 3;
const BUFFER_WORDS = 1 + BUFFER_EVENTS * EVENT_WORDS;
/** The word of the buffer behind its last event. */
const BUFFER_END = BUFFER_WORDS - EVENT_WORDS;

/** Operations that are recorded unless told otherwise: 192 MiB of events. */
const LIMIT = 2 ** 24;

// What an event can be besides the kinds of the trace.
/** Where the block of the reallocation that follows was. */
const MOVED_FROM = 4;
/** Every block is free from here on. */
const RESET = 5;

/** What {@link Recorded.create} takes. */
export interface RecordedOptions {
  /** Operations after which nothing is recorded any more, 1..2^28; a reallocation counts twice. Each takes 12 bytes. Default 2^24. */
  readonly limit?: number;
}

/**
 * Records what goes through. Transparent: addresses, sizes and errors are the parent's. Blocks that are live already, and requests that found no room, are not
 * recorded. Owns its parent: `reset` and `release` reach it. One thread at a time.
 *
 * Costs a few stores a call. Takes part in `compile`, where they are all it costs.
 */
export class Recorded<P extends Allocator = Allocator> implements Allocator, Compilable {
  readonly memory: Memory;
  readonly alignment: number;
  /** Where the blocks come from. */
  readonly parent: P;
  /** Operations after which nothing is recorded any more. */
  readonly limit: number;

  // Private to TypeScript only, and stored once: see the note in o1heap.
  declare private readonly buffer: Int32Array;
  /** What the buffer held when it was full, earlier ones first. */
  readonly #chunks: Int32Array[] = [];
  #flushedCount = 0;

  private constructor(parent: P, limit: number) {
    this.memory = parent.memory;
    this.alignment = parent.alignment;
    this.parent = parent;
    this.limit = limit;
    this.buffer = new Int32Array(new ArrayBuffer(BUFFER_WORDS * 4));
    this.buffer[0] = 1;
  }

  /**
   * Starts recording. O(1).
   *
   * @throws TypeError for what is no allocator, RangeError for a limit outside 1..2^28.
   */
  static create<P extends Allocator>(parent: P, { limit = LIMIT }: RecordedOptions = {}): Recorded<P> {
    checkAllocator(parent, 'parent');
    checkInteger(limit, 'limit', 1, 2 ** 28);
    return new Recorded(parent, limit);
  }

  /** Entries recorded so far, which the limit is for: one for each operation, but two for a reallocation, and one for a reset, whatever it frees. O(1). */
  get operationCount(): number {
    return Math.min(this.limit, this.#flushedCount + (this.buffer[0]! - 1) / EVENT_WORDS);
  }

  /** As the parent does. */
  allocate(size: number, alignment?: number): Address {
    const address = this.parent.allocate(size, alignment);
    if (address !== NULL) this.note(alignment === undefined ? KIND.malloc : headOf(KIND.malloc, alignment), address, size);
    return address;
  }

  /** As the parent does. */
  deallocate(address: Address, size?: number): void {
    this.parent.deallocate(address, size);
    if (address !== NULL) this.note(KIND.free, address, 0);
  }

  /** As the parent does. What was resized is recorded as a reallocation. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (!this.parent.resize(address, oldSize, newSize)) return false;
    this.#noteMove(KIND.realloc, address, address, newSize);
    return true;
  }

  /** As the parent does. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    const target = this.parent.reallocate(address, oldSize, newSize, alignment);
    const kind = address === NULL ? KIND.malloc : newSize === 0 ? KIND.free : KIND.realloc;
    const head = alignment === undefined || kind === KIND.free ? kind : headOf(kind, alignment);
    if (kind === KIND.free) this.note(head, address, 0);
    else if (target !== NULL && kind === KIND.malloc) this.note(head, target, newSize);
    else if (target !== NULL) this.#noteMove(head, address, target, newSize);
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

  /** Resets the parent: recorded as a free of each block that is live. */
  reset(): void {
    this.parent.reset();
    this.note(RESET, NULL, 0);
  }

  /** Releases the parent: recorded as a free of each block that is live. {@link Recorded.trace} can still be asked. */
  release(): void {
    this.parent.release();
    this.note(RESET, NULL, 0);
  }

  /** The parent's figures. */
  stats(): ReturnType<P['stats']> & AllocatorStats {
    return this.parent.stats() as ReturnType<P['stats']> & AllocatorStats;
  }

  /** Checks the parent. */
  checkInvariants(): void {
    this.parent.checkInvariants();
  }

  /** Forgets what was recorded, and records on: how a program starts can so be left out. Blocks that are live count as those from before. O(1). */
  restart(): void {
    this.#chunks.length = 0;
    this.#flushedCount = 0;
    this.buffer[0] = 1;
  }

  /**
   * What was recorded so far. O(operations); recording goes on.
   *
   * @param name - How the trace is called in reports.
   */
  trace(name = 'recorded'): Trace {
    const builder = new TraceBuilder();
    const slots = new Map<Address, number>();
    const free: number[] = [];
    let origin = NULL;
    for (const { head, address, size } of this.#events()) {
      const kind = head & 0xff;
      if (kind === MOVED_FROM) {
        origin = address;
      } else if (kind === RESET) {
        for (const slot of slots.values()) {
          builder.free(slot);
          free.push(slot);
        }
        slots.clear();
      } else if (kind === KIND.free) {
        const slot = slots.get(address);
        // Allocated before recording began.
        if (slot === undefined) continue;
        builder.free(slot);
        slots.delete(address);
        free.push(slot);
      } else {
        const known = kind === KIND.realloc ? slots.get(origin) : undefined;
        if (known !== undefined) slots.delete(origin);
        const stale = slots.get(address);
        if (stale !== undefined) {
          // It could be handed out again: so it was freed by somebody whom this is not between, as an arena is rewound, or a block freed by another thread.
          builder.free(stale);
          slots.delete(address);
          free.push(stale);
        }
        const slot = known ?? free.pop() ?? builder.slotCount;
        if (known === undefined) builder.allocate(slot, size, (head & ~0xff) | KIND.malloc);
        else builder.reallocate(slot, size, head);
        slots.set(address, slot);
      }
    }
    return builder.finish(name);
  }

  /** For `compile`. @internal */
  [HOT_PATHS](writer: HotPathWriter): HotPaths {
    const parent = writer.functions(this.parent);
    const buffer = writer.bind(this.buffer);
    const note = (kind: number, size: string): string => `
  ${buffer}[at] = ${kind};
  ${buffer}[at + 1] = address;
  ${buffer}[at + 2] = ${size};
  ${buffer}[0] = at + ${EVENT_WORDS};`;
    return {
      allocate: `
  const at = ${buffer}[0];
  if (at >= ${BUFFER_END}) return ${NULL};
  const address = ${parent.allocate}(size);
  if (address === ${NULL}) return ${NULL};${note(KIND.malloc, 'size')}
  return address;`,
      deallocate: `
  const at = ${buffer}[0];
  if (at >= ${BUFFER_END}) return -1;
  const done = ${parent.deallocate}(address, size);
  if (done !== 1) return done;${note(KIND.free, '0')}
  return 1;`,
    };
  }

  private note(head: number, address: Address, size: number): void {
    const { buffer } = this;
    const at = buffer[0]!;
    buffer[at] = head;
    buffer[at + 1] = address;
    buffer[at + 2] = size;
    if (at >= BUFFER_END) this.flush();
    else buffer[0] = at + EVENT_WORDS;
  }

  #noteMove(head: number, from: Address, to: Address, size: number): void {
    this.note(MOVED_FROM, from, 0);
    this.note(head, to, size);
  }

  /** The buffer is full. */
  private flush(): void {
    if (this.#flushedCount < this.limit) this.#chunks.push(this.buffer.slice(1));
    this.#flushedCount += BUFFER_EVENTS;
    this.buffer[0] = 1;
  }

  *#events(): Generator<{ readonly head: number; readonly address: Address; readonly size: number }> {
    let left = this.limit;
    for (const chunk of [...this.#chunks, this.buffer.slice(1, this.buffer[0])]) {
      for (let at = 0; at < chunk.length && left > 0; at += EVENT_WORDS, left -= 1) {
        yield { head: chunk[at]!, address: chunk[at + 1]! >>> 0, size: chunk[at + 2]! >>> 0 };
      }
    }
  }
}

/** An operation that asks for an alignment, as the trace has it. */
function headOf(kind: number, alignment: number): number {
  return kind | ((31 - Math.clz32(alignment)) << 8);
}

if (BUFFER_END !== 1 + (BUFFER_EVENTS - 1) * EVENT_WORDS) throw new RangeError('the buffer must end with an event');
