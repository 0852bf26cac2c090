/** What assets can go to: each kind of memory, each kind of target. */

import { Locked, type Allocator } from '@allokit/allocator';
import { TieredArena } from '@allokit/tiered-arena';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { AssetRegistry, type AssetRegistryOptions } from '../src/index.ts';

/** A target, and how much of it is taken. */
export interface Subject {
  readonly target: Allocator | TieredArena;
  /** Bytes of live blocks. */
  readonly liveBytes: () => number;
  readonly checkInvariants: () => void;
}

/** How a target is made. */
export interface TargetKind {
  readonly name: string;
  readonly create: () => Subject;
}

const RESERVE = 2 ** 27;
const CAPACITY = 2 ** 25;
const GROWING = { size: 2 ** 16, growth: { step: 2 ** 16, share: 1 } };

function ofArena(arena: TieredArena): Subject {
  return { target: arena, liveBytes: () => arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0), checkInvariants: () => arena.checkInvariants() };
}

function ofAllocator(target: Allocator): Subject {
  return { target, liveBytes: () => target.stats().liveBytes, checkInvariants: () => target.checkInvariants() };
}

/** All kinds. */
export const TARGETS: readonly TargetKind[] = [
  { name: 'tiers in shared memory', create: () => ofArena(TieredArena.create(WasmMemory.create({ reserve: RESERVE, shared: true }), { capacity: CAPACITY })) },
  {
    name: 'checked tiers in unshared memory',
    create: () => ofArena(TieredArena.create(WasmMemory.create({ reserve: RESERVE }), { capacity: CAPACITY, checked: true })),
  },
  {
    name: 'a single tier that grows',
    create: () =>
      ofArena(
        TieredArena.create(WasmMemory.create({ reserve: RESERVE }), { capacity: 2 ** 17, tiers: [{ name: 'only', share: 1, alignment: 8, growth: 2 ** 17 }] }),
      ),
  },
  { name: 'a heap in unshared memory that grows', create: () => ofAllocator(Tlsf.create(WasmMemory.create({ reserve: RESERVE }), GROWING)) },
  {
    name: 'a locked heap in shared memory',
    create: () => ofAllocator(Locked.create(Tlsf.create(WasmMemory.create({ reserve: RESERVE, shared: true }), GROWING))),
  },
  { name: 'a heap in a shared buffer', create: () => ofAllocator(Tlsf.create(BufferMemory.create({ reserve: RESERVE, shared: true }), { size: CAPACITY })) },
];

/** The first kind: where it does not matter which. */
export const DEFAULT_TARGET: TargetKind = TARGETS[0]!;

/** A registry on a target of its own that is told to be quick. */
export function registryOn(kind: TargetKind, options: AssetRegistryOptions = {}): { readonly registry: AssetRegistry; readonly subject: Subject } {
  const subject = kind.create();
  return { registry: AssetRegistry.create(subject.target, { retries: 0, retryDelay: 1, ...options }), subject };
}
