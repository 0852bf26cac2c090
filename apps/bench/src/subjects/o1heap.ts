/** `O1Heap` by itself, as large as it needs to be from the start. */

import { O1Heap } from '@allokit/o1heap';

import type { LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

/** Room beyond the live bytes: fragments are powers of two, and holes appear between them. */
const SLACK = 8;
const SIZE_MIN = 2 ** 26;
const SIZE_MAX = 2 ** 31;

export function o1heap(): LinearSubject {
  return {
    shape: 'linear',
    name: 'o1heap',
    kind: 'allokit',
    description: 'O1Heap on a WasmMemory, every operation in bounded time',
    create: ({ peakLiveBytes }) => {
      const size = Math.min(SIZE_MAX, Math.max(SIZE_MIN, SLACK * peakLiveBytes));
      const memory = committedMemory(size + 2 ** 20);
      const heap = O1Heap.create(memory, { size });
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
