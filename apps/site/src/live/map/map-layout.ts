/** Where everything of a map is drawn: each lane is folded into rows of equally many bytes, as a text is into lines. */

import type { Address } from '@allokit/allocator';
import type { Lane, Piece } from '../exhibit.ts';

/** A line of the map. Positions are in CSS pixels. */
export interface Row {
  readonly lane: Lane;
  readonly start: Address;
  readonly size: number;
  readonly top: number;
}

/** The name of a lane, beside or above its first row. */
export interface Title {
  readonly text: string;
  readonly top: number;
}

/** A map, laid out. */
export interface MapLayout {
  /** Bytes of a whole row, a power of two. */
  readonly rowBytes: number;
  readonly rows: readonly Row[];
  readonly titles: readonly Title[];
  readonly height: number;
}

/** How high a row is. */
export const ROW_HEIGHT = 20;
const ROW_GAP = 2;
const LANE_GAP = 8;
const TITLE_HEIGHT = 18;
const ROW_BYTES_MIN = 256;

/**
 * Lays lanes out below one another. O(rows).
 *
 * @param rowCountMax - Rows get as many bytes as it takes to stay within this, one row a lane being the least.
 * @param isTitleAbove - Whether titles stand above the lanes, on lines of their own, for want of room beside them.
 */
export function layOut(lanes: readonly Lane[], rowCountMax: number, isTitleAbove: boolean): MapLayout {
  const rowBytes = rowBytesFor(lanes, Math.max(rowCountMax, lanes.length));
  const rows: Row[] = [];
  const titles: Title[] = [];
  let top = 0;
  for (const lane of lanes) {
    titles.push({ text: lane.name, top });
    if (isTitleAbove) top += TITLE_HEIGHT;
    for (let offset = 0; offset < lane.size; offset += rowBytes) {
      rows.push({ lane, start: lane.start + offset, size: Math.min(rowBytes, lane.size - offset), top });
      top += ROW_HEIGHT + ROW_GAP;
    }
    top += LANE_GAP;
  }
  return { rowBytes, rows, titles, height: Math.max(0, top - LANE_GAP - ROW_GAP) };
}

function rowBytesFor(lanes: readonly Lane[], rowCountMax: number): number {
  let bytes = ROW_BYTES_MIN;
  while (lanes.reduce((count, { size }) => count + Math.ceil(size / bytes), 0) > rowCountMax) {
    // One row a lane cannot be had for less.
    if (lanes.every(({ size }) => size <= bytes)) break;
    bytes *= 2;
  }
  return bytes;
}

/** The pieces of a row. O(pieces of the lane). */
export function piecesIn({ lane, start, size }: Row): readonly Piece[] {
  return lane.pieces.filter((piece) => piece.start < start + size && piece.start + piece.size > start);
}

/** The piece at an address of a row; `undefined` for what is free. */
export function pieceAt(row: Row, address: Address): Piece | undefined {
  return row.lane.pieces.find(({ start, size }) => address >= start && address < start + size);
}
