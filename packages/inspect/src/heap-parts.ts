/** The parts of an assembly: the allocators in it that have memory of their own, found through whatever is put around them. */

import { AllocatorError, NULL, type Address, type Allocator, type BlockSource, type ExtentVisitor, type ReadableMemory } from '@allokit/allocator';
import { visitArena } from '@allokit/arena';
import { visitHeap } from '@allokit/boundary-tags';
import { visitSlabPool } from '@allokit/slab-pool';
import { Tier, visitTier } from '@allokit/tiered-arena';

/** A part that can be found by its address alone: from any thread that sees the memory. It can be cloned and posted. */
export interface HeapPart {
  /** The four letters in the part's header. */
  readonly kind: PartKind;
  /** Where its state lies. */
  readonly address: Address;
}

/** What can be mapped from its memory alone: `SlabPool`, `O1Heap`, `Tlsf`, `Arena`. */
export type PartKind = 'SLAB' | 'O1HP' | 'TLSF' | 'AREN';

/** A part of another kind: it is mapped through itself. */
type OtherPart = { readonly kind: 'tier'; readonly tier: Tier } | { readonly kind: 'other'; readonly allocator: Allocator };

const VISITORS: Readonly<Record<PartKind, (memory: ReadableMemory, address: Address, visit: ExtentVisitor) => void>> = {
  SLAB: visitSlabPool,
  O1HP: visitHeap,
  TLSF: visitHeap,
  AREN: visitArena,
};

/** What combinators call the allocators that they are made of. */
const CHILDREN = ['parent', 'allocator', 'assembly', 'arena', 'small', 'large', 'primary', 'secondary'] as const;

/** Addresses that a foreign allocator is asked about at the most: a microsecond each. */
const PROBE_COUNT_MAX = 2 ** 22;

const MAGIC = 'ALKT';

/**
 * The parts of an assembly that can be mapped from another thread: what `LiveMap` wants. O(parts).
 *
 * @param source - An allocator of this library, or combinators around some. Parts of other kinds are left out.
 */
export function heapParts(source: BlockSource): HeapPart[] {
  return partsOf(source).filter((part): part is HeapPart => part.kind !== 'other' && part.kind !== 'tier');
}

/** All parts. @internal */
export function partsOf(source: BlockSource): (HeapPart | OtherPart)[] {
  if (source instanceof Tier) return [{ kind: 'tier', tier: source }];
  const { address } = source as { readonly address?: unknown };
  const kind = typeof address === 'number' && source.memory !== (source as unknown) ? kindAt(source.memory, address) : undefined;
  if (kind !== undefined) return [{ kind, address: address as Address }];
  const children = CHILDREN.map((name) => (source as unknown as Record<string, unknown>)[name]).filter(isBlockSource);
  if (children.length > 0) return children.flatMap(partsOf);
  return 'usableSize' in source ? [{ kind: 'other', allocator: source as Allocator }] : [];
}

/** Visits one part. @internal */
export function visitPart(part: HeapPart | OtherPart, memory: ReadableMemory, visit: ExtentVisitor): void {
  if (part.kind === 'tier') visitTier(part.tier, visit);
  else if (part.kind === 'other') probe(part.allocator, visit);
  else if (kindAt(memory, part.address) === part.kind) VISITORS[part.kind](memory, part.address, visit);
  else throw new AllocatorError('released', `the ${part.kind} that lay at ${part.address} is gone: it was released, or overwritten`);
}

function isBlockSource(value: unknown): value is BlockSource {
  return typeof value === 'object' && value !== null && typeof (value as { allocate?: unknown }).allocate === 'function';
}

/** What a header at an address says, if it is one that we know. */
function kindAt(memory: ReadableMemory, address: Address): PartKind | undefined {
  if (address % 16 !== 0 || address + 16 > memory.committed) return undefined;
  const letters = String.fromCharCode(...memory.u8.subarray(address, address + 8));
  const kind = letters.slice(4);
  return letters.startsWith(MAGIC) && Object.hasOwn(VISITORS, kind) ? (kind as PartKind) : undefined;
}

/** Asks an allocator about every address at which a block can start. */
function probe(allocator: Allocator, visit: ExtentVisitor): void {
  // Once it is released it owns nothing, which is not to be taken for an empty heap: this throws.
  allocator.stats();
  const { memory, alignment } = allocator;
  const { committed } = memory;
  if (committed / alignment > PROBE_COUNT_MAX) throw new AllocatorError('unsupported', `${committed} bytes are too many to ask an allocator about that is not of this library`);
  for (let address = alignment; address < committed; ) {
    const size = allocator.owns(address) ? Math.ceil(liveSize(allocator, address) / alignment) * alignment : -1;
    if (size > 0) visit(address, size, 'block', '');
    else if (size === 0) visit(address, alignment, 'free', '');
    address += Math.max(size, alignment);
  }
}

/** The usable size of a live block; 0 where none starts. */
function liveSize(allocator: Allocator, address: Address): number {
  try {
    return address === NULL ? 0 : allocator.usableSize(address);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code !== 'released') return 0;
    throw error;
  }
}
