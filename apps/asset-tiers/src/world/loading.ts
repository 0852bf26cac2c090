/** How an asset gets from the server into the tiers: its file by the registry, its pixels, where it is a picture, by the decoder. */

import type { Asset } from '@allokit/asset-registry';
import { CATALOG, type Entry } from '../assets/catalog.ts';
import type { World } from './world.ts';

const PIXELS = '#pixels';

/** The key under which the registry has the pixels of a picture. */
export function pixelsKey(path: string): string {
  return path + PIXELS;
}

/** The entry of the catalog that a key of the registry belongs to, and whether the key is that of its pixels. */
export function entryOf(key: string): { readonly entry: Entry; readonly isPixels: boolean } | undefined {
  const isPixels = key.endsWith(PIXELS);
  const path = isPixels ? key.slice(0, -PIXELS.length) : key;
  const entry = CATALOG.find((candidate) => candidate.path === path);
  return entry === undefined ? undefined : { entry, isPixels };
}

/**
 * Loads an asset, and decodes it where it is a picture. Nothing happens to what is there already.
 *
 * @param onProgress - Is told how far it has come, 0..1.
 * @throws Rejects as `AssetRegistry.load` does, and with an Error for a picture that cannot be decoded.
 */
export async function load(world: World, { path, type, content }: Entry, onProgress: (part: number) => void): Promise<void> {
  const asset = await world.registry.load(path, type, {
    onProgress: ({ loadedBytes, totalBytes }) => onProgress(totalBytes === undefined ? 0.5 : loadedBytes / totalBytes),
  });
  if (content.kind === 'picture') decode(world, asset);
}

/** Decodes a picture where it lies, and enters its pixels as an asset of their own, unless they are there. */
function decode({ registry, decoder, arena }: World, asset: Asset): void {
  const key = pixelsKey(asset.key);
  if (registry.get(key) !== undefined) return;
  using pin = asset.pin();
  if (pin === null) return;
  const { handle, width, height } = decoder.decode(asset.address, asset.size);
  let isEntered = false;
  try {
    isEntered = registry.register(key, { type: 'image', handle, size: width * height * 4 });
  } finally {
    // Another thread was first, or the table is full.
    if (!isEntered) arena.deallocate(handle);
  }
}
