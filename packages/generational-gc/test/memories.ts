/** Heaps to test with. */

import { WasmMemory } from '@allokit/vmem';
import { GenerationalHeap, type HeapOptions } from '../src/index.ts';

/** A heap in a memory of its own that grows as it must; small, so that everything happens soon. */
export function smallHeap(options: HeapOptions = {}): GenerationalHeap {
  return GenerationalHeap.create(WasmMemory.create({ reserve: 2 ** 26 }), {
    limit: 2 ** 24,
    nurserySize: 2 ** 15,
    nurserySizeMax: 2 ** 17,
    threshold: 2 ** 17,
    blockSize: 8192,
    stackSize: 4096,
    ...options,
  });
}
