/** `hybrid`: small objects and large ones, as a compiler makes them. */

import type { Workload } from '../workload.ts';
import { bulkWorkload } from './bulk-workload.ts';

/** Taken in turn. */
const SIZES = [16, 24, 32, 512];
const OBJECT_COUNT = 40_000;

/** The largest block that the pool of `hybridPool` takes. */
const POOL_SIZE_MAX = 256;

/** 10,000 objects each of 16, 24, 32 and 512 bytes. */
export function hybridWorkload(): Workload {
  const sizes = Int32Array.from({ length: OBJECT_COUNT }, (_, i) => SIZES[i % SIZES.length]!);
  return bulkWorkload({
    name: 'hybrid',
    title: `hybrid: ${OBJECT_COUNT.toLocaleString('en')} objects of ${SIZES.join(', ')} bytes in turn, then everything freed`,
    operation: 'one allocation, and its share of the freeing',
    operationCount: OBJECT_COUNT,
    sizes,
    resets: true,
    facts: [`routing of hybridPool: ${share(sizes, (size) => size <= POOL_SIZE_MAX)} to the pool, ${share(sizes, (size) => size > POOL_SIZE_MAX)} to the arena`],
  });
}

function share(sizes: Int32Array, belongs: (size: number) => boolean): string {
  const chosen = sizes.filter(belongs);
  const kibibytes = chosen.reduce((sum, size) => sum + size, 0) / 1024;
  return `${(chosen.length / sizes.length) * 100}% (${chosen.length.toLocaleString('en')} objects, ${Math.floor(kibibytes)} KB)`;
}
