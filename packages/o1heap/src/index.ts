/**
 * A heap whose every operation takes bounded time.
 *
 * @module @allokit/o1heap
 */
export { HEAP_SIZE_DEFAULT } from '@allokit/boundary-tags';
export { O1Heap, type O1HeapAttachOptions, type O1HeapGrowth, type O1HeapOptions, type O1HeapStats } from './o1heap.ts';
export { FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, HEAP_SIZE_MIN, REQUEST_SIZE_MAX } from './layout.ts';
export { requiredCapacity, type O1HeapDemand } from './required-capacity.ts';
