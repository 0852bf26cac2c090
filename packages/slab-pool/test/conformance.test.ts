import { conformance } from '@allokit/allocator/testing';
import type { PagedMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { SlabPool } from '../src/index.ts';
import { MEMORIES } from './memories.ts';

/** Two to a doubling: not all are powers of two. */
const FINE = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];

/** Each leaves room for a slab of every class: what a small request must always find. */
interface Assembly {
  readonly name: string;
  readonly create: (memory: PagedMemory) => SlabPool;
  readonly capacity: number;
  readonly sizeMax: number;
  readonly alignmentMax: number;
}

const ASSEMBLIES: readonly Assembly[] = [
  { name: 'the default classes', create: (memory) => SlabPool.create(memory), capacity: 7 * 2 ** 16, sizeMax: 256, alignmentMax: 256 },
  {
    name: 'fine classes in slabs of 16 KiB',
    create: (memory) => SlabPool.create(memory, { classes: FINE, slabSize: 16_384 }),
    capacity: 2 ** 18,
    sizeMax: 1024,
    alignmentMax: 1024,
  },
  {
    name: 'slabs of 4 KiB that go back at once',
    create: (memory) => SlabPool.create(memory, { slabSize: 4096, spareBytes: 0 }),
    capacity: 2 ** 16,
    sizeMax: 256,
    alignmentMax: 256,
  },
  {
    name: 'one class that does not divide its slabs',
    create: (memory) => SlabPool.create(memory, { classes: [1008], slabSize: 8192, spareBytes: 16_384 }),
    capacity: 2 ** 17,
    sizeMax: 1008,
    alignmentMax: 16,
  },
];

for (const { name: where, create: createMemory } of MEMORIES) {
  describe(where, () => {
    for (const { name, create, ...expectations } of ASSEMBLIES) {
      const cases = conformance({
        name,
        create: () => {
          const memory = createMemory(expectations.capacity);
          const before = memory.allocate(1);
          return { allocator: create(memory), foreign: [before, 16] };
        },
        // A failed request gathers the empty slabs of all classes, which may then go back.
        volatileStats: ['capacity', 'slabCount', 'spareCount'],
        fuzz: { operations: 150, checkInvariantsEvery: 32 },
        ...expectations,
      });
      for (const { name: title, run } of cases) test(title, run);
    }
  });
}
