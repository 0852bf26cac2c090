import { conformance } from '@allokit/allocator/testing';
import { describe, test } from 'vitest';
import { MEMORIES } from './memories.ts';

/** Each memory with each of these pages; a suite's worth of pages in each. */
const PAGES = [
  { pageSize: 64, reserve: 2 ** 18, sizeMax: 2 ** 14 },
  { pageSize: 4096, reserve: 2 ** 19, sizeMax: 2 ** 16 },
  { pageSize: 65_536, reserve: 2 ** 22, sizeMax: 2 ** 19 },
];

for (const kind of MEMORIES) {
  describe.each(PAGES)(`${kind.name} in pages of $pageSize`, ({ pageSize, reserve, sizeMax }) => {
    const cases = conformance({
      name: 'the memory',
      create: () => ({ allocator: kind.create({ reserve, pageSize }), foreign: [16, 32] }),
      capacity: reserve,
      sizeMax,
      // Larger pages align to themselves.
      alignmentMax: Math.max(4096, pageSize),
      fuzz: { operations: 200, checkInvariantsEvery: 8 },
    });
    for (const { name, run } of cases) test(name, run);
  });
}
