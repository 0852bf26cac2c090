/**
 * A heap map as cells in rows, each so many bytes, before it is drawn: the same for SVG, canvas and text.
 *
 * A cell shows the extent that has most of it. Where extents are at least as large as cells, the picture is exact.
 */

import { checkInteger, powerOfTwoCeil, type ExtentUse } from '@allokit/allocator';
import { heapMapFigures, type Extent, type HeapMap } from './heap-map.ts';

/** How a map is laid out. */
export interface HeapPictureOptions {
  /** Cells in a row, 1..4096. Default 128. */
  readonly columns?: number;
  /** Rows at the most, 1..4096. Default 64. */
  readonly rowsMax?: number;
  /** Bytes of a cell, a power of two; more where the rows would not suffice. Default: the fewest with which they do, at least 16. */
  readonly cellBytes?: number;
  /** Said above the map. */
  readonly title?: string;
}

/** What a run of cells looks like. */
export interface Paint {
  /** What it stands for, in the legend. */
  readonly label: string;
  /** What it is. */
  readonly use: ExtentUse;
  /** A CSS colour. */
  readonly colour: string;
}

/** A run of cells in a row that show one extent, or many small ones of the same kind. */
export interface Run {
  /** The row, from 0. */
  readonly row: number;
  /** The first cell of the row, from 0. */
  readonly column: number;
  /** Cells. */
  readonly length: number;
  /** Which of the paints. */
  readonly paint: number;
  /** Whether an extent ends here: a gap is drawn behind it. */
  readonly isEnd: boolean;
}

/** A map, laid out. */
export interface HeapPicture {
  /** Said above the map. */
  readonly title: string;
  /** The figures in one line. */
  readonly caption: string;
  /** Cells in a row. */
  readonly columns: number;
  /** Rows. */
  readonly rows: number;
  /** Bytes of a cell. */
  readonly cellBytes: number;
  /** The address of the first cell. */
  readonly start: number;
  /** What there is to see, in the order of the legend. */
  readonly paints: readonly Paint[];
  /** What to draw, row by row. Cells that are nobody's are in no run. */
  readonly runs: readonly Run[];
}

const CELL_BYTES_MIN = 16;
const COLUMNS = 128;
const ROWS_MAX = 64;

/** For blocks: colours that colour-blind people can tell apart as well (M. Okabe and K. Ito, 2008). */
const BLOCK_COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#b8a800'];
const FREE_COLOUR = '#e4e6ea';
const STATE_COLOUR = '#7a808c';

const NOBODY = -1;

/** Lays a map out. O(extents + cells). Throws TypeError or RangeError for options out of range. */
export function heapPicture(map: HeapMap, { columns = COLUMNS, rowsMax = ROWS_MAX, cellBytes: cellBytesMin = CELL_BYTES_MIN, title = '' }: HeapPictureOptions = {}): HeapPicture {
  checkInteger(columns, 'columns', 1, 4096);
  checkInteger(rowsMax, 'rowsMax', 1, 4096);
  checkInteger(cellBytesMin, 'cellBytes', 1, 2 ** 30);
  let cellBytes = powerOfTwoCeil(cellBytesMin);
  while (rowsOf(map, cellBytes * columns) > rowsMax) cellBytes *= 2;
  const rowBytes = cellBytes * columns;
  const rows = rowsOf(map, rowBytes);
  const start = Math.floor(map.start / rowBytes) * rowBytes;
  const { paints, paintOf } = paintsOf(map.extents);
  const owners = ownersOf(map, start, cellBytes, rows * columns);
  return { title, caption: captionOf(map), columns, rows, cellBytes, start, paints, runs: [...runsOf({ map, owners, columns, cellBytes, paintOf })] };
}

function rowsOf({ start, end }: HeapMap, rowBytes: number): number {
  return Math.ceil(end / rowBytes) - Math.floor(start / rowBytes);
}

/** For each cell the number of the extent that has most of it. */
function ownersOf({ extents }: HeapMap, start: number, cellBytes: number, cellCount: number): Int32Array {
  const owners = new Int32Array(cellCount).fill(NOBODY);
  const largest = new Float64Array(cellCount);
  extents.forEach(({ address, size }, number) => {
    const from = address - start;
    const to = from + size;
    for (let cell = Math.floor(from / cellBytes); cell * cellBytes < to; cell += 1) {
      const part = Math.min(to, (cell + 1) * cellBytes) - Math.max(from, cell * cellBytes);
      if (part <= largest[cell]!) continue;
      largest[cell] = part;
      owners[cell] = number;
    }
  });
  return owners;
}

function* runsOf({ map: { extents }, owners, columns, cellBytes, paintOf }: {
  readonly map: HeapMap;
  readonly owners: Int32Array;
  readonly columns: number;
  readonly cellBytes: number;
  readonly paintOf: (extent: Extent) => number;
}): Generator<Run> {
  const isSmall = (number: number): boolean => extents[number]!.size < cellBytes;
  for (let cell = 0; cell < owners.length; ) {
    const first = cell;
    const owner = owners[first]!;
    const rowEnd = (Math.floor(first / columns) + 1) * columns;
    if (owner === NOBODY) {
      cell += 1;
      continue;
    }
    const paint = paintOf(extents[owner]!);
    const goesOn = (next: number): boolean => next === owner || (next !== NOBODY && isSmall(next) && isSmall(owner) && paintOf(extents[next]!) === paint);
    while (cell < rowEnd && goesOn(owners[cell]!)) cell += 1;
    const isEnd = !isSmall(owner) && owners[cell] !== owner;
    yield { row: Math.floor(first / columns), column: first % columns, length: cell - first, paint, isEnd };
  }
}

/** One paint for each use of each group. */
function paintsOf(extents: readonly Extent[]): { readonly paints: readonly Paint[]; readonly paintOf: (extent: Extent) => number } {
  const groups = [...new Set(extents.filter(({ use }) => use === 'block').map(({ group }) => group))].sort(byNumber);
  const kinds = new Map<string, Paint>();
  const key = ({ use, group }: Pick<Extent, 'use' | 'group'>): string => `${use} ${group}`;
  for (const { use, group } of extents) {
    if (kinds.has(key({ use, group }))) continue;
    const index = groups.indexOf(group);
    const colour = use === 'state' ? STATE_COLOUR : use === 'block' ? BLOCK_COLOURS[index % BLOCK_COLOURS.length]! : FREE_COLOUR;
    kinds.set(key({ use, group }), { use, colour, label: labelOf(use, group) });
  }
  const order = { block: 0, free: 1, state: 2 };
  const sorted = [...kinds].sort(([, a], [, b]) => order[a.use] - order[b.use] || byNumber(a.label, b.label));
  const numbers = new Map(sorted.map(([name], number) => [name, number]));
  return { paints: sorted.map(([, paint]) => paint), paintOf: (extent) => numbers.get(key(extent))! };
}

function labelOf(use: ExtentUse, group: string): string {
  if (use === 'state') return 'state';
  return group === '' ? use : use === 'free' ? `free ${group}` : group;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function captionOf(map: HeapMap): string {
  const { blockCount, blockBytes, freeBytes, freeCount, freeBytesMax, externalFragmentation } = heapMapFigures(map);
  const percent = (externalFragmentation * 100).toFixed(1);
  return (
    `${formatBytes(blockBytes)} in ${formatCount(blockCount, 'block')}; ${formatBytes(freeBytes)} free in ${formatCount(freeCount, 'piece')}, ` +
    `the largest ${formatBytes(freeBytesMax)}: fragmentation ${percent} %`
  );
}

/** Bytes for people: `1,536 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes.toLocaleString('en')} B`;
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** How many of something. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
