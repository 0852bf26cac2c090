/** `SlabPool` by itself: for blocks of at most 256 bytes. */

import { SlabPool } from '@allokit/slab-pool';

import type { LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

/** Room beyond the live bytes: a block is rounded up to its class, and slabs are not all full. */
const SLACK = 4;
const COMMIT_MIN = 2 ** 26;
const RESERVE = 2 ** 30;

export function slabPool(): LinearSubject {
  return {
    shape: 'linear',
    name: 'slab-pool',
    kind: 'allokit',
    description: 'SlabPool on a WasmMemory, classes of 16 to 256 bytes',
    create: ({ peakLiveBytes }) => {
      const memory = committedMemory(Math.max(COMMIT_MIN, SLACK * peakLiveBytes), RESERVE);
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
