/**
 * Replays a trace to prove the heap right instead of fast: each block is filled with bytes that only its own operation writes, and looked at again
 * before it is freed and after it was reallocated. Blocks that overlap cannot both come through.
 */

import type { Instance } from './subject.ts';
import { bytesOf, fillPattern, findDamage, patternSeed, type Bytes } from './trace/pattern.ts';
import { KIND, OPERATION_WORDS, type Trace } from './trace/trace.ts';

/** Operations between two reports of progress. */
const STRIDE = 4096;

/** What a verifying replay found. */
export interface Verdict {
  /** Whether every block kept its bytes and every operation was possible. `undefined` when there was no time to find out. */
  readonly verified: boolean | undefined;
  /** Whether the replay ended early because bytes changed, or a call threw: what such a heap does next means nothing. */
  readonly isDamaged: boolean;
  /** The first thing that was wrong. */
  readonly reason?: string;
  /** Requests refused, or answered with an address that does not have the alignment asked for. */
  readonly failureCount: number;
  /** Bytes from the lowest address handed out to the highest one, over the whole trace. */
  readonly footprint: number;
}

/** What must hold of a block before anything is done with it. */
interface Block {
  address: number;
  size: number;
  seed: number;
}

/**
 * Replays `trace` on a fresh instance.
 *
 * @param onProgress - Called now and then with the share that is done.
 */
export function verifyTrace(instance: Instance, trace: Trace, onProgress?: (share: number) => void): Verdict {
  const replay = new CheckedReplay(instance, trace);
  try {
    for (let from = 0; from < trace.operationCount; from += STRIDE) {
      const to = Math.min(from + STRIDE, trace.operationCount);
      replay.run(from, to);
      onProgress?.(to / trace.operationCount);
    }
    replay.checkRest();
    instance.checkInvariants?.();
  } catch (error) {
    return { ...replay.verdict(false, error instanceof Error ? error.message : String(error)), isDamaged: true };
  }
  return replay.verdict(replay.failureCount === 0, replay.firstFailure);
}

/** The state of one verifying replay. Throws at the first block whose bytes are not its own. */
class CheckedReplay {
  failureCount = 0;
  firstFailure: string | undefined;
  readonly #instance: Instance;
  readonly #words: Uint32Array;
  readonly #blocks: Block[];
  #bytes: Bytes;
  #lowest = Infinity;
  #highest = 0;

  constructor(instance: Instance, trace: Trace) {
    this.#instance = instance;
    this.#words = trace.words;
    this.#blocks = Array.from({ length: trace.slotCount }, () => ({ address: 0, size: 0, seed: 0 }));
    this.#bytes = bytesOf(instance.bytes());
  }

  run(from: number, to: number): void {
    for (let operation = from; operation < to; operation += 1) {
      try {
        this.#perform(operation);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        throw new Error(`operation ${operation}: ${what}`, { cause: error });
      }
    }
  }

  #perform(operation: number): void {
    const at = operation * OPERATION_WORDS;
    const kind = this.#words[at]! & 0xff;
    const alignment = this.#words[at]! > 0xff ? 2 ** (this.#words[at]! >>> 8) : undefined;
    const slot = this.#words[at + 1]!;
    const size = this.#words[at + 2]!;
    const block = this.#blocks[slot]!;
    const seed = patternSeed(slot, operation);
    if (kind === KIND.free) {
      this.#free(slot);
    } else if (kind === KIND.realloc) {
      this.#reallocate(block, slot, size, alignment, seed);
    } else {
      const address = this.#instance.heap.allocate(size, alignment);
      if (this.#accept(address, size, alignment)) this.#fill(block, address, size, seed);
    }
  }

  #free(slot: number): void {
    const block = this.#blocks[slot]!;
    if (block.address === 0) return;
    this.#check(slot, block.address, block.size, block.seed, 'before it is freed');
    this.#instance.heap.deallocate(block.address, block.size);
    block.address = 0;
    block.size = 0;
  }

  #reallocate(block: Block, slot: number, size: number, alignment: number | undefined, seed: number): void {
    if (block.address !== 0) this.#check(slot, block.address, block.size, block.seed, 'before it is reallocated');
    const address = this.#instance.heap.reallocate(block.address, block.size, size, alignment);
    // A refusal leaves the old block as it was; so does the next look at it expect.
    if (!this.#accept(address, size, alignment)) return;
    this.#check(slot, address, Math.min(block.size, size), block.seed, 'after it was reallocated');
    this.#fill(block, address, size, seed);
  }

  /** Whether an answer is a block to go on with. Counts refusals and wrong alignments; throws for an impossible address. */
  #accept(address: number, size: number, alignment = 1): boolean {
    // A memory that grew has new views; one that another module grew shows it by length 0.
    if (address + size > this.#bytes.u8.length) this.#bytes = bytesOf(this.#instance.bytes());
    if (size === 0) return true;
    if (address === 0) {
      this.#fail(`${size} bytes were refused`);
      return false;
    }
    if (!Number.isInteger(address) || address < 0 || address + size > this.#bytes.u8.length) {
      throw new Error(`${size} bytes at ${address} lie outside the memory of ${this.#bytes.u8.length} bytes`);
    }
    if (address % alignment !== 0) this.#fail(`address ${address} is not aligned to ${alignment}`);
    if (address < this.#lowest) this.#lowest = address;
    if (address + size > this.#highest) this.#highest = address + size;
    return true;
  }

  #fill(block: Block, address: number, size: number, seed: number): void {
    if (address !== 0) fillPattern(this.#bytes, address, size, seed);
    block.address = address;
    block.size = size;
    block.seed = seed;
  }

  #check(slot: number, address: number, size: number, seed: number, when: string): void {
    if (address + size > this.#bytes.u8.length) this.#bytes = bytesOf(this.#instance.bytes());
    const offset = findDamage(this.#bytes, address, size, seed);
    if (offset !== -1) throw new Error(`byte ${offset} of the ${size} in slot ${slot} at address ${address} was changed by another hand, seen ${when}`);
  }

  #fail(reason: string): void {
    this.failureCount += 1;
    this.firstFailure ??= reason;
  }

  /** Looks at every block that the trace leaves behind, and frees it. */
  checkRest(): void {
    for (let slot = 0; slot < this.#blocks.length; slot += 1) this.#free(slot);
  }

  verdict(verified: boolean, reason: string | undefined): Verdict {
    const footprint = Math.max(0, this.#highest - this.#lowest);
    return { verified, isDamaged: false, failureCount: this.failureCount, footprint, ...(reason === undefined ? {} : { reason }) };
  }
}
