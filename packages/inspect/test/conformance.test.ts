import { compile } from '@allokit/allocator';
import { conformance } from '@allokit/allocator/testing';
import { describe, test } from 'vitest';
import { Profiled, Recorded } from '../src/index.ts';
import { tlsf } from './memories.ts';

const EXPECTATIONS = { capacity: 2 ** 17, sizeMax: 2 ** 13, fuzz: { operations: 150, checkInvariantsEvery: 32 } };

describe.each([
  { name: 'Recorded', create: () => Recorded.create(tlsf()) },
  { name: 'Recorded, full', create: () => Recorded.create(tlsf(), { limit: 1 }) },
  { name: 'Profiled', create: () => Profiled.create(tlsf(), { depth: 1 }) },
  { name: 'Profiled, sampled', create: () => Profiled.create(tlsf(), { interval: 1000, depth: 1 }) },
  { name: 'Recorded, compiled', create: () => compile(Recorded.create(tlsf())) },
  { name: 'Profiled, sampled, compiled', create: () => compile(Profiled.create(tlsf(), { interval: 1000, depth: 1 })) },
])('$name', ({ name, create }) => {
  for (const { name: title, run } of conformance({ name, create, ...EXPECTATIONS })) test(title, run);
});
