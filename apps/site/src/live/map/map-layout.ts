/** Where everything of a map is drawn: each lane is folded into rows of equally many bytes, as a text is into lines. */

import type { Address } from '@allokit/allocator';
import type { Lane, Piece } from '../exhibit.ts';

/** A line of the map. Heights are in CSS pixels, widths parts of the room there is for lanes. */
export interface Row {
  readonly lane: Lane;
  readonly start: Address;
  readonly size: number;
  readonly top: number;
  readonly left: number;
  readonly width: number;
}

/** The name of a lane, beside its first row, or above it. */
export interface Title {
  readonly text: string;
  readonly top: number;
  /** Where it starts when it stands above, as rows have it; `undefined` beside. */
  readonly left: number | undefined;
  /** The room it has, when it stands above. */
  readonly width: number;
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

/** Bytes of a row at the least, when nothing is said. */
export const ROW_BYTES_MIN = 256;

/** Lanes of one size, so many at least, that a row would have room for several of, stand side by side, enlarged. */
const PACK_COUNT_MIN = 3;
const PACK_COLUMNS = 6;
const PACK_COLUMNS_NARROW = 2;
const PACK_GAP = 0.015;

/**
 * Lays lanes out below one another, and small ones of equal size side by side. O(rows).
 *
 * @param rowCountMax - Rows get as many bytes as it takes to stay within this, one row a lane being the least.
 * @param rowBytesMin - They get no fewer.
 * @param isNarrow - Whether titles stand above the lanes, on lines of their own, for want of room beside them.
 */
export function layOut(lanes: readonly Lane[], rowCountMax: number, rowBytesMin: number, isNarrow: boolean): MapLayout {
  const rowBytes = rowBytesFor(lanes, rowCountMax, rowBytesMin);
  const rows: Row[] = [];
  const titles: Title[] = [];
  const columns = isNarrow ? PACK_COLUMNS_NARROW : PACK_COLUMNS;
  let top = 0;
  for (const group of groupsOf(lanes, rowBytes)) {
    const isPacked = group.length > 1;
    group.forEach((lane, i) => {
      const left = isPacked ? (i % columns) / columns : 0;
      const width = isPacked ? 1 / columns - PACK_GAP : 1;
      const isAbove = isPacked || isNarrow;
      titles.push({ text: lane.name, top, left: isAbove ? left : undefined, width });
      let rowTop = isAbove ? top + TITLE_HEIGHT : top;
      for (let offset = 0; offset < lane.size; offset += rowBytes) {
        const size = Math.min(rowBytes, lane.size - offset);
        rows.push({ lane, start: lane.start + offset, size, top: rowTop, left, width: isPacked ? width : size / rowBytes });
        rowTop += ROW_HEIGHT + ROW_GAP;
      }
      if (!isPacked || i % columns === columns - 1 || i === group.length - 1) top = rowTop + LANE_GAP;
    });
  }
  return { rowBytes, rows, titles, height: Math.max(0, top - LANE_GAP - ROW_GAP) };
}

/** Lanes that stand side by side, and those that stand alone. */
function groupsOf(lanes: readonly Lane[], rowBytes: number): Lane[][] {
  const groups: Lane[][] = [];
  for (const lane of lanes) {
    const last = groups.at(-1);
    if (last?.[0]?.size === lane.size && lane.size * PACK_COUNT_MIN <= rowBytes) last.push(lane);
    else groups.push([lane]);
  }
  return groups.flatMap((group) => (group.length >= PACK_COUNT_MIN ? [group] : group.map((lane) => [lane])));
}

function rowBytesFor(lanes: readonly Lane[], rowCountMax: number, rowBytesMin: number): number {
  let bytes = rowBytesMin;
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
