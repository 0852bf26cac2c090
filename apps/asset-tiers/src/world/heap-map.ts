/** A tier as a row of cells, so many bytes each: what is drawn, before it is drawn. */

import type { Block } from './blocks.ts';

/** A cell is nobody's. */
export const NOBODY = -1;

/** The cells of a tier. */
export interface Cells {
  /** Bytes of a cell, a power of two. */
  readonly cellBytes: number;
  /** For each cell, the number of the block that has most of it, or {@link NOBODY}. */
  readonly owners: Int32Array;
  /** For each cell, how much of it is taken, 0..1. */
  readonly taken: Float32Array;
}

const CELL_BYTES_MIN = 256;

/**
 * How many bytes a cell should have: the fewest with which the map covers what is used, and a little more.
 *
 * @param used - Bytes that the map must cover.
 * @param capacity - Bytes that there are at the most.
 * @param cellCount - Cells of the map.
 * @param current - Bytes of a cell now, or 0: they become fewer only where half of the map would be empty otherwise.
 */
export function cellBytesFor(used: number, capacity: number, cellCount: number, current: number): number {
  const wanted = fewestBytes(Math.min(capacity, used * 1.15), cellCount);
  return wanted >= current ? wanted : Math.min(current, fewestBytes(Math.min(capacity, used * 2.3), cellCount));
}

function fewestBytes(covered: number, cellCount: number): number {
  let bytes = CELL_BYTES_MIN;
  while (bytes * cellCount < covered) bytes *= 2;
  return bytes;
}

/** Divides the blocks of one tier among cells. O(cells + blocks). */
export function cellsOf(blocks: readonly Block[], cellBytes: number, cellCount: number): Cells {
  const owners = new Int32Array(cellCount).fill(NOBODY);
  const taken = new Float32Array(cellCount);
  const largest = new Float32Array(cellCount);
  for (const [number, { offset, taken: size }] of blocks.entries()) {
    const end = Math.min(offset + size, cellBytes * cellCount);
    for (let cell = Math.floor(offset / cellBytes); cell * cellBytes < end; cell += 1) {
      const part = (Math.min(end, (cell + 1) * cellBytes) - Math.max(offset, cell * cellBytes)) / cellBytes;
      taken[cell]! += part;
      if (part <= largest[cell]!) continue;
      largest[cell] = part;
      owners[cell] = number;
    }
  }
  return { cellBytes, owners, taken };
}
