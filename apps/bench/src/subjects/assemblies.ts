/** The documented assemblies of the umbrella package that stand in for malloc. */

import { generalPurpose, hybridPool } from 'allokit';

import type { LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

const ADDRESS_SPACE_SIZE = 2 ** 32;

export function generalPurposeAssembly(): LinearSubject {
  return {
    shape: 'linear',
    name: 'generalPurpose',
    kind: 'allokit',
    description: 'generalPurpose(): slab pool with fine classes, tlsf above',
    create: () => {
      const heap = generalPurpose();
      return {
        heap,
        bytes: () => heap.memory.u8,
        checkInvariants: () => {
          heap.checkInvariants();
        },
      };
    },
  };
}

export function hybridPoolAssembly(): LinearSubject {
  return {
    shape: 'linear',
    name: 'hybridPool',
    kind: 'allokit',
    description: 'hybridPool(): slab pool up to 256 bytes, arena above',
    note: 'hybridPool: blocks above 256 bytes come back at reset only, after each round; its footprint is all of them.',
    create: ({ totalBytes }) => {
      // Blocks above 256 bytes pile up until the reset: room for all that is ever asked for.
      const memory = committedMemory(Math.min(ADDRESS_SPACE_SIZE, Math.max(2 ** 28, 2 * totalBytes)));
      const heap = hybridPool(memory);
      return {
        heap,
        bytes: () => heap.memory.u8,
        reset: () => {
          heap.reset();
        },
        checkInvariants: () => {
          heap.checkInvariants();
        },
      };
    },
  };
}
