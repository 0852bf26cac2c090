/** `tiered`: three tiers in one memory that threads share, each of which grows by itself. For engines: assets, scenes, and what is soon gone. */

import { ADDRESS_SPACE_SIZE, checkInteger, type Parent } from '@allokit/allocator';
import { TIERS_DEFAULT, TieredArena, type TieredArenaOptions } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import { OWN_MEMORY_COMMIT } from './own-memory.ts';

/** Bytes that the tiers have together before any of them grows, when nothing is said: 64 MiB. */
export const TIERED_CAPACITY = 2 ** 26;

/** Bytes by which a full tier grows at the least, when nothing is said: 4 MiB. */
export const TIERED_GROWTH = 2 ** 22;

/**
 * Committed besides the capacity, as a share of it: room for the tables of most arenas, so that the memory need not grow at once. It grows where they need
 * more.
 */
const TABLES_SHARE = 1 / 8;

/** How to make one with {@link tiered}. */
export interface TieredOptions extends Partial<TieredArenaOptions> {
  /** Whether other threads can have the memory; with a parent, that decides. Default `true` where the platform offers shared memory. */
  readonly shared?: boolean;
}

/**
 * Makes a {@link TieredArena} of the tiers `top`, `middle` and `bottom`: half, 30 % and 20 % of the capacity, aligned to 128, 64 and 8 bytes. A tier that is
 * full takes a segment of its own from the parent; others than these can be named in `options.tiers`, and grow as they say themselves.
 *
 * Another thread takes part with `TieredArena.attach(WasmMemory.attach(memory.wasm), arena.address)`: whoever wants that makes the memory, shared, and gives it
 * as the parent.
 *
 * @param parent - Default: a new WebAssembly memory of its own, of up to 4 GiB.
 * @throws As `TieredArena.create` does; AllocatorError `unsupported` where shared memory is asked for and not to be had.
 */
export function tiered(options: TieredOptions = {}, parent?: Parent): TieredArena {
  const { shared = typeof SharedArrayBuffer === 'function', capacity = TIERED_CAPACITY, ...rest } = options;
  const tiers = options.tiers ?? TIERS_DEFAULT.map((tier) => ({ ...tier, growth: TIERED_GROWTH }));
  const arenaOptions = { ...rest, capacity, tiers };
  if (parent !== undefined) return TieredArena.create(parent, arenaOptions);
  if (typeof shared !== 'boolean') throw new TypeError(`shared must be a boolean, got ${typeof shared}`);
  checkInteger(capacity, 'capacity', 1, ADDRESS_SPACE_SIZE - 1);
  const commit = Math.min(ADDRESS_SPACE_SIZE, Math.max(OWN_MEMORY_COMMIT, Math.ceil(capacity * (1 + TABLES_SHARE))));
  const memory = WasmMemory.create({ reserve: ADDRESS_SPACE_SIZE, commit, shared });
  try {
    return TieredArena.create(memory, arenaOptions);
  } catch (error) {
    memory.release();
    throw error;
  }
}
