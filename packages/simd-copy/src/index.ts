/**
 * Bytes of a memory copied, moved, filled, compared and searched, by SIMD kernels where the memory is WebAssembly's.
 *
 * @module @allokit/simd-copy
 */
export { Copier, type CopierBackend, type CopierOptions, type MoveOperation } from './copier.ts';
