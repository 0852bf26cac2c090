/** The map on a canvas whose pixels are the screen's own. Positions outside are in CSS pixels, as pointers have them. */

import type { Lane, Piece } from '../exhibit.ts';
import { ROW_BYTES_MIN, ROW_HEIGHT, layOut, pieceAt, piecesIn, type MapLayout, type Row } from './map-layout.ts';
import { GROUNDS, colourOf, type Scheme } from './palette.ts';

const ROW_COUNT_MAX = 24;
/** Room for titles beside the lanes, where there is room. */
const TITLE_WIDTH = 190;
const WIDE = 640;
const FONT = '12px ui-sans-serif, system-ui, sans-serif';
/** A piece gets a sign from this width on. */
const SIGN_WIDTH = 11;
const FAINT = 0.4;
/** From this width on, pieces are kept apart by a pixel. */
const GAP_WIDTH = 3;

/** Draws maps. */
export class MapView {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #layout: MapLayout = { rowBytes: 1, rows: [], titles: [], height: 0 };
  #width = 0;
  readonly #rowBytesMin: number;

  /**
   * Draws on a canvas, which fills its parent's width.
   *
   * @param onResize - Is called when that has changed.
   * @param rowBytesMin - Bytes of a row at the least.
   */
  constructor(canvas: HTMLCanvasElement, onResize: () => void, rowBytesMin = ROW_BYTES_MIN) {
    this.#canvas = canvas;
    this.#rowBytesMin = rowBytesMin;
    this.#context = canvas.getContext('2d')!;
    new ResizeObserver(() => {
      if (canvas.parentElement!.clientWidth !== this.#width) onResize();
    }).observe(canvas.parentElement!);
  }

  /** Bytes of a row, as drawn last. */
  get rowBytes(): number {
    return this.#layout.rowBytes;
  }

  /** Draws. `chosen` is pointed out. */
  show(lanes: readonly Lane[], scheme: Scheme, chosen: Piece | undefined): void {
    this.#width = this.#canvas.parentElement!.clientWidth;
    this.#layout = layOut(lanes, ROW_COUNT_MAX, this.#rowBytesMin, this.#width < WIDE);
    this.#fit();
    const context = this.#context;
    const ground = GROUNDS[scheme];
    context.clearRect(0, 0, this.#width, this.#layout.height);
    context.font = FONT;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillStyle = ground.quiet;
    for (const { text, top, left, width } of this.#layout.titles) {
      const x = left === undefined ? 0 : this.#left + left * this.#room;
      context.fillText(text, x, top + ROW_HEIGHT / 2, left === undefined ? this.#left - 8 : width * this.#room);
    }
    for (const row of this.#layout.rows) {
      const { x, width } = this.#span(row, row.start, row.size);
      this.#fill(x, row.top, width, ROW_HEIGHT, ground.free);
      for (const piece of piecesIn(row)) this.#paint(row, piece, scheme);
    }
    if (chosen !== undefined) this.#pointOut(chosen, ground.ink);
  }

  /** The piece under a point of the window; `undefined` for what is free, or no memory. */
  pieceAt(clientX: number, clientY: number): Piece | undefined {
    const { left, top } = this.#canvas.getBoundingClientRect();
    const [x, y] = [clientX - left - this.#left, clientY - top];
    const isUnder = (row: Row): boolean => y >= row.top && y < row.top + ROW_HEIGHT && x >= row.left * this.#room && x < (row.left + row.width) * this.#room;
    const row = this.#layout.rows.find((candidate) => isUnder(candidate));
    return row === undefined ? undefined : pieceAt(row, row.start + Math.floor((x - row.left * this.#room) / this.#scaleOf(row)));
  }

  get #left(): number {
    return this.#width < WIDE ? 0 : TITLE_WIDTH;
  }

  /** Pixels that lanes have. */
  get #room(): number {
    return this.#width - this.#left;
  }

  /** Pixels of a byte. */
  #scaleOf({ width, size }: Row): number {
    return (width * this.#room) / size;
  }

  #fit(): void {
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(this.#width * ratio), Math.round(this.#layout.height * ratio)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#canvas.style.width = `${this.#width}px`;
      this.#canvas.style.height = `${this.#layout.height}px`;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  #span(row: Row, start: number, size: number): { readonly x: number; readonly width: number } {
    const from = Math.max(start, row.start);
    const to = Math.min(start + size, row.start + row.size);
    const scale = this.#scaleOf(row);
    return { x: this.#left + row.left * this.#room + (from - row.start) * scale, width: (to - from) * scale };
  }

  #paint(row: Row, piece: Piece, scheme: Scheme): void {
    const context = this.#context;
    const colour = colourOf(piece.look, scheme);
    const whole = this.#span(row, piece.start, piece.size);
    const asked = this.#span(row, piece.start, piece.asked);
    const gap = whole.width >= GAP_WIDTH ? 1 : 0;
    context.globalAlpha = FAINT;
    this.#fill(whole.x, row.top, whole.width - gap, ROW_HEIGHT, colour);
    context.globalAlpha = 1;
    this.#fill(asked.x, row.top, Math.min(asked.width, whole.width - gap), ROW_HEIGHT, colour);
    if (piece.sign === undefined || whole.width < SIGN_WIDTH) return;
    context.fillStyle = piece.look === 'garbage' ? GROUNDS[scheme].quiet : GROUNDS[scheme].sign;
    context.textAlign = 'center';
    context.fillText(piece.sign, whole.x + whole.width / 2, row.top + ROW_HEIGHT / 2 + 1, whole.width);
    context.textAlign = 'left';
  }

  #pointOut(piece: Piece, ink: string): void {
    const context = this.#context;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    for (const row of this.#layout.rows) {
      if (!piecesIn(row).some(({ start }) => start === piece.start)) continue;
      const { x, width } = this.#span(row, piece.start, piece.size);
      context.strokeRect(x, row.top, Math.max(width - 1, 2), ROW_HEIGHT);
    }
  }

  #fill(x: number, y: number, width: number, height: number, style: string): void {
    if (width <= 0) return;
    this.#context.fillStyle = style;
    this.#context.fillRect(x, y, width, height);
  }
}
