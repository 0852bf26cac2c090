/**
 * A program that keeps data of its own in a heap, and can be ended at any store: a block is filled before it is published in the table, and retracted before
 * it is freed. So whatever the table names must be there, exactly, whenever somebody looks.
 *
 *     table        words: heap's address, number of the next block, 2 free
 *     + 16         a slot:  address, size, id, checksum     8 words each, address 0 for an empty one
 *                           kind, 3 free
 */

import { NULL, allocateZeroed, type Address } from '@allokit/allocator';
import type { Random } from '@allokit/allocator/testing';
import type { PagedMemory } from '@allokit/vmem';
import { O1Heap } from '../src/index.ts';
import { fragments } from './fragments.ts';

const SLOT_COUNT = 96;
const SLOT_WORDS = 8;
const SLOTS = 4;
const NEXT_ID = 1;
const SIZE = 1;
const ID = 2;
const CHECKSUM = 3;
const KIND = 4;
const TABLE_SIZE = (SLOTS + SLOT_COUNT * SLOT_WORDS) * 4;

const IN_HEAP = 0;
const IN_PAGES = 1;

/** What a kill at any moment can leave behind without a name: a block on its way into the table or out of it, and where it was moved from. */
const ORPHAN_COUNT_MAX = 2;

/** How large the blocks are, and how they come and go. */
export interface Habits {
  readonly sizeMax: number;
  /** Of a hundred visits to an empty slot, how many fill it, and of a hundred to a full one, how many change it. */
  readonly fillPercent: number;
  readonly changePercent: number;
  /** Of a thousand steps, how many trim the heap. */
  readonly trimPermille: number;
}

interface Slot {
  /** The index of its first word. */
  readonly word: number;
  readonly address: Address;
  readonly size: number;
  readonly id: number;
  readonly kind: number;
}

function checksumOf(address: Address, size: number, id: number, kind: number): number {
  let hash = 0x811c9dc5;
  for (const value of [address, size, id, kind]) hash = Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15);
  return hash | 0;
}

/** The word at `index` of the block with this id. */
function contentAt(id: number, index: number): number {
  return Math.imul(id + 1, 0x9e3779b1) + index;
}

/** The program on a memory. */
export class Workload {
  readonly memory: PagedMemory;
  readonly heap: O1Heap;
  /** The block of the table: what whoever comes later needs. */
  readonly table: Address;

  private constructor(memory: PagedMemory, heap: O1Heap, table: Address) {
    this.memory = memory;
    this.heap = heap;
    this.table = table;
  }

  /** Makes a heap that grows, and an empty table in it. */
  static begin(memory: PagedMemory, size = 2 ** 15): Workload {
    const heap = O1Heap.create(memory, { size, growth: { step: 8192 } });
    const table = allocateZeroed(heap, 1, TABLE_SIZE);
    memory.i32[table / 4] = heap.address;
    return new Workload(memory, heap, table);
  }

  /** Finds it again. */
  static resume(memory: PagedMemory, table: Address): Workload {
    return new Workload(memory, O1Heap.attach(memory, memory.u32[table / 4]!), table);
  }

  step(random: Random, habits: Habits): void {
    if (random.chance(habits.trimPermille, 1000)) this.heap.trim();
    const slot = this.#slot(random.below(SLOT_COUNT));
    if (slot.address === NULL) {
      if (random.chance(habits.fillPercent, 100)) this.#fill(slot.word, random, habits);
    } else if (random.chance(habits.changePercent, 100)) this.#change(slot, random, habits);
  }

  /**
   * Proves that every published block is live, disjoint from the others, and holds what was written into it.
   *
   * @throws Error that says what is lost.
   */
  verify(): void {
    const words = this.memory.i32;
    const live = this.#slots().filter(({ address }) => address !== NULL);
    for (const { word, address, size, id, kind } of live) {
      if (words[word + CHECKSUM] !== checksumOf(address, size, id, kind)) throw new Error(`the slot at word ${word} is damaged`);
      const usable = this.#allocatorOf(kind).usableSize(address);
      if (usable < size) throw new Error(`block ${id} at ${address} of ${size} bytes has only ${usable}`);
      for (let i = 0; i < size >>> 2; i += 1) {
        if (words[address / 4 + i] !== (contentAt(id, i) | 0)) throw new Error(`word ${i} of block ${id} at ${address} of ${size} bytes was lost`);
      }
    }
    const inOrder = [...live, { address: this.table, size: TABLE_SIZE, id: -1 }].sort((a, b) => a.address - b.address);
    for (const [i, { address, size, id }] of inOrder.slice(0, -1).entries()) {
      const next = inOrder[i + 1]!;
      if (address + size > next.address) throw new Error(`blocks ${id} at ${address} and ${next.id} at ${next.address} overlap`);
    }
    if (this.heap.usableSize(this.table) < TABLE_SIZE) throw new Error('the table has lost its end');
  }

  /**
   * Frees every block, and proves that nothing is left but what a kill had under its hands.
   *
   * @param killCount - How many kills there were.
   */
  drain(killCount: number): void {
    for (const slot of this.#slots()) if (slot.address !== NULL) this.#retract(slot);
    const { table, heap, memory } = this;
    heap.deallocate(table, TABLE_SIZE);
    const orphans = fragments(heap).filter(({ used }) => used);
    if (orphans.length > killCount * ORPHAN_COUNT_MAX) throw new Error(`${orphans.length} blocks of the heap were left: ${orphans.map(({ address }) => address).join()}`);
    for (const { address } of orphans) heap.deallocate(address);
    heap.checkInvariants();
    heap.release();
    memory.checkInvariants();
    const runs = [...memory.runs()].filter(({ state }) => state === 'used');
    if (runs.length > killCount * ORPHAN_COUNT_MAX) throw new Error(`${runs.length} blocks of the memory were left`);
  }

  #allocatorOf(kind: number): O1Heap | PagedMemory {
    return kind === IN_PAGES ? this.memory : this.heap;
  }

  #slots(): Slot[] {
    return Array.from({ length: SLOT_COUNT }, (_, index) => this.#slot(index));
  }

  #slot(index: number): Slot {
    const words = this.memory.i32;
    const word = this.table / 4 + SLOTS + index * SLOT_WORDS;
    return { word, address: words[word]! >>> 0, size: words[word + SIZE]!, id: words[word + ID]!, kind: words[word + KIND]! };
  }

  #fill(word: number, random: Random, { sizeMax }: Habits): void {
    const kind = random.chance(1, 12) ? IN_PAGES : IN_HEAP;
    const size = random.logUniform(1, sizeMax);
    const address = this.#allocatorOf(kind).allocate(size);
    if (address !== NULL) this.#publish(word, address, size, kind);
  }

  #change(slot: Slot, random: Random, { sizeMax }: Habits): void {
    const { word, address, size, kind } = slot;
    const allocator = this.#allocatorOf(kind);
    // More than the size that is published, when a kill came before the block was made smaller.
    const oldSize = allocator.usableSize(address);
    const newSize = random.logUniform(1, sizeMax);
    const choice = random.below(10);
    if (choice < 5) {
      this.#retract(slot);
    } else if (choice < 8) {
      this.#store(word, NULL);
      const moved = allocator.reallocate(address, oldSize, newSize);
      this.#publish(word, moved === NULL ? address : moved, moved === NULL ? size : newSize, kind);
    } else if (newSize < size) {
      // What is published must be there all the time: less is published before less is kept.
      this.#publish(word, address, newSize, kind);
      allocator.resize(address, oldSize, newSize);
    } else if (allocator.resize(address, oldSize, newSize)) this.#publish(word, address, newSize, kind);
  }

  #publish(word: number, address: Address, size: number, kind: number): void {
    const words = this.memory.i32;
    this.#store(word, NULL);
    const id = words[this.table / 4 + NEXT_ID]!;
    words[this.table / 4 + NEXT_ID] = id + 1;
    for (let i = 0; i < size >>> 2; i += 1) words[address / 4 + i] = contentAt(id, i);
    words[word + SIZE] = size;
    words[word + ID] = id;
    words[word + KIND] = kind;
    words[word + CHECKSUM] = checksumOf(address, size, id, kind);
    this.#store(word, address);
  }

  #retract({ word, address, kind }: Slot): void {
    this.#store(word, NULL);
    this.#allocatorOf(kind).deallocate(address);
  }

  /** A store that compilers leave where it is; what records stores looks like a view and is none. */
  #store(word: number, value: number): void {
    const { i32 } = this.memory;
    if (ArrayBuffer.isView(i32)) Atomics.store(i32, word, value);
    else (i32 as Int32Array)[word] = value;
  }
}
