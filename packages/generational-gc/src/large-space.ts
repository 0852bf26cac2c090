/** Objects that are too large to copy: each has a block of the parent's to itself, and stays in it. */

import { NULL, alignUp, type Address } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
import { LARGE, MARKED, OBJECT_HEADER_SIZE, SIZE_WIDE, UNMARKED_MASK, WIDE_PREFIX_SIZE } from './header.ts';
import { cardBytesOf } from './remembered-set.ts';

/** Bytes of the payload of a large object. O(1). */
export function largeSizeOf(words: Int32Array, ref: Address): number {
  return words[(ref >> 2) - 4]!;
}

/** Where the block of a large object starts. O(1). */
export function largeBlockOf(words: Int32Array, ref: Address): Address {
  return ref - OBJECT_HEADER_SIZE - WIDE_PREFIX_SIZE - cardBytesOf(largeSizeOf(words, ref));
}

/** Bytes of the block of a large object with a payload of so many. O(1). */
export function largeBlockSize(size: number): number {
  return alignUp(cardBytesOf(size) + WIDE_PREFIX_SIZE + OBJECT_HEADER_SIZE + size, 16);
}

/** Where the block starts that an object with a payload of so many bytes lies in. */
export function largeBlockStart(ref: Address, size: number): Address {
  return ref - OBJECT_HEADER_SIZE - WIDE_PREFIX_SIZE - cardBytesOf(size);
}

/** The list of large objects. */
export class LargeSpace {
  readonly #core: HeapCore;
  /** References to all of them. */
  readonly refs: Address[] = [];
  /** Bytes of their blocks. */
  usedBytes = 0;
  /** Bytes that sweeps found dead, since creation. */
  sweptBytes = 0;
  /** How many at the start of the list wait to be swept. */
  unsweptCount = 0;

  constructor(core: HeapCore) {
    this.#core = core;
  }

  /**
   * Makes an object, zero-filled. O(size).
   *
   * @param size - Bytes of its payload.
   * @param first - The type's part of the first header word.
   * @param second - Of the second.
   * @returns NULL where there is no room.
   */
  allocate(size: number, first: number, second: number): Address {
    const core = this.#core;
    const blockSize = largeBlockSize(size);
    const block = core.take(blockSize);
    if (block === NULL) return NULL;
    const ref = block + cardBytesOf(size) + WIDE_PREFIX_SIZE + OBJECT_HEADER_SIZE;
    const { words } = core;
    words.fill(0, block >> 2, (block + blockSize) >> 2);
    const at = ref >> 2;
    words[at - 4] = size;
    words[at - 3] = this.refs.length;
    // Born black: what it will refer to while a marking is under way is known to that marking.
    words[at - 2] = first | Math.min(size, SIZE_WIDE) | (core.isMarking ? MARKED : 0);
    words[at - 1] = second | LARGE;
    this.refs.push(ref);
    this.usedBytes += blockSize;
    return ref;
  }

  /** Whether this is one of them that nobody found dead yet, given that a header stands before it. O(1). */
  has(ref: Address): boolean {
    const { words } = this.#core;
    const index = words[(ref >> 2) - 3]!;
    return this.refs[index] === ref && (index >= this.unsweptCount || words[(ref >> 2) - 2]! < 0);
  }

  /** Says that a marking is complete. O(1). */
  beginSweep(): void {
    this.unsweptCount = this.refs.length;
  }

  /** Sweeps the next object. @returns Whether there was one. O(1), but for what the parent does. */
  sweepNext(): boolean {
    if (this.unsweptCount === 0) return false;
    this.unsweptCount -= 1;
    const { words } = this.#core;
    const index = this.unsweptCount;
    const ref = this.refs[index]!;
    const at = (ref >> 2) - 2;
    if (words[at]! < 0) words[at] = words[at]! & UNMARKED_MASK;
    else this.#drop(ref, index);
    return true;
  }

  /** What was taken from the parent. */
  taken(): [address: Address, size: number][] {
    const { words } = this.#core;
    return this.refs.map((ref) => [largeBlockOf(words, ref), largeBlockSize(largeSizeOf(words, ref))]);
  }

  #drop(ref: Address, index: number): void {
    const { words } = this.#core;
    const last = this.refs.pop()!;
    if (last !== ref) {
      this.refs[index] = last;
      words[(last >> 2) - 3] = index;
    }
    const block = largeBlockOf(words, ref);
    const blockSize = largeBlockSize(largeSizeOf(words, ref));
    words.fill(0, (ref >> 2) - 4, ref >> 2);
    this.usedBytes -= blockSize;
    this.sweptBytes += blockSize;
    this.#core.give(block, blockSize);
  }
}
