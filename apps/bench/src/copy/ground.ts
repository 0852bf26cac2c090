/** Two areas of a memory, and addresses in them that vary as a program's do: by a few thousand bytes, aligned to nothing. */

import type { Memory } from '@allokit/allocator';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';

import { COPY_SIZES, type Ground } from './subjects.ts';

/** Addresses in turn: a power of two. */
export const OFFSET_COUNT = 256;
/** Bytes over which they are spread, the same as in `native/copy.c`. */
const SPREAD = 4096;
const AREA_SIZE = Math.max(...COPY_SIZES) + SPREAD;
const RESERVE = 2 ** 23;

/** Where the loops work. */
export interface Areas {
  readonly memory: Memory;
  readonly source: number;
  readonly target: number;
  readonly to: Int32Array;
  readonly from: Int32Array;
}

/** All committed at once: a memory that grows slows V8 down. */
async function makeMemory(ground: Ground): Promise<PagedMemory> {
  switch (ground) {
    case 'wasm':
    case 'shared':
      return WasmMemory.create({ reserve: RESERVE, commit: RESERVE, shared: ground === 'shared' });
    case 'buffer':
      return BufferMemory.create({ reserve: RESERVE, commit: RESERVE });
    case 'native': {
      const { NativeMemory } = await import('@allokit/vmem/native');
      return NativeMemory.create({ reserve: RESERVE, commit: 'all' });
    }
  }
}

/** Both areas, full of bytes that vary. */
export async function makeAreas(ground: Ground): Promise<Areas> {
  const memory = await makeMemory(ground);
  const [source, target] = [memory.allocate(AREA_SIZE), memory.allocate(AREA_SIZE)];
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 8;
  const [to, from] = [new Int32Array(OFFSET_COUNT), new Int32Array(OFFSET_COUNT)];
  // The same numbers as in C, in the same order: how two ranges are aligned to each other matters.
  for (let i = 0; i < OFFSET_COUNT; i += 1) {
    to[i] = target + (random() % SPREAD);
    from[i] = source + (random() % SPREAD);
  }
  for (const start of [source, target]) {
    for (let i = 0; i < AREA_SIZE; i += 1) memory.u8[start + i] = random() % 251;
  }
  return { memory, source, target, to, from };
}

/** Makes all bytes of both areas the same, so that comparing and searching go to the end. */
export function makeEven({ memory, source, target }: Areas): void {
  for (const start of [source, target]) memory.u8.fill(EVEN_BYTE, start, start + AREA_SIZE);
}

/** What they hold then. */
export const EVEN_BYTE = 0x55;
/** What they do not. */
export const ABSENT_BYTE = 0xaa;
