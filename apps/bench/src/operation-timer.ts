/**
 * Times every single operation of a trace.
 *
 * The clock costs some ten nanoseconds a reading, and the operating system and the collector interrupt at will. So the trace is replayed several times and an
 * operation counts with its fastest time: what is slow each time is the allocator's own doing. What happens once in a heap's life, as growing does, drops out.
 */

import { median } from 'simple-statistics';

import type { Instance } from './subject.ts';
import { KIND, OPERATION_WORDS, type Trace } from './trace/trace.ts';

/** What single operations took. */
export interface OperationTimes {
  /** One time for each operation of the trace, infinite for what was not done, as the free of nothing. The clock is part of each. */
  readonly nanoseconds: Float64Array;
  /** What the clock alone takes: the time that an operation of no duration seems to have, with the fastest of as many passes. */
  readonly clockNs: number;
}

/**
 * Operations that each pass does twice, untimed at first: whoever had the processor before has left nothing of the heap and of the loop in its caches,
 * and the first operation of each kind would be the slowest one every time.
 */
const PRELUDE_COUNT = 2 ** 17;

/** Times of nothing that are taken in each pass to learn what the clock takes. */
const CLOCK_READINGS = 20_000;

/** Keeps the fastest time of each operation, over all passes. */
export class OperationTimer {
  readonly #instance: Instance;
  readonly #trace: Trace;
  readonly #sizedFree: boolean;
  /** In milliseconds, as the clock has it; infinite for what was never done. */
  readonly #fastest: Float64Array;
  readonly #fastestNothing = new Float64Array(CLOCK_READINGS).fill(Infinity);
  readonly #prelude: Trace;
  readonly #unused: Float64Array;

  constructor(instance: Instance, trace: Trace, sizedFree: boolean) {
    this.#instance = instance;
    this.#trace = trace;
    this.#sizedFree = sizedFree;
    this.#fastest = new Float64Array(trace.operationCount).fill(Infinity);
    this.#prelude = { ...trace, operationCount: Math.min(trace.operationCount, PRELUDE_COUNT) };
    this.#unused = new Float64Array(this.#prelude.operationCount);
  }

  /** Replays the trace once and leaves the heap empty. */
  pass(): void {
    timeEach(this.#instance, this.#prelude, this.#sizedFree, this.#unused);
    timeEach(this.#instance, this.#trace, this.#sizedFree, this.#fastest);
    timeNothing(this.#fastestNothing);
  }

  /** What all passes so far have shown. */
  times(): OperationTimes {
    return { nanoseconds: this.#fastest.map((milliseconds) => milliseconds * 1e6), clockNs: median(Array.from(this.#fastestNothing)) * 1e6 };
  }
}

function timeEach(instance: Instance, { words, slotCount, operationCount }: Trace, sizedFree: boolean, fastest: Float64Array): void {
  const { heap } = instance;
  const addresses = new Uint32Array(slotCount);
  const sizes = new Uint32Array(slotCount);
  let bytes = instance.bytes();
  for (let operation = 0; operation < operationCount; operation += 1) {
    const at = operation * OPERATION_WORDS;
    const kind = words[at]! & 0xff;
    const alignment = words[at]! > 0xff ? 2 ** (words[at]! >>> 8) : undefined;
    const slot = words[at + 1]!;
    const size = words[at + 2]!;
    const old = addresses[slot]!;
    const oldSize = sizes[slot]!;
    if (kind === KIND.free && old === 0) continue;
    const freedSize = sizedFree ? oldSize : undefined;
    let address = 0;
    const start = performance.now();
    if (kind === KIND.free) heap.deallocate(old, freedSize);
    else if (kind === KIND.realloc) address = heap.reallocate(old, oldSize, size, alignment);
    else address = heap.allocate(size, alignment);
    // Clearing is part of calloc, as it is in C.
    if (kind === KIND.calloc && address !== 0) {
      if (address >= bytes.length) bytes = instance.bytes();
      bytes.fill(0, address, address + size);
    }
    const elapsed = performance.now() - start;
    if (elapsed < fastest[operation]!) fastest[operation] = elapsed;
    if (kind === KIND.realloc && address === 0 && size !== 0) continue;
    addresses[slot] = address;
    sizes[slot] = size;
    if (address === 0) continue;
    if (address >= bytes.length) bytes = instance.bytes();
    bytes[address] = operation;
  }
  for (let slot = 0; slot < slotCount; slot += 1) {
    if (addresses[slot] !== 0) heap.deallocate(addresses[slot]!, sizedFree ? sizes[slot] : undefined);
  }
  instance.reset?.();
}

function timeNothing(fastest: Float64Array): void {
  for (let i = 0; i < fastest.length; i += 1) {
    const start = performance.now();
    const elapsed = performance.now() - start;
    if (elapsed < fastest[i]!) fastest[i] = elapsed;
  }
}
