/** What is tested: how to make an allocator, and what may be expected of it. */

import type { Address } from '../address.ts';
import { isAllocator, type AnyAllocator } from './model.ts';

/** An allocator to be tested, and what belongs to it. */
export interface Subject<A extends AnyAllocator> {
  /** The allocator, no block live. */
  readonly allocator: A;
  /** Addresses in the same memory that belong to somebody else: the allocator must disown and refuse them. */
  readonly foreign?: readonly Address[];
  /** Called when the test is over, whether it passed or not. Without it, the allocator's own `release` is called. */
  readonly dispose?: () => void;
}

/** Makes a fresh allocator, no block live, each time it is called. */
export type Create<A extends AnyAllocator> = () => A | Subject<A>;

/**
 * Which misuse the allocator detects. What it does not detect is not tried, because it may do anything. Numbers that are no address or no
 * size at all must be refused by every allocator.
 */
export interface Detection {
  /** Addresses outside of the memory it hands out. */
  readonly foreign: boolean;
  /** Addresses in that memory that are no multiple of its alignment. */
  readonly misaligned: boolean;
  /** Addresses within a live block, whatever the block holds: zeros, ones, or a copy of the bytes before it. */
  readonly interior: boolean;
  /** Blocks that were freed, as long as no other live block starts there. */
  readonly doubleFree: boolean;
  /** Blocks handed out before `reset`, as long as no other live block starts there. */
  readonly stale: boolean;
  /** A size given with a live block that it cannot have: 0, or more than is usable. */
  readonly wrongSize: boolean;
}

/** What may be expected of an allocator beyond the contract. Everything but `capacity` has a default. */
export interface Expectations {
  /** About how many bytes of blocks it can hand out before it answers `NULL`. From 256 KiB to a few MiB keeps the suite fast. */
  readonly capacity: number;
  /** The largest size it serves when no block is live, in bytes. By default an eighth of `capacity`. */
  readonly sizeMax?: number;
  /** The largest alignment it serves, in bytes, a power of two. By default 4096. Larger ones are tried, and may be answered with `NULL`. */
  readonly alignmentMax?: number;
  /** Which misuse it detects. By default all of it, or for a `MonotonicAllocator` foreign and misaligned addresses. */
  readonly detects?: Partial<Detection>;
  /**
   * The part of the blocks of a first fill that a second one must yield after all were freed: 1 by default, less for an allocator that holds
   * freed blocks back on purpose.
   */
  readonly refillRatio?: number;
  /** Whether freed blocks of one size serve requests of another. By default `true`. */
  readonly coalesces?: boolean;
  /** Names of figures in `stats()` that change by themselves, such as resident memory: they are not compared. */
  readonly volatileStats?: readonly string[];
}

/** {@link Expectations} with the defaults filled in. */
export interface Limits {
  readonly capacity: number;
  readonly sizeMax: number;
  readonly alignmentMax: number;
  readonly detects: Detection;
  readonly refillRatio: number;
  readonly coalesces: boolean;
  readonly volatileStats: readonly string[];
}

const DETECTS_ALL: Detection = { foreign: true, misaligned: true, interior: true, doubleFree: true, stale: true, wrongSize: true };
const DETECTS_OUTSIDE: Detection = { foreign: true, misaligned: true, interior: false, doubleFree: false, stale: false, wrongSize: false };

/** Fills in the defaults. */
export function limitsOf(expectations: Expectations, width: 'allocator' | 'monotonic'): Limits {
  const { capacity } = expectations;
  return {
    capacity,
    sizeMax: expectations.sizeMax ?? Math.floor(capacity / 8),
    alignmentMax: expectations.alignmentMax ?? 4096,
    detects: { ...(width === 'allocator' ? DETECTS_ALL : DETECTS_OUTSIDE), ...expectations.detects },
    refillRatio: expectations.refillRatio ?? 1,
    coalesces: expectations.coalesces ?? true,
    volatileStats: expectations.volatileStats ?? [],
  };
}

/** Makes a subject, whichever way it was given. */
export function subjectOf<A extends AnyAllocator>(create: Create<A>): Subject<A> {
  const created = create();
  return 'allocate' in created ? { allocator: created } : created;
}

/** The width of the contract that an allocator implements. */
export function widthOf(allocator: AnyAllocator): 'allocator' | 'monotonic' {
  return isAllocator(allocator) ? 'allocator' : 'monotonic';
}
