/** Colours of the map: a hue for each place that allocates, shades of it for neighbours. */

import type { Site } from '../world/blocks.ts';

/** Light or dark. */
export type Scheme = 'light' | 'dark';

interface Tone {
  readonly name: string;
  /** In degrees. */
  readonly hue: number;
  /** How far shades of it go to both sides, in degrees. */
  readonly spread: number;
  readonly chroma: number;
  /** How light it is on light ground; on dark ground a little lighter. */
  readonly lightness: number;
}

const TONES: Readonly<Record<Site, Tone>> = {
  image: { name: 'Images, as files', hue: 258, spread: 14, chroma: 0.15, lightness: 0.58 },
  pixels: { name: 'Images, as pixels', hue: 212, spread: 18, chroma: 0.11, lightness: 0.66 },
  json: { name: 'Levels, JSON', hue: 78, spread: 10, chroma: 0.14, lightness: 0.74 },
  binary: { name: 'Meshes, sounds', hue: 318, spread: 16, chroma: 0.16, lightness: 0.6 },
  scene: { name: 'Scene', hue: 262, spread: 0, chroma: 0.025, lightness: 0.52 },
  additions: { name: 'Scene, per frame', hue: 262, spread: 0, chroma: 0.03, lightness: 0.68 },
  textures: { name: 'Textures', hue: 48, spread: 10, chroma: 0.13, lightness: 0.66 },
  target: { name: 'Frame', hue: 22, spread: 0, chroma: 0.19, lightness: 0.62 },
  temporary: { name: 'Temporary, per frame', hue: 105, spread: 6, chroma: 0.13, lightness: 0.66 },
  'worker 1': { name: 'Worker 1', hue: 142, spread: 0, chroma: 0.14, lightness: 0.58 },
  'worker 2': { name: 'Worker 2', hue: 164, spread: 0, chroma: 0.12, lightness: 0.68 },
  'worker 3': { name: 'Worker 3', hue: 186, spread: 0, chroma: 0.1, lightness: 0.76 },
  arriving: { name: 'On their way', hue: 258, spread: 0, chroma: 0.05, lightness: 0.8 },
  tables: { name: 'Tables', hue: 262, spread: 0, chroma: 0.01, lightness: 0.36 },
};

/** All places, in the order in which lists have them. */
export const SITES = Object.keys(TONES) as readonly Site[];

/** What a place is called. */
export function siteName(site: Site): string {
  return TONES[site].name;
}

/** Shades of a hue. */
const SHADE_COUNT = 7;
/** The one in the middle. */
const SHADE_MIDDLE = 2;

/** The number of a block's colour in {@link coloursOf}. */
export function colourIndex(site: Site, variant: number): number {
  return SITES.indexOf(site) * SHADE_COUNT + (variant % SHADE_COUNT);
}

/** All colours, as CSS writes them. */
export function coloursOf(scheme: Scheme): readonly string[] {
  return SITES.flatMap((site) => Array.from({ length: SHADE_COUNT }, (_, shade) => colour(site, shade, scheme)));
}

/** The colour of a place, or of one of its blocks. */
export function colourOf(site: Site, scheme: Scheme, variant = SHADE_MIDDLE): string {
  return colour(site, variant % SHADE_COUNT, scheme);
}

function colour(site: Site, shade: number, scheme: Scheme): string {
  const { hue, spread, chroma, lightness } = TONES[site];
  // Neighbours in the catalog are neighbours in memory, and should not look alike.
  const step = ((shade * 5) % SHADE_COUNT) / 3 - 1;
  const lift = scheme === 'dark' ? (site === 'tables' ? 0.34 : site === 'arriving' ? -0.3 : 0.06) : 0;
  return `oklch(${(lightness + lift + (spread === 0 ? 0 : 0.055 * step)).toFixed(3)} ${chroma} ${(hue + spread * step).toFixed(1)})`;
}
