import type { Allocator } from '@allokit/allocator';
import { conformance, monotonicConformance, type Expectations } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { generalPurpose, hybridPool } from '../src/index.ts';

interface Assembly extends Expectations {
  readonly name: string;
  readonly create: (memory: PagedMemory) => Allocator;
  /** Bytes of the memory. */
  readonly reserve: number;
}

/** What grows has another capacity after a request that failed: it may have given back what was in its way. */
const volatileStats = ['capacity', 'slabCount', 'spareCount'];

/** The chunk of an arena is 2 MiB unless told otherwise, of which the suite's capacity is a small part: so fill it with large blocks. */
const HYBRID_RESERVE = 2 ** 22;

/** Of a heap that grew in many regions: none is larger than what was asked for when it was added. */
const IN_REGIONS: Omit<Expectations, 'capacity'> = {
  sizeMax: 2 ** 13,
  alignmentMax: 1024,
  detects: { stale: false },
  coalesces: false,
  volatileStats: ['capacity', 'peakRequest', 'largestFree', 'externalFragmentation'],
};

const ASSEMBLIES: readonly Assembly[] = [
  {
    name: 'generalPurpose',
    create: generalPurpose,
    reserve: 3 * 2 ** 17,
    capacity: 3 * 2 ** 17,
    sizeMax: 2 ** 13,
    detects: { stale: false },
    // Descriptors of slabs stay where they are once there were many, and may stand in the way of one large block.
    coalesces: false,
    volatileStats,
  },
  {
    name: 'hybridPool',
    create: hybridPool,
    reserve: HYBRID_RESERVE,
    capacity: HYBRID_RESERVE,
    sizeMax: 2 ** 17,
    // What the arena handed out comes back with a reset only.
    refillRatio: 0,
    coalesces: false,
    volatileStats,
  },
  {
    name: 'a slab pool on a heap',
    create: (memory) => SlabPool.create(O1Heap.create(memory, { size: 2 ** 17 }), { slabSize: 4096 }),
    reserve: 2 ** 18,
    capacity: 2 ** 17,
    sizeMax: 256,
    alignmentMax: 256,
    volatileStats,
  },
  {
    name: 'a heap on a growing heap',
    create: (memory) => O1Heap.create(O1Heap.create(memory, { size: 2 ** 14, growth: { step: 2 ** 14 } }), { size: 4096, growth: { step: 4096, limit: 2 ** 17 } }),
    reserve: 2 ** 18,
    capacity: 2 ** 17,
    ...IN_REGIONS,
  },
  {
    name: 'a heap on an arena',
    create: (memory) => O1Heap.create(Arena.create(memory, { chunkSize: 2 ** 16, alignment: 16 }), { size: 2 ** 14, growth: { step: 2 ** 14, limit: 2 ** 17 } }),
    reserve: 2 ** 18,
    capacity: 2 ** 17,
    ...IN_REGIONS,
  },
];

interface MemoryKind {
  readonly where: string;
  readonly createMemory: (reserve: number) => PagedMemory;
  readonly isLong: boolean;
}

const MEMORIES: readonly MemoryKind[] = [
  { where: 'WebAssembly memory', createMemory: (reserve) => WasmMemory.create({ reserve, pageSize: 4096 }), isLong: true },
  { where: 'shared WebAssembly memory', createMemory: (reserve) => WasmMemory.create({ reserve, pageSize: 4096, shared: true }), isLong: false },
  { where: 'buffer', createMemory: (reserve) => BufferMemory.create({ reserve }), isLong: false },
  { where: 'shared buffer', createMemory: (reserve) => BufferMemory.create({ reserve, shared: true }), isLong: false },
];

/** Cases that fill an allocator with tiny blocks again and again: of a preset they take seconds, and one kind of memory says it all. */
const LONG = /^(generalPurpose|hybridPool): (out of memory|reset frees everything|a freed block is room)/;

const FUZZ = { operations: 150, checkInvariantsEvery: 32 };

for (const { where, createMemory, isLong } of MEMORIES) {
  describe(where, () => {
    for (const { name, create, reserve, ...expectations } of ASSEMBLIES) {
      const cases = conformance({ name, create: () => create(createMemory(reserve)), fuzz: FUZZ, ...expectations });
      for (const { name: title, run } of cases) if (isLong || !LONG.test(title)) test(title, run);
    }
    const cases = monotonicConformance({
      name: 'an arena on a heap',
      create: () => Arena.create(O1Heap.create(createMemory(2 ** 19), { size: 2 ** 18 }), { chunkSize: 4096 - 8 }),
      capacity: 2 ** 18,
      sizeMax: 2 ** 13,
      volatileStats: ['capacity', 'chunkCount'],
      fuzz: FUZZ,
    });
    for (const { name: title, run } of cases) test(title, run);
  });
}
