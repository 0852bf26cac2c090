/** A frame's picture: the pictures there are, in a grid that breathes, drawn from tier memory into tier memory. */

import type { Address } from '@allokit/allocator';
import { CATALOG, PICTURE_SIDE } from '../assets/catalog.ts';
import { pixelsKey } from './loading.ts';
import type { World } from './world.ts';

const COLUMNS = 6;
const PATHS = CATALOG.filter(({ content }) => content.kind === 'picture').map(({ path }) => path);
const ROWS = Math.ceil(PATHS.length / COLUMNS);

/** Pixels are bytes in the order red, green, blue, opaque, which makes words of little-endian machines, and WebAssembly is one. */
const OPAQUE = 0xff00_0000;
const GROUND_TOP = [18, 21, 30] as const;
const GROUND_BOTTOM = [44, 50, 66] as const;

/**
 * Draws into a block of `width` times `height` pixels.
 *
 * @param count - Which frame it is.
 * @returns How many pictures there were to draw.
 */
export function drawFrame({ memory, registry }: World, target: Address, { width, height, count }: { readonly width: number; readonly height: number; readonly count: number }): number {
  const words = memory.i32;
  drawGround(words, target >>> 2, width, height);
  let drawn = 0;
  for (const [i, path] of PATHS.entries()) {
    const pixels = registry.get(pixelsKey(path));
    if (pixels === undefined) continue;
    const [column, row] = [i % COLUMNS, Math.floor(i / COLUMNS)];
    const phase = count / 40 + column * 0.7 + row * 1.1;
    const side = Math.round((width / COLUMNS) * (0.86 + 0.1 * Math.sin(phase)));
    const x = Math.round((column + 0.5) * (width / COLUMNS) - side / 2);
    const y = Math.round((row + 0.5) * (height / ROWS) - side / 2 + height * 0.05 * Math.sin(phase * 0.7));
    drawPicture(words, { from: pixels.address >>> 2, to: (target >>> 2) + y * width + x, side, width });
    drawn += 1;
  }
  return drawn;
}

function drawGround(words: Int32Array, start: number, width: number, height: number): void {
  for (let row = 0; row < height; row += 1) {
    const [red, green, blue] = GROUND_TOP.map((part, i) => Math.round(part + (GROUND_BOTTOM[i]! - part) * (row / height)));
    words.fill(red! | (green! << 8) | (blue! << 16) | OPAQUE, start + row * width, start + (row + 1) * width);
  }
}

/** All bits of a word but the lowest of each byte: halves of two such words add up without a carry from one byte into the next. */
const EVEN = 0xfefe_fefe;

/** One picture, made smaller: each pixel the mean of two that lie aslant in the source. Places are word indices. */
function drawPicture(words: Int32Array, { from, to, side, width }: { readonly from: number; readonly to: number; readonly side: number; readonly width: number }): void {
  // The last pixel's partner still lies in the picture.
  const step = Math.floor(((PICTURE_SIDE - 1) * 2 ** 16) / side);
  for (let row = 0; row < side; row += 1) {
    const source = from + ((row * step) >>> 16) * PICTURE_SIDE;
    const line = to + row * width;
    for (let column = 0; column < side; column += 1) {
      const at = source + ((column * step) >>> 16);
      words[line + column] = (((words[at]! & EVEN) >>> 1) + ((words[at + PICTURE_SIDE + 1]! & EVEN) >>> 1)) | OPAQUE;
    }
  }
}
