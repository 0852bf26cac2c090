/**
 * The backend without WebAssembly. Ranges go through a `DataView`, which reads and writes eight bytes at any address; V8 keeps the big integers in registers.
 *
 * A call into the engine's `copyWithin` or `fill` costs some 30 ns whatever its length. In plain buffers it is the C library's, and wins in the long run; in
 * shared ones it copies by atomic words, and never does. `indexOf` looks at one byte after the other, and never wins either.
 */

import type { Address, Memory } from '@allokit/allocator';
import { LIST_COUNT_MAX, MOVE_WORDS, type Batch, type Kernels } from './kernels.ts';

/** Bytes up to which a loop beats `copyWithin` in a buffer that is not shared. */
const MOVE_LOOP_MAX = 160;
/** The same for `fill`. */
const FILL_LOOP_MAX = 256;

/** The lowest bit of each byte of a word, and the highest. */
const LOWEST_BITS = 0x0101_0101;
const HIGHEST_BITS = 0x8080_8080 | 0;

/** Each byte eight times. */
const PATTERNS: BigInt64Array = new BigInt64Array(Uint8Array.from({ length: 256 * 8 }, (_, i) => i >>> 3).buffer);

/** The kernels of one copier. */
export class JavaScriptKernels implements Kernels {
  declare private readonly memory: Memory;
  declare private readonly moveLoopMax: number;
  declare private readonly fillLoopMax: number;
  declare private bytes: Uint8Array;
  declare private words: DataView;
  #batch: Batch | undefined;

  /** @param memory - Where all addresses lie. */
  constructor(memory: Memory) {
    const isPlain = memory.buffer instanceof ArrayBuffer;
    this.memory = memory;
    this.moveLoopMax = isPlain ? MOVE_LOOP_MAX : Infinity;
    this.fillLoopMax = isPlain ? FILL_LOOP_MAX : Infinity;
    this.bytes = memory.u8;
    this.words = viewOf(this.bytes);
  }

  move(to: Address, from: Address, size: number): void {
    if (size > this.moveLoopMax) this.memory.u8.copyWithin(to, from, from + size);
    else if (size < 8) moveFew(this.view(), to, from, size);
    else if ((to - from) >>> 0 >= size) moveUp(this.view(), to, from, size);
    else moveDown(this.view(), to, from, size);
  }

  fill(address: Address, value: number, size: number): void {
    if (size > this.fillLoopMax) {
      this.memory.u8.fill(value, address, address + size);
      return;
    }
    const words = this.view();
    if (size >= 8) {
      const last = size - 8;
      for (let i = 0; i < last; i += 8) words.setBigInt64(address + i, PATTERNS[value]!, true);
      words.setBigInt64(address + last, PATTERNS[value]!, true);
      return;
    }
    for (let i = 0; i < size; i += 1) words.setUint8(address + i, value);
  }

  compare(a: Address, b: Address, size: number): number {
    const words = this.view();
    const at = mismatch(words, a, b, size);
    return at === size ? 0 : words.getUint8(a + at) - words.getUint8(b + at);
  }

  equal(a: Address, b: Address, size: number): number {
    return mismatch(this.view(), a, b, size) === size ? 1 : 0;
  }

  find(address: Address, size: number, value: number): number {
    const words = this.view();
    const pattern = Math.imul(value, LOWEST_BITS);
    let offset = 0;
    for (; offset <= size - 4; offset += 4) {
      // A byte of the difference is 0 where the wanted byte stands. Borrowing makes mistakes above the lowest such byte only.
      const difference = words.getInt32(address + offset, true) ^ pattern;
      const zeros = (difference - LOWEST_BITS) & ~difference & HIGHEST_BITS;
      if (zeros !== 0) return offset + ((31 - Math.clz32(zeros & -zeros)) >>> 3);
    }
    for (; offset < size; offset += 1) {
      if (words.getUint8(address + offset) === value) return offset;
    }
    return -1;
  }

  batch(): Batch {
    return (this.#batch ??= this.makeBatch());
  }

  private makeBatch(): Batch {
    const words = new Int32Array(LIST_COUNT_MAX * MOVE_WORDS);
    const run = (count: number): void => {
      for (let i = 0, end = count * MOVE_WORDS; i < end; i += MOVE_WORDS) this.move(words[i]! >>> 0, words[i + 1]! >>> 0, words[i + 2]! >>> 0);
    };
    return { list: { words, isBusy: false }, run };
  }

  /** A view of the memory as it is now. */
  private view(): DataView {
    const bytes = this.memory.u8;
    return bytes === this.bytes ? this.words : this.renewed(bytes);
  }

  private renewed(bytes: Uint8Array): DataView {
    this.bytes = bytes;
    this.words = viewOf(bytes);
    return this.words;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Up to seven bytes: all are loaded before any is stored. */
function moveFew(words: DataView, to: Address, from: Address, size: number): void {
  if (size >= 4) {
    const first = words.getInt32(from, true);
    const last = words.getInt32(from + size - 4, true);
    words.setInt32(to, first, true);
    words.setInt32(to + size - 4, last, true);
  } else if (size > 0) {
    const middle = size >>> 1;
    const a = words.getUint8(from);
    const b = words.getUint8(from + middle);
    const c = words.getUint8(from + size - 1);
    words.setUint8(to, a);
    words.setUint8(to + middle, b);
    words.setUint8(to + size - 1, c);
  }
}

/** For ranges that do not overlap, or whose target lies below the source. The last word is loaded first: the loop may overwrite some of it. */
function moveUp(words: DataView, to: Address, from: Address, size: number): void {
  const end = size - 8;
  const last = words.getBigInt64(from + end, true);
  for (let i = 0; i < end; i += 8) words.setBigInt64(to + i, words.getBigInt64(from + i, true), true);
  words.setBigInt64(to + end, last, true);
}

/** For ranges that overlap and whose target lies above the source: the same from the other end. */
function moveDown(words: DataView, to: Address, from: Address, size: number): void {
  const first = words.getBigInt64(from, true);
  for (let i = size - 8; i > 0; i -= 8) words.setBigInt64(to + i, words.getBigInt64(from + i, true), true);
  words.setBigInt64(to, first, true);
}

/** Where two ranges differ first, counted from their start; `size` where they do not. */
function mismatch(words: DataView, a: Address, b: Address, size: number): number {
  let offset = 0;
  while (offset <= size - 8 && words.getBigInt64(a + offset, true) === words.getBigInt64(b + offset, true)) offset += 8;
  while (offset < size && words.getUint8(a + offset) === words.getUint8(b + offset)) offset += 1;
  return offset;
}
