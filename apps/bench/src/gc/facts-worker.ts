/** A worker of `gc`: what the collector promises of itself, measured in an isolate of its own. */

import { parentPort, workerData } from 'node:worker_threads';

import { max, quantileSorted } from 'simple-statistics';
import { committedHeap, heap, makeItem, refArray } from './allokit-programs.ts';
import type { FactName, Fact } from './facts.ts';

const MIB = 2 ** 20;
const CALL = 20_000;

/** The percentiles of some durations. */
function factOf(name: FactName, samples: readonly number[], unit: string): Fact {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => quantileSorted(sorted, share);
  return { name, unit, count: sorted.length, best: sorted[0]!, median: at(0.5), p99: at(0.99), max: max(sorted) };
}

const consType = heap.define('cons', { head: 'i32', tail: 'ref' });
const cons = consType.maker('head', 'tail');

function allocateMany(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum = (sum + cons(i, 0)) | 0;
  return sum;
}

function allocateItems(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum = (sum + makeItem(0, i)) | 0;
  return sum;
}

/** Nanoseconds an allocation, the minor collections that it causes included. */
function allocation(name: FactName, allocate: (count: number) => number, rounds: number): Fact {
  const samples: number[] = [];
  for (let round = -100; round < rounds; round += 1) {
    const start = performance.now();
    allocate(CALL);
    if (round >= 0) samples.push(((performance.now() - start) * 1e6) / CALL);
  }
  return factOf(name, samples, 'ns');
}

/** Milliseconds of the minor collection of a nursery full of objects of 64 bytes, one in ten of them reachable. */
function minorCollection(rounds: number): Fact {
  const { stack } = heap;
  const samples: number[] = [];
  const perEden = (2 * MIB) / 64;
  for (let round = -20; round < rounds; round += 1) {
    heap.collect('minor');
    const list = stack.push(0);
    for (let i = 0; i < perEden - 1; i += 1) {
      const made = makeItem(i % 10 === 0 ? stack.get(list) : 0, i);
      if (i % 10 === 0) stack.set(list, made);
    }
    const start = performance.now();
    heap.collect('minor');
    if (round >= 0) samples.push(performance.now() - start);
    stack.truncate(list);
  }
  return factOf('minor', samples, 'ms');
}

/** Milliseconds of the steps of a marking of 256 MiB, to a budget. */
function markingSteps(budgetMs: number, cycles: number): Fact {
  const big = committedHeap(384 * MIB, { threshold: 2 ** 31, pauseTargetMs: 1000 });
  const node = big.define('node', { next: 'ref', other: 'ref', a: 'i32', b: 'i32', c: 'i32', d: 'i32', e: 'i32', f: 'i32' });
  const make = node.maker('next', 'other');
  const { stack } = big;
  // 40 bytes each. Lists beside one another, that refer to one another, so that the marking is not along the memory.
  const lists = 1000;
  for (let i = 0; i < lists; i += 1) stack.push(0);
  const count = (256 * MIB) / 40;
  for (let i = 0; i < count; i += 1) {
    const slot = i % lists;
    stack.set(slot, make(stack.get(slot), stack.get(Math.imul(i, 2_654_435_761) >>> 22 < lists ? Math.imul(i, 2_654_435_761) >>> 22 : 0)));
  }
  const samples: number[] = [];
  for (let cycle = -1; cycle < cycles; cycle += 1) {
    big.startMarking();
    while (big.stats().phase === 'marking') {
      const start = performance.now();
      big.step(budgetMs);
      if (cycle >= 0) samples.push(performance.now() - start);
    }
    while (!big.step(budgetMs));
  }
  return factOf('marking', samples, 'ms');
}

/** Bytes taken for a million objects of 32 bytes that are reachable: at the most, and when the heap is at rest. */
function memory(): Fact {
  const small = committedHeap(128 * MIB);
  const node = small.define('node', { next: 'ref', a: 'i32', b: 'i32', c: 'i32', d: 'i32', e: 'i32', f: 'i32', g: 'i32' });
  if (node.size !== 32) throw new Error(`the objects have ${node.size} bytes`);
  const make = node.maker('next', 'a');
  const list = small.handle(0);
  for (let i = 0; i < 1_000_000; i += 1) list.ref = make(list.ref, i);
  small.verify();
  for (let i = 0; i < 4; i += 1) small.collect('full');
  const { takenBytes, takenBytesMax, tableBytes } = small.stats();
  if (small.census()[0]!.count !== 1_000_000) throw new Error('not all of them are left');
  return { name: 'memory', unit: 'MB', count: 1_000_000, best: (takenBytes + tableBytes) / 1e6, median: (takenBytes + tableBytes) / 1e6, p99: NaN, max: takenBytesMax / 1e6 };
}

const { rounds, budgetMs } = workerData as { readonly rounds: number; readonly budgetMs: number };
refArray.allocate(0);
const facts = [
  allocation('allocation', allocateMany, rounds * 20),
  allocation('allocation of 64 bytes', allocateItems, rounds * 20),
  minorCollection(Math.max(20, rounds * 20)),
  markingSteps(budgetMs, Math.max(1, Math.ceil(rounds / 3))),
  memory(),
];
parentPort!.postMessage(facts);
