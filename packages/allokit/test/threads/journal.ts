/**
 * What a thread has, written where others find it: so that whoever survives the thread can check what it left, and free it.
 *
 *     word 0     1 when the thread runs; 2 when it is to end
 *          1     the place in doubt: the block there is being freed. 0 for none, else its number + 1
 *          2..   a place: address, size, id
 */

import type { Address, Memory } from '@allokit/allocator';

const PLACES = 2;
const PLACE_WORDS = 3;

/** How many blocks a journal holds. */
export const PLACE_COUNT = 64;

/** A block that a thread has. */
export interface Entry {
  readonly place: number;
  readonly address: Address;
  readonly size: number;
  readonly id: number;
}

/** What is known of a block wherever it is. */
type Block = Omit<Entry, 'place'>;

/** The word at `index` of a block: its size and its id first, then what follows from the id. */
function contentAt({ size, id }: Block, index: number): number {
  if (index < 2) return index === 0 ? size : id;
  return (Math.imul(id + 1, 0x9e37_79b1) + index) | 0;
}

/** Fills a block with what tells it from all others. */
export function fill(memory: Memory, block: Block): void {
  memory.refresh();
  const words = memory.i32;
  for (let i = 0; i < block.size >>> 2; i += 1) words[block.address / 4 + i] = contentAt(block, i);
}

/** @throws Error when a block does not hold what was written into it. */
export function verify(memory: Memory, block: Block): void {
  memory.refresh();
  const words = memory.i32;
  const { address, size, id } = block;
  for (let i = 0; i < size >>> 2; i += 1) {
    if (words[address / 4 + i] !== contentAt(block, i)) throw new Error(`word ${i} of block ${id} at ${address} of ${size} bytes was overwritten`);
  }
}

/** What a filled block of at least 8 bytes says of itself. */
export function read(memory: Memory, address: Address): Block {
  memory.refresh();
  return { address, size: memory.i32[address / 4]!, id: memory.i32[address / 4 + 1]! };
}

/** One thread's journal. */
export class Journal {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer((PLACES + PLACE_COUNT * PLACE_WORDS) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Says that the thread runs. It may have been told to end before. */
  start(): void {
    Atomics.compareExchange(this.#words, 0, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /** Resolves when the thread runs. */
  async whenStarted(): Promise<void> {
    const { value } = Atomics.waitAsync(this.#words, 0, 0);
    await value;
  }

  end(): void {
    Atomics.store(this.#words, 0, 2);
  }

  get isToEnd(): boolean {
    return Atomics.load(this.#words, 0) === 2;
  }

  /** The block in a place, if any. */
  at(place: number): Entry | undefined {
    const word = PLACES + place * PLACE_WORDS;
    const address = Atomics.load(this.#words, word) >>> 0;
    return address === 0 ? undefined : { place, address, size: this.#words[word + 1]!, id: this.#words[word + 2]! };
  }

  /** Enters a block that was filled. */
  enter({ place, address, size, id }: Entry): void {
    const word = PLACES + place * PLACE_WORDS;
    this.#words[word + 1] = size;
    this.#words[word + 2] = id;
    Atomics.store(this.#words, word, address | 0);
  }

  /** Strikes a block out, with what frees it in between. */
  strike(place: number, free: () => void): void {
    Atomics.store(this.#words, 1, place + 1);
    free();
    Atomics.store(this.#words, PLACES + place * PLACE_WORDS, 0);
    Atomics.store(this.#words, 1, 0);
  }

  /** Strikes out the block in doubt, whose thread is dead, and returns it. */
  strikeDoubtful(): Entry | undefined {
    const place = Atomics.load(this.#words, 1) - 1;
    if (place < 0) return undefined;
    const entry = this.at(place);
    this.strike(place, () => undefined);
    return entry;
  }

  /** Every block that the thread had for certain. */
  certain(): Entry[] {
    const doubt = Atomics.load(this.#words, 1) - 1;
    const all: Entry[] = [];
    for (let place = 0; place < PLACE_COUNT; place += 1) {
      const entry = place === doubt ? undefined : this.at(place);
      if (entry !== undefined) all.push(entry);
    }
    return all;
  }
}
