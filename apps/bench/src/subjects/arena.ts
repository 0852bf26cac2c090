/** `Arena` by itself: a bump pointer; blocks come back all at once. */

import { Arena } from '@allokit/arena';
import { WasmMemory } from '@allokit/vmem';

import type { Heap, LinearSubject } from '../subject.ts';

/** An arena where the loops expect a heap: freeing a block does nothing, as a program with an arena would do nothing. */
class ArenaHeap implements Heap {
  readonly arena: Arena;

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
    create: () => {
      const memory = WasmMemory.create({ reserve: 2 ** 30 });
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
