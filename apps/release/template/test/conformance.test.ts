import { conformance } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { FixedPool } from '../src/index.ts';

const RESERVE = 2 ** 20;
const OPTIONS = { slotSize: 64, slotCount: 4096 };

const MEMORIES = [
  { name: 'in a buffer', create: () => BufferMemory.create({ reserve: RESERVE }) },
  { name: 'in shared memory', create: () => BufferMemory.create({ reserve: RESERVE, shared: true }) },
  { name: 'in WebAssembly memory', create: () => WasmMemory.create({ reserve: RESERVE }) },
];

for (const { name, create } of MEMORIES) {
  describe(name, () => {
    const cases = conformance({
      name: 'FixedPool',
      create: () => FixedPool.create(create(), OPTIONS),
      capacity: OPTIONS.slotSize * OPTIONS.slotCount,
      sizeMax: OPTIONS.slotSize,
      alignmentMax: 16,
      fuzz: { operations: 150, checkInvariantsEvery: 16 },
    });
    for (const { name: title, run } of cases) test(title, run);
  });
}
