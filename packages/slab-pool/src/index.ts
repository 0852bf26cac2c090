/**
 * Pools of equal objects cut from slabs.
 *
 * @module @allokit/slab-pool
 */
export { CLASS_SIZES_DEFAULT, CLASS_SIZES_FINE } from './classes.ts';
export { visitSlabPool } from './extents.ts';
export {
  SLAB_SIZE_DEFAULT,
  SPARE_BYTES_DEFAULT,
  SlabPool,
  type SlabClassStats,
  type SlabPoolAttachOptions,
  type SlabPoolOptions,
  type SlabPoolStats,
} from './slab-pool.ts';
