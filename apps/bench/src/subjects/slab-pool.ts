/** `SlabPool` by itself: for blocks of at most 256 bytes. */

import { SlabPool } from '@allokit/slab-pool';
import { WasmMemory } from '@allokit/vmem';

import type { LinearSubject } from '../subject.ts';

export function slabPool(): LinearSubject {
  return {
    shape: 'linear',
    name: 'slab-pool',
    kind: 'allokit',
    description: 'SlabPool on a WasmMemory, classes of 16 to 256 bytes',
    create: () => {
      const memory = WasmMemory.create({ reserve: 2 ** 30 });
      const heap = SlabPool.create(memory);
      return {
        heap,
        bytes: () => memory.u8,
        checkInvariants: () => {
          heap.checkInvariants();
        },
      };
    },
  };
}
