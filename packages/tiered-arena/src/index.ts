/**
 * A lock-free arena in tiers: any thread allocates and frees, and may die at any instruction.
 *
 * @module @allokit/tiered-arena
 */
export { type ElementViews } from './element-views.ts';
export { PAGE_SIZE_DEFAULT, TIERS_DEFAULT, type TierPlan, type TieredArenaOptions } from './options.ts';
export { visitTier } from './extents.ts';
export { Owned } from './owned.ts';
export { CLASS_COUNT, CLASS_LARGE, SLOT_SIZE_MAX, sizeClass } from './size-class.ts';
export { type TierStats } from './stats.ts';
export { Tier } from './tier.ts';
export { TieredArena, type CopyOperation, type Handle, type Reclaimed, type TierRequest } from './tiered-arena.ts';
