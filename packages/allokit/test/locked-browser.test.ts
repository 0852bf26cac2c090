/** `Locked` in a real browser: a page's main thread, which may not sleep, and a worker. */

import chromium from '@sparticuz/chromium';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium as browsers, type Browser } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

let browser: Browser;
let server: Server;

/** The script of the page and of its worker, resolved as for a browser. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('browser/locked-page.ts', import.meta.url));
  const output = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['source', 'module', 'browser', 'development'] },
    build: { write: false, target: 'es2022', lib: { entry, formats: ['es'], fileName: 'page' } },
  });
  const [first] = (Array.isArray(output) ? output : [output]) as Rolldown.RolldownOutput[];
  return first!.output[0].code;
}

beforeAll(async () => {
  const code = await bundle();
  server = createServer(({ url }, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.js' ? code : '<!doctype html><title>Locked</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await browsers.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox', '--headless'] });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('a page shares a heap with its worker, and never waits for it', { timeout: 120_000 }, async () => {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction('globalThis.result', undefined, { polling: 100, timeout: 100_000 });
  const found = await page.evaluate('globalThis.result');
  expect(failures).toEqual([]);
  expect(found).toEqual({
    isolated: true,
    mayWait: false,
    inWorker: { mayWait: true, nullCount: 0, damageCount: 0 },
    keptCount: 64,
    damageCount: 0,
    hasGrown: true,
    gaveUp: 1,
    holder: true,
    wasHolding: true,
    liveBytes: 0,
    refusedCount: 0,
  });
});
