/** Who has what: every block in the tiers that the page knows of, with the place in the program that allocated it. */

import { AllocatorError, type Address } from '@allokit/allocator';
import { PAGE_SIZE_DEFAULT, type Tier } from '@allokit/tiered-arena';
import { entryOf } from './loading.ts';
import type { World } from './world.ts';

/** Places in the program that allocate. */
export type Site = 'image' | 'json' | 'binary' | 'pixels' | 'scene' | 'additions' | 'textures' | 'target' | 'temporary' | 'worker 1' | 'worker 2' | 'worker 3' | 'arriving' | 'tables';

/** A block. */
export interface Block {
  /** The tier it lies in, by number. */
  readonly tier: number;
  /** Where it lies. */
  readonly address: Address;
  /** The same in bytes from the tier's beginning. */
  readonly offset: number;
  /** Bytes asked for. */
  readonly size: number;
  /** Bytes taken: a slot or whole pages. */
  readonly taken: number;
  /** Who allocated it. */
  readonly site: Site;
  /** What it is, for people. */
  readonly label: string;
  /** A number that tells it from others of the same site: the place in the catalog, for assets. */
  readonly variant: number;
}

/** What is known of a block before it is looked up. */
export type Claim = Pick<Block, 'address' | 'size' | 'site' | 'label' | 'variant'>;

/** The assets, the workers' blocks, and what else is claimed. O(blocks). */
export function blocksOf(world: World, claims: readonly Claim[]): Block[] {
  const blocks: Block[] = [];
  for (const claim of [...assets(world), ...claims]) {
    const block = locate(world, claim, (tier, address) => tier.usableSize(address));
    if (block !== undefined) blocks.push(block);
  }
  for (const claim of jobs(world)) {
    // Another thread may be freeing it: its size is what the arena makes of such a request, not what it says of the block.
    const block = locate(world, claim, (tier) => takenFor(tier, claim.size));
    if (block !== undefined) blocks.push(block);
  }
  return blocks;
}

/**
 * Blocks of whole pages that nobody knows of yet: files on their way, which the registry enters when they are complete. O(blocks + free pages below the
 * cursor).
 *
 * @param known - The blocks of the tier that are known.
 */
export function arrivingIn(world: World, tier: Tier, known: readonly Block[]): Block[] {
  const found: Block[] = [];
  const { used } = tier.stats();
  const origin = world.origins[tier.index]!;
  const ends = new Map(known.map(({ offset, taken }) => [offset, offset + taken]));
  for (let offset = 0; offset < used; ) {
    const size = ends.has(offset) ? 0 : sizeIfLive(tier, origin + offset);
    if (size > 0) found.push({ tier: tier.index, address: origin + offset, offset, size, taken: size, site: 'arriving', label: 'A file on its way', variant: 0 });
    offset = ends.get(offset) ?? offset + Math.max(size, PAGE_SIZE_DEFAULT);
  }
  return found;
}

/** Another thread may have freed it by now, and nothing but a throw says so. */
function sizeIfLive(tier: Tier, address: Address): number {
  try {
    return tier.usableSize(address);
  } catch (error) {
    if (error instanceof AllocatorError) return 0;
    throw error;
  }
}

function locate(world: World, claim: Claim, takenOf: (tier: Tier, address: Address) => number): Block | undefined {
  for (const tier of world.arena.tiers) {
    if (tier.owns(claim.address)) return { ...claim, tier: tier.index, offset: claim.address - world.origins[tier.index]!, taken: takenOf(tier, claim.address) };
  }
  return undefined;
}

/** Bytes that a block of a size takes in a tier: a power of two up to 2048, pages beyond. */
function takenFor({ alignment }: Tier, size: number): number {
  if (size > 2048) return Math.ceil(size / 4096) * 4096;
  return Math.max(32, alignment, 2 ** Math.ceil(Math.log2(size)));
}

function* assets({ registry }: World): Generator<Claim> {
  for (const { key, address, size, type } of registry.assets()) {
    const found = entryOf(key);
    if (found === undefined) continue;
    const { entry, isPixels } = found;
    yield { address, size, site: isPixels ? 'pixels' : type, label: isPixels ? `${entry.title}: pixels` : entry.title, variant: entry.index };
  }
}

function* jobs({ jobs: table }: World): Generator<Claim> {
  for (let lane = 1; lane < table.laneCount; lane += 1) {
    for (const { address, size } of table.jobs(lane)) {
      yield { address, size, site: `worker ${lane}` as Site, label: `Worker ${lane}: temporary block`, variant: address };
    }
  }
}
