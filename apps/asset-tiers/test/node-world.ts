/** The page's memory without the page. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Plan } from '../src/world/plan.ts';
import { World } from '../src/world/world.ts';

/** The file of an asset, as the page was built with it. */
export function builtAsset(path: string): Promise<Uint8Array> {
  return readFile(join(inject('dist'), 'assets', path));
}

/** The decoder that the page was built with. */
export async function builtDecoder(shared: boolean): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await readFile(join(inject('dist'), `lodepng.${shared ? 'shared' : 'unshared'}.wasm`)));
}

/** A world of the smallest scale, with nobody but this thread in it. */
export async function nodeWorld(shared = true): Promise<{ readonly world: World; readonly plan: Plan }> {
  return World.create({ shared, scale: 16, decoder: await builtDecoder(shared), baseUrl: 'http://127.0.0.1/' });
}
