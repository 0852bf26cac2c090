/** Eight assemblies, no two made of the same parts in the same way: what a program with many purposes has alive at once. */

import { Fallback, Segregator, type Allocator, type Parent } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';
import { generalPurpose } from 'allokit';

const HEAP_SIZE = 2 ** 22;
const MEMORY_SIZE = 2 ** 25;

/** Requests up to and including so many bytes go to the smaller part. */
const THRESHOLD = 256;

const half = (memory: Parent): O1Heap => O1Heap.create(memory, { size: HEAP_SIZE });
const good = (memory: Parent): Tlsf => Tlsf.create(memory, { size: HEAP_SIZE });
const pool = (memory: Parent): SlabPool => SlabPool.create(memory);
const bySize = (small: Allocator, large: Allocator): Allocator => Segregator.create({ threshold: THRESHOLD, small, large });

/** The first is the one that is timed. */
const MAKERS: readonly ((memory: WasmMemory) => Allocator)[] = [
  (memory) => generalPurpose(memory),
  (memory) => bySize(pool(memory), half(memory)),
  (memory) => bySize(half(memory), good(memory)),
  (memory) => Fallback.create(good(memory), half(memory)),
  (memory) => bySize(pool(memory), Fallback.create(half(memory), good(memory))),
  (memory) => Fallback.create(bySize(pool(memory), good(memory)), half(memory)),
  (memory) => bySize(good(memory), half(memory)),
  (memory) => bySize(Fallback.create(pool(memory), half(memory)), good(memory)),
];

/** How many assemblies are alive at once, each time. */
export const ALIVE_COUNTS: readonly number[] = [1, 2, 4, MAKERS.length];

/** The first `count` assemblies, each in a memory of its own that never grows. */
export function makeAssemblies(count: number): Allocator[] {
  return MAKERS.slice(0, count).map((make) => make(WasmMemory.create({ reserve: MEMORY_SIZE, commit: MEMORY_SIZE, pageSize: 16_384 })));
}
