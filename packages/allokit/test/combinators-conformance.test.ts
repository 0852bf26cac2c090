import { Bounded, Fallback, Guarded, Locked, Null, RemoteFree, Retained, Scoped, Segregator, Tracked, type Allocator } from '@allokit/allocator';
import { conformance, type Expectations } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { MEMORIES, type Root } from './combinators/assemblies.ts';
import { Bump } from './combinators/bump.ts';

/** Small, because the suite fills every one many times. */
const HEAP_SIZE = 2 ** 15;
const POOL_HEAP_SIZE = 2 ** 17;

/** The heap does not detect addresses from before a reset: it writes nothing into the blocks then. */
const ON_HEAP: Expectations = { capacity: HEAP_SIZE, sizeMax: HEAP_SIZE / 16, detects: { stale: false } };

/** The suite holds that freed memory can be had again, which is the one thing that `Retained` denies. */
const NEEDS_FREE = /freed memory is available again|random program, (uniform|fresh seed)/;

interface Assembly extends Expectations {
  readonly name: string;
  readonly create: (root: Root) => Allocator;
  /** The cases that do not apply. */
  readonly except?: RegExp;
}

function heapOn(root: Root, size = HEAP_SIZE): O1Heap {
  return O1Heap.create(root, { size });
}

/** A pool holds what its slabs hold: few enough for the suite to fill. */
const ON_POOL: Expectations = { capacity: 2 ** 16, sizeMax: 256, alignmentMax: 256, coalesces: false, volatileStats: ['capacity', 'slabCount', 'spareCount'] };

function poolOn(root: Root): SlabPool {
  return SlabPool.create(heapOn(root, POOL_HEAP_SIZE), { slabSize: 4096 });
}

/** @param reserve - Bytes in the memory. */
function assemblies(reserve: number): readonly Assembly[] {
  const onRoot: Expectations = { capacity: reserve, sizeMax: reserve / 8 };
  return [
    {
      name: 'Segregator of two heaps',
      create: (root) => Segregator.create({ threshold: 256, small: heapOn(root), large: heapOn(root) }),
      ...ON_HEAP,
      capacity: 2 * HEAP_SIZE,
      coalesces: false,
    },
    {
      name: 'Segregator of a heap and the rest of its memory',
      create: (root) => Segregator.create({ threshold: 4096, small: heapOn(root), large: Scoped.create(root) }),
      ...onRoot,
      detects: { stale: false },
      coalesces: false,
    },
    {
      name: 'Segregator of a heap in a scope of a heap',
      create: (root) => {
        const heap = heapOn(root, 2 * HEAP_SIZE);
        return Segregator.create({ threshold: 256, small: heapOn(heap as unknown as Root, HEAP_SIZE / 2), large: Scoped.create(heap) });
      },
      ...ON_HEAP,
      capacity: 2 * HEAP_SIZE,
      coalesces: false,
    },
    { name: 'Fallback of two heaps', create: (root) => Fallback.create(heapOn(root), heapOn(root)), ...ON_HEAP, capacity: 2 * HEAP_SIZE },
    { name: 'Fallback of a heap and nothing', create: (root) => Fallback.create(heapOn(root), Null.create(root)), ...ON_HEAP },
    { name: 'Fallback of nothing and a memory', create: (root) => Fallback.create(Null.create(root), root), ...onRoot },
    { name: 'Bounded heap', create: (root) => Bounded.create(heapOn(root), { limit: HEAP_SIZE / 2 }), ...ON_HEAP, capacity: HEAP_SIZE / 2 },
    { name: 'Bounded heap below its quota', create: (root) => Bounded.create(heapOn(root), { limit: 2 ** 32 }), ...ON_HEAP },
    { name: 'Bounded memory', create: (root) => Bounded.create(root, { limit: reserve / 2 }), ...onRoot, capacity: reserve / 2, sizeMax: reserve / 16 },
    { name: 'Tracked heap', create: (root) => Tracked.create(heapOn(root)), ...ON_HEAP, detects: {} },
    { name: 'Tracked heap with sites', create: (root) => Tracked.create(heapOn(root), { sites: { depth: 2 } }), ...ON_HEAP, detects: {} },
    { name: 'Tracked memory', create: (root) => Tracked.create(root), ...onRoot },
    { name: 'Guarded heap', create: (root) => Guarded.create(heapOn(root)), ...ON_HEAP, detects: {}, refillRatio: 0.75, alignmentMax: 1024 },
    {
      name: 'Guarded heap without quarantine or fences',
      create: (root) => Guarded.create(heapOn(root), { quarantineBytes: 0, fenceSize: 0, poison: false }),
      ...ON_HEAP,
      detects: {},
    },
    { name: 'Guarded memory', create: (root) => Guarded.create(root, { fenceSize: 100 }), ...onRoot, sizeMax: reserve / 32, refillRatio: 0.7 },
    { name: 'Scoped heap', create: (root) => Scoped.create(heapOn(root)), ...ON_HEAP, detects: {} },
    { name: 'Scoped memory', create: (root) => Scoped.create(root), ...onRoot },
    {
      name: 'Retained arena',
      create: (root) => Retained.create(Bump.create(root, HEAP_SIZE)),
      ...ON_HEAP,
      alignmentMax: 1024,
      detects: {},
      refillRatio: 0,
      coalesces: false,
      except: NEEDS_FREE,
    },
    {
      name: 'Segregator of a heap and a retained arena',
      create: (root) => Segregator.create({ threshold: 256, small: heapOn(root), large: Retained.create(Bump.create(root, HEAP_SIZE)) }),
      ...ON_HEAP,
      alignmentMax: 1024,
      capacity: 2 * HEAP_SIZE,
      refillRatio: 0,
      coalesces: false,
      except: NEEDS_FREE,
    },
    { name: 'Locked o1heap', create: (root) => Locked.create(heapOn(root)), ...ON_HEAP },
    { name: 'Locked TLSF', create: (root) => Locked.create(Tlsf.create(root, { size: HEAP_SIZE })), ...ON_HEAP },
    { name: 'Locked slab pool', create: (root) => Locked.create(poolOn(root)), ...ON_POOL },
    { name: 'Locked memory with its lock elsewhere', create: (root) => Locked.create(Scoped.create(root), { parent: root }), ...onRoot },
    { name: 'RemoteFree o1heap', create: (root) => RemoteFree.create(heapOn(root)), ...ON_HEAP },
    { name: 'RemoteFree TLSF', create: (root) => RemoteFree.create(Tlsf.create(root, { size: HEAP_SIZE })), ...ON_HEAP },
    { name: 'RemoteFree slab pool', create: (root) => RemoteFree.create(poolOn(root)), ...ON_POOL },
    { name: 'RemoteFree memory', create: (root) => RemoteFree.create(Scoped.create(root), { parent: root }), ...onRoot },
    { name: 'Locked RemoteFree heap', create: (root) => Locked.create(RemoteFree.create(heapOn(root))), ...ON_HEAP },
    {
      name: 'everything at once',
      create: (root) =>
        Guarded.create(Tracked.create(Bounded.create(Fallback.create(Scoped.create(heapOn(root)), heapOn(root)), { limit: HEAP_SIZE }))),
      ...ON_HEAP,
      capacity: HEAP_SIZE,
      detects: {},
      refillRatio: 0.75,
    },
  ];
}

for (const memory of MEMORIES) {
  describe(memory.name, () => {
    for (const { name, create, except, ...expectations } of assemblies(memory.reserve)) {
      const cases = conformance({
        name,
        create: () => create(memory.create()),
        fuzz: { operations: 200, checkInvariantsEvery: 4 },
        ...expectations,
      });
      for (const { name: title, run } of cases) if (except?.test(title) !== true) test(title, run);
    }
  });
}

test('a buffer with pages of 64 bytes holds them too', () => {
  for (const { run } of conformance({
    name: 'Guarded memory of 64-byte pages',
    create: () => Guarded.create(BufferMemory.create({ reserve: 2 ** 18, pageSize: 64 })),
    capacity: 2 ** 18,
    sizeMax: 2 ** 14,
    refillRatio: 0.7,
    fuzz: { operations: 200 },
  })) {
    run();
  }
});
