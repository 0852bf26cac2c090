import { NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { O1Heap, REQUEST_SIZE_MAX, type O1HeapDemand } from '../src/index.ts';
import { buffer } from './memories.ts';

const DEMANDS: readonly O1HeapDemand[] = [
  { live: 1, largest: 1 },
  { live: 100, largest: 100 },
  { live: 1000, largest: 100 },
  { live: 4096, largest: 8 },
  { live: 5000, largest: 5000, smallest: 24 },
  { live: 20_000, largest: 1000, smallest: 9 },
  { live: 30_000, largest: 12_000, smallest: 40 },
  { live: 40_000, largest: 600, smallest: 600 },
];

/** A program's user: asks for no more than was announced, and must never be refused. */
class Customer {
  readonly heap: O1Heap;
  readonly #live: number;
  readonly #blocks: { readonly address: number; readonly size: number }[] = [];
  #used = 0;

  constructor(heap: O1Heap, live: number) {
    this.heap = heap;
    this.#live = live;
  }

  get count(): number {
    return this.#blocks.length;
  }

  /** Allocates if the demand allows it. */
  take(size: number): boolean {
    if (this.#used + size > this.#live) return false;
    const address = this.heap.allocate(size);
    expect(address, `${size} bytes with ${this.#used} live`).not.toBe(NULL);
    this.#blocks.push({ address, size });
    this.#used += size;
    return true;
  }

  free(index: number): void {
    const [block] = this.#blocks.splice(index, 1);
    this.heap.deallocate(block!.address, block!.size);
    this.#used -= block!.size;
  }
}

/** Fills up with ever larger blocks, each time keeping those that stand most in the way: every other one, or a random choice. */
function comb(customer: Customer, random: Random, smallest: number, largest: number): void {
  let size = smallest;
  while (size <= largest) {
    while (customer.take(size));
    const isRegular = random.chance(1, 2);
    for (let index = customer.count - 1; index >= 0; index -= 1) {
      if (isRegular ? index % 2 === 0 : random.chance(2, 3)) customer.free(index);
    }
    size = random.chance(1, 2) ? size * 2 : size + random.between(1, size + 8);
  }
  customer.take(largest);
}

/** Sizes of any magnitude, or one beyond a power of two, which waste the most. */
function mix(customer: Customer, random: Random, smallest: number, largest: number): void {
  for (let i = 0; i < 300; i += 1) {
    const worst = Math.min(largest, Math.max(smallest, 2 ** random.between(4, 14) - 7));
    const size = random.chance(1, 2) ? worst : random.logUniform(smallest, largest);
    if (!customer.take(size) || random.chance(1, 3)) if (customer.count > 0) customer.free(random.below(customer.count));
  }
}

describe('a heap of the required capacity never runs out', () => {
  test.each(DEMANDS)('$live live, up to $largest each', (demand) => {
    const { live, largest, smallest = 1 } = demand;
    const size = O1Heap.requiredCapacity(demand);
    const memory = buffer(size + 2 ** 16);
    const programs = Math.ceil(80_000 / (live / smallest + 5000));
    for (let seed = 0; seed < programs; seed += 1) {
      const random = Random.fromSeed(seed);
      const heap = O1Heap.create(memory, { size: Math.floor(size / 16) * 16 });
      const customer = new Customer(heap, live);
      for (let round = 0; round < 3; round += 1) (random.chance(1, 2) ? comb : mix)(customer, random, smallest, largest);
      heap.checkInvariants();
      expect(heap.stats().failureCount).toBe(0);
      heap.release();
    }
  });
});

test('the bound is 2 M (1 + ceil(log2 n)) fragments, and what the heap itself takes', () => {
  const overhead = O1Heap.requiredCapacity({ live: 8, largest: 8, smallest: 8 }) - 2 * 2 * 16;
  // A hundred blocks of 24 bytes: two units each and one for rounding up, n = 2.
  expect(O1Heap.requiredCapacity({ live: 2400, largest: 24, smallest: 24 }) - overhead).toBe(2 * 300 * 2 * 16);
  expect(O1Heap.requiredCapacity({ live: 2 ** 40, largest: 2 ** 20 })).toBeGreaterThan(2 ** 32);
  const larger: O1HeapDemand[] = [{ live: 1000, largest: 100, smallest: 16 }, { live: 2000, largest: 100, smallest: 16 }, { live: 2000, largest: 200, smallest: 16 }, { live: 2000, largest: 200 }];
  const bounds = larger.map((demand) => O1Heap.requiredCapacity(demand));
  expect([...bounds].sort((one, other) => one - other)).toEqual(bounds);
});

test('a demand that contradicts itself is refused', () => {
  for (const demand of [
    { live: 0, largest: 1 }, { live: 10, largest: 11 }, { live: 10, largest: 0 }, { live: 10, largest: 5, smallest: 6 }, { live: 10, largest: 5, smallest: 0 },
    { live: 2 ** 40, largest: REQUEST_SIZE_MAX + 1 }, { live: 1.5, largest: 1 }, { live: NaN, largest: 1 }, { live: Infinity, largest: 1 },
  ]) {
    expect(() => O1Heap.requiredCapacity(demand)).toThrow(RangeError);
  }
  expect(() => O1Heap.requiredCapacity({ live: '10' as unknown as number, largest: 1 })).toThrow(TypeError);
});
