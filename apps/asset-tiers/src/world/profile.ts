/** Where the bytes are: the blocks summed up by the place in the program that allocated them. */

import type { Block, Site } from './blocks.ts';
import type { World } from './world.ts';

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
}

/** The sums of all sites that have blocks. O(blocks). */
export function profile(blocks: readonly Block[]): SiteSum[] {
  const sums = new Map<Site, { site: Site; count: number; size: number; taken: number }>();
  for (const { site, size, taken } of blocks) {
    let sum = sums.get(site);
    if (sum === undefined) sums.set(site, (sum = { site, count: 0, size: 0, taken: 0 }));
    sum.count += 1;
    sum.size += size;
    sum.taken += taken;
  }
  return [...sums.values()];
}

/** The sum of the tables, which keep account of the others. O(assets + pages). */
export function tablesSum({ registry, jobs, tables }: World): SiteSum {
  const { classCounts, liveBytes } = tables.stats();
  return { site: 'tables', count: classCounts.reduce((sum, count) => sum + count, 0), size: registry.stats().tableBytes + jobs.size, taken: liveBytes };
}
