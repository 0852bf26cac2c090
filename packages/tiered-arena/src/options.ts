/** What an arena is made of, and what it is when nothing is said. */

import { ADDRESS_SPACE_SIZE, checkAlignment, checkInteger, isPowerOfTwo } from '@allokit/allocator';
import { NAME_SIZE_MAX, TIER_COUNT_MAX } from './layout.ts';
import { pagesPerUnit } from './segment.ts';

/** A tier to be. */
export interface TierPlan {
  /** What it is called: 1 to 24 bytes of UTF-8, unlike the others. */
  readonly name: string;
  /** Its part of the arena's capacity, more than 0; all shares together are at most 1. */
  readonly share: number;
  /** The alignment of its blocks in bytes, a power of two up to 65536. No block takes less than that. */
  readonly alignment: number;
  /**
   * Bytes by which it grows at the least when it is full, or 0 for never. It grows by half of what it has where the parent has as much, and 15 times in all.
   * Default 0.
   */
  readonly growth?: number;
  /** Bytes it can have at the most, all segments together. Default: as many as the memory has. */
  readonly limit?: number;
}

/** How to make a `TieredArena`. */
export interface TieredArenaOptions {
  /** Bytes of pages in all tiers together; the tables come on top. Every tier gets its share, rounded down to pages. */
  readonly capacity: number;
  /** At most 8. Default: {@link TIERS_DEFAULT}. */
  readonly tiers?: readonly TierPlan[];
  /** Threads that can be attached at once, 1..1024; there are at least 2 places. Default 64. */
  readonly threads?: number;
  /** Bytes in a page, a power of two in 4096..65536: the unit in which blocks of more than 2048 bytes are handed out. Default 4096. */
  readonly pageSize?: number;
  /** Whether handles carry a generation, so that a stale one is refused. Costs 2 bytes for each slot there can be. Default `false`. */
  readonly checked?: boolean;
}

/** Half for what lives long and goes to a GPU, a third for scenes, the rest for what is soon gone. */
export const TIERS_DEFAULT: readonly TierPlan[] = [
  { name: 'top', share: 0.5, alignment: 128 },
  { name: 'middle', share: 0.3, alignment: 64 },
  { name: 'bottom', share: 0.2, alignment: 8 },
];

/** Bytes in a page when nothing is said. */
export const PAGE_SIZE_DEFAULT = 4096;
const PAGE_SIZE_MIN = 4096;
const PAGE_SIZE_MAX = 65_536;
const THREADS_DEFAULT = 64;
const THREADS_MAX = 1024;

/** A tier with everything decided. */
export interface DecidedTier {
  /** Its name in UTF-8. */
  readonly name: Uint8Array;
  /** Log2 of its alignment. */
  readonly alignmentLog2: number;
  /** Pages of its first segment. */
  readonly pageCount: number;
  /** Bytes by which it grows, or 0. */
  readonly growth: number;
  /** Pages it can have at the most. */
  readonly pageCountMax: number;
}

/** An arena with everything decided. */
export interface Decided {
  /** The tiers. */
  readonly tiers: readonly DecidedTier[];
  /** Places for threads. */
  readonly threads: number;
  /** Log2 of the bytes in a page. */
  readonly pageSizeLog2: number;
  /** Whether handles carry a generation. */
  readonly checked: boolean;
}

/**
 * Checks options, and fills in the defaults.
 *
 * @throws TypeError or RangeError for options that make no sense.
 */
export function decide({ capacity, tiers = TIERS_DEFAULT, threads = THREADS_DEFAULT, pageSize = PAGE_SIZE_DEFAULT, checked = false }: TieredArenaOptions): Decided {
  checkInteger(capacity, 'capacity', 1, ADDRESS_SPACE_SIZE - 1);
  checkInteger(threads, 'threads', 1, THREADS_MAX);
  checkInteger(pageSize, 'pageSize', PAGE_SIZE_MIN, PAGE_SIZE_MAX);
  if (!isPowerOfTwo(pageSize)) throw new RangeError(`pageSize must be a power of two, got ${pageSize}`);
  if (typeof checked !== 'boolean') throw new TypeError(`checked must be a boolean, got ${typeof checked}`);
  checkArray(tiers);
  if (tiers.length === 0 || tiers.length > TIER_COUNT_MAX) throw new RangeError(`there must be 1..${TIER_COUNT_MAX} tiers, got ${tiers.length}`);
  const names = tiers.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new RangeError(`tiers must have different names, got ${names.join(', ')}`);
  const total = tiers.reduce((sum, { share }) => sum + share, 0);
  if (!(total <= 1 + Number.EPSILON * TIER_COUNT_MAX)) throw new RangeError(`the shares must be at most 1 together, got ${total}`);
  // One place would make a thread's number the mark of a group that is open.
  return { tiers: tiers.map((tier) => decideTier(tier, capacity, pageSize)), threads: Math.max(2, threads), pageSizeLog2: Math.log2(pageSize), checked };
}

function checkArray(tiers: unknown): void {
  if (!Array.isArray(tiers)) throw new TypeError(`tiers must be an array, got ${typeof tiers}`);
}

function decideTier({ name, share, alignment, growth = 0, limit = ADDRESS_SPACE_SIZE - 1 }: TierPlan, capacity: number, pageSize: number): DecidedTier {
  if (typeof name !== 'string') throw new TypeError(`a tier's name must be a string, got ${typeof name}`);
  const bytes = new TextEncoder().encode(name);
  if (new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) !== name) throw new RangeError(`a tier's name must be whole Unicode, got ${JSON.stringify(name)}`);
  if (bytes.length === 0 || bytes.length > NAME_SIZE_MAX) throw new RangeError(`a tier's name must have 1..${NAME_SIZE_MAX} bytes, got ${JSON.stringify(name)}`);
  if (typeof share !== 'number') throw new TypeError(`the share of ${name} must be a number, got ${typeof share}`);
  if (!(share > 0 && share <= 1)) throw new RangeError(`the share of ${name} must be more than 0 and at most 1, got ${share}`);
  checkAlignment(alignment, `the alignment of ${name}`);
  checkInteger(alignment, `the alignment of ${name}`, 1, PAGE_SIZE_MAX);
  checkInteger(growth, `the growth of ${name}`, 0, ADDRESS_SPACE_SIZE - 1);
  checkInteger(limit, `the limit of ${name}`, 0, ADDRESS_SPACE_SIZE - 1);
  const unit = pagesPerUnit({ pageSizeLog2: Math.log2(pageSize), alignmentLog2: Math.log2(alignment) });
  const pageCount = Math.floor((capacity * share) / pageSize / unit) * unit;
  if (pageCount === 0) throw new RangeError(`the tier ${name} would have less than a page of ${pageSize * unit} bytes: ${share} of ${capacity}`);
  const pageCountMax = Math.floor(limit / pageSize);
  if (pageCount > pageCountMax) throw new RangeError(`the tier ${name} would begin with ${pageCount * pageSize} bytes, its limit is ${limit}`);
  return { name: bytes, alignmentLog2: Math.log2(alignment), pageCount, growth, pageCountMax };
}
