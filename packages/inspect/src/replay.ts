/** Plays a trace over an allocator: the same requests in the same order, the first byte of each block written. */

import { NULL, allocateZeroed, type Allocator } from '@allokit/allocator';
import { KIND, OPERATION_WORDS, type Trace } from './trace.ts';

/** One replay of one trace, as far as it has come. */
export class Replay {
  /** What is played. */
  readonly trace: Trace;
  /** Whom it is played to. */
  readonly allocator: Allocator;
  /** The block in each slot. */
  readonly #addresses: Float64Array;
  readonly #sizes: Float64Array;
  #position = 0;
  #failureCount = 0;

  /**
   * Starts at the first operation. O(slots).
   *
   * @param trace - As `parseTrace` checked it, or `Recorded.trace` made it.
   * @param allocator - Blocks that are live already stay.
   */
  constructor(trace: Trace, allocator: Allocator) {
    this.trace = trace;
    this.allocator = allocator;
    this.#addresses = new Float64Array(trace.slotCount);
    this.#sizes = new Float64Array(trace.slotCount);
  }

  /** Operations done. */
  get position(): number {
    return this.#position;
  }

  /** Requests that found no room. */
  get failureCount(): number {
    return this.#failureCount;
  }

  /**
   * Goes on. O(operations).
   *
   * @param until - The number of operations that are done afterwards; beyond the end, all. Default: all.
   * @throws What the allocator throws, which only a broken one does.
   */
  run(until: number = this.trace.operationCount): void {
    const { words, operationCount } = this.trace;
    const { allocator } = this;
    const addresses = this.#addresses;
    const sizes = this.#sizes;
    const end = Math.min(until, operationCount) * OPERATION_WORDS;
    let bytes = allocator.memory.u8;
    for (let at = this.#position * OPERATION_WORDS; at < end; at += OPERATION_WORDS) {
      const head = words[at]!;
      const slot = words[at + 1]!;
      if (head === KIND.free) {
        const address = addresses[slot]!;
        if (address !== NULL) allocator.deallocate(address);
        addresses[slot] = NULL;
        continue;
      }
      const size = words[at + 2]!;
      const address = head === KIND.malloc ? allocator.allocate(size) : this.#unusual(head, slot, size);
      if (address === NULL && size !== 0) {
        this.#failureCount += 1;
        // What could not be reallocated is as it was.
        if ((head & 0xff) === KIND.realloc) continue;
      }
      addresses[slot] = address;
      sizes[slot] = size;
      if (address === NULL) continue;
      if (address >= bytes.length) bytes = allocator.memory.u8;
      bytes[address] = at;
    }
    this.#position = Math.max(this.#position, Math.min(until, operationCount));
  }

  /** Frees what is left, and goes back to the first operation. O(slots). */
  rewind(): void {
    for (const [slot, address] of this.#addresses.entries()) {
      if (address !== NULL) this.allocator.deallocate(address);
      this.#addresses[slot] = NULL;
    }
    this.#position = 0;
    this.#failureCount = 0;
  }

  /** Whatever is not a plain allocation. */
  #unusual(head: number, slot: number, size: number): number {
    const alignment = head > 0xff ? 2 ** (head >>> 8) : undefined;
    switch (head & 0xff) {
      case KIND.realloc:
        return this.allocator.reallocate(this.#addresses[slot]!, this.#sizes[slot]!, size, alignment);
      case KIND.calloc:
        return allocateZeroed(this.allocator, 1, size, alignment);
      default:
        return this.allocator.allocate(size, alignment);
    }
  }
}
