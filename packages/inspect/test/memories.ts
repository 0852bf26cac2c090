/** Heaps for tests. */

import type { Allocator } from '@allokit/allocator';
import { Segregator } from '@allokit/allocator';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory } from '@allokit/vmem';

/** A memory of 1 MiB in pages of 4 KiB. */
export function buffer(reserve = 2 ** 20): BufferMemory {
  return BufferMemory.create({ reserve, pageSize: 4096 });
}

/** A heap of some size in a memory of its own. */
export function tlsf(size = 2 ** 17): Tlsf {
  return Tlsf.create(WasmMemory.create({ reserve: 2 ** 21 }), { size });
}

/** A pool beside a heap. */
export function assembly(memory: Allocator = buffer()): Segregator<SlabPool, Tlsf> {
  return Segregator.create({ threshold: 256, small: SlabPool.create(memory, { slabSize: 4096 }), large: Tlsf.create(memory, { size: 2 ** 16 }) });
}
