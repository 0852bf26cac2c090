/** Levels of a game as JSON: a map of tiles, and what stands on it. */

import { hash, layeredNoise } from './noise.ts';

/** Tiles of a level's map, from low to high. */
export const TILES = '~.:#^';

/** A level, as its JSON has it. */
export interface Level {
  /** What it is called. */
  readonly name: string;
  /** A row of tiles each. */
  readonly rows: readonly string[];
  /** What stands on it. */
  readonly entities: readonly { readonly kind: string; readonly x: number; readonly y: number; readonly strength: number }[];
}

const WIDTH = 64;
const HEIGHT = 48;
const KINDS = ['crate', 'lamp', 'guard', 'door'];

/** Makes a level. */
export function makeLevel(name: string, seed: number): Level {
  const rows = Array.from({ length: HEIGHT }, (_, y) => {
    return Array.from({ length: WIDTH }, (_, x) => TILES[Math.min(TILES.length - 1, Math.floor((layeredNoise(x / 11, y / 11, seed, 4) - 0.2) * 8.2))] ?? '~').join('');
  });
  const entities = Array.from({ length: 90 }, (_, i) => {
    return { kind: KINDS[i % KINDS.length]!, x: Math.floor(hash(i, 1, seed) * WIDTH), y: Math.floor(hash(i, 2, seed) * HEIGHT), strength: Math.round(hash(i, 3, seed) * 100) / 100 };
  });
  return { name, rows, entities };
}
