/** What the page and its workers say to one another, and the table in which workers note what they have, for the page to draw. */

import type { Address } from '@allokit/allocator';

/** Blocks that a worker has at the most. */
export const SLOT_COUNT = 24;
/** Workers. */
export const WORKER_COUNT = 2;

/** What a worker is told at its start. */
export interface TierWork {
  readonly wasm: WebAssembly.Memory;
  /** Where the arena's state lies. */
  readonly address: Address;
  /** Which worker it is, from 0. */
  readonly number: number;
  /** Two words a slot, address and size, for each worker's slots. */
  readonly table: Int32Array<SharedArrayBuffer>;
}

/** The index of a slot's first word. */
export function slotIndex(worker: number, slot: number): number {
  return 2 * (worker * SLOT_COUNT + slot);
}
