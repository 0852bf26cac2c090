/**
 * The picture of a tier: cells in rows, each so many bytes of it, on a canvas whose pixels are the screen's own.
 *
 * Only cells that changed are drawn again. Positions are in the canvas's own pixels.
 */

import { NOBODY, cellBytesFor, cellsOf, type Cells } from '../world/heap-map.ts';
import type { Block } from '../world/blocks.ts';
import { colourIndex, coloursOf, type Scheme } from './palette.ts';

/** A cell and the gap behind it, in CSS pixels. */
const PITCH = 9;

/** A map covers so many bytes at the least. */
const EXTENT_MIN = 2 ** 16;
/** Milliseconds until half of what was used is forgotten. */
const EXTENT_HALF_LIFE_MS = 1500;

/** What a map shows. */
export interface MapState {
  /** The tier's blocks. */
  readonly blocks: readonly Block[];
  /** Bytes below the cursor. */
  readonly used: number;
  /** The most there ever were. */
  readonly peak: number;
  /** Bytes of the tier. */
  readonly capacity: number;
  /** Everything from here on is shown as about to go; `undefined` for nothing. */
  readonly boundary: number | undefined;
  /** Addresses of blocks to point out. */
  readonly highlights: ReadonlySet<number>;
  /** Light or dark. */
  readonly scheme: Scheme;
}

/** The ground of a cell: beyond the tier, never used, used before, or free below the cursor. */
const Ground = { none: 0, fresh: 1, touched: 2, hole: 3 } as const;

interface Paints {
  readonly grounds: readonly string[];
  readonly ink: string;
  readonly fills: readonly string[];
}

const PAINTS: Readonly<Record<Scheme, Paints>> = {
  light: { grounds: ['', '#ececea', '#dfe0de', '#cbcdcc'], ink: '#16181d', fills: coloursOf('light') },
  dark: { grounds: ['', '#1d2027', '#272b34', '#3a404c'], ink: '#f4f5f7', fills: coloursOf('dark') },
};

/** A look is one number, so that looks are compared at once: ground, then these, then eighths of the cell that are taken, then the fill. */
const FAINT = 4;
const MARKER = 8;
const POINTED_OUT = 16;
const PART = 32;
const PART_COUNT = 8;
const FILL = PART * (PART_COUNT + 1);
const NOT_DRAWN = -1;

/** The map of one tier. */
export class HeapMapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #rows: number;
  #columns = 0;
  #pitch = PITCH;
  #cellBytes = 0;
  #extent = EXTENT_MIN;
  #shownAt = 0;
  #cells: Cells | undefined;
  #state: MapState | undefined;
  #drawn = new Int32Array(0);
  #scheme: Scheme = 'light';

  /**
   * Draws on a canvas.
   *
   * @param rows - Rows of cells; there are as many columns as there is room for.
   * @param onLayout - Is called when that has changed.
   */
  constructor(canvas: HTMLCanvasElement, rows: number, onLayout: () => void) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: true })!;
    this.#rows = rows;
    new ResizeObserver(() => {
      if (this.#layOut()) onLayout();
    }).observe(canvas.parentElement!);
    this.#layOut();
  }

  /** Bytes of a cell, as drawn last. */
  get cellBytes(): number {
    return this.#cellBytes;
  }

  /** Bytes that the whole map covers. */
  get coveredBytes(): number {
    return this.#cellBytes * this.#rows * this.#columns;
  }

  /** Draws. */
  show(state: MapState): void {
    const count = this.#rows * this.#columns;
    const cellBytes = cellBytesFor(this.#extentOf(state.used), state.capacity, count, this.#cellBytes);
    this.#cellBytes = cellBytes;
    this.#state = state;
    this.#cells = cellsOf(state.blocks, cellBytes, count);
    if (state.scheme !== this.#scheme) this.#drawn.fill(NOT_DRAWN);
    this.#scheme = state.scheme;
    for (let cell = 0; cell < count; cell += 1) {
      const look = this.#lookOf(cell);
      if (this.#drawn[cell] === look) continue;
      this.#drawn[cell] = look;
      this.#paint(cell, look);
    }
  }

  /** The bytes of the tier under a point of the window; `undefined` where there are none. */
  rangeAt(clientX: number, clientY: number): { readonly start: number; readonly end: number } | undefined {
    const { left, top, width } = this.#canvas.getBoundingClientRect();
    const scale = this.#canvas.width / width;
    const [column, row] = [Math.floor(((clientX - left) * scale) / this.#pitch), Math.floor(((clientY - top) * scale) / this.#pitch)];
    if (column < 0 || column >= this.#columns || row < 0 || row >= this.#rows) return undefined;
    const start = (row * this.#columns + column) * this.#cellBytes;
    return start < (this.#state?.capacity ?? 0) ? { start, end: start + this.#cellBytes } : undefined;
  }

  /** Where the cell of an offset is in the window. */
  pointOf(offset: number): { readonly x: number; readonly y: number } {
    const { left, top, width } = this.#canvas.getBoundingClientRect();
    const scale = width / this.#canvas.width;
    const cell = Math.min(this.#rows * this.#columns - 1, Math.floor(offset / this.#cellBytes));
    const [column, row] = [cell % this.#columns, Math.floor(cell / this.#columns)];
    return { x: left + (column + 0.5) * this.#pitch * scale, y: top + (row + 0.5) * this.#pitch * scale };
  }

  /**
   * What the map must cover: what is used, and for some seconds what was, so that the scale does not jump to and fro with a tier that is filled and reset all
   * the time.
   */
  #extentOf(used: number): number {
    const now = performance.now();
    this.#extent = Math.max(EXTENT_MIN, used, this.#extent * 0.5 ** ((now - this.#shownAt) / EXTENT_HALF_LIFE_MS));
    this.#shownAt = now;
    return this.#extent;
  }

  /** Fits the canvas to the room there is. @returns Whether anything changed. */
  #layOut(): boolean {
    const ratio = window.devicePixelRatio;
    const pitch = Math.max(3, Math.round(PITCH * ratio));
    const columns = Math.max(1, Math.floor((this.#canvas.parentElement!.clientWidth * ratio) / pitch));
    if (columns === this.#columns && pitch === this.#pitch && this.#canvas.width === columns * pitch) return false;
    this.#columns = columns;
    this.#pitch = pitch;
    this.#canvas.width = columns * pitch;
    this.#canvas.height = this.#rows * pitch;
    this.#canvas.style.width = `${(columns * pitch) / ratio}px`;
    this.#canvas.style.height = `${(this.#rows * pitch) / ratio}px`;
    this.#drawn = new Int32Array(this.#rows * columns).fill(NOT_DRAWN);
    return true;
  }

  #lookOf(cell: number): number {
    const { used, peak, capacity, boundary, highlights, blocks } = this.#state!;
    const { owners, taken, cellBytes } = this.#cells!;
    const [start, end] = [cell * cellBytes, (cell + 1) * cellBytes];
    if (start >= capacity) return Ground.none;
    let look: number = start < used ? Ground.hole : start < peak ? Ground.touched : Ground.fresh;
    if (used > start && used <= end) look += MARKER;
    const owner = owners[cell]!;
    if (owner === NOBODY) return look;
    const { site, variant, address } = blocks[owner]!;
    if (boundary !== undefined && start >= boundary) look += FAINT;
    if (highlights.has(address)) look += POINTED_OUT;
    // A cell that is hardly taken is still to be seen.
    const part = Math.min(PART_COUNT, Math.max(3, Math.ceil(taken[cell]! * PART_COUNT)));
    return look + PART * part + FILL * colourIndex(site, variant);
  }

  #paint(cell: number, look: number): void {
    const context = this.#context;
    const { grounds, fills, ink } = PAINTS[this.#scheme];
    const pitch = this.#pitch;
    const gap = Math.max(1, Math.round(pitch / PITCH));
    const side = pitch - gap;
    const [x, y] = [(cell % this.#columns) * pitch, Math.floor(cell / this.#columns) * pitch];
    const fill = (left: number, top: number, width: number, height: number, style: string): void => {
      context.fillStyle = style;
      context.fillRect(left, top, width, height);
    };
    context.clearRect(x, y, pitch, pitch);
    if (look === Ground.none) return;
    fill(x, y, side, side, grounds[look % FAINT]!);
    const part = Math.floor((look % FILL) / PART);
    if (part > 0) {
      const height = Math.round((side * part) / PART_COUNT);
      context.globalAlpha = (look & FAINT) === 0 ? 1 : 0.22;
      fill(x, y + side - height, side, height, fills[Math.floor(look / FILL)]!);
      context.globalAlpha = 1;
    }
    if ((look & POINTED_OUT) !== 0) {
      const inner = Math.max(2, Math.round(side / 3));
      const inset = Math.floor((side - inner) / 2);
      fill(x + inset, y + inset, inner, inner, ink);
    }
    if ((look & MARKER) !== 0) fill(x + side - gap, y, gap * 2, pitch, ink);
  }
}
