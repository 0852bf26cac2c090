/**
 * The nursery: where objects are born.
 *
 *     | survivors A : 1/4 | eden : 1 | survivors B : 1/4 |
 *
 * Objects are allocated in the eden. Those that survive a minor collection are copied to the survivors' space that is empty, and so on from one to the other
 * until they are old enough. What a collection copies from, the eden and one survivors' space, is one range of addresses, whichever of the two it is; the
 * nursery as a whole is another. So both questions, whether a reference is to be copied and whether it is young, are one comparison.
 */

import { NULL, type Address } from '@allokit/allocator';
import { LIMIT, TOP, type HeapCore } from './core.ts';

/**
 * Bytes of the eden that are zeroed at a time, just before objects are made in them: all at once is cheaper than object by object, and they are in the cache
 * then.
 */
const ZEROED_AHEAD = 16_384;

/** The least bytes of an eden. */
export const NURSERY_SIZE_MIN = 16_384;

/** An eden's size is a multiple of this. */
export const NURSERY_ALIGNMENT = 64;

/** Bytes of a nursery with an eden of so many. */
export function nurseryBytes(edenSize: number): number {
  return edenSize + 2 * survivorBytes(edenSize);
}

/** Bytes of each of the survivors' spaces. */
export function survivorBytes(edenSize: number): number {
  return (edenSize >>> 2) & ~7;
}

/** Where the parts of a nursery are. */
export class Nursery {
  readonly #core: HeapCore;
  /** Where it starts. */
  address: Address = NULL;
  /** Bytes of the eden. */
  edenSize = 0;
  /** Up to where the eden is zeroed. */
  zeroedEnd: Address = NULL;
  /** Times that everything in it moved: what was known of where objects are is of no use any more. */
  moveCount = 0;
  /** Whether the survivors live in A. */
  isInA = true;
  /** Where the survivors end. */
  survivorsEnd: Address = NULL;
  /** Whether a collection had no room for everything it met: then any part may hold live objects, and only the old space takes them. */
  isDegraded = false;

  constructor(core: HeapCore) {
    this.#core = core;
  }

  /** Bytes of a survivors' space. */
  get survivorSize(): number {
    return survivorBytes(this.edenSize);
  }

  /** Where the eden starts. */
  get edenStart(): Address {
    return this.address + this.survivorSize;
  }

  /** Where it ends. */
  get edenEnd(): Address {
    return this.edenStart + this.edenSize;
  }

  /** Where the survivors are. */
  get survivorsStart(): Address {
    return this.isInA ? this.address : this.edenEnd;
  }

  /** Where they are to be. */
  get targetStart(): Address {
    return this.isInA ? this.edenEnd : this.address;
  }

  /** Bytes of survivors. */
  get survivorsBytes(): number {
    return this.survivorsEnd - this.survivorsStart;
  }

  /** Bytes allocated in the eden since the last collection. */
  get edenBytes(): number {
    return this.#core.words[this.#core.state + TOP]! - this.edenStart;
  }

  /** Takes a block for a nursery, without using it. @returns NULL where there is none. */
  take(edenSize: number): Address {
    return this.#core.take(nurseryBytes(edenSize));
  }

  /** Moves in: into an empty nursery, or one whose survivors were copied to the start of A. */
  moveTo(address: Address, edenSize: number, survivorsBytes: number): void {
    const { words, state } = this.#core;
    this.address = address;
    this.edenSize = edenSize;
    this.isInA = true;
    this.survivorsEnd = address + survivorsBytes;
    this.moveCount += 1;
    this.#core.youngStart = address;
    this.#core.youngSize = nurseryBytes(edenSize);
    words[state + TOP] = this.edenStart;
    this.zeroedEnd = this.edenStart;
  }

  /** Empties the eden, the survivors having been copied to the other space. */
  flip(survivorsEnd: Address): void {
    const { words, state } = this.#core;
    this.isInA = !this.isInA;
    this.survivorsEnd = survivorsEnd;
    this.moveCount += 1;
    words[state + TOP] = this.edenStart;
    this.zeroedEnd = this.edenStart;
  }

  /** Takes a cell of zeroes, past the limit. @returns NULL where the eden is full. */
  bump(cellSize: number): Address {
    const { words, state } = this.#core;
    const top = words[state + TOP]!;
    const end = top + cellSize;
    if (this.isDegraded || end > this.edenEnd) return NULL;
    if (end > this.zeroedEnd) {
      const zeroedEnd = Math.min(this.edenEnd, end + ZEROED_AHEAD);
      words.fill(0, this.zeroedEnd >> 2, zeroedEnd >> 2);
      this.zeroedEnd = zeroedEnd;
    }
    words[state + TOP] = end;
    return top;
  }

  /** Lets allocations happen, as many bytes of them as are given, and as are zeroed. */
  open(bytes = Infinity): void {
    const { words, state } = this.#core;
    const top = words[state + TOP]!;
    words[state + LIMIT] = this.isDegraded ? top : Math.min(this.zeroedEnd, top + bytes);
  }

  /** Makes the next allocation fail on its fast path. */
  close(): void {
    const { words, state } = this.#core;
    words[state + LIMIT] = 0;
  }
}
