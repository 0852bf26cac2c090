/** What every heap of fragments gets from this package, shown by the plainest. The heaps that are built on it test more, each on its own bins. */

import { conformance, range, unseenDamage } from '@allokit/allocator/testing';
import { BufferMemory, type PagedMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BIN_MASK,
  CAPACITY,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_SIZE_MIN,
  LAST_REGION,
  OWN_FIELDS,
  PREVIOUS,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  USED,
  checkHotLayout,
  heapSizeMin,
} from '../src/index.ts';
import { FIRST_FIT, FirstFit } from './first-fit.ts';

const SIZE_OF_HEAP = 2 ** 17;
const GROWING = ['capacity', 'peakRequest', 'largestFree', 'externalFragmentation'];

function buffer(): BufferMemory {
  return BufferMemory.create({ reserve: 2 ** 18, pageSize: 4096 });
}

const ASSEMBLIES = [
  { name: 'a heap of fixed size', create: (memory: PagedMemory) => FirstFit.create(memory, { size: SIZE_OF_HEAP }), volatileStats: [] },
  {
    name: 'a heap that grows where it stands',
    create: (memory: PagedMemory) => FirstFit.create(memory, { size: 4096, growth: { step: 4096, limit: SIZE_OF_HEAP } }),
    volatileStats: GROWING,
  },
  {
    name: 'a heap that grows by regions',
    create: (memory: PagedMemory) => {
      const heap = FirstFit.create(memory, { size: 32_768, growth: { step: 32_768, limit: SIZE_OF_HEAP } });
      memory.allocate(1);
      return heap;
    },
    volatileStats: GROWING,
  },
];

describe.each(ASSEMBLIES)('$name', ({ name, create, volatileStats }) => {
  const cases = conformance({
    name,
    create: () => {
      const memory = buffer();
      const before = memory.allocate(1);
      return { allocator: create(memory), foreign: [before, 16] };
    },
    capacity: SIZE_OF_HEAP,
    sizeMax: SIZE_OF_HEAP / 16,
    volatileStats,
    fuzz: { operations: 150, checkInvariantsEvery: 8 },
  });
  for (const { name: title, run } of cases) test(title, run);
});

test('damage is seen in every header and link, of a fragment, a region and the state', () => {
  const memory = buffer();
  const heap = FirstFit.create(memory, { size: 4096, growth: { step: 4096 } });
  memory.allocate(1);
  const blocks = range(0, 12).map((i) => heap.allocate(100 + 100 * i));
  for (const i of [1, 4, 5, 9]) heap.deallocate(blocks[i]!);
  const words = memory.i32;
  const state = heap.address / 4;
  const indices = [FIRST_REGION, LAST_REGION, CAPACITY, ALLOCATED, OWN_FIELDS, OWN_FIELDS + PREVIOUS].map((field) => state + field);
  let regionCount = 0;
  for (let region = words[state + FIRST_REGION]!; region !== 0; region = words[region + REGION_NEXT]!) {
    const end = region + words[region + REGION_WORDS]!;
    indices.push(region + REGION_NEXT, region + REGION_WORDS, region + REGION_BEGIN + SIZE, region + REGION_BEGIN + BEFORE, end + SIZE, end + BEFORE);
    for (let block = region + REGION_FIRST; block < end; block += words[block + SIZE]! & ~USED) {
      indices.push(block + SIZE, block + BEFORE);
      if ((words[block + SIZE]! & USED) === 0) indices.push(block, block + PREVIOUS);
    }
    regionCount += 1;
  }
  expect(regionCount).toBeGreaterThan(1);
  expect(unseenDamage(words, indices, () => heap.checkInvariants())).toEqual([]);
  expect(FirstFit.attach(memory, heap.address).stats()).toEqual(heap.stats());
});

test('a heap whose layout differs in what it has written out once more does not load', () => {
  const layout = { FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, USED, SIZE, BEFORE, PREVIOUS, BIN_MASK, ALLOCATED, ALLOCATED_PEAK, REQUEST_PEAK };
  checkHotLayout(layout);
  for (const name of Object.keys(layout) as (keyof typeof layout)[]) expect(() => checkHotLayout({ ...layout, [name]: layout[name] + 1 })).toThrow(name);
});

test('the smallest heap is a state, what a region needs, and one fragment', () => {
  const size = heapSizeMin(FIRST_FIT.stateSize);
  expect(() => FirstFit.create(buffer(), { size: size - 1 })).toThrow(RangeError);
  const heap = FirstFit.create(buffer(), { size });
  expect([heap.stats().capacity, heap.stats().largestFree]).toEqual([16, 8]);
});
