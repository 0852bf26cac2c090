/** The two scenarios with a known outcome: a heap filled to the last block, and a million pairs. */

import { NULL, type Address } from 'allokit';
import { median } from 'simple-statistics';
import type { MemoryKind } from './memory.ts';
import { begin } from './policy.ts';

const BLOCK_SIZE = 20 * 1024;
/** What such a block takes, its header included: 20 KiB are rounded to 32. */
const FRAGMENT_SIZE = 2 ** 15;
const BLOCKS_WANTED = 100_000;

/** What came of 100,000 blocks of 20 KiB. */
export interface Exhaustion {
  /** Blocks that fitted. */
  readonly count: number;
  /** Blocks that must fit. */
  readonly expectedCount: number;
  /** Failed requests that the heap counted. */
  readonly outOfMemoryCount: number;
  /** Whether all free memory was one fragment again at the end, and the walks found nothing wrong. */
  readonly isOnePiece: boolean;
  /** Milliseconds for all allocations, and for all frees. */
  readonly allocateMs: number;
  readonly freeMs: number;
}

/** Allocates until the heap of `size` bytes is full, or holds 100,000 blocks; then frees them all. */
export async function exhaust(kind: MemoryKind, size: number): Promise<Exhaustion> {
  const { game } = await begin(kind, size, 'all');
  try {
    const expectedCount = Math.min(BLOCKS_WANTED, Math.floor(game.heap.stats().capacity / FRAGMENT_SIZE));
    const blocks: Address[] = [];
    const start = performance.now();
    while (blocks.length < BLOCKS_WANTED) {
      const block = game.allocate(BLOCK_SIZE);
      if (block === NULL) break;
      blocks.push(block);
    }
    const full = performance.now();
    game.heap.checkInvariants();
    const freeing = performance.now();
    for (const block of blocks) game.deallocate(block);
    const end = performance.now();
    game.heap.checkInvariants();
    const { liveBytes, externalFragmentation, failureCount } = game.heap.stats();
    const isOnePiece = liveBytes === 0 && externalFragmentation === 0;
    return { count: blocks.length, expectedCount, outOfMemoryCount: failureCount, isOnePiece, allocateMs: full - start, freeMs: end - freeing };
  } finally {
    game.release();
    game.memory.release();
  }
}

const PAIR_COUNT = 1_000_000;
const PAIR_SIZE = 100;
const PAIR_ROUNDS = 5;

/** What came of a million pairs. */
export interface Pairs {
  /** Milliseconds for a million, median of five. */
  readonly medianMs: number;
  /** Milliseconds for the first million, compilation included. */
  readonly firstMs: number;
  /** Whether the heap was as before. */
  readonly isUnchanged: boolean;
}

/** Allocates 100 bytes and frees them, a million times. */
export async function pair(kind: MemoryKind, size: number): Promise<Pairs> {
  const { game } = await begin(kind, size, 'all');
  try {
    const { capacity, largestFree } = game.heap.stats();
    const times = Array.from({ length: PAIR_ROUNDS }, () => {
      const start = performance.now();
      for (let i = 0; i < PAIR_COUNT; i += 1) game.deallocate(game.allocate(PAIR_SIZE));
      return performance.now() - start;
    });
    game.heap.checkInvariants();
    const after = game.heap.stats();
    const isUnchanged = after.capacity === capacity && after.largestFree === largestFree && after.liveBytes === 0 && after.failureCount === 0;
    return { medianMs: median(times), firstMs: times[0]!, isUnchanged };
  } finally {
    game.release();
    game.memory.release();
  }
}
