/** The tuner: a trace over several assemblies. Which is the fastest, which gets by with the least memory, and what suffices whatever the order of requests. */

import { ADDRESS_SPACE_SIZE, AllocatorError, checkInteger, type Allocator } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';
import { CANDIDATES, type Candidate } from './assemblies.ts';
import { Replay } from './replay.ts';
import { KIND, OPERATION_WORDS, type Trace } from './trace.ts';

/** What a trace asks for at the most. */
export interface TraceDemand {
  /** The largest sum of the sizes of live blocks, in bytes; while a block is reallocated it counts twice, as it may move. */
  readonly live: number;
  /** Bytes of the largest request; 0 where there is none. */
  readonly largest: number;
  /** Bytes of the smallest request; 0 where there is none. */
  readonly smallest: number;
  /** The largest alignment asked for, in bytes; 1 where none was. */
  readonly alignment: number;
}

/** How one candidate fared. */
export interface TuneResult {
  /** The candidate's name. */
  readonly name: string;
  /** What it is made of. */
  readonly description: string;
  /** Nanoseconds an operation, the median of the rounds; `undefined` where the trace does not run in 4 GiB. */
  readonly nanoseconds: number | undefined;
  /** The smallest memory that the trace was seen to run in, in bytes, everything included; `undefined` likewise. */
  readonly smallestBytes: number | undefined;
}

/** What came out. */
export interface TuneReport {
  /** The trace's name. */
  readonly trace: string;
  /** Operations in it. */
  readonly operationCount: number;
  /** What it asks for. */
  readonly demand: TraceDemand;
  /** Every candidate, in the order they were given. */
  readonly results: readonly TuneResult[];
  /** The name of the fastest; `undefined` where the trace runs nowhere. */
  readonly fastest: string | undefined;
  /** The name of the one that gets by with the least memory. */
  readonly smallest: string | undefined;
  /**
   * Bytes of an `O1Heap` that never runs out with requests of these sizes, in whatever order they come; may exceed 4 GiB. `undefined` where there is no such
   * bound: blocks of no size, aligned to more than 16 bytes, or larger than an `O1Heap` serves.
   */
  readonly worstCaseBytes: number | undefined;
}

/** How to compare. */
export interface TuneOptions {
  /** What is compared. Default: {@link CANDIDATES}. */
  readonly candidates?: readonly Candidate[];
  /** How often each replays the trace against the clock. Default 5. */
  readonly rounds?: number;
}

const ROUNDS = 5;
const PAGE_SIZE = 4096;
/** A memory is only sought to this part of itself. */
const PRECISION = 1 / 256;
/** Milliseconds of a turn at the least. */
const TURN_MS = 5;
/** Operations after which a replay that failed already is given up. */
const CHECK_COUNT = 4096;
/** Where the search starts above what is live. */
const SLACK = 1.05;
/** How much more is tried when that does not suffice. */
const STEP = 1.3;

/** Finds out what a trace asks for. O(operations). */
export function demandOf({ words, slotCount }: Trace): TraceDemand {
  const sizes = new Float64Array(slotCount);
  let [live, liveMax, largest, smallest, alignmentLog2] = [0, 0, 0, Infinity, 0];
  for (let at = 0; at < words.length; at += OPERATION_WORDS) {
    const [head, slot] = [words[at]!, words[at + 1]!];
    const kind = head & 0xff;
    const size = kind === KIND.free ? 0 : words[at + 2]!;
    if (kind !== KIND.free && size > 0) {
      largest = Math.max(largest, size);
      smallest = Math.min(smallest, size);
      alignmentLog2 = Math.max(alignmentLog2, head >>> 8);
      liveMax = Math.max(liveMax, live + size);
    }
    live += size - sizes[slot]!;
    sizes[slot] = size;
  }
  return { live: liveMax, largest, smallest: largest === 0 ? 0 : smallest, alignment: 2 ** alignmentLog2 };
}

/** What of an `O1Heap` rules out running out, see {@link TuneReport.worstCaseBytes}. O(1). */
export function worstCaseBytes({ live, largest, smallest, alignment }: TraceDemand): number | undefined {
  if (largest === 0 || alignment > 16) return undefined;
  try {
    return O1Heap.requiredCapacity({ live, largest, smallest });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The smallest memory that a trace was seen to run in with a candidate, everything included, to 1/256 of it. O(operations log memory).
 *
 * @returns `undefined` when it does not run in 4 GiB.
 */
export function smallestBytes(trace: Trace, candidate: Candidate): number | undefined {
  const pages = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
  let low = 0;
  let high = Math.max(2 * PAGE_SIZE, pages(demandOf(trace).live * SLACK));
  while (!suffices(trace, candidate, high)) {
    if (high >= ADDRESS_SPACE_SIZE) return undefined;
    low = high;
    high = Math.min(ADDRESS_SPACE_SIZE, pages(high * STEP) + 16 * PAGE_SIZE);
  }
  while (high - low > Math.max(PAGE_SIZE, high * PRECISION)) {
    const middle = pages((low + high) / 2);
    if (suffices(trace, candidate, middle)) high = middle;
    else low = middle;
  }
  return high;
}

function suffices(trace: Trace, candidate: Candidate, size: number): boolean {
  const replay = tryReplay(trace, candidate, size);
  if (replay === undefined) return false;
  while (replay.position < trace.operationCount && replay.failureCount === 0) replay.run(replay.position + CHECK_COUNT);
  return replay.failureCount === 0;
}

/** A replay at its beginning, or `undefined` when there is not even room for an empty heap. */
function tryReplay(trace: Trace, candidate: Candidate, size: number): Replay | undefined {
  const heap = tryHeap(candidate, size);
  return heap === undefined ? undefined : new Replay(trace, heap);
}

/** Makes a candidate in a memory of so many bytes, or `undefined` when there is no room for it. @internal */
export function tryHeap(candidate: Candidate, size: number): Allocator | undefined {
  try {
    const memory = BufferMemory.create({ reserve: size, commit: size, pageSize: PAGE_SIZE });
    return candidate.create(memory, memory.stats().capacity);
  } catch (error) {
    if (error instanceof RangeError || (error instanceof AllocatorError && error.code === 'out-of-memory')) return undefined;
    throw error;
  }
}

/** One candidate's turns against the clock. */
export class Timing {
  readonly #replay: Replay | undefined;
  readonly #needsReset: boolean;
  readonly #samples: number[] = [];

  /**
   * Makes the heap, with room to spare: half as much again as the smallest memory.
   *
   * @param bytes - What {@link smallestBytes} said.
   */
  constructor(trace: Trace, candidate: Candidate, bytes: number) {
    this.#replay = tryReplay(trace, candidate, Math.min(ADDRESS_SPACE_SIZE, Math.ceil(bytes * 1.5)));
    this.#needsReset = candidate.needsReset ?? false;
  }

  /** Replays the trace, a short one several times. O(operations). */
  turn(): void {
    const replay = this.#replay;
    if (replay === undefined || replay.trace.operationCount === 0) return;
    let [count, spentMs] = [0, 0];
    do {
      const start = performance.now();
      replay.run();
      spentMs += performance.now() - start;
      count += 1;
      replay.rewind();
      if (this.#needsReset) replay.allocator.reset();
    } while (spentMs < TURN_MS);
    this.#samples.push((spentMs * 1e6) / (count * replay.trace.operationCount));
  }

  /** Nanoseconds an operation, the median of all turns but the first, which warms up. */
  get nanoseconds(): number | undefined {
    const samples = this.#samples.slice(Math.min(1, this.#samples.length - 1)).sort((a, b) => a - b);
    return samples[samples.length >>> 1];
  }
}

/**
 * Compares candidates on a trace, all in turn.
 *
 * All run in this thread, through the same call sites: an engine makes such calls slower than those of a program with one allocator, about equally for all. The
 * command line tool gives each a thread of its own.
 *
 * @throws TypeError or RangeError for rounds that are no number.
 */
export function tune(trace: Trace, { candidates = CANDIDATES, rounds = ROUNDS }: TuneOptions = {}): TuneReport {
  checkInteger(rounds, 'rounds', 1, 1000);
  const found = candidates.map((candidate) => {
    const bytes = smallestBytes(trace, candidate);
    return { candidate, bytes, timing: bytes === undefined ? undefined : new Timing(trace, candidate, bytes) };
  });
  for (let round = 0; round <= rounds; round += 1) for (const { timing } of found) timing?.turn();
  return tuneReport(trace, found.map(({ candidate: { name, description }, bytes, timing }) => ({ name, description, smallestBytes: bytes, nanoseconds: timing?.nanoseconds })));
}

/** Draws the conclusions. O(operations). */
export function tuneReport(trace: Trace, results: readonly TuneResult[]): TuneReport {
  const demand = demandOf(trace);
  const leastBy = (figure: (result: TuneResult) => number | undefined): string | undefined => {
    const ran = results.filter((result) => figure(result) !== undefined);
    return ran.sort((a, b) => figure(a)! - figure(b)!)[0]?.name;
  };
  return {
    trace: trace.name,
    operationCount: trace.operationCount,
    demand,
    results,
    fastest: leastBy(({ nanoseconds }) => nanoseconds),
    smallest: leastBy(({ smallestBytes }) => smallestBytes),
    worstCaseBytes: worstCaseBytes(demand),
  };
}
