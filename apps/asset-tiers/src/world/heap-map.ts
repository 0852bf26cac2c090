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
 * How many bytes a cell should have, so that a tier fits into its map.
 *
 * @param usedBytes - What the map must show.
 * @param cellCount - How many cells there are.
 * @param current - What it is now: a change back to smaller cells waits until there is plenty of room.
 */
export function cellBytesFor(usedBytes: number, cellCount: number, current: number): number {
  let bytes = CELL_BYTES_MIN;
  while (bytes * cellCount < usedBytes * 1.15) bytes *= 2;
  return bytes < current && bytes * cellCount < usedBytes * 2.3 && current * cellCount < usedBytes * 6 ? current : bytes;
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
