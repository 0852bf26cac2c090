/** The baseline of `bench compile-mode`. */

export { V1_HEADER_SIZE, V1_PAGE_SIZE, V1_THRESHOLD_DEFAULT, V1Heap, type V1HeapOptions, type V1HeapStats, type V1Tracer } from './v1-heap.ts';
export { V1Space, type V1SpaceOptions } from './v1-space.ts';
