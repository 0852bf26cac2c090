/** A picture of the heap: what lies where. */

import type { GenerationalHeap, HeapCell } from '@allokit/generational-gc';

const WIDTH = 1024;
const ROW_HEIGHT = 6;
/** Rows of one space at most: then a row stands for more bytes. */
const ROWS_MAX = 96;
/** Bytes a pixel at least: the granule of objects. */
const BYTES_PER_PIXEL_MIN = 8;
const MARGIN = 12;
const LINE = 18;
const SPACES = ['eden', 'survivors', 'old', 'large'] as const;
const COLOURS = [
  '#4e79a7', '#f28e2b', '#e15759', '#76b7b2', '#59a14f', '#edc948', '#b07aa1',
  '#ff9da7', '#9c755f', '#1f4e79', '#8cd17d', '#86bcb6', '#d37295', '#a0cbe8',
] as const;
const FREE_COLOUR = '#e8e8e8';

/** Draws everything in a heap as it lies there, dead objects that nobody found yet included: an SVG. */
export function drawHeap(heap: GenerationalHeap): string {
  const cells = heap.cells().sort((a, b) => a.address - b.address);
  const names = [...new Set(cells.flatMap(({ type }) => type ?? []))].sort();
  const colours = new Map(names.map((name, i) => [name, COLOURS[i % COLOURS.length]!]));
  const colourOf = ({ type }: HeapCell): string => (type === undefined ? FREE_COLOUR : colours.get(type)!);
  const parts: string[] = [];
  let top = MARGIN;
  for (const space of SPACES) {
    const drawn = drawSpace(
      cells.filter((cell) => cell.space === space),
      colourOf,
      top + LINE,
    );
    const baseline = top + LINE - 6;
    parts.push(`<text x="${MARGIN}" y="${baseline}" font-weight="bold">${space}</text>`, `<text x="${MARGIN + 80}" y="${baseline}">${drawn.caption}</text>`);
    parts.push(...drawn.rectangles);
    top += LINE + drawn.height + MARGIN;
  }
  for (const [i, name] of [...names, 'free'].entries()) {
    const count = cells.filter(({ type }) => (type ?? 'free') === name).length;
    const bytes = cells.reduce((sum, cell) => ((cell.type ?? 'free') === name ? sum + cell.size : sum), 0);
    const y = top + i * LINE;
    parts.push(`<rect x="${MARGIN}" y="${y}" width="12" height="12" fill="${colours.get(name) ?? FREE_COLOUR}"/>`);
    parts.push(`<text x="${MARGIN + 20}" y="${y + 10}">${name}: ${count}, ${bytes} bytes</text>`);
  }
  const height = top + (names.length + 1) * LINE + MARGIN;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH + 2 * MARGIN}" height="${height}" font-family="sans-serif" font-size="12">`;
  return `${open}\n<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

interface Drawn {
  readonly rectangles: readonly string[];
  readonly height: number;
  readonly caption: string;
}

/** A space, one cell after the other, gaps between blocks left out: line by line, neighbours of one colour as one rectangle. */
function drawSpace(cells: readonly HeapCell[], colourOf: (cell: HeapCell) => string, top: number): Drawn {
  const bytes = cells.reduce((sum, { size }) => sum + size, 0);
  const used = cells.reduce((sum, { size, type }) => (type === undefined ? sum : sum + size), 0);
  const scale = Math.max(BYTES_PER_PIXEL_MIN, bytes / (WIDTH * ROWS_MAX));
  const rectangles: string[] = [];
  let at = 0;
  let from = 0;
  let colour = '';
  const flush = (end: number): void => {
    for (let start = from; start < end; ) {
      const row = Math.floor(start / WIDTH);
      const stop = Math.min(end, (row + 1) * WIDTH);
      const x = (MARGIN + start - row * WIDTH).toFixed(2);
      const y = top + row * ROW_HEIGHT;
      rectangles.push(`<rect x="${x}" y="${y}" width="${(stop - start).toFixed(2)}" height="${ROW_HEIGHT - 1}" fill="${colour}"/>`);
      start = stop;
    }
    from = end;
  };
  for (const cell of cells) {
    const next = colourOf(cell);
    // What is narrower than a pixel belongs to the run it is in.
    if (next !== colour && at / scale - from >= 1) flush(at / scale);
    if (at / scale === from || colour === '') colour = next;
    at += cell.size;
  }
  flush(at / scale);
  const caption = `${cells.length} cells, ${used} of ${bytes} bytes used; a line is ${Math.round(scale * WIDTH)} bytes`;
  return { rectangles, height: Math.ceil(at / scale / WIDTH) * ROW_HEIGHT, caption };
}
