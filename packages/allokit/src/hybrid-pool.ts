/**
 * `hybridPool`: a slab pool for what is small, an arena for the rest. For programs that build many small objects, and drop everything at the end: compilers,
 * parsers, requests.
 */

import { ADDRESS_SPACE_SIZE, Retained, Segregator, type Allocator } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { CLASS_SIZES_DEFAULT, SlabPool } from '@allokit/slab-pool';
import { ownMemory } from './own-memory.ts';

/** Requests up to and including so many bytes go to the pool. */
export const HYBRID_THRESHOLD = CLASS_SIZES_DEFAULT.at(-1)!;

/** What {@link hybridPool} makes. */
export type HybridPool = Segregator<SlabPool, Retained>;

/**
 * Makes a slab pool of 16 to 256 bytes over `parent`, and beside it an arena for larger blocks.
 *
 * Blocks up to 256 bytes are reused as soon as they are freed. **Larger blocks are not**: a free is checked and counted (`stats().large.retainedBytes`), but
 * the bytes come back only with `reset`. A program that frees and allocates large blocks for ever runs out of memory; it wants `generalPurpose`.
 *
 * @param parent - Default: a new WebAssembly memory of its own, of up to 4 GiB, of which 64 MiB are committed.
 * @throws AllocatorError `out-of-memory` when the parent has no room for the first chunk.
 */
export function hybridPool(parent: Allocator = ownMemory({ reserve: ADDRESS_SPACE_SIZE })): HybridPool {
  const small = SlabPool.create(parent);
  try {
    return Segregator.create({ threshold: HYBRID_THRESHOLD, small, large: Retained.create(Arena.create(parent)) });
  } catch (error) {
    small.release();
    throw error;
  }
}
