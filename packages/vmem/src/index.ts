/**
 * Memories that are root allocators: WebAssembly memory and fixed buffers, reserved and committed.
 *
 * @module @allokit/vmem
 */
export { BUFFER_PAGE_SIZE, BufferMemory, type BufferMemoryOptions } from './buffer-memory.ts';
export { type PageRun } from './page-map.ts';
export { PAGE_SIZE_MIN, PagedMemory, type PagedMemoryLayout, type PagedMemoryStats } from './paged-memory.ts';
export { preTouch, type PreTouchOptions, type PreTouchProgress, type PreTouchReport, type PreTouchStrategy } from './pre-touch.ts';
export { discardPages, resident, unlock } from './residency.ts';
export { WASM_PAGE_SIZE, WasmMemory, type WasmMemoryOptions } from './wasm-memory.ts';
export { WriteTracker } from './write-tracker.ts';
