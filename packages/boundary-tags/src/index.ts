/**
 * Fragments with boundary tags in regions: what heaps with headers are made of.
 *
 * @module @allokit/boundary-tags
 */
export type { Bins } from './bins.ts';
export { checkHeap } from './check.ts';
export { createHeap, createHeapAt, findHeap, HEAP_SIZE_DEFAULT, type HeapAttachOptions, type HeapGrowth, type HeapOptions, heapSizeMin, isHeapAt } from './creation.ts';
export { visitHeap } from './extents.ts';
export { join } from './fragments.ts';
export { type HeapStats, TaggedHeap } from './heap.ts';
export { type BinTexts, fragmentHotPaths } from './hot-paths.ts';
export {
  ALLOCATED,
  ALLOCATED_PEAK,
  BEFORE,
  BIN_MASK,
  BLOCK_WORDS,
  CAPACITY,
  checkHotLayout,
  CREATED_WORDS,
  FAILURES,
  FIRST_REGION,
  FRAGMENT_HEADER_SIZE,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  type HotLayout,
  LAST_REGION,
  OWN_FIELDS,
  PREVIOUS,
  REGION_BEGIN,
  REGION_FIRST,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  REGION_WORDS,
  REQUEST_PEAK,
  SIZE,
  TRIM_COUNT,
  USED,
  WHOLE_SHARE,
} from './layout.ts';
