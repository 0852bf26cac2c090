import { monotonicConformance } from '@allokit/allocator/testing';
import { describe, test } from 'vitest';
import { Arena, type ArenaOptions } from '../src/index.ts';
import { MEMORIES } from './memories.ts';

const CAPACITY = 2 ** 18;

const ASSEMBLIES: readonly { readonly name: string; readonly options: ArenaOptions }[] = [
  { name: 'an arena of many chunks', options: { chunkSize: 8192 } },
  { name: 'an arena aligned to 4', options: { chunkSize: 4096 - 20, alignment: 4 } },
  { name: 'an arena aligned to 64', options: { chunkSize: 16_384, alignment: 64 } },
  { name: 'an arena of one chunk', options: { chunkSize: CAPACITY - 2 * 4096 } },
];

for (const { name: where, create } of MEMORIES) {
  describe(where, () => {
    for (const { name, options } of ASSEMBLIES) {
      const cases = monotonicConformance({
        name,
        create: () => {
          const memory = create(CAPACITY);
          const before = memory.allocate(1);
          return { allocator: Arena.create(memory, options), foreign: [before, 16] };
        },
        capacity: CAPACITY,
        sizeMax: 2 ** 14,
        // A request that fails may have given back chunks that stood in its way.
        volatileStats: ['capacity', 'chunkCount'],
        fuzz: { operations: 150, checkInvariantsEvery: 16 },
      });
      for (const { name: title, run } of cases) test(title, run);
    }
  });
}
