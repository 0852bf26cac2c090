/** Random programs, in the heap and in JavaScript. Another seed is given by ALLOKIT_SEED. */

import { environmentSeed } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import type { HeapOptions } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { Mutator } from './mutator.ts';

interface Mode {
  readonly name: string;
  readonly options: HeapOptions;
  readonly operations?: number;
  readonly compareEvery?: number;
  readonly program?: ConstructorParameters<typeof Mutator>[2];
}

const EVERY = { verify: true } as const;

const MODES: readonly Mode[] = [
  { name: 'undisturbed', options: {}, operations: 20_000, compareEvery: 500 },
  { name: 'checked accessors', options: { checked: true }, operations: 4000 },
  { name: 'large objects', options: {}, program: { largeLength: 100_000 }, operations: 4000 },
  { name: 'types beyond the header', options: { stress: { action: 'minor', everyBytes: 512, ...EVERY } }, program: { dummyTypes: 124 } },
  { name: 'a minor collection at every allocation', options: { stress: { action: 'minor', ...EVERY } } },
  { name: 'a step at every allocation', options: { stress: { action: 'step', ...EVERY } }, operations: 3000 },
  { name: 'a step every 2 KiB', options: { stress: { action: 'step', everyBytes: 2048, ...EVERY } }, operations: 6000 },
  { name: 'everything collected at every allocation', options: { stress: { action: 'full', ...EVERY } } },
  { name: 'compacted at every allocation', options: { stress: { action: 'compact', ...EVERY } } },
  { name: 'every object is promoted at once', options: { tenure: 1, stress: { action: 'step', everyBytes: 256, ...EVERY } } },
  { name: 'never incremental', options: { incremental: false, compaction: true }, operations: 8000, compareEvery: 200 },
];

describe.each(MODES)('$name', ({ options, operations = 1200, compareEvery = 60, program }) => {
  test.each(seeds(4))('seed %i', (seed) => {
    const heap = smallHeap(options);
    const mutator = new Mutator(heap, seed, program);
    mutator.run(operations, compareEvery);
    mutator.compareExactly();
    expect(mutator.compared).toBeGreaterThan(0);
    heap.release();
  });
});

describe('in a heap that is too small', () => {
  test.each(seeds(6))('seed %i', (seed) => {
    const heap = smallHeap({ limit: 2 ** 17 + 2 ** 15, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 15 });
    const mutator = new Mutator(heap, seed, { largeLength: 20_000 });
    mutator.run(10_000, 100);
    expect(mutator.refusals).toBeGreaterThan(0);
    mutator.compareExactly();
    heap.release();
  });
});

function seeds(count: number): number[] {
  const given = environmentSeed();
  return given === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [given];
}
