/** Builds a trace operation by operation, so that generated work is described, verified and run natively in the same form as recorded work. */

import { checkInteger } from '@allokit/allocator';
import { KIND, OPERATION_WORDS, type Trace } from './trace.ts';

/** Words that there is room for at first. */
const WORDS_MIN = 3072;

/** A trace being written, of as many operations as fit in memory. What cannot be is refused at once. */
export class TraceBuilder {
  #words = new Uint32Array(WORDS_MIN);
  #wordCount = 0;
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

  /**
   * Allocates `size` bytes into a slot.
   *
   * @param head - Kind and alignment, as in the trace.
   * @throws TypeError or RangeError for a slot that holds a block, or is none, and for a size that is none.
   */
  allocate(slot: number, size: number, head: number = KIND.malloc): void {
    checkInteger(slot, 'slot', 0, 2 ** 32 - 2);
    if (this.isLive(slot)) throw new RangeError(`slot ${slot} holds a block`);
    this.#append(head, slot, size);
  }

  /**
   * Changes the size of the block in a slot.
   *
   * @param head - Kind and alignment, as in the trace.
   * @throws RangeError for a slot that holds none, TypeError or RangeError for a size that is none.
   */
  reallocate(slot: number, size: number, head: number = KIND.realloc): void {
    if (!this.isLive(slot)) throw new RangeError(`slot ${slot} holds no block`);
    this.#append(head, slot, size);
  }

  /** Frees the block in a slot. @throws RangeError for a slot that holds none. */
  free(slot: number): void {
    if (!this.isLive(slot)) throw new RangeError(`slot ${slot} holds no block`);
    this.#append(KIND.free, slot, 0);
    this.#sizes[slot] = undefined;
  }

  /** What was written so far. */
  finish(name: string): Trace {
    return {
      name,
      slotCount: this.#sizes.length,
      operationCount: this.#wordCount / OPERATION_WORDS,
      peakLiveBytes: this.#peakLiveBytes,
      words: this.#words.slice(0, this.#wordCount),
    };
  }

  #append(head: number, slot: number, size: number): void {
    checkInteger(size, 'size', 0, 2 ** 32 - 1);
    if (this.#wordCount === this.#words.length) {
      const words = new Uint32Array(2 * this.#words.length);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[this.#wordCount] = head;
    this.#words[this.#wordCount + 1] = slot;
    this.#words[this.#wordCount + 2] = size;
    this.#wordCount += OPERATION_WORDS;
    this.#liveBytes += size - (this.#sizes[slot] ?? 0);
    this.#sizes[slot] = size;
    if (this.#liveBytes > this.#peakLiveBytes) this.#peakLiveBytes = this.#liveBytes;
  }
}

if (WORDS_MIN % OPERATION_WORDS !== 0) throw new RangeError('the words must end with an operation');
