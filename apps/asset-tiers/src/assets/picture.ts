/** Pictures drawn by formulas: one function of the point a style, one row of colours a palette. */

import { PICTURE_SIDE, type Content, type PictureStyle } from './catalog.ts';
import { hash, layeredNoise, mix, noise, smooth } from './noise.ts';

type Colour = readonly [red: number, green: number, blue: number];

/** From dark to light. */
const PALETTES: readonly (readonly Colour[])[] = [
  [[32, 24, 58], [110, 48, 92], [214, 92, 92], [247, 164, 103], [255, 228, 176]],
  [[12, 34, 38], [24, 78, 76], [72, 134, 100], [160, 182, 112], [238, 228, 178]],
  [[14, 18, 46], [38, 54, 110], [82, 108, 176], [150, 166, 214], [238, 226, 232]],
];

/** A painter: the brightness of a point of the unit square, 0..1, which the palette colours. */
type Painter = (x: number, y: number, seed: number) => number;

const PAINTERS: Readonly<Record<PictureStyle, Painter>> = { dunes, contours, glass, marble, planet, weave };

/** Draws a picture. @returns Its pixels, four bytes each: red, green, blue, opaque. */
export function drawPicture({ style, palette }: Extract<Content, { readonly kind: 'picture' }>, seed: number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(PICTURE_SIDE * PICTURE_SIDE * 4);
  const paint = PAINTERS[style];
  const colours = PALETTES[palette]!;
  for (let row = 0; row < PICTURE_SIDE; row += 1) {
    for (let column = 0; column < PICTURE_SIDE; column += 1) {
      const brightness = paint((column + 0.5) / PICTURE_SIDE, (row + 0.5) / PICTURE_SIDE, seed);
      pixels.set([...colourOf(colours, brightness), 255], (row * PICTURE_SIDE + column) * 4);
    }
  }
  return pixels;
}

function colourOf(colours: readonly Colour[], brightness: number): number[] {
  const place = Math.min(0.9999, Math.max(0, brightness)) * (colours.length - 1);
  const [from, to] = [colours[Math.floor(place)]!, colours[Math.floor(place) + 1]!];
  return from.map((part, i) => Math.round(mix(part, to[i]!, place % 1)));
}

/** Ridges one behind the other, the farther the paler, below a sun. */
function dunes(x: number, y: number, seed: number): number {
  for (let ridge = 5; ridge >= 1; ridge -= 1) {
    const crest = 0.3 + 0.12 * ridge + 0.14 * (layeredNoise(x * (1.4 + 0.3 * ridge) + ridge * 7, ridge, seed, 3) - 0.5);
    if (y > crest) return mix(0.7 - 0.13 * ridge, 0.78 - 0.13 * ridge, smooth((y - crest) * 4));
  }
  const sun = Math.hypot(x - 0.3 - 0.4 * hash(1, 1, seed), y - 0.2);
  return Math.max(0.94 - 0.32 * y, smooth((0.105 - sun) * 90));
}

/** A map of heights, with a line for each. */
function contours(x: number, y: number, seed: number): number {
  const height = layeredNoise(x * 3, y * 3, seed, 4) * 11;
  const line = Math.abs((height % 1) - 0.5) * 2;
  return mix(0.12 + 0.066 * Math.floor(height), 0.98, smooth((line - 0.9) * 12));
}

/** Panes of glass with leads between them. */
function glass(x: number, y: number, seed: number): number {
  const [px, py] = [x * 6, y * 6];
  let nearest = 9;
  let second = 9;
  let shade = 0;
  for (let cellY = Math.floor(py) - 1; cellY <= Math.floor(py) + 1; cellY += 1) {
    for (let cellX = Math.floor(px) - 1; cellX <= Math.floor(px) + 1; cellX += 1) {
      const distance = Math.hypot(cellX + hash(cellX, cellY, seed) - px, cellY + hash(cellX, cellY, seed + 9) - py);
      if (distance < nearest) [second, nearest, shade] = [nearest, distance, hash(cellX, cellY, seed + 17)];
      else second = Math.min(second, distance);
    }
  }
  return mix(0.02, 0.2 + 0.7 * shade + 0.14 * (0.6 - nearest), smooth((second - nearest) * 14));
}

/** Stone that was folded while it was soft. */
function marble(x: number, y: number, seed: number): number {
  const bend = layeredNoise(x * 2.4, y * 2.4, seed);
  const again = layeredNoise(x * 2.4 + bend * 3, y * 2.4 + bend * 2, seed + 31);
  return 0.5 + 0.5 * Math.sin((again * 3.4 + bend) * Math.PI * 2);
}

/** A world lit from one side, and stars. */
function planet(x: number, y: number, seed: number): number {
  const [dx, dy] = [(x - 0.5) / 0.36, (y - 0.5) / 0.36];
  const distance = Math.hypot(dx, dy);
  if (distance > 1) {
    const star = hash(Math.floor(x * 90), Math.floor(y * 90), seed);
    return Math.max(star > 0.988 ? 0.5 + 0.4 * hash(Math.floor(x * 90), 5, seed) : 0.03, 0.5 * smooth(1 - (distance - 1) * 9) * smooth(0.8 - dx - dy));
  }
  const dz = Math.sqrt(1 - distance * distance);
  const light = Math.max(0.04, (-0.55 * dx - 0.45 * dy + 0.7 * dz) / 1.05);
  const ground = layeredNoise(dx * 1.7 / (0.6 + dz) + 4, dy * 2.6 + 0.8 * noise(dx * 2, dy * 2, seed) + 4, seed);
  return light * mix(0.35, 1.15, smooth((ground - 0.3) * 2.4));
}

/** Bands that pass over and under one another. */
function weave(x: number, y: number, seed: number): number {
  const [px, py] = [x * 7, y * 7];
  const [cellX, cellY] = [Math.floor(px), Math.floor(py)];
  const isTurned = hash(cellX, cellY, seed) < 0.5;
  const [u, v] = [px - cellX, isTurned ? 1 - (py - cellY) : py - cellY];
  const arc = Math.min(Math.abs(Math.hypot(u, v) - 0.5), Math.abs(Math.hypot(1 - u, 1 - v) - 0.5));
  const band = smooth((0.2 - arc) * 26);
  const ring = smooth((0.07 - arc) * 26);
  return mix(0.1 + 0.06 * hash(cellX, cellY, seed + 3), mix(0.42 + 0.3 * (x + y) / 2, 0.95, ring), band);
}
