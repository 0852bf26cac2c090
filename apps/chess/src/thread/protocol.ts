/** What the main thread and a worker say to each other. What goes wrong in a worker ends it, and arrives as its error. */

import type { Division, Order } from '../perft.ts';
import type { StoreName } from '../stores/catalogue.ts';

/** What a worker is started with. */
export interface Assignment {
  readonly store: StoreName;
  /** Watch which slots are handed out. Slower: for what is not timed. */
  readonly audited: boolean;
}

/** What a worker is asked for: a search that counts, after one that does not. */
export interface Job {
  readonly fen: string;
  readonly depth: number;
  readonly warmUpDepth: number;
  readonly order: Order;
}

/** The figures of the search that counts. */
export interface SearchResult {
  readonly nodes: number;
  readonly milliseconds: number;
  readonly divisions: readonly Division[];
  readonly allocations: number;
  readonly peakLive: number;
  /** Allocations that got a slot never used before; audited ones only. */
  readonly freshCount?: number;
  /** Slots ever used, warm-up included; audited ones only. */
  readonly slotCount?: number;
  /** Taken from the system by the allocator, or the size of the engine's space for young objects. */
  readonly memoryBytes: number;
  /** By how much that grew during the search; undefined for the engine. */
  readonly memoryGrowth?: number;
  /** The same of the bytes that the allocator has for moves. */
  readonly capacityGrowth?: number;
  /** Collections of garbage during the search, and what they took. */
  readonly collectionCount: number;
  readonly collectionMilliseconds: number;
  /** What the allocator's own books contradict. */
  readonly faults: readonly string[];
}
