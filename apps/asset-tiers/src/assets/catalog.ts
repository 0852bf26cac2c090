/** The thirty assets there are: what the build draws, the server serves and the page lists. */

import type { AssetType } from '@allokit/asset-registry';

/** The ways a picture is drawn. */
export type PictureStyle = 'dunes' | 'contours' | 'glass' | 'marble' | 'planet' | 'weave';

/** What an asset holds, beside its type for the registry. */
export type Content =
  | { readonly kind: 'picture'; readonly style: PictureStyle; readonly palette: number }
  | { readonly kind: 'level' }
  | { readonly kind: 'mesh'; readonly windings: readonly [number, number] }
  | { readonly kind: 'sound'; readonly frequency: number };

/** An asset. */
export interface Entry {
  /** Its place in the catalog, which also seeds what is random in it. */
  readonly index: number;
  /** Where it lies on the server, below `assets/`; its key in the registry. */
  readonly path: string;
  /** What it is called on the page. */
  readonly title: string;
  /** What the registry takes it for. */
  readonly type: AssetType;
  /** What is in it. */
  readonly content: Content;
}

/** Pictures are squares of so many pixels. */
export const PICTURE_SIDE = 256;

const STYLES: readonly PictureStyle[] = ['dunes', 'contours', 'glass', 'marble', 'planet', 'weave'];
const PALETTE_NAMES = ['dawn', 'moss', 'dusk'];

const PICTURES = PALETTE_NAMES.flatMap((name, palette) => {
  return STYLES.map((style) => ({ path: `${style}-${name}.png`, title: `${capital(style)}, ${name}`, type: 'image' as const, content: { kind: 'picture' as const, style, palette } }));
});

const LEVELS = ['Harbour', 'Quarry', 'Orchard', 'Foundry', 'Marsh', 'Citadel'].map((title) => {
  return { path: `${title.toLowerCase()}.json`, title: `${title}, level`, type: 'json' as const, content: { kind: 'level' as const } };
});

const MESHES = ([[2, 3], [3, 5], [3, 7]] as const).map((windings) => {
  const name = windings.join('-');
  return { path: `knot-${name}.mesh`, title: `Knot ${windings.join('/')}, mesh`, type: 'binary' as const, content: { kind: 'mesh' as const, windings } };
});

const SOUNDS = [110, 147, 196].map((frequency) => {
  return { path: `string-${frequency}.pcm`, title: `String ${frequency} Hz, sound`, type: 'binary' as const, content: { kind: 'sound' as const, frequency } };
});

/** All assets, in the order in which the page lists them. */
export const CATALOG: readonly Entry[] = [...PICTURES, ...LEVELS, ...MESHES, ...SOUNDS].map((entry, index) => ({ index, ...entry }));

const BY_PATH = new Map(CATALOG.map((entry) => [entry.path, entry]));

/** The entry of that path, or `undefined`. */
export function entryAt(path: string): Entry | undefined {
  return BY_PATH.get(path);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
