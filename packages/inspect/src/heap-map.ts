/**
 * A heap map: what lies where in an allocator's memory, at one moment.
 *
 * Allocators of this library say it themselves, from their tables. Any other is asked address by address, through the contract: that takes longer, and sees no
 * state.
 */

import { type Address, type BlockSource, type ExtentUse, type ExtentVisitor, type Memory } from '@allokit/allocator';
import { visitTier, type Tier } from '@allokit/tiered-arena';
import { partsOf, visitPart } from './heap-parts.ts';

/** A stretch of memory that is all the same. */
export interface Extent {
  /** Where it starts. */
  readonly address: Address;
  /** Its bytes. */
  readonly size: number;
  /** A live block with its header and rounding, free memory, or the allocator's own state. */
  readonly use: ExtentUse;
  /** What it is counted among: a size class, a tier, a generation. Empty where there are no groups. */
  readonly group: string;
}

/** What lies where, in ascending order of addresses; no extent overlaps another, and what is not the allocator's is in none. */
export interface HeapMap {
  /** Every stretch. */
  readonly extents: readonly Extent[];
  /** Where the first one starts. */
  readonly start: Address;
  /** Where the last one ends. */
  readonly end: number;
}

/** A heap's figures, counted over a map. */
export interface HeapMapFigures {
  /** Live blocks. */
  readonly blockCount: number;
  /** Bytes of live blocks, headers and rounding included. */
  readonly blockBytes: number;
  /** Bytes that are free. */
  readonly freeBytes: number;
  /** Pieces that the free memory is in: neighbours count as one. */
  readonly freeCount: number;
  /** Bytes of the largest piece. */
  readonly freeBytesMax: number;
  /** Bytes of the allocator's own tables, and what it can never hand out. */
  readonly stateBytes: number;
  /** How far the free memory is from being one piece: 1 - largest piece / free bytes; 0 when nothing is free. */
  readonly externalFragmentation: number;
}

/** A garbage-collected heap: what `GenerationalHeap` is. */
export interface CollectedHeap {
  /** The address space the objects lie in. */
  readonly memory: Memory;
  /** Everything in the heap. */
  cells(): readonly {
    /** Where it starts, header included. */
    readonly start: Address;
    /** What it takes. */
    readonly size: number;
    /** Of the type; absent for a free run. */
    readonly type?: string;
    /** The generation it lies in. */
    readonly space: string;
  }[];
}

/** An arena in tiers: what `TieredArena` is. */
export interface TieredHeap {
  /** Its tiers, from the first one up. */
  readonly tiers: readonly Tier[];
}

/** Whatever has a map: an allocator or an assembly of several, a garbage-collected heap, an arena in tiers. */
export type Mappable = BlockSource | CollectedHeap | TieredHeap;

/**
 * Draws up the map of a heap. Objects of a garbage-collected heap are in groups by generation, those of a slab pool by class.
 *
 * @param source - Of an assembly, all parts are mapped. What the parts' own memory is taken from is not.
 * @returns A snapshot. O(blocks log blocks); for allocators that are not of this library O(address space / alignment), at a microsecond each.
 * @throws AllocatorError `released`, `corrupt`; `unsupported` where a foreign allocator's address space is too large to be asked through.
 */
export function heapMap(source: Mappable): HeapMap {
  const extents: Extent[] = [];
  const add: ExtentVisitor = (address, size, use, group) => {
    if (size > 0) extents.push({ address, size, use, group });
  };
  if ('cells' in source) {
    for (const { start, size, type, space } of source.cells()) add(start, size, type === undefined ? 'free' : 'block', space);
  } else if ('tiers' in source) {
    for (const tier of source.tiers) visitTier(tier, (address, size, use, group) => add(address, size, use, `${tier.name} ${group}`.trim()));
  } else {
    for (const part of partsOf(source)) visitPart(part, source.memory, add);
  }
  return mapOf(extents);
}

/** Makes a map of extents in any order. O(n log n). @internal */
export function mapOf(extents: Extent[]): HeapMap {
  extents.sort((a, b) => a.address - b.address);
  const last = extents.at(-1);
  return { extents, start: extents[0]?.address ?? 0, end: last === undefined ? 0 : last.address + last.size };
}

/** Counts over a map. O(extents). */
export function heapMapFigures({ extents }: HeapMap): HeapMapFigures {
  const bytes = { block: 0, free: 0, state: 0 };
  let blockCount = 0;
  let freeCount = 0;
  let freeBytesMax = 0;
  let run = 0;
  let end = -1;
  for (const { address, size, use } of extents) {
    bytes[use] += size;
    if (use === 'block') blockCount += 1;
    if (use === 'free') {
      const isNew = address !== end || run === 0;
      run = isNew ? size : run + size;
      if (isNew) freeCount += 1;
      if (run > freeBytesMax) freeBytesMax = run;
    } else {
      run = 0;
    }
    end = address + size;
  }
  const externalFragmentation = bytes.free === 0 ? 0 : 1 - freeBytesMax / bytes.free;
  return { blockCount, blockBytes: bytes.block, freeBytes: bytes.free, freeCount, freeBytesMax, stateBytes: bytes.state, externalFragmentation };
}
