/** Where the bytes are: the blocks summed up by the place in the program that allocated them, and set against what the tiers themselves count. */

import type { Block, Site } from './blocks.ts';

/** The sum of a site. */
export interface SiteSum {
  /** Who allocated. */
  readonly site: Site;
  /** Blocks. */
  readonly count: number;
  /** Bytes asked for. */
  readonly size: number;
  /** Bytes taken. */
  readonly taken: number;
  /** The same for each tier. */
  readonly byTier: readonly number[];
}

/** The sums of all sites that have blocks. O(blocks). */
export function profile(blocks: readonly Block[], tierCount: number): SiteSum[] {
  const sums = new Map<Site, { site: Site; count: number; size: number; taken: number; byTier: number[] }>();
  for (const { site, tier, size, taken } of blocks) {
    let sum = sums.get(site);
    if (sum === undefined) sums.set(site, (sum = { site, count: 0, size: 0, taken: 0, byTier: new Array<number>(tierCount).fill(0) }));
    sum.count += 1;
    sum.size += size;
    sum.taken += taken;
    sum.byTier[tier]! += taken;
  }
  return [...sums.values()];
}
