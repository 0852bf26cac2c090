import { conformance } from '@allokit/allocator/testing';
import type { PagedMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { Tlsf } from '../src/index.ts';
import { MEMORIES } from './memories.ts';

const SIZE = 2 ** 17;
const RESERVE = 2 ** 18;

interface Assembly {
  readonly name: string;
  readonly create: (memory: PagedMemory) => Tlsf;
  readonly capacity: number;
  readonly volatileStats?: readonly string[];
}

/** What grows changes its capacity when asked for more; what was asked for in vain is counted as the largest request. */
const GROWING = ['capacity', 'peakRequest', 'largestFree', 'externalFragmentation'];

const ASSEMBLIES: readonly Assembly[] = [
  { name: 'a heap of fixed size', create: (memory) => Tlsf.create(memory, { size: SIZE }), capacity: SIZE },
  {
    name: 'a heap placed by the caller',
    create: (memory) => Tlsf.createAt(memory, memory.allocate(SIZE) + 48, SIZE - 48),
    capacity: SIZE,
  },
  {
    name: 'a heap that grows where it stands',
    create: (memory) => Tlsf.create(memory, { size: 8192, growth: { step: 4096, limit: SIZE } }),
    capacity: SIZE,
    volatileStats: GROWING,
  },
  {
    name: 'a heap that grows by regions',
    create: (memory) => {
      const heap = Tlsf.create(memory, { size: 32_768, growth: { step: 32_768, limit: SIZE } });
      memory.allocate(1);
      return heap;
    },
    capacity: SIZE,
    volatileStats: GROWING,
  },
  {
    name: 'a heap in a heap',
    create: (memory) => Tlsf.create(Tlsf.create(memory, { size: 2 * SIZE - 32_768 }), { size: SIZE - 8 }),
    capacity: SIZE,
  },
];

for (const { name: where, create: createMemory } of MEMORIES) {
  describe(where, () => {
    for (const { name, create, ...expectations } of ASSEMBLIES) {
      const cases = conformance({
        name,
        create: () => {
          const memory = createMemory(RESERVE);
          const before = memory.allocate(1);
          return { allocator: create(memory), foreign: [before, 16] };
        },
        sizeMax: SIZE / 16,
        fuzz: { operations: 150, checkInvariantsEvery: 8 },
        ...expectations,
      });
      for (const { name: title, run } of cases) test(title, run);
    }
  });
}
