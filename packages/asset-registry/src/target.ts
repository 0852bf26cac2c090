/** Where assets go: an allocator, or the tiers of an arena, seen alike. */

import { ADDRESS_SPACE_SIZE, NULL, checkAllocator, type Address, type Allocator, type Locked, type Memory } from '@allokit/allocator';
import type { TieredArena } from '@allokit/tiered-arena';
import type { TierName } from './options.ts';

/** How often a busy lock is waited for before its answer counts as lack of memory. */
const PATIENCE = 16;

/** What a registry needs of whatever assets go to. */
export interface Target {
  /** The address space. */
  readonly memory: Memory;
  /** The tiers' names; none where there are no tiers. */
  readonly tierNames: readonly string[];
  /** The arena, where it is one. */
  readonly arena: TieredArena | undefined;
  /**
   * The number of a tier; 0 where there are none.
   *
   * @throws RangeError for an unknown tier, TypeError for any tier where there are none.
   */
  tierIndex(tier: TierName | undefined): number;
  /** What hands out a tier's blocks. */
  allocatorOf(tier: number): Allocator;
  /** Allocates a block in a tier. Returns its handle, or `NULL`. */
  allocate(tier: number, size: number): number;
  /** Frees a block. */
  deallocate(handle: number): void;
  /** Bytes of a live block, and a check that it is one. */
  usableSize(handle: number): number;
  /** The tier that a block lies in. */
  tierOf(handle: number): number;
}

/** Whether `value` is a tiered arena, of whatever copy of the package. */
function isArena(value: Allocator | TieredArena): value is TieredArena {
  return Array.isArray((value as Partial<TieredArena>).tiers) && typeof (value as Partial<TieredArena>).tier === 'function';
}

/** The address in a handle. */
export function addressOf(handle: number): Address {
  return handle % ADDRESS_SPACE_SIZE;
}

/** What a handle has above the address: the generation, in a checked arena. */
export function handleHigh(handle: number): number {
  return Math.floor(handle / ADDRESS_SPACE_SIZE);
}

/**
 * Makes a target of an allocator or an arena.
 *
 * @throws TypeError for what is neither.
 */
export function targetOf(value: Allocator | TieredArena): Target {
  const given: unknown = value;
  if (typeof given === 'object' && given !== null && isArena(value)) return new ArenaTarget(value);
  checkAllocator(value as Allocator, 'target');
  return new AllocatorTarget(value as Allocator);
}

/**
 * Asks for memory, of a lock that may be busy too: in a thread that may not wait, a `Locked` answers `NULL` for both.
 *
 * @returns What `attempt` returns: `NULL` means that there is no room.
 */
export async function insist(allocator: Allocator, attempt: () => number | Promise<number>): Promise<number> {
  let result = await attempt();
  for (let i = 0; result === NULL && isImpatient(allocator) && i < PATIENCE; i += 1) {
    await allocator.whenFree(() => undefined);
    result = await attempt();
  }
  return result;
}

/** Whether `NULL` may mean that a lock is busy. */
export function isImpatient(allocator: Allocator): allocator is Locked {
  const { mayWait, whenFree } = allocator as Partial<Locked>;
  return mayWait === false && typeof whenFree === 'function';
}

class AllocatorTarget implements Target {
  readonly memory: Memory;
  readonly tierNames: readonly string[] = [];
  readonly arena = undefined;
  readonly #allocator: Allocator;

  constructor(allocator: Allocator) {
    this.memory = allocator.memory;
    this.#allocator = allocator;
  }

  tierIndex(tier: TierName | undefined): number {
    if (tier !== undefined) throw new TypeError(`there are no tiers: ${JSON.stringify(tier)} is a tier of an arena, and the target is an allocator`);
    return 0;
  }

  allocatorOf(): Allocator {
    return this.#allocator;
  }

  allocate(_tier: number, size: number): number {
    return this.#allocator.allocate(size);
  }

  deallocate(handle: number): void {
    this.#allocator.deallocate(handle);
  }

  usableSize(handle: number): number {
    return this.#allocator.usableSize(handle);
  }

  tierOf(): number {
    return 0;
  }
}

class ArenaTarget implements Target {
  readonly memory: Memory;
  readonly tierNames: readonly string[];
  readonly arena: TieredArena;

  constructor(arena: TieredArena) {
    this.memory = arena.memory;
    this.tierNames = arena.tiers.map(({ name }) => name);
    this.arena = arena;
  }

  tierIndex(tier: TierName | undefined): number {
    return this.arena.tier(tier ?? 0).index;
  }

  allocatorOf(tier: number): Allocator {
    return this.arena.tier(tier);
  }

  allocate(tier: number, size: number): number {
    return this.arena.allocate(tier, size);
  }

  deallocate(handle: number): void {
    this.arena.deallocate(handle);
  }

  usableSize(handle: number): number {
    return this.arena.usableSize(handle);
  }

  tierOf(handle: number): number {
    const address = addressOf(handle);
    return Math.max(
      0,
      this.arena.tiers.findIndex((tier) => tier.owns(address)),
    );
  }
}
