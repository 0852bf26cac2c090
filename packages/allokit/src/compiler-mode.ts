/** `compilerMode`: a pool and an arena within the memory that a compiler is given, and no collector. For programs that end before their garbage matters. */

import { checkInteger, type Allocator } from '@allokit/allocator';
import { PRESETS, type Preset } from '@allokit/generational-gc';
import { hybridPool, type HybridPool } from './hybrid-pool.ts';
import { OWN_MEMORY_COMMIT, ownMemory } from './own-memory.ts';

/** The least that a compiler can have: a page of the pool's, and a chunk of the arena's. */
const LIMIT_MIN = 2 ** 22;

/** How to make one with {@link compilerMode}. */
export interface CompilerModeOptions {
  /** What it is for. Default: `PRESETS.compiler`; `detectPreset` finds one. */
  readonly preset?: Preset;
  /** Bytes of the memory, up to 4 GiB; rounded up to whole pages. Default: what the preset says. Ignored when there is a parent. */
  readonly limit?: number;
}

/**
 * Makes a {@link hybridPool} in a memory of the preset's size: records of up to 256 bytes in a slab pool, where what is freed is used again at once, larger
 * ones in an arena, and one `reset` at the end, which keeps the memory for the next compilation.
 *
 * @param options - The preset, or the size.
 * @param parent - Default: a new WebAssembly memory of its own.
 * @throws TypeError or RangeError for options that make no sense or a preset that is collected, AllocatorError `out-of-memory` when the parent has no room for
 *   the first chunk.
 */
export function compilerMode({ preset = PRESETS.compiler, limit = preset.limit }: CompilerModeOptions = {}, parent?: Allocator): HybridPool {
  if (preset.generational) throw new RangeError(`the preset ${preset.name} is collected: use runtimeMode`);
  checkInteger(limit, 'limit', LIMIT_MIN, 2 ** 32);
  return hybridPool(parent ?? ownMemory({ reserve: limit, commit: Math.min(limit, OWN_MEMORY_COMMIT) }));
}
