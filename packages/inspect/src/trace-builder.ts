/** Builds a trace operation by operation, so that generated work is described, verified and run natively in the same form as recorded work. */

import { KIND, OPERATION_WORDS, type Trace } from './trace.ts';

/** A trace being written. What cannot be is refused at once. */
export class TraceBuilder {
  readonly #words: number[] = [];
  readonly #sizes: (number | undefined)[] = [];
  #liveBytes = 0;
  #peakLiveBytes = 0;

  /** Slots that were ever used. */
  get slotCount(): number {
    return this.#sizes.length;
  }

  /** Whether a slot holds a block. */
  isLive(slot: number): boolean {
    return this.#sizes[slot] !== undefined;
  }

  /** Allocates `size` bytes into a slot that holds no block. @param head - Kind and alignment, as in the trace. */
  allocate(slot: number, size: number, head: number = KIND.malloc): void {
    if (this.#sizes[slot] !== undefined) throw new Error(`slot ${slot} holds a block`);
    this.#append(head, slot, size);
  }

  /** Changes the size of the block in a slot. @param head - Kind and alignment, as in the trace. */
  reallocate(slot: number, size: number, head: number = KIND.realloc): void {
    if (this.#sizes[slot] === undefined) throw new Error(`slot ${slot} holds no block`);
    this.#append(head, slot, size);
  }

  /** Frees the block in a slot. */
  free(slot: number): void {
    if (this.#sizes[slot] === undefined) throw new Error(`slot ${slot} holds no block`);
    this.#append(KIND.free, slot, 0);
    this.#sizes[slot] = undefined;
  }

  /** What was written so far. */
  finish(name: string): Trace {
    return {
      name,
      slotCount: this.#sizes.length,
      operationCount: this.#words.length / OPERATION_WORDS,
      peakLiveBytes: this.#peakLiveBytes,
      words: Uint32Array.from(this.#words),
    };
  }

  #append(head: number, slot: number, size: number): void {
    this.#words.push(head, slot, size);
    this.#liveBytes += size - (this.#sizes[slot] ?? 0);
    this.#sizes[slot] = size;
    if (this.#liveBytes > this.#peakLiveBytes) this.#peakLiveBytes = this.#liveBytes;
  }
}
