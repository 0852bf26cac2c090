/** Draws a heap as SVG: its spaces as rows of cells, roots above, references as arcs. */

import type { GenerationalHeap, HeapCell } from '../src/index.ts';

/** What is drawn of an object. */
export interface Drawn {
  readonly label: string;
  /** What it refers to. */
  readonly references: readonly number[];
}

/** What there is beside the cells. */
export interface Scene {
  readonly heap: GenerationalHeap;
  /** Reads an object. */
  readonly describe: (ref: number) => Drawn;
  readonly roots: readonly number[];
  /** The rows. Default: all. */
  readonly spaces?: readonly ('eden' | 'survivors' | 'old')[];
  /** Whether to tell what a marking reached from what it did not. */
  readonly showsMarks?: boolean;
}

const WIDTH = 920;
const LEFT = 96;
const ROW = 74;
const CELL = 34;
const COLOURS = { live: '#7fb2e5', dead: '#d9d9d9', free: '#ffffff', marked: '#4a4a4a', pinned: '#e0a96d' } as const;

/** A heap at some moment, drawn. */
export interface Panel {
  readonly height: number;
  readonly body: readonly string[];
}

/** Panels below one another, each with a caption. */
export function picture(panels: readonly (readonly [caption: string, panel: Panel])[]): string {
  let height = 0;
  const parts = panels.flatMap(([caption, { body, height: own }]) => {
    const group = [`<g transform="translate(0 ${height})">`, text(8, 20, caption, 'font-weight="bold"'), ...body, '</g>'];
    height += own;
    return group;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 6 3 0 6z" fill="#c0392b"/></marker></defs>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** The heap as it is now. */
export function panel({ heap, describe, roots, spaces = ['eden', 'survivors', 'old'], showsMarks = false }: Scene): Panel {
  const cells = heap.cells();
  const { nurserySize } = heap.stats();
  const drawn = new Map(cells.filter(({ type }) => type !== undefined).map(({ address }) => [address, describe(address)]));
  const reachable = reach(roots, drawn);
  const rows = spaces.map((name) => ({ name, cells: cells.filter(({ space }) => space === name) }));
  const centres = new Map<number, readonly [number, number]>();
  const boxes = rows.flatMap(({ name, cells: row }, i) => {
    const y = 44 + i * ROW;
    const scale = (WIDTH - LEFT - 10) / nurserySize;
    const width = (name === 'survivors' ? nurserySize / 4 : nurserySize) * scale;
    const start = row.length === 0 ? 0 : Math.min(...row.map((cell) => startOf(cell)));
    const frame = [text(8, y + CELL / 2 + 4, name), `<rect x="${LEFT}" y="${y}" width="${round(width)}" height="${CELL}" fill="none" stroke="#888"/>`];
    const drawnCells = row.map((cell) => {
      const x = LEFT + (startOf(cell) - start) * scale;
      const w = Math.min(cell.size * scale, LEFT + width - x);
      centres.set(cell.address, [x + w / 2, y]);
      const label = drawn.get(cell.address)?.label ?? '';
      const colour = colourOf(cell, reachable.has(cell.address), showsMarks);
      const ink = colour === COLOURS.marked ? '#fff' : '#222';
      return `<rect x="${round(x)}" y="${y}" width="${round(w)}" height="${CELL}" fill="${colour}" stroke="#666"/>${text(x + w / 2, y + CELL / 2 + 4, label, `text-anchor="middle" fill="${ink}"`)}`;
    });
    return [...frame, ...drawnCells];
  });
  const arcs = [...drawn].flatMap(([from, { references }]) => references.flatMap((to) => arc(centres.get(from), centres.get(to), reachable.has(from))));
  const marks = roots.flatMap((ref) => {
    const at = centres.get(ref);
    return at === undefined ? [] : [`<path d="M${round(at[0] - 5)} ${at[1] - 11}h10l-5 9z" fill="#27864a"/>`];
  });
  return { height: ROW * rows.length + 36, body: [...boxes, ...arcs, ...marks] };
}

function startOf({ address, type }: HeapCell): number {
  return type === undefined ? address : address - 8;
}

function colourOf({ type, isMarked }: HeapCell, isReachable: boolean, showsMarks: boolean): string {
  if (type === undefined) return COLOURS.free;
  if (showsMarks) return isMarked ? COLOURS.marked : COLOURS.free;
  return isReachable ? COLOURS.live : COLOURS.dead;
}

function reach(roots: readonly number[], drawn: ReadonlyMap<number, Drawn>): Set<number> {
  const found = new Set<number>();
  const todo = [...roots];
  for (let ref = todo.pop(); ref !== undefined; ref = todo.pop()) {
    if (ref === 0 || found.has(ref)) continue;
    found.add(ref);
    todo.push(...(drawn.get(ref)?.references ?? []));
  }
  return found;
}

function arc(from: readonly [number, number] | undefined, to: readonly [number, number] | undefined, isLive: boolean): string[] {
  if (from === undefined || to === undefined) return [];
  const y1 = from[1] + (to[1] < from[1] ? 0 : CELL);
  const y2 = to[1] + (to[1] > from[1] ? 0 : CELL);
  const bend = to[1] === from[1] ? 22 : 0;
  const path = `M${round(from[0])} ${y1}C${round(from[0])} ${y1 + bend} ${round(to[0])} ${y2 + bend} ${round(to[0])} ${y2}`;
  return [`<path d="${path}" fill="none" stroke="${isLive ? '#c0392b' : '#bbb'}" marker-end="url(#tip)"/>`];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
