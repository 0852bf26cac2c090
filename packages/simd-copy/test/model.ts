/** What the operations mean, one byte at a time, on plain arrays. */

import { Random } from '@allokit/allocator/testing';
import type { Subject } from './subjects.ts';
import { WINDOW_SIZE } from './subjects.ts';

/** Bytes of which neighbours differ, and no short piece occurs twice. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const random = Random.fromSeed(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** A window of a memory, and what it should hold. */
export class Model {
  /** The memory's bytes. */
  readonly actual: Buffer;
  /** What they should be. */
  readonly expected: Buffer;
  readonly #start: number;

  constructor({ memory, start }: Subject) {
    this.#start = start;
    // A Buffer over the memory itself, so that comparing is fast.
    this.actual = Buffer.from(memory.buffer, start, WINDOW_SIZE);
    this.expected = Buffer.alloc(WINDOW_SIZE);
  }

  /** Writes the same bytes to both. */
  set(bytes: Uint8Array): void {
    this.actual.set(bytes);
    this.expected.set(bytes);
  }

  move(to: number, from: number, size: number): void {
    const bytes = Array.from(this.expected.subarray(from - this.#start, from - this.#start + size));
    bytes.forEach((byte, i) => (this.expected[to - this.#start + i] = byte));
  }

  fill(address: number, value: number, size: number): void {
    for (let i = 0; i < size; i += 1) this.expected[address - this.#start + i] = value;
  }

  compare(a: number, b: number, size: number): -1 | 0 | 1 {
    for (let i = 0; i < size; i += 1) {
      const difference = this.expected[a - this.#start + i]! - this.expected[b - this.#start + i]!;
      if (difference !== 0) return difference < 0 ? -1 : 1;
    }
    return 0;
  }

  find(address: number, size: number, value: number): number {
    for (let i = 0; i < size; i += 1) {
      if (this.expected[address - this.#start + i] === value) return address + i;
    }
    return -1;
  }

  /** Whether the memory holds what it should: every byte of the window, and so none beside the target has changed. */
  holds(): boolean {
    return this.actual.equals(this.expected);
  }
}
