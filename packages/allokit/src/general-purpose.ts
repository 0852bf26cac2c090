/** `generalPurpose`: the allocator for people who just want malloc. Slabs of fine classes for what is small, a good-fit heap for the rest. */

import { Reclaiming, Segregator, type Allocator } from '@allokit/allocator';
import { CLASS_SIZES_FINE, SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { ownMemory } from './own-memory.ts';

/** Address space of the memory that `generalPurpose` makes when it is given none: 1 GiB. */
export const GENERAL_PURPOSE_RESERVE = 2 ** 30;

/** Bytes of its slabs and pages: small, because there is at least one slab a class in use. */
const SLAB_SIZE = 16_384;
/** Requests up to and including so many bytes go to the slabs. */
const THRESHOLD = CLASS_SIZES_FINE.at(-1)!;
/**
 * Bytes the heap for large blocks starts with. It doubles when it is full: regions are few and wide then, so that a large block often grows where it stands.
 */
const HEAP_SIZE = 65_536;

/** What {@link generalPurpose} makes. */
export type GeneralPurpose = Segregator<SlabPool, Tlsf>;

/**
 * Makes a general-purpose heap over `parent`: up to 2 KiB from slabs of 40 classes, O(1) without headers; above from a two-level segregated fit heap, O(1)
 * with 8 bytes of header and rounding to 16. Every block is aligned to 16 bytes, more on request. Both parts grow as far as the parent does,
 * and give each other what they hold empty before a request fails.
 *
 * @param parent - Default: a new WebAssembly memory of its own, of up to 1 GiB in pages of 16 KiB, of which 64 MiB are committed.
 * @throws AllocatorError `out-of-memory` when the parent has no room for the state.
 */
export function generalPurpose(parent: Allocator = ownMemory({ reserve: GENERAL_PURPOSE_RESERVE, pageSize: SLAB_SIZE })): GeneralPurpose {
  // Both hold on to memory that the other may need: so each may ask the other for it.
  const siblings: { heap?: Tlsf } = {};
  const pool = SlabPool.create(
    Reclaiming.create(parent, () => siblings.heap?.trim() ?? 0),
    { classes: CLASS_SIZES_FINE, slabSize: SLAB_SIZE },
  );
  try {
    const heap = Tlsf.create(
      Reclaiming.create(parent, () => pool.trim()),
      { size: HEAP_SIZE, growth: { step: HEAP_SIZE, share: 1 } },
    );
    siblings.heap = heap;
    return Segregator.create({ threshold: THRESHOLD, small: pool, large: heap });
  } catch (error) {
    pool.release();
    throw error;
  }
}
