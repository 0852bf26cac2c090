/** What the workers of the stress and death tests do: allocate, fill, verify and free, their own blocks and those of others. */

import { NULL, type Address } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import type { PagedMemory } from '@allokit/vmem';
import { parentPort, workerData } from 'node:worker_threads';
import { TieredArena, type Handle, type Tier } from '../src/index.ts';
import { SIZE_MIN, fill, resizeContent, verify, verifyOther } from './content.ts';
import { Journal } from './journal.ts';
import { attachMemory, type MemoryToken } from './places.ts';

/** What a worker is told. */
export interface Orders {
  readonly memory: MemoryToken;
  /** The arena's. */
  readonly address: Address;
  /** Handles that one worker leaves for another to verify and free. 0 where there is none. */
  readonly mailboxes: BigInt64Array;
  /** What the workers have in common: see {@link REST}. */
  readonly control: Int32Array;
  /** How many workers there must be, each with its view of the memory, before they begin: a memory that is being allocated from cannot be attached. */
  readonly crewSize: number;
  /** Where it writes down what it has: a word for each block and one more. */
  readonly journal: Int32Array;
  readonly seed: number;
  /** How many operations it does; `Infinity` until it is told to stop or terminated. */
  readonly operations: number;
  /** Whether it is to be terminated: then it does nothing that takes several blocks at once, of which a journal could not tell. */
  readonly isMortal: boolean;
}

/** What a worker says in the end. */
export interface Done {
  /** Operations it did. */
  readonly operationCount: number;
  /** Blocks it left for others. */
  readonly handedOver: number;
  /** Requests that were answered with `NULL`. */
  readonly refused: number;
}

/** In `control`: the threads are to rest (1), to go on (0), or to finish (2). A resting thread is detached. */
export const REST = 0;
/** In `control`: how many threads rest. */
export const RESTING = 1;
/** In `control`: how many threads view the memory. */
export const VIEWING = 2;
/** Words in `control`. */
export const CONTROL_WORDS = 3;

/** The largest block. */
export const SIZE_MAX = 9000;
const SIZES = [SIZE_MIN, 24, 32, 40, 64, 100, 200, 500, 1000, 2000, 3000, SIZE_MAX];
/** The tides come and go: blocks up to here, then down to none. */
const BLOCKS_MAX = 200;
const BATCH_MAX = 6;
/** Words that a journal needs. */
export const JOURNAL_WORDS = BLOCKS_MAX + BATCH_MAX + 1;

interface Block {
  readonly tier: Tier;
  readonly handle: Handle;
  readonly address: Address;
  readonly size: number;
  readonly stamp: number;
  /** Its place in the journal. */
  readonly place: number;
}

function meet({ control, crewSize }: Orders): void {
  for (let count = Atomics.add(control, VIEWING, 1) + 1; count < crewSize; count = Atomics.load(control, VIEWING)) Atomics.wait(control, VIEWING, count);
  Atomics.notify(control, VIEWING);
}

class Work {
  readonly #orders: Orders;
  readonly #random: Random;
  readonly #journal: Journal;
  readonly #memory: PagedMemory;
  #arena: TieredArena;
  #blocks: Block[] = [];
  #isRising = true;
  handedOver = 0;
  refused = 0;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#random = Random.fromSeed(orders.seed);
    this.#journal = new Journal(orders.journal);
    this.#memory = attachMemory(orders.memory);
    meet(orders);
    this.#arena = this.#attach();
  }

  get threadId(): number {
    return this.#arena.threadId;
  }

  step(): void {
    if (this.#blocks.length >= BLOCKS_MAX) this.#isRising = false;
    else if (this.#blocks.length === 0) this.#isRising = true;
    const choice = this.#random.below(100);
    if (choice < 10) this.#collectMail();
    else if (choice < 20) this.#resize();
    else if (choice < 24 && !this.#orders.isMortal) this.#moveOrBatch(choice);
    else if (choice < (this.#isRising ? 70 : 45)) this.#allocate();
    else if (choice < 85) this.#dispose();
    else this.#handOver();
  }

  /** Lets go of everything but the blocks until the threads are to go on. */
  rest(): void {
    const { control } = this.#orders;
    this.#arena.detach();
    Atomics.add(control, RESTING, 1);
    while (Atomics.load(control, REST) === 1) Atomics.wait(control, REST, 1);
    this.#arena = this.#attach();
    const tiers = this.#arena.tiers;
    this.#blocks = this.#blocks.map((block) => ({ ...block, tier: tiers[block.tier.index]! }));
    Atomics.sub(control, RESTING, 1);
  }

  finish(): void {
    while (this.#blocks.length > 0) this.#dispose();
    for (let box = 0; box < this.#orders.mailboxes.length; box += 1) this.#collectMail(box);
    this.#arena.detach();
  }

  #attach(): TieredArena {
    return TieredArena.attach(this.#memory, this.#orders.address);
  }

  get #words(): Int32Array {
    this.#memory.refresh();
    return this.#memory.i32;
  }

  #anySize(): number {
    return SIZES[this.#random.below(SIZES.length)]!;
  }

  #allocate(): void {
    if (this.#blocks.length >= BLOCKS_MAX) return;
    const tier = this.#arena.tiers[this.#random.below(this.#arena.tiers.length)]!;
    const size = this.#anySize();
    const handle = this.#arena.checked ? this.#arena.allocate(tier.index, size) : tier.allocate(size);
    if (handle === NULL) this.refused += 1;
    else this.#add(tier, handle, size);
  }

  #add(tier: Tier, handle: Handle, size: number): void {
    const block = { tier, handle, address: handle % 2 ** 32, size, stamp: this.#random.next() | 0, place: this.#journal.open() };
    fill(this.#words, block.address, block);
    this.#journal.keep(block.place, block.address);
    this.#blocks.push(block);
  }

  /** Takes any block off the list. Its content is verified. */
  #pick(): Block | undefined {
    if (this.#blocks.length === 0) return undefined;
    const index = this.#random.below(this.#blocks.length);
    const block = this.#blocks[index]!;
    this.#blocks[index] = this.#blocks.at(-1)!;
    this.#blocks.pop();
    verify(this.#words, block.address, block);
    return block;
  }

  #dispose(): void {
    const block = this.#pick();
    if (block === undefined) return;
    this.#journal.doubt(block.place, block.address);
    const size = this.#random.chance(1, 3) ? block.size : undefined;
    if (this.#arena.checked) this.#arena.deallocate(block.handle, size);
    else block.tier.deallocate(block.address, size);
    this.#journal.close(block.place);
  }

  #handOver(): void {
    const block = this.#pick();
    if (block === undefined) return;
    const { mailboxes } = this.#orders;
    this.#journal.doubt(block.place, block.address);
    if (Atomics.compareExchange(mailboxes, this.#random.below(mailboxes.length), 0n, BigInt(block.handle)) === 0n) this.handedOver += 1;
    else this.#arena.deallocate(block.handle);
    this.#journal.close(block.place);
  }

  #collectMail(box = this.#random.below(this.#orders.mailboxes.length)): void {
    const { mailboxes } = this.#orders;
    const mail = Atomics.load(mailboxes, box);
    if (mail === 0n) return;
    const handle = Number(mail);
    const address = handle % 2 ** 32;
    const place = this.#journal.open();
    this.#journal.doubt(place, address);
    if (Atomics.compareExchange(mailboxes, box, mail, 0n) === mail) {
      verifyOther(this.#words, address);
      this.#arena.deallocate(handle);
    }
    this.#journal.close(place);
  }

  /** Resizes a block where it stands. */
  #resize(): void {
    const block = this.#pick();
    if (block === undefined) return;
    const { tier, address, size, stamp } = block;
    const newSize = this.#anySize();
    // A block that becomes smaller says so while it still has all.
    if (newSize < size) resizeContent(this.#words, address, newSize);
    const isResized = tier.resize(address, size, newSize);
    if (isResized && newSize > size) fill(this.#words, address, { size: newSize, stamp, from: size });
    if (!isResized) resizeContent(this.#words, address, size);
    this.#blocks.push(isResized ? { ...block, size: newSize } : block);
  }

  /** What takes several blocks at once. */
  #moveOrBatch(choice: number): void {
    if (choice === 20) this.#allocateBatch();
    else if (choice === 21) this.#disposeBatch();
    else if (!this.#arena.checked) this.#reallocate();
  }

  #reallocate(): void {
    const block = this.#pick();
    if (block === undefined) return;
    const size = this.#anySize();
    const address = block.tier.reallocate(block.address, block.size, size);
    if (address === NULL) {
      this.refused += 1;
      this.#blocks.push(block);
      return;
    }
    const kept = Math.min(size, block.size);
    resizeContent(this.#words, address, kept);
    verify(this.#words, address, { size: kept, stamp: block.stamp });
    this.#journal.close(block.place);
    this.#add(block.tier, address, size);
  }

  #allocateBatch(): void {
    if (this.#blocks.length + BATCH_MAX > BLOCKS_MAX) return;
    const { tiers } = this.#arena;
    const requests = Array.from({ length: this.#random.between(1, BATCH_MAX) }, () => ({ tier: this.#random.below(tiers.length), size: this.#anySize() }));
    for (const [i, handle] of this.#arena.allocateBatch(requests).entries()) {
      const { tier, size } = requests[i]!;
      if (handle === NULL) this.refused += 1;
      else this.#add(this.#arena.tier(tier), handle, size);
    }
  }

  #disposeBatch(): void {
    const blocks = Array.from({ length: this.#random.between(1, BATCH_MAX) }, () => this.#pick()).filter((block) => block !== undefined);
    this.#arena.deallocateBatch(blocks.map(({ handle }) => handle));
    for (const { place } of blocks) this.#journal.close(place);
  }
}

const orders = workerData as Orders;
if (parentPort !== null && 'mailboxes' in orders) {
  const { control, operations } = orders;
  const work = new Work(orders);
  parentPort.postMessage({ threadId: work.threadId });
  let operationCount = 0;
  for (let wish = 0; operationCount < operations && wish !== 2; operationCount += 1) {
    work.step();
    wish = Atomics.load(control, REST);
    if (wish === 1) work.rest();
  }
  work.finish();
  parentPort.postMessage({ operationCount, handedOver: work.handedOver, refused: work.refused } satisfies Done);
}
