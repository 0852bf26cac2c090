/** `Arena` by itself: a bump pointer; blocks come back all at once. */

import { Arena } from '@allokit/arena';

import type { Heap, LinearSubject } from '../subject.ts';
import { committedMemory } from './committed-memory.ts';

/** Room beyond all that is asked for until the reset: a chunk ends where the next block no longer fits. */
const SLACK = 1.25;
const COMMIT_MIN = 2 ** 24;
const RESERVE = 2 ** 30;

/** An arena where the loops expect a heap: freeing a block does nothing, as a program with an arena would do nothing. */
class ArenaHeap implements Heap {
  // Declared, so that it is stored once: a field that is stored twice is no constant to V8, and each call looks it up.
  declare readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  allocate(size: number): number {
    return this.arena.allocate(size);
  }

  deallocate(): void {
    // Blocks come back with the reset.
  }

  reallocate(address: number, oldSize: number, newSize: number): number {
    return this.arena.reallocate(address, oldSize, newSize);
  }
}

export function arena(): LinearSubject {
  return {
    shape: 'linear',
    name: 'arena',
    kind: 'allokit',
    description: 'Arena on a WasmMemory, bump pointer in chunks of 2 MiB, reset at the end',
    create: ({ totalBytes }) => {
      const memory = committedMemory(Math.max(COMMIT_MIN, Math.ceil(SLACK * totalBytes)), RESERVE);
      const bump = Arena.create(memory);
      return {
        heap: new ArenaHeap(bump),
        bytes: () => memory.u8,
        reset: () => {
          bump.reset();
        },
        checkInvariants: () => {
          bump.checkInvariants();
        },
      };
    },
  };
}
