/** Draws a heap map: as SVG, on a canvas, as text. */

import { checkInteger } from '@allokit/allocator';
import { heapPicture, type HeapPicture, type HeapPictureOptions } from './heap-picture.ts';
import type { HeapMap } from './heap-map.ts';

/** How a map is drawn. */
export interface DrawOptions extends HeapPictureOptions {
  /** Pixels of a cell, 2..64. Default 6. */
  readonly cellSize?: number;
}

/** What of a canvas's context is used; that of an `OffscreenCanvas` in a worker does as well. */
export interface DrawingContext {
  /** What is filled with. */
  fillStyle: unknown;
  /** What texts look like. */
  font: string;
  /** Where texts stand. */
  textBaseline: CanvasTextBaseline;
  /** Makes a rectangle transparent. */
  clearRect(x: number, y: number, width: number, height: number): void;
  /** Fills a rectangle. */
  fillRect(x: number, y: number, width: number, height: number): void;
  /** Writes a text. */
  fillText(text: string, x: number, y: number): void;
}

/** The pixels that a drawn map takes. */
export interface DrawnSize {
  /** From left to right. */
  readonly width: number;
  /** From top to bottom. */
  readonly height: number;
}

/** Where everything goes, in pixels. */
interface Page {
  readonly width: number;
  readonly height: number;
  readonly rectangles: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly paint: number }[];
  readonly swatches: readonly { readonly x: number; readonly y: number; readonly paint: number }[];
  readonly texts: readonly { readonly text: string; readonly x: number; readonly y: number; readonly isBold: boolean }[];
}

const CELL_SIZE = 6;
const FONT_SIZE = 12;
const LINE_HEIGHT = 18;
/** How wide a letter is, about, in a font of this size: the legend is laid out before there is a font. */
const LETTER_WIDTH = 7;
const INK = '#24292f';

/**
 * Draws a map as SVG: a document of its own, of at most some hundred kilobytes whatever the heap. O(extents + cells).
 *
 * @throws TypeError or RangeError for options out of range.
 */
export function svgMap(map: HeapMap, options: DrawOptions = {}): string {
  const picture = heapPicture(map, options);
  const { width, height, rectangles, swatches, texts } = layOut(picture, options.cellSize);
  const paths = picture.paints.map(({ colour, label }, paint) => {
    const d = rectangles.filter((rectangle) => rectangle.paint === paint).map((r) => `M${r.x} ${r.y}h${r.width}v${r.height}h-${r.width}z`).join('');
    return `<path fill="${colour}" d="${d}"><title>${escape(label)}</title></path>`;
  });
  const marks = swatches.map(({ x, y, paint }) => `<rect x="${x}" y="${y}" width="${FONT_SIZE}" height="${FONT_SIZE}" fill="${picture.paints[paint]!.colour}"/>`);
  const words = texts.map(({ text, x, y, isBold }) => `<text x="${x}" y="${y + FONT_SIZE - 2}"${isBold ? ' font-weight="bold"' : ''}>${escape(text)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="${FONT_SIZE}" fill="${INK}">`,
    `<title>${escape([picture.title, picture.caption].filter(Boolean).join(': '))}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...paths,
    ...marks,
    ...words,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * Draws a map on a canvas, from its upper left corner. O(extents + cells).
 *
 * @param context - Of a canvas that is large enough: what does not fit is cut off.
 * @returns The pixels that the map took.
 * @throws TypeError or RangeError for options out of range.
 */
export function drawMap(context: DrawingContext, map: HeapMap, options: DrawOptions = {}): DrawnSize {
  const picture = heapPicture(map, options);
  const { width, height, rectangles, swatches, texts } = layOut(picture, options.cellSize);
  context.clearRect(0, 0, width, height);
  for (const { x, y, width, height, paint } of rectangles) {
    context.fillStyle = picture.paints[paint]!.colour;
    context.fillRect(x, y, width, height);
  }
  for (const { x, y, paint } of swatches) {
    context.fillStyle = picture.paints[paint]!.colour;
    context.fillRect(x, y, FONT_SIZE, FONT_SIZE);
  }
  context.fillStyle = INK;
  context.textBaseline = 'top';
  for (const { text, x, y, isBold } of texts) {
    context.font = `${isBold ? 'bold ' : ''}${FONT_SIZE}px sans-serif`;
    context.fillText(text, x, y);
  }
  return { width, height };
}

/**
 * Draws a map as lines of text: `#` is a block, `.` is free, `=` is the allocator's own, and a blank is nobody's. O(extents + cells).
 *
 * @throws TypeError or RangeError for options out of range.
 */
export function textMap(map: HeapMap, options: HeapPictureOptions = {}): string {
  const { rows, columns, cellBytes, start, runs, paints } = heapPicture(map, options);
  const letters = { block: '#', free: '.', state: '=' };
  const lines = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
  for (const { row, column, length, paint } of runs) lines[row]!.fill(letters[paints[paint]!.use], column, column + length);
  const digits = Math.max(...lines.map((_, row) => addressOf(start, row, columns * cellBytes).length), 0);
  return lines.map((line, row) => `${addressOf(start, row, columns * cellBytes).padStart(digits)} ${line.join('')}`.trimEnd()).join('\n');
}

function addressOf(start: number, row: number, rowBytes: number): string {
  return `0x${(start + row * rowBytes).toString(16)}`;
}

function layOut({ title, caption, columns, rows, runs, paints }: HeapPicture, cellSize = CELL_SIZE): Page {
  checkInteger(cellSize, 'cellSize', 2, 64);
  const top = title === '' ? 0 : LINE_HEIGHT + 4;
  const gap = Math.max(1, Math.round(cellSize / 6));
  const rectangles = runs.map(({ row, column, length, paint, isEnd }) => ({
    x: column * cellSize,
    y: top + row * cellSize,
    width: length * cellSize - (isEnd ? gap : 0),
    height: cellSize - gap,
    paint,
  }));
  const texts = title === '' ? [] : [{ text: title, x: 0, y: 2, isBold: true }];
  let y = top + rows * cellSize + 6;
  const width = Math.max(columns * cellSize, caption.length * LETTER_WIDTH);
  texts.push({ text: caption, x: 0, y, isBold: false });
  y += LINE_HEIGHT;
  // One entry of the legend for each colour: what is free looks the same in every group.
  const swatches: { readonly x: number; readonly y: number; readonly paint: number }[] = [];
  const seen = new Set<string>();
  let x = 0;
  for (const [number, { colour, label, use }] of paints.entries()) {
    const text = use === 'free' ? 'free' : label;
    if (seen.has(`${colour} ${text}`)) continue;
    seen.add(`${colour} ${text}`);
    const entryWidth = FONT_SIZE + 6 + text.length * LETTER_WIDTH + 12;
    if (x > 0 && x + entryWidth > width) {
      x = 0;
      y += LINE_HEIGHT;
    }
    swatches.push({ x, y, paint: number });
    texts.push({ text, x: x + FONT_SIZE + 6, y, isBold: false });
    x += entryWidth;
  }
  return { width, height: y + LINE_HEIGHT, rectangles, swatches, texts };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
