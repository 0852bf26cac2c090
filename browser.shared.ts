/** Chromium, for whoever tests or photographs a page: how it is started, and how a script of ours runs on a page of its own. */

import chromium from '@sparticuz/chromium';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium as browsers, type Browser, type BrowserContextOptions, type LaunchOptions, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';

/** Milliseconds after which something hangs: a machine may be busy, and a test may take 180 s. */
const PATIENCE = 150_000;

/** What lets a page share memory. */
export const ISOLATED: Readonly<Record<string, string>> = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

let program: Promise<string> | undefined;

/** How Chromium is started. */
export async function launchOptions(): Promise<LaunchOptions> {
  // Unpacked once: two that do it side by side would be in one another's way.
  program ??= chromium.executablePath();
  // With these, pages can be isolated.
  return { executablePath: await program, args: ['--no-sandbox', '--headless'], timeout: PATIENCE };
}

/** Starts Chromium, which is the caller's to close. */
export async function startChromium(): Promise<Browser> {
  return browsers.launch(await launchOptions());
}

/** A new page, which waits as long as it has to. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE);
  return page;
}

/** One file of a script, resolved as for a browser: without anything of Node's. */
export async function bundle(entry: URL): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['source', 'module', 'browser', 'development'] },
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: fileURLToPath(entry), formats: ['es'], fileName: 'page' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [first] = (Array.isArray(output) ? output : [output]) as Rolldown.RolldownOutput[];
  return first!.output[0].code;
}

/** A server of one page, at every path, that loads one script from `/page.js`. */
export interface PageServer {
  /** Where it is, without a slash at the end. */
  readonly url: string;
  close(): void;
}

/** Serves a script's page on loopback, with the headers that `headersOf` has for a path. */
export async function servePage(script: string, headersOf: (path: string) => Readonly<Record<string, string>> = () => ISOLATED): Promise<PageServer> {
  const server = createServer(({ url = '/' }, response) => {
    for (const [name, value] of Object.entries(headersOf(url))) response.setHeader(name, value);
    response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.js' ? script : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/**
 * Opens a page whose script leaves a `result` behind.
 *
 * @throws Error when the page throws instead.
 */
export async function resultOf(browser: Browser, url: string): Promise<unknown> {
  const page = await openPage(browser);
  try {
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    const result = page.goto(url).then(async () => page.waitForFunction('globalThis.result', undefined, { polling: 50 }));
    return await (await Promise.race([result, failed])).jsonValue();
  } finally {
    await page.close();
  }
}
