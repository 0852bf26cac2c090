/** How much memory rules out running out of it. */

import { checkInteger } from '@allokit/allocator';
import { REGION_OVERHEAD_WORDS } from '@allokit/boundary-tags';
import { FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE_MIN, REQUEST_SIZE_MAX, STATE_SIZE } from './layout.ts';

/** What a heap must be able to bear, for {@link requiredCapacity}. */
export interface O1HeapDemand {
  /** Bytes asked for by all blocks alive at the worst moment. */
  readonly live: number;
  /** Bytes of the largest request. */
  readonly largest: number;
  /** Bytes of the smallest request. The larger, the fewer headers. Default 1. */
  readonly smallest?: number;
}

/**
 * Bytes for the `size` of a heap that can never run out, whatever the order of requests: `2 M (1 + ceil(log2 n))` in units of the smallest fragment,
 * where M counts every live block's header too. Herter (2014), section on half-fit; it is a bound of the worst case, and
 * ordinary programs need far less. O(1).
 *
 * @returns May exceed 4 GiB, which no heap here can have.
 * @throws TypeError or RangeError for a demand that contradicts itself.
 */
export function requiredCapacity({ live, largest, smallest = 1 }: O1HeapDemand): number {
  checkInteger(live, 'live', 1, Number.MAX_SAFE_INTEGER / 256);
  checkInteger(largest, 'largest', 1, Math.min(live, REQUEST_SIZE_MAX));
  checkInteger(smallest, 'smallest', 1, largest);
  // At worst all blocks are of the smallest size: a header each, and a fragment rounded up.
  const blockCountMax = Math.floor(live / smallest);
  const units = Math.ceil((live + blockCountMax * FRAGMENT_HEADER_SIZE) / FRAGMENT_SIZE_MIN) + blockCountMax;
  const largestUnits = (largest + FRAGMENT_HEADER_SIZE) / FRAGMENT_SIZE_MIN;
  const bound = 2 * units * (1 + Math.ceil(Math.log2(Math.max(1, largestUnits)))) * FRAGMENT_SIZE_MIN;
  return bound + STATE_SIZE + REGION_OVERHEAD_WORDS * 4;
}
