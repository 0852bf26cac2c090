/** The site's own server: Vite's, on loopback, with the headers that isolate a page, so that workers can share its memory. */

import { preview, type PreviewServer } from 'vite';

/** How to serve the site. */
export interface ServeOptions {
  /** The folder it was built to. */
  readonly site: string;
  /** Where to listen; 0 for any free port. */
  readonly port: number;
  /** Whether browsers shall isolate the pages. */
  readonly isolated: boolean;
}

/** The headers that make a page cross-origin isolated. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves the site on loopback. */
export async function serve({ site, port, isolated }: ServeOptions): Promise<{ readonly server: PreviewServer; readonly url: string }> {
  const server = await preview({
    configFile: false,
    appType: 'mpa',
    logLevel: 'error',
    build: { outDir: site },
    preview: { host: '127.0.0.1', port, strictPort: port !== 0, headers: isolated ? ISOLATION : {} },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('the server does not listen');
  return { server, url };
}
