/**
 * `runtimeMode`: a garbage-collected heap whose blocks come from a slab pool, and whose large objects come from an o1heap. For people who write language
 * runtimes.
 */

import { ADDRESS_SPACE_SIZE, Reclaiming, Segregator, type Allocator } from '@allokit/allocator';
import { GenerationalHeap, PRESETS, presetOptions, type HeapOptions, type Preset } from '@allokit/generational-gc';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { ownMemory } from './own-memory.ts';

/** Bytes of the collector's blocks, and the one class of the pool. */
const BLOCK_SIZE = 65_536;
/** Blocks that the pool takes at a time. */
const SLAB_SIZE = 4 * BLOCK_SIZE;
/** Bytes that the heap for the nursery and large objects starts with: a nursery of 2 MiB takes 3, and an o1heap rounds to powers of two. */
const LARGE_HEAP_SIZE = 4_325_376;
/** Bytes that it grows by at least. */
const LARGE_HEAP_STEP = 2 ** 20;

/** How to make one with {@link runtimeMode}. */
export interface RuntimeModeOptions extends Omit<HeapOptions, 'blockSize' | 'ownsParent'> {
  /** What the heap is for. Default: `PRESETS.runtime`; `detectPreset` finds one. Options given besides come first. */
  readonly preset?: Preset;
}

/**
 * Makes a garbage-collected heap over `parent`: blocks of 64 KiB of the old space from a slab pool, the nursery and large objects from an o1heap.
 *
 * The heap's `release` gives everything back to `parent`, the pool and the o1heap included.
 *
 * @param options - The preset, and what is to differ from it; not the blocks' size, which the pool has to match.
 * @param parent - Default: a new WebAssembly memory of its own, of twice the limit and up to 4 GiB, of which 64 MiB are committed.
 * @throws TypeError or RangeError for options that make no sense or a preset that is not collected, AllocatorError `out-of-memory` when the parent has no room
 * for the nursery.
 */
export function runtimeMode({ preset = PRESETS.runtime, ...options }: RuntimeModeOptions = {}, parent?: Allocator): GenerationalHeap {
  if (!preset.generational) throw new RangeError(`the preset ${preset.name} is not collected: use compilerMode`);
  const settings = { ...presetOptions(preset), ...options };
  const limit = settings.limit ?? PRESETS.runtime.limit;
  const root = parent ?? ownMemory({ reserve: Math.min(ADDRESS_SPACE_SIZE, Math.max(2 ** 27, limit * 2)) });
  // Both hold on to memory that the other may need: so each may ask the other for it.
  const siblings: { large?: O1Heap } = {};
  const small = SlabPool.create(
    Reclaiming.create(root, () => siblings.large?.trim() ?? 0),
    { classes: [BLOCK_SIZE], slabSize: SLAB_SIZE },
  );
  let large: O1Heap | undefined;
  try {
    large = O1Heap.create(
      Reclaiming.create(root, () => small.trim()),
      { size: LARGE_HEAP_SIZE, growth: { step: LARGE_HEAP_STEP, share: 0 } },
    );
    siblings.large = large;
    return GenerationalHeap.create(Segregator.create({ threshold: BLOCK_SIZE, small, large }), { ...settings, blockSize: BLOCK_SIZE, ownsParent: true });
  } catch (error) {
    large?.release();
    small.release();
    throw error;
  }
}
