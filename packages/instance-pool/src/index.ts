/**
 * WebAssembly instances that are used again, with a reset that restores exactly the state after instantiation.
 *
 * @module @allokit/instance-pool
 */
export { type TrackingMeans } from './dirty-pages.ts';
export { InstancePool, type InstancePoolStats } from './instance-pool.ts';
export { type InstanceLease } from './lease.ts';
export { type InstanceTracking } from './managed-memory.ts';
export { type InstanceGrowth, type InstancePoolOptions, type InstancePreTouch } from './options.ts';
export { discardInstance, touchInstance } from './touch-memory.ts';
