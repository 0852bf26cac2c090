/**
 * Pools of equal objects cut from slabs.
 *
 * @module @allokit/slab-pool
 */
export {
  CLASS_SIZES_DEFAULT,
  SLAB_SIZE_DEFAULT,
  SPARE_BYTES_DEFAULT,
  SlabPool,
  type SlabClassStats,
  type SlabPoolOptions,
  type SlabPoolStats,
} from './slab-pool.ts';
