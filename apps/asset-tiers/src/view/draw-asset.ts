/** What is in an asset, as a picture: read where it lies in its tier. */

import type { Asset } from '@allokit/asset-registry';
import { PICTURE_SIDE, type Entry } from '../assets/catalog.ts';
import { TILES, type Level } from '../assets/level.ts';
import { RING_COUNT, RING_SIZE } from '../assets/mesh.ts';
import { pixelsKey } from '../world/loading.ts';
import type { World } from '../world/world.ts';
import { colourOf, type Scheme } from './palette.ts';

/** Where to draw: a square of so many pixels. */
export interface Canvas {
  /** What draws. */
  readonly context: CanvasRenderingContext2D;
  /** Its width and height. */
  readonly side: number;
  /** Light or dark. */
  readonly scheme: Scheme;
}

const TILE_COLOURS = ['#3f6f9f', '#d9c48f', '#7fa35c', '#7d6a5a', '#e9e6df'];

let stage: OffscreenCanvas | undefined;

/** Draws an asset, or nothing, if it is not there. @returns Whether it is. */
export function drawAsset(canvas: Canvas, entry: Entry, { registry, memory }: World): boolean {
  const { context, side, scheme } = canvas;
  context.clearRect(0, 0, side, side);
  const asset = registry.get(entry.content.kind === 'picture' ? pixelsKey(entry.path) : entry.path);
  if (asset === undefined) return false;
  switch (entry.content.kind) {
    case 'picture':
      drawPixels(canvas, asset);
      break;
    case 'level':
      drawLevel(canvas, asset.json() as Level);
      break;
    case 'mesh':
      drawMesh(canvas, memory.f32.subarray(asset.address >>> 2, (asset.address + asset.size) >>> 2), colourOf('binary', scheme, entry.index));
      break;
    case 'sound':
      drawWave(canvas, memory.f32.subarray(asset.address >>> 2, (asset.address + asset.size) >>> 2), colourOf('binary', scheme, entry.index));
  }
  return true;
}

/** A canvas takes pixels only from memory that nobody shares: here, and only here, they are copied. */
function drawPixels({ context, side }: Canvas, pixels: Asset): void {
  const image = new ImageData(PICTURE_SIDE, PICTURE_SIDE);
  image.data.set(pixels.bytes);
  if (side === PICTURE_SIDE) {
    context.putImageData(image, 0, 0);
    return;
  }
  stage ??= new OffscreenCanvas(PICTURE_SIDE, PICTURE_SIDE);
  stage.getContext('2d')!.putImageData(image, 0, 0);
  context.imageSmoothingQuality = 'high';
  context.drawImage(stage, 0, 0, side, side);
}

function drawLevel({ context, side }: Canvas, { rows, entities }: Level): void {
  const tile = side / Math.max(rows.length, rows[0]?.length ?? 1);
  const top = (side - rows.length * tile) / 2;
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      context.fillStyle = TILE_COLOURS[TILES.indexOf(row.charAt(x))] ?? '#000';
      context.fillRect(x * tile, top + y * tile, tile + 0.5, tile + 0.5);
    }
  }
  context.fillStyle = '#fff';
  for (const { x, y } of entities) context.fillRect((x + 0.25) * tile, top + (y + 0.25) * tile, tile * 0.6, tile * 0.6);
}

/** The rings of a tube as lines, the nearer the stronger. */
function drawMesh({ context, side }: Canvas, points: Float32Array, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = Math.max(0.6, side / 320);
  const middle = side / 2;
  const place = (index: number): [number, number] => [middle + points[index]! * side * 0.48, middle + (points[index + 1]! * 0.94 + points[index + 2]! * 0.3) * side * 0.48];
  const stride = side < 100 ? 3 : 1;
  for (let ring = 0; ring < RING_COUNT; ring += stride) {
    context.globalAlpha = 0.5 + 0.5 * Math.min(1, Math.max(-1, points[ring * RING_SIZE * 3 + 2]! * 3));
    context.beginPath();
    for (let i = 0; i <= RING_SIZE; i += 1) context.lineTo(...place((ring * RING_SIZE + (i % RING_SIZE)) * 3));
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** The least and the most of the samples in each column. */
function drawWave({ context, side }: Canvas, samples: Float32Array, colour: string): void {
  context.fillStyle = colour;
  const step = samples.length / side;
  for (let x = 0; x < side; x += 1) {
    let [low, high] = [0, 0];
    for (let i = Math.floor(x * step); i < (x + 1) * step; i += 1) [low, high] = [Math.min(low, samples[i]!), Math.max(high, samples[i]!)];
    context.fillRect(x, side * (0.5 - high * 0.46), 1, Math.max(1, side * 0.46 * (high - low)));
  }
}
