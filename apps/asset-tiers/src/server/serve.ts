/** The page's own server: Vite's, on loopback, with the headers that isolate a page, and assets at the speed of a line that lets one see them come. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { preview, type Plugin, type PreviewServer } from 'vite';
import { entryAt } from '../assets/catalog.ts';

/** How to serve the page. */
export interface ServeOptions {
  /** The folder it was built to. */
  readonly dist: string;
  /** Where to listen; 0 for any free port. */
  readonly port: number;
  /** Whether browsers shall isolate the page, so that it can share memory with its workers. */
  readonly isolated: boolean;
  /** Bytes of an asset in a second, for each connection; `Infinity` for as many as there can be. */
  readonly bytesPerSecond: number;
}

/** The headers that make a page cross-origin isolated. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const CONTENT_TYPES: Readonly<Record<string, string>> = { '.png': 'image/png', '.json': 'application/json', '.mesh': 'application/octet-stream', '.pcm': 'application/octet-stream' };

/** Serves the page on loopback. */
export async function serve({ dist, port, isolated, bytesPerSecond }: ServeOptions): Promise<{ readonly server: PreviewServer; readonly url: string }> {
  const server = await preview({
    configFile: false,
    appType: 'mpa',
    logLevel: 'error',
    build: { outDir: dist },
    plugins: [assets(dist, bytesPerSecond, isolated ? ISOLATION : {})],
    preview: { host: '127.0.0.1', port, strictPort: port !== 0, headers: isolated ? ISOLATION : {} },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('the server does not listen');
  return { server, url };
}

/** Serves what is in the catalog, in pieces. */
function assets(dist: string, bytesPerSecond: number, headers: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'assets',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use('/assets/', (request, response, next) => {
        const entry = entryAt((request.url ?? '').slice(1).split('?')[0]!);
        if (entry === undefined) {
          next();
          return;
        }
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        send(join(dist, 'assets', entry.path), response, bytesPerSecond).catch(next);
      });
    },
  };
}

async function send(file: string, response: ServerResponse, bytesPerSecond: number): Promise<void> {
  const { size, mtimeMs } = await stat(file);
  response.setHeader('Content-Type', CONTENT_TYPES[extname(file)] ?? 'application/octet-stream');
  response.setHeader('Content-Length', size);
  response.setHeader('ETag', `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`);
  response.setHeader('Cache-Control', 'no-store');
  try {
    await pipeline(Readable.from(pieces(file, bytesPerSecond)), response);
  } catch (error) {
    // Whoever asked went away.
    if (!response.destroyed) throw error;
  }
}

async function* pieces(file: string, bytesPerSecond: number): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(file, { highWaterMark: 4096 }) as AsyncIterable<Uint8Array>) {
    yield piece;
    if (bytesPerSecond !== Infinity) await setTimeout((piece.length / bytesPerSecond) * 1000);
  }
}
