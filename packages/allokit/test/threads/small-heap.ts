/** What the threads of a schedule share: a small heap in a small buffer, with a few blocks and a counter in it. */

import { AllocatorError, type Address } from '@allokit/allocator';
import { observed, type Outcome, type ThreadContext } from '@allokit/allocator/interleaving';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';

/** Bytes of the buffer. */
export const MEMORY_SIZE = 2 ** 14;
/** Bytes of a block, as it is asked for, and as it is counted. */
export const BLOCK_SIZE = 150;
export const BLOCK_BYTES = 256;

const PAGE_SIZE = 64;
const BLOCK_COUNT = 6;

/** Where everything lies, and what was handed out before the threads begin. */
export interface Given {
  readonly heap: Address;
  /** The state of what is around the heap. */
  readonly state: Address;
  /** A word that the threads change by a read and a write. */
  readonly counter: Address;
  readonly blocks: readonly Address[];
  readonly liveBytes: number;
}

/** A thread of a schedule on such a heap. */
export type Thread = ThreadContext<SharedArrayBuffer, Given>;

/** What `setup` and the check are given. */
export interface Place {
  readonly memory: SharedArrayBuffer;
  readonly given: Given;
}

/** Makes the heap. `wrap` puts something around it, and says where the state of that lies. */
export function makeHeap(buffer: SharedArrayBuffer, wrap: (heap: O1Heap) => Address): Given {
  const memory = BufferMemory.wrap(buffer, { pageSize: PAGE_SIZE });
  const heap = O1Heap.create(memory, { size: 4096 });
  const state = wrap(heap);
  const blocks = Array.from({ length: BLOCK_COUNT }, () => heap.allocate(BLOCK_SIZE));
  for (const block of blocks) memory.u8.fill(block / 16, block, block + BLOCK_SIZE);
  const counter = heap.allocate(4);
  memory.i32[counter / 4] = 0;
  return { heap: heap.address, state, counter, blocks, liveBytes: heap.stats().liveBytes };
}

/** @throws Error when one of the blocks does not hold what it did. */
export function checkContent({ memory, given }: Place, blocks: readonly number[]): void {
  for (const block of blocks.map((i) => given.blocks[i]!)) {
    const bytes = new Uint8Array(memory, block, BLOCK_SIZE);
    if (!bytes.every((byte) => byte === ((block / 16) & 0xff))) throw new Error(`the block at ${block} was written to`);
  }
}

/** A memory whose plain accesses become scheduling points from a moment of one's choice on: to attach, which walks the heap, is not what is explored. */
export function lensOn(root: BufferMemory): { readonly memory: BufferMemory; observe(): void } {
  let target = root;
  const memory: BufferMemory = new Proxy(root, {
    get(_root, key) {
      if (key === 'memory') return memory;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (...values: unknown[]): unknown => Reflect.apply(value, target, values) : value;
    },
  });
  return { memory, observe: () => (target = observed(root)) };
}

/** @throws Error when two values differ. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

/** @throws Error when one of these threads has not returned. */
export function expectFinished(outcomes: readonly Outcome[], threads: readonly number[]): void {
  for (const thread of threads) expectEqual(outcomes[thread]?.state, 'finished', `thread ${thread}`);
}

/** The code of the `AllocatorError` that a call throws; `''` when it throws nothing. */
export function codeOf(call: () => void): string {
  try {
    call();
    return '';
  } catch (error) {
    if (error instanceof AllocatorError) return error.code;
    throw error;
  }
}
