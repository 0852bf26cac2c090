import chromium from '@sparticuz/chromium';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium as browsers, type Browser } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

let browser: Browser;
let server: Server;

/** The page's script, resolved as for a browser: without anything of Node's. */
async function bundle(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['source', 'module', 'browser', 'development'] },
    build: { write: false, target: 'es2022', lib: { entry: fileURLToPath(new URL('browser/page.ts', import.meta.url)), formats: ['es'], fileName: 'page' } },
  });
  const [first] = (Array.isArray(output) ? output : [output]) as Rolldown.RolldownOutput[];
  return first!.output[0].code;
}

beforeAll(async () => {
  const code = await bundle();
  expect(code).not.toMatch(/createRequire|mmap|node:fs/);
  server = createServer(({ url }, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.js' ? code : '<!doctype html><title>vmem</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await browsers.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox', '--headless'] });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('a browser touches pages with what it has, and says what it has not', async () => {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction('globalThis.result');
  const found = await page.evaluate('globalThis.result');
  expect(failures).toEqual([]);
  const done = (strategy: string): string => `${strategy}, 16 MiB, verified false, unchanged true, ends with 16`;
  expect(found).toEqual({
    isolated: true,
    resident: true,
    default: done('write'),
    pattern: done('pattern'),
    parallel: done('parallel'),
    parallelUnshared: 'unsupported: the strategy "parallel" needs shared memory, or Linux 5.14 or later and the package koffi: "write" works everywhere',
    populate: done('write'),
    unlock: 'unsupported',
    beyond: 'unsupported',
  });
});
