/**
 * A heap that fills every block whole, and looks at every byte of it before it is freed, whichever thread that is. For verifying: nothing is timed through it.
 */

import type { Heap } from '../subject.ts';

/** Words of the smallest block there may be. */
const WORDS_MIN = 4;

/** The bytes of a block tell how many there should be, so whoever frees it need not know. */
export class CheckedHeap {
  readonly #heap: Pick<Heap, 'deallocate'> & Partial<Pick<Heap, 'allocate'>>;
  readonly #words: Int32Array;

  /**
   * @param heap - What to check. For one that only frees, `allocate` must not be called.
   * @param words - The whole memory.
   */
  constructor(heap: Pick<Heap, 'deallocate'> & Partial<Pick<Heap, 'allocate'>>, words: Int32Array) {
    this.#heap = heap;
    this.#words = words;
  }

  /** The first word says how many there are, the others follow from the address. */
  allocate(size: number): number {
    const address = this.#heap.allocate!(size);
    if (address === 0) return 0;
    const [at, count] = [address >>> 2, size >>> 2];
    this.#words[at] = count ^ markOf(address);
    this.#words.fill(markOf(address), at + 1, at + count);
    return address;
  }

  /** @throws When a word is not what it was. */
  deallocate(address: number): void {
    if (address === 0) return;
    const words = this.#words;
    const at = address >>> 2;
    const count = words[at]! ^ markOf(address);
    if (count < WORDS_MIN) throw new Error(`the block at ${address} changed at its first word`);
    for (let i = 1; i < count; i += 1) {
      if (words[at + i] !== markOf(address)) throw new Error(`the block of ${count} words at ${address} changed at word ${i}`);
    }
    // Who gets it next must not be taken in by what is left of it.
    words[at] = markOf(address);
    this.#heap.deallocate(address);
  }

  /** For `Heap`'s sake: no loop calls it. */
  reallocate(): number {
    throw new Error('no task reallocates');
  }
}

function markOf(address: number): number {
  return Math.imul(address, 0x9e37_79b1) | 1;
}
