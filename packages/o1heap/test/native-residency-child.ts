/** Touches blocks of a heap in a process of its own, and says what the process has resident. */

import { WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { fileURLToPath } from 'node:url';
import { O1Heap } from '../src/index.ts';

/** In bytes. */
export interface ResidencyReply {
  readonly atStart: number;
  readonly afterInit: number;
  readonly steps: readonly { readonly size: number; readonly rss: number }[];
}

const MIB = 2 ** 20;
const SYSTEM_PAGE_SIZE = 4096;
const RESERVE = 2 ** 30 + 2 ** 24;

/** Writes into every page of a new block; returns its size. */
export function touch(heap: O1Heap, size: number): number {
  const address = heap.allocate(size);
  const { u8 } = heap.memory;
  for (let at = address; at < address + size; at += SYSTEM_PAGE_SIZE) u8[at] = 1;
  return size;
}

function create(name: string): PagedMemory {
  return name === 'native memory' ? NativeMemory.create({ reserve: RESERVE, commit: 'all' }) : WasmMemory.create({ reserve: RESERVE, commit: RESERVE });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = process.argv[2]!;
  // The first of each kind loads what it needs.
  create(name).release();
  const atStart = process.memoryUsage.rss();
  const heap = O1Heap.create(create(name));
  const afterInit = process.memoryUsage.rss();
  const steps = [10, 100, 500].map((count) => ({ size: touch(heap, count * MIB), rss: process.memoryUsage.rss() }));
  process.stdout.write(JSON.stringify({ atStart, afterInit, steps } satisfies ResidencyReply));
}
