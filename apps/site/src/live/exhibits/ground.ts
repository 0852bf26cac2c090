/** A small memory to stand on, which notes what the allocator above it takes. */

import { Tracked, type Address } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { BlockLog } from '../block-log.ts';

/** A block that an allocator took from its parent. */
export interface Taken {
  readonly start: Address;
  readonly size: number;
}

/** A memory with an account of who has what. */
export interface Ground {
  readonly parent: Tracked<WasmMemory>;
  /** What was taken, in ascending order. */
  readonly taken: () => readonly Taken[];
}

/** Makes a memory in pages of 4 KiB. */
export function ground(reserve: number): Ground {
  const log = new BlockLog();
  const memory = WasmMemory.create({ reserve, commit: reserve, pageSize: 4096 });
  return {
    parent: Tracked.create(memory, { onEvent: log.note }),
    taken: () => log.sorted().map(([start, size]) => ({ start, size })),
  };
}
