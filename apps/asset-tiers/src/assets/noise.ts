/** Smooth randomness over the plane: the same for the same seed, on every machine. */

/** A number in 0..1 for a point of the grid. */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x27d4_eb2d) ^ Math.imul(y, 0x1656_67b1) ^ Math.imul(seed + 1, 0x9e37_79b1);
  h = Math.imul(h ^ (h >>> 15), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Values of the grid, with smooth transitions between them; 0..1. */
export function noise(x: number, y: number, seed: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [smooth(x - left), smooth(y - top)];
  const upper = mix(hash(left, top, seed), hash(left + 1, top, seed), u);
  const lower = mix(hash(left, top + 1, seed), hash(left + 1, top + 1, seed), u);
  return mix(upper, lower, v);
}

/** Noise upon noise, each layer of twice the frequency and half the height; 0..1. */
export function layeredNoise(x: number, y: number, seed: number, layers = 5): number {
  let sum = 0;
  let range = 0;
  for (let layer = 0; layer < layers; layer += 1) {
    const height = 0.5 ** layer;
    sum += height * noise(x * 2 ** layer, y * 2 ** layer, seed + layer);
    range += height;
  }
  return sum / range;
}

/** Between two numbers. */
export function mix(from: number, to: number, t: number): number {
  return from + (to - from) * t;
}

/** 0 to 1 with a gentle start and end. */
export function smooth(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
}
