/** What is compiled in tests: each allocator with hot paths, each combinator with them, and what is made of several. */

import { Fallback, Scoped, Segregator, type Allocator } from '@allokit/allocator';
import type { Expectations } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import type { PagedMemory } from '@allokit/vmem';
import { generalPurpose } from '../../src/index.ts';

const HEAP_SIZE = 2 ** 17;

/** Bytes of the memory that each is given. */
export const RESERVE = 3 * 2 ** 17;

export interface Assembly extends Expectations {
  readonly name: string;
  readonly create: (memory: PagedMemory) => Allocator;
}

const IN_PARTS = { coalesces: false, detects: { stale: false }, volatileStats: ['capacity', 'slabCount', 'spareCount'] } as const;

export const ASSEMBLIES: readonly Assembly[] = [
  { name: 'generalPurpose', create: generalPurpose, capacity: RESERVE, sizeMax: 2 ** 13, ...IN_PARTS },
  { name: 'SlabPool', create: (memory) => SlabPool.create(memory, { slabSize: 4096 }), capacity: RESERVE, sizeMax: 256, alignmentMax: 256, ...IN_PARTS },
  { name: 'O1Heap', create: (memory) => O1Heap.create(memory, { size: HEAP_SIZE }), capacity: HEAP_SIZE, sizeMax: 2 ** 13, detects: { stale: false } },
  { name: 'Tlsf', create: (memory) => Tlsf.create(memory, { size: HEAP_SIZE }), capacity: HEAP_SIZE, sizeMax: 2 ** 13, detects: { stale: false } },
  {
    name: 'Fallback of two heaps',
    create: (memory) => Fallback.create(Tlsf.create(memory, { size: HEAP_SIZE / 2 }), O1Heap.create(memory, { size: HEAP_SIZE / 2 })),
    capacity: HEAP_SIZE,
    sizeMax: 2 ** 13,
    ...IN_PARTS,
  },
  {
    // Its larger part has no hot paths.
    name: 'Segregator of a pool and a scope',
    create: (memory) => {
      const small = SlabPool.create(O1Heap.create(memory, { size: HEAP_SIZE }), { slabSize: 4096 });
      return Segregator.create({ threshold: 256, small, large: Scoped.create(memory) });
    },
    capacity: RESERVE,
    sizeMax: 2 ** 13,
    ...IN_PARTS,
  },
  {
    name: 'Segregator of a Fallback and a Segregator',
    create: (memory) => {
      const heap = (): O1Heap => O1Heap.create(memory, { size: HEAP_SIZE / 4 });
      const small = Fallback.create(SlabPool.create(memory, { slabSize: 4096 }), heap());
      const middle = Tlsf.create(memory, { size: HEAP_SIZE / 4 });
      return Segregator.create({ threshold: 256, small, large: Segregator.create({ threshold: 1024, small: middle, large: heap() }) });
    },
    capacity: HEAP_SIZE,
    sizeMax: 2 ** 12,
    alignmentMax: 512,
    ...IN_PARTS,
  },
];
