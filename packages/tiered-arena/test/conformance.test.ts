import { conformance, type ConformanceOptions } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { TieredArena, type Tier, type TierPlan } from '../src/index.ts';

/** Enough for slabs of all classes at once. Checks and figures are O(pages) for each call: more would only take longer. */
const CAPACITY = 3 * 2 ** 16;
const FUZZ = { operations: 150, checkInvariantsEvery: 16 };

interface Variant {
  readonly name: string;
  readonly plan: TierPlan;
  readonly shared: boolean;
  readonly checked?: boolean;
  readonly pageSize?: number;
  readonly capacity?: number;
}

const VARIANTS: readonly Variant[] = [
  { name: 'Tier of 8 bytes', plan: { name: 'only', share: 1, alignment: 8 }, shared: true },
  { name: 'Tier of 64 bytes, unshared', plan: { name: 'only', share: 1, alignment: 64 }, shared: false },
  { name: 'Tier of 128 bytes, checked', plan: { name: 'only', share: 1, alignment: 128 }, shared: true, checked: true },
  { name: 'Tier of 8 bytes, pages of 16 KiB', plan: { name: 'only', share: 1, alignment: 8 }, shared: true, pageSize: 16_384, capacity: 2 ** 18 },
  { name: 'Tier of 4096 bytes', plan: { name: 'only', share: 1, alignment: 4096 }, shared: true },
];

function options({ name, plan, shared, checked = false, pageSize = 4096, capacity = CAPACITY }: Variant): ConformanceOptions<Tier> {
  return {
    name,
    capacity,
    fuzz: FUZZ,
    create: () => {
      const memory = BufferMemory.create({ reserve: 2 ** 22, shared });
      const outside = memory.allocate(4096);
      const arena = TieredArena.create(memory, { capacity, tiers: [plan], threads: 2, checked, pageSize });
      return { allocator: arena.tier('only'), foreign: [outside], dispose: () => arena.release() };
    },
  };
}

for (const variant of VARIANTS) {
  describe(variant.name, () => {
    for (const { name, run } of conformance(options(variant))) test(name, run);
  });
}

describe('a tier that grows', () => {
  const cases = conformance({
    name: 'Tier that grows',
    capacity: CAPACITY,
    fuzz: FUZZ,
    create: () => {
      const memory = WasmMemory.create({ reserve: 2 ** 20, shared: false });
      const plan = { name: 'only', share: 1, alignment: 8, growth: CAPACITY / 4, limit: CAPACITY };
      const arena = TieredArena.create(memory, { capacity: CAPACITY / 4, tiers: [plan] });
      return { allocator: arena.tier('only'), dispose: () => arena.release() };
    },
  });
  for (const { name, run } of cases) test(name, run);
});
