import { NULL } from '@allokit/allocator';
import { range, unseenDamage } from '@allokit/allocator/testing';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BIN_MASK,
  BLOCK_WORDS,
  CAPACITY,
  FAILURES,
  FIRST_REGION,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  LAST_REGION,
  PREVIOUS,
  REGION_BEGIN,
  REGION_NEXT,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  WHOLE_SHARE,
  checkHeap,
} from '@allokit/boundary-tags';
import { describe, expect, test } from 'vitest';
import { HALF_FIT, sentinelOf } from '../src/bins.ts';
import { O1Heap } from '../src/index.ts';
import { BINS, BIN_COUNT } from '../src/layout.ts';
import { fragments, regions } from './fragments.ts';
import { buffer } from './memories.ts';
import { refusal } from './refusal.ts';

interface Subject {
  readonly heap: O1Heap;
  readonly words: Int32Array;
  readonly state: number;
  readonly check: () => void;
}

/** A heap in use: live and free fragments of many sizes, several in a bin, in one region or four. */
function inUse(kind: 'fixed' | 'grown'): Subject {
  const memory = buffer();
  memory.allocate(1);
  const heap = kind === 'fixed' ? O1Heap.create(memory, { size: 8192 }) : O1Heap.create(memory, { size: 4096, growth: { step: 4096 } });
  const blocks: number[] = [];
  for (const size of [10, 20, 60, 100, 10, 500, 10, 60, 60, 100, 24, 500, 10, 1000, 30, 30]) {
    blocks.push(heap.allocate(size));
    if (kind === 'grown' && blocks.length % 6 === 5) {
      memory.allocate(1);
      blocks.push(heap.allocate(3000));
    }
  }
  blocks.forEach((block, i) => {
    expect(block).not.toBe(NULL);
    if (i % 2 === 0) heap.deallocate(block);
  });
  expect(regions(heap).length).toBe(kind === 'fixed' ? 1 : 4);
  return { heap, words: memory.i32, state: heap.address / 4, check: () => heap.checkInvariants() };
}

describe.each(['fixed', 'grown'] as const)('damage to a %s heap is seen', (kind) => {
  test('in every header of every fragment', () => {
    const { heap, words, check } = inUse(kind);
    const all = fragments(heap);
    expect(new Set(all.map(({ used }) => used)).size).toBe(2);
    const headers = all.flatMap(({ address }) => [address / 4 + SIZE, address / 4 + BEFORE]);
    expect(unseenDamage(words, headers, check)).toEqual([]);
  });

  test('in every link of every free fragment, and of every bin', () => {
    const { heap, words, state, check } = inUse(kind);
    const free = fragments(heap).filter(({ used }) => !used);
    const links = free.flatMap(({ address }) => [address / 4, address / 4 + PREVIOUS]);
    expect(unseenDamage(words, links, check)).toEqual([]);
    // From the sentinel of the bin that never holds anything to that of the last one.
    expect(unseenDamage(words, range(state + BINS - 2, state + BINS + 2 * BIN_COUNT), check)).toEqual([]);
  });

  test('when two free fragments change places in their bins', () => {
    const { heap, words, check } = inUse(kind);
    const heads = fragments(heap).filter(({ used }) => !used).map(({ address }) => address / 4);
    for (const one of heads) {
      for (const other of heads) {
        if (one === other) continue;
        const links = [words[one]!, words[other]!] as const;
        [words[one], words[other]] = [links[1], links[0]];
        expect(check).toThrow(refusal('corrupt'));
        [words[one], words[other]] = links;
      }
    }
    check();
  });

  test('in the figures and in what the state says of the regions', () => {
    const { words, state, check } = inUse(kind);
    const fields = [FIRST_REGION, LAST_REGION, CAPACITY, ALLOCATED].map((field) => state + field);
    expect(unseenDamage(words, [...range(state, state + 4), ...fields], check)).toEqual([]);
    // 0 would say that the caller placed the heap, which is possible for one that does not grow.
    expect(unseenDamage(words, [state + BLOCK_WORDS], check, [1, -1, 4, 2 ** 30].map((more) => (word: number) => word + more))).toEqual([]);
  });

  test('in the regions and at both their ends', () => {
    const { heap, words, check } = inUse(kind);
    for (const { start, length } of regions(heap)) {
      const ends = [start + REGION_BEGIN, start + length].flatMap((block) => [block + SIZE, block + BEFORE]);
      expect(unseenDamage(words, [start + REGION_NEXT, start + REGION_WORDS, ...ends], check)).toEqual([]);
    }
  });

  test('in the peak and in the growth as far as they can be wrong', () => {
    const { words, state, check } = inUse(kind);
    const see = (field: number, values: readonly number[]): string[] => unseenDamage(words, [state + field], check, values.map((value) => () => value));
    const allocated = words[state + ALLOCATED]!;
    const capacity = words[state + CAPACITY]!;
    expect(see(ALLOCATED_PEAK, [0, -4, allocated - 4, allocated + 1, ...(kind === 'fixed' ? [capacity + 4] : [])])).toEqual([]);
    expect(see(REQUEST_PEAK, [0])).toEqual([]);
    expect(see(GROWTH_STEP_WORDS, [-4, 1, 1023])).toEqual([]);
    expect(see(GROWTH_SHARE, [-1, WHOLE_SHARE + 1, ...(kind === 'fixed' ? [1, WHOLE_SHARE] : [])])).toEqual([]);
    if (kind === 'grown') expect(see(GROWTH_LIMIT_WORDS, [-1])).toEqual([]);
    // What any value of can be true is not looked at.
    expect(see(FAILURES, [7])).toHaveLength(1);
  });

  test('in a mark of a bin that holds something; a mark of one that does not is allowed', () => {
    const { words, state, check } = inUse(kind);
    const mask = words[state + BIN_MASK]!;
    const filled = range(0, BIN_COUNT).filter((bin) => words[sentinelOf(state, bin)] !== sentinelOf(state, bin));
    expect(filled.length).toBeGreaterThan(2);
    for (const bin of filled) expect(unseenDamage(words, [state + BIN_MASK], check, [(word) => word & ~(1 << bin)])).toEqual([]);
    for (const bin of range(2, BIN_COUNT)) words[state + BIN_MASK]! |= 1 << bin;
    check();
    words[state + BIN_MASK] = mask;
    expect(unseenDamage(words, [state + BIN_MASK], check, [() => 0, () => -1, (word) => word | (1 << 31), (word) => word | (1 << 30)])).toEqual([]);
  });

  test('by attach', () => {
    const { heap, words, check } = inUse(kind);
    const { address } = fragments(heap).at(2)!;
    words[address / 4 + BEFORE]! += 4;
    expect(check).toThrow(refusal('corrupt'));
    expect(() => O1Heap.attach(heap.memory, heap.address)).toThrow();
  });
});

test('marks of empty bins are corrected on the way, not believed', () => {
  const { heap, words, state } = inUse('fixed');
  for (const bin of range(2, BIN_COUNT)) words[state + BIN_MASK]! |= 1 << bin;
  const { largestFree } = heap.stats();
  expect(heap.allocate(largestFree + 1)).toBe(NULL);
  expect(heap.allocate(largestFree)).not.toBe(NULL);
  heap.checkInvariants();
});

describe('the check of the diagnostics', () => {
  /** Runs it, counting the words it reads. */
  function wordsRead(heap: O1Heap): number {
    let count = 0;
    const words = new Proxy(heap.memory.i32, {
      get: (target, key) => {
        count += 1;
        return Reflect.get(target, key) as unknown;
      },
    });
    const memory = new Proxy(heap.memory, {
      get: (target, key) => (key === 'i32' ? words : key === 'refresh' ? () => undefined : (Reflect.get(target, key) as unknown)),
    });
    checkHeap(HALF_FIT, memory, heap.address, false);
    return count;
  }

  test('reads no more words of a heap with 10,000 blocks than the bins can make it', () => {
    const heap = O1Heap.create(buffer(), { size: 2 ** 19 });
    const empty = wordsRead(heap);
    const blocks = range(0, 10_000).map(() => heap.allocate(20));
    const full = wordsRead(heap);
    blocks.forEach((block, i) => {
      if (i % 2 === 0) heap.deallocate(block);
    });
    for (const count of [empty, full, wordsRead(heap)]) expect(count).toBeLessThan(100);
    heap.checkDiagnostics();
  });

  test('sees damage to the figures and to the heads of the bins, not what only a walk can see', () => {
    const { heap, words, state } = inUse('fixed');
    const check = (): void => heap.checkDiagnostics();
    const capacity = words[state + CAPACITY]!;
    const values = [-4, 0, 2, capacity + 4].map((value) => () => value);
    expect(unseenDamage(words, [state + ALLOCATED], check, values.filter((value) => value() !== 0))).toEqual([]);
    expect(unseenDamage(words, [state + CAPACITY], check, values.slice(0, 3))).toEqual([]);
    for (const bin of range(2, BIN_COUNT)) {
      const sentinel = sentinelOf(state, bin);
      if (words[sentinel] === sentinel) expect(unseenDamage(words, [sentinel + PREVIOUS], check)).toEqual([]);
      expect(unseenDamage(words, [sentinel], check)).toEqual([]);
    }
    const { address } = fragments(heap).find(({ used }) => used)!;
    words[address / 4 + BEFORE]! += 4;
    heap.checkDiagnostics();
    expect(() => heap.checkInvariants()).toThrow(refusal('corrupt'));
  });
});
