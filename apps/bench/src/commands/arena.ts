/** `arena`: blocks that die together. */

import { randomSource } from '../random.ts';
import type { Workload } from '../workload.ts';
import { bulkWorkload } from './bulk-workload.ts';

const BLOCK_COUNT = 100_000;

/** Blocks of 32 to 95 bytes, 64 in the middle. */
export function arenaWorkload(seed: number): Workload {
  const random = randomSource(seed);
  return bulkWorkload({
    name: 'arena',
    title: `arena: ${BLOCK_COUNT.toLocaleString('en')} blocks of 32-95 bytes, then everything freed: by one reset where there is one, else block by block`,
    operation: 'one allocation, and its share of the freeing',
    operationCount: BLOCK_COUNT,
    sizes: Int32Array.from({ length: BLOCK_COUNT }, () => 32 + (random() & 63)),
    resets: true,
  });
}
