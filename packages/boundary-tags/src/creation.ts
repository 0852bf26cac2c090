/** How a heap comes into a memory, and how one that lies there is found: what `create`, `createAt`, `attach` and `liesAt` have in common. */

import {
  ADDRESS_SPACE_SIZE,
  AllocatorError,
  NULL,
  alignDown,
  checkAddress,
  checkAllocator,
  checkHeader,
  checkInteger,
  formatAddress,
  hasHeader,
  writeHeader,
  type Address,
  type Memory,
  type Parent,
} from '@allokit/allocator';
import type { Bins } from './bins.ts';
import { clearBins, formatRegion } from './regions.ts';
import {
  BLOCK_WORDS,
  CAPACITY,
  CREATED_WORDS,
  FIRST_REGION,
  FRAGMENT_SIZE_MIN,
  FRAGMENT_WORDS_MIN,
  GROWTH_LIMIT_WORDS,
  GROWTH_SHARE,
  GROWTH_STEP_WORDS,
  LAST_REGION,
  REGION_NEXT,
  REGION_OVERHEAD_WORDS,
  WHOLE_SHARE,
} from './layout.ts';

/** Bytes of a heap when nothing is said: 1 GiB of address space, of which untouched pages cost nothing. */
export const HEAP_SIZE_DEFAULT = 2 ** 30;

/** How much of itself a heap adds when it grows and nothing is said. */
const GROWTH_SHARE_DEFAULT = 1 / 8;

/** How a heap gets more memory from its parent when it is full. */
export interface HeapGrowth {
  /** Bytes that a growth adds at least. A larger request adds what it needs, a larger heap its `share`. */
  readonly step: number;
  /**
   * How much of itself the heap adds at least, 0..1, so that growths, and the regions they may leave, stay few: with 1 it doubles.
   * Kept with the heap to a billionth. Default 0.125.
   */
  readonly share?: number;
  /** Bytes that the heap may reach, its state included. Default: as far as the parent goes. */
  readonly limit?: number;
}

/** How to make a heap. */
export interface HeapOptions {
  /** Bytes to take from the parent, the heap's own state included. Default 1 GiB. */
  readonly size?: number;
  /** Default: the heap never grows, and every operation is bounded. Growing costs a call to the parent. */
  readonly growth?: HeapGrowth;
}

/** How to attach to a heap. */
export interface HeapAttachOptions {
  /** Whether to put the heap in order first, where its owner died in the middle of a call. Nobody else may use it then. Default `false`: it is refused. */
  readonly repair?: boolean;
}

/** Bytes of the smallest heap with such a state: a region of one fragment besides. */
export function heapSizeMin(stateSize: number): number {
  return stateSize + REGION_OVERHEAD_WORDS * 4 + FRAGMENT_SIZE_MIN;
}

/**
 * Makes a heap in a block taken from `parent`. O(1).
 *
 * @returns Where its state lies.
 * @throws TypeError or RangeError for sizes that are none or too small, AllocatorError `out-of-memory` when the parent has no such block.
 */
export function createHeap(bins: Bins, parent: Parent, { size = HEAP_SIZE_DEFAULT, growth }: HeapOptions): Address {
  checkInteger(size, 'size', heapSizeMin(bins.stateSize), ADDRESS_SPACE_SIZE - FRAGMENT_SIZE_MIN);
  if (growth !== undefined) {
    checkInteger(growth.step, 'growth.step', 1, ADDRESS_SPACE_SIZE);
    checkInteger(growth.limit ?? ADDRESS_SPACE_SIZE, 'growth.limit', size, ADDRESS_SPACE_SIZE);
    checkShare(growth.share ?? GROWTH_SHARE_DEFAULT);
  }
  checkAllocator(parent, 'parent');
  const blockSize = alignDown(size, FRAGMENT_SIZE_MIN);
  const address = parent.allocate(blockSize, FRAGMENT_SIZE_MIN);
  if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${blockSize} bytes for the heap`);
  format(bins, parent.memory, address, blockSize, blockSize / 4, growth);
  return address;
}

/**
 * Makes a heap in bytes that the caller owns. O(1).
 *
 * @throws TypeError or RangeError for a misaligned address, a size below the minimum, or bytes that are not committed;
 *   AllocatorError `already-initialised` when a heap lies there.
 */
export function createHeapAt(bins: Bins, memory: Memory, address: Address, size: number): void {
  checkInteger(address, 'address', 1, ADDRESS_SPACE_SIZE - 1);
  if (address % FRAGMENT_SIZE_MIN !== 0) throw new RangeError(`address must be a multiple of ${FRAGMENT_SIZE_MIN}, got ${address}`);
  checkInteger(size, 'size', heapSizeMin(bins.stateSize), ADDRESS_SPACE_SIZE - address);
  memory.refresh();
  if (address + size > memory.committed) {
    throw new RangeError(`size must end within the ${memory.committed} committed bytes, got ${size} at ${formatAddress(address)}`);
  }
  if (hasHeader(memory, address, bins.header)) {
    throw new AllocatorError('already-initialised', `a heap lies at ${formatAddress(address)} already: release it first`);
  }
  format(bins, memory, address, alignDown(size, FRAGMENT_SIZE_MIN), 0, undefined);
}

/**
 * Proves that a heap of this kind lies at `address`, and that the parent holds the block it lies in; not that the heap is sound. O(1).
 *
 * @returns The heap's parent: none for a heap that the caller placed.
 * @throws AllocatorError `bad-header` when no heap lies there, or what the parent says of a block it does not know.
 */
export function findHeap(bins: Bins, parent: Parent | Memory, address: Address): Parent | undefined {
  const memory = 'memory' in parent ? parent.memory : parent;
  checkHeader(memory, address, bins.header, heapSizeMin(bins.stateSize));
  const blockWords = memory.i32[(address >>> 2) + BLOCK_WORDS]!;
  if (blockWords === 0) return undefined;
  if (!('allocate' in parent)) throw new TypeError('this heap lies in a block of an allocator: attach needs that allocator, not its memory');
  const blockSize = blockWords * 4;
  const holds = 'usableSize' in parent ? parent.usableSize(address) >= blockSize : parent.owns(address);
  if (!holds) throw new AllocatorError('bad-header', `the parent has no block of ${blockSize} bytes at ${formatAddress(address)}`);
  return parent;
}

/**
 * Whether the state of a heap of this kind lies at `address`, of any layout version; looks at its header only. O(1).
 *
 * @throws TypeError or RangeError for what is no address, AllocatorError `released` when the memory was.
 */
export function isHeapAt(bins: Bins, memory: Memory, address: Address): boolean {
  checkAddress(address);
  memory.refresh();
  return address % FRAGMENT_SIZE_MIN === 0 && hasHeader(memory, address, bins.header);
}

/** Writes the state and the first region into `size` bytes at `address`. */
function format(bins: Bins, memory: Memory, address: Address, size: number, blockWords: number, growth: HeapGrowth | undefined): void {
  const words = memory.i32;
  const state = address >>> 2;
  const region = (address + bins.stateSize) / 4;
  const regionWords = (size - bins.stateSize) / 4;
  words.fill(0, state, region);
  words[state + BLOCK_WORDS] = blockWords;
  words[state + CREATED_WORDS] = size / 4;
  const step = Math.min(growth?.step ?? 0, ADDRESS_SPACE_SIZE / 2);
  words[state + GROWTH_STEP_WORDS] = Math.ceil(step / FRAGMENT_SIZE_MIN) * FRAGMENT_WORDS_MIN;
  words[state + GROWTH_LIMIT_WORDS] = Math.floor((growth?.limit ?? ADDRESS_SPACE_SIZE) / 4);
  words[state + GROWTH_SHARE] = growth === undefined ? 0 : Math.round((growth.share ?? GROWTH_SHARE_DEFAULT) * WHOLE_SHARE);
  words[state + FIRST_REGION] = region;
  words[state + LAST_REGION] = region;
  clearBins(bins, words, state);
  words[region + REGION_NEXT] = 0;
  formatRegion(bins, words, state, region, regionWords);
  words[state + CAPACITY] = regionWords - REGION_OVERHEAD_WORDS;
  writeHeader(memory, address, bins.header);
}

function checkShare(share: number): void {
  const given: unknown = share;
  if (typeof given !== 'number') throw new TypeError(`growth.share must be a number, got ${typeof given}`);
  if (!(share >= 0 && share <= 1)) throw new RangeError(`growth.share must be within 0..1, got ${share}`);
}
