/** The page, built: bundled for browsers, with the decoder relinked and the assets drawn. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { CATALOG } from '../assets/catalog.ts';
import { makeFile } from '../assets/make.ts';
import { relink } from '../codec/relink.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Where the page is built to, unless it is told otherwise. */
export const DIST = join(ROOT, '..', 'dist');

/** Builds the page. */
export async function buildPage(outDir: string = DIST): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    base: './',
    logLevel: 'error',
    resolve: { conditions: ['source', 'module', 'browser', 'production'] },
    build: { outDir, emptyOutDir: true, target: 'es2022', assetsDir: 'code' },
    worker: { format: 'es' },
  });
  await Promise.all([
    writeFile(join(outDir, 'lodepng.shared.wasm'), await relink(true)),
    writeFile(join(outDir, 'lodepng.unshared.wasm'), await relink(false)),
  ]);
  await mkdir(join(outDir, 'assets'), { recursive: true });
  for (const entry of CATALOG) await writeFile(join(outDir, 'assets', entry.path), makeFile(entry));
}
