/** What the workers of the tests do: allocate, fill, verify and free, their own blocks and those of others. */

import { NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { NativeMemory, type NativeMemoryToken } from '@allokit/vmem/native';
import { parentPort, workerData } from 'node:worker_threads';
import { TieredArena, type Tier } from '../src/index.ts';

/** What a worker is told. */
export interface Orders {
  readonly memory: WebAssembly.Memory | NativeMemoryToken;
  /** The arena's. */
  readonly address: number;
  /** Mailboxes: blocks that one worker hands another to verify and free. 0 is an empty one. */
  readonly mailboxes: Int32Array;
  readonly seed: number;
  readonly operations: number;
  /** Blocks it keeps at the most. */
  readonly blocksMax: number;
}

/** What a worker says in the end. */
export interface Done {
  readonly threadId: number;
  readonly operationCount: number;
  readonly handedOver: number;
}

const SIZES = [8, 24, 32, 40, 64, 100, 200, 500, 1000, 2000, 3000, 9000];

/** The first word of a block holds its size, every other word a mark that follows from its address. */
function fill(words: Int32Array, address: number, size: number): void {
  const at = address >>> 2;
  const count = size >>> 2;
  words[at] = size;
  words.fill(mark(address), at + 1, at + count);
}

function mark(address: number): number {
  return Math.imul(address, 0x9e37_79b1) | 1;
}

function verify(words: Int32Array, address: number): number {
  const at = address >>> 2;
  const size = words[at]!;
  for (let i = 1; i < size >>> 2; i += 1) {
    if (words[at + i] !== mark(address)) throw new Error(`the block of ${size} bytes at ${address} was overwritten at word ${i}: ${words[at + i]!}`);
  }
  return size;
}

class Work {
  readonly #arena: TieredArena;
  readonly #random: Random;
  readonly #mailboxes: Int32Array;
  readonly #blocks: { tier: Tier; address: number }[] = [];
  handedOver = 0;

  constructor(arena: TieredArena, { mailboxes, seed }: Orders) {
    this.#arena = arena;
    this.#random = Random.fromSeed(seed);
    this.#mailboxes = mailboxes;
  }

  step(blocksMax: number): void {
    const choice = this.#random.below(100);
    if (this.#blocks.length >= blocksMax || (choice < 45 && this.#blocks.length > 0)) this.#dispose(choice);
    else if (choice < 55) this.#collectMail();
    else this.#allocate();
  }

  finish(): void {
    while (this.#blocks.length > 0) this.#dispose(0);
    this.#collectMail();
  }

  #allocate(): void {
    const tier = this.#arena.tiers[this.#random.below(this.#arena.tiers.length)]!;
    const size = SIZES[this.#random.below(SIZES.length)]!;
    const address = tier.allocate(size);
    if (address === NULL) return;
    this.#arena.memory.refresh();
    fill(this.#arena.memory.i32, address, size);
    this.#blocks.push({ tier, address });
  }

  #dispose(choice: number): void {
    const index = this.#random.below(this.#blocks.length);
    const { tier, address } = this.#blocks[index]!;
    this.#blocks[index] = this.#blocks.at(-1)!;
    this.#blocks.pop();
    const size = verify(this.#arena.memory.i32, address);
    if (choice % 2 === 1) {
      const box = this.#random.below(this.#mailboxes.length);
      if (Atomics.compareExchange(this.#mailboxes, box, 0, address | 0) === 0) {
        this.handedOver += 1;
        return;
      }
    }
    tier.deallocate(address, choice % 3 === 0 ? size : undefined);
  }

  #collectMail(): void {
    for (let box = 0; box < this.#mailboxes.length; box += 1) {
      if (Atomics.load(this.#mailboxes, box) === 0) continue;
      const address = Atomics.exchange(this.#mailboxes, box, 0) >>> 0;
      if (address === 0) continue;
      this.#arena.memory.refresh();
      verify(this.#arena.memory.i32, address);
      this.#arena.deallocate(address);
    }
  }
}

const orders = workerData as Orders;
const memory = orders.memory instanceof WebAssembly.Memory ? WasmMemory.attach(orders.memory) : NativeMemory.attach(orders.memory);
const arena = TieredArena.attach(memory, orders.address);
parentPort!.postMessage({ threadId: arena.threadId });
const work = new Work(arena, orders);
for (let i = 0; i < orders.operations; i += 1) work.step(orders.blocksMax);
work.finish();
const { threadId } = arena;
arena.detach();
parentPort!.postMessage({ threadId, operationCount: orders.operations, handedOver: work.handedOver } satisfies Done);
