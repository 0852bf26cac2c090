/** `SlabPool` by itself: for blocks of at most 256 bytes, and for more. */

import { CLASS_SIZES_FINE, SlabPool, type SlabPoolOptions } from '@allokit/slab-pool';

import type { LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

/** Room beyond the live bytes: a block is rounded up to its class, and slabs are not all full. */
const SLACK = 4;
const COMMIT_MIN = 2 ** 26;
const RESERVE = 2 ** 30;

export function slabPool(): LinearSubject {
  return poolSubject('slab-pool', 'SlabPool on a WasmMemory, classes of 16 to 256 bytes', {});
}

/** The same for blocks of up to 2 KiB, as `generalPurpose` has it. */
export function finePool(): LinearSubject {
  const description = `SlabPool on a WasmMemory, ${CLASS_SIZES_FINE.length} classes of 16 to 2048 bytes`;
  return poolSubject('fine-pool', description, { classes: CLASS_SIZES_FINE, slabSize: 16_384 });
}

function poolSubject(name: string, description: string, options: SlabPoolOptions): LinearSubject {
  return {
    shape: 'linear',
    name,
    kind: 'allokit',
    description,
    create: ({ peakLiveBytes }) => {
      const memory = committedMemory(Math.max(COMMIT_MIN, SLACK * peakLiveBytes), RESERVE);
      const heap = SlabPool.create(memory, options);
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
