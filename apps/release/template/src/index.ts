/**
 * Slots of one size.
 *
 * @module @allokit/fixed-pool
 */
export { FixedPool, SLOT_COUNT_MAX, SLOT_SIZE_MAX, type FixedPoolOptions } from './fixed-pool.ts';
