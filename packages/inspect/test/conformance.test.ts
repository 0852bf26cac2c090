import { NULL, compile } from '@allokit/allocator';
import { conformance } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { Profiled, Recorded } from '../src/index.ts';
import { Counted } from '../src/native/counted.ts';
import { tlsf } from './memories.ts';

const EXPECTATIONS = { capacity: 2 ** 17, sizeMax: 2 ** 13, fuzz: { operations: 150, checkInvariantsEvery: 32 } };

describe.each([
  { name: 'Recorded', create: () => Recorded.create(tlsf()) },
  { name: 'Counted', create: () => Counted.create(tlsf(), () => undefined) },
  { name: 'Recorded, full', create: () => Recorded.create(tlsf(), { limit: 1 }) },
  { name: 'Profiled', create: () => Profiled.create(tlsf(), { depth: 1 }) },
  { name: 'Profiled, sampled', create: () => Profiled.create(tlsf(), { interval: 1000, depth: 1 }) },
  { name: 'Recorded, compiled', create: () => compile(Recorded.create(tlsf())) },
  { name: 'Profiled, sampled, compiled', create: () => compile(Profiled.create(tlsf(), { interval: 1000, depth: 1 })) },
])('$name', ({ name, create }) => {
  for (const { name: title, run } of conformance({ name, create, ...EXPECTATIONS })) test(title, run);
});

test('what changed something is counted; blocks of before are served', () => {
  const heap = tlsf();
  const before = heap.allocate(8);
  let count = 0;
  const counted = Counted.create(heap, () => (count += 1));
  const counts = [
    () => counted.deallocate(before), () => counted.allocate(0), () => counted.allocate(2 ** 30), () => counted.deallocate(NULL), () => counted.reallocate(NULL, 0, 0),
    () => counted.reallocate(NULL, 0, 8), () => counted.reallocate(counted.allocate(8), 8, 0), () => counted.resize(counted.allocate(64), 64, 32), () => counted.reset(),
  ].map((step) => {
    step();
    return count;
  });
  expect(counts).toEqual([1, 1, 1, 1, 1, 2, 4, 6, 7]);
});
