/** `Tlsf` by itself, as large as it needs to be from the start. */

import { Tlsf } from '@allokit/tlsf';

import type { LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

/** Room beyond the live bytes: holes appear between fragments. */
const SLACK = 4;
const SIZE_MIN = 2 ** 26;
const SIZE_MAX = 2 ** 31;

export function tlsf(): LinearSubject {
  return {
    shape: 'linear',
    name: 'tlsf',
    kind: 'allokit',
    description: 'Tlsf on a WasmMemory, every operation in bounded time',
    create: ({ peakLiveBytes }) => {
      const size = Math.min(SIZE_MAX, Math.max(SIZE_MIN, SLACK * peakLiveBytes));
      const memory = committedMemory(size + 2 ** 20);
      const heap = Tlsf.create(memory, { size });
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
