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
  server = createServer(({ url }, response) => {
    if (url !== '/plain') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    // A policy that names where scripts come from forbids compiling WebAssembly, unless it says otherwise.
    if (url === '/strict') response.setHeader('Content-Security-Policy', "script-src 'self'");
    response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.js' ? code : '<!doctype html><title>simd-copy</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await browsers.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox', '--headless'] });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

async function resultOf(path: string): Promise<unknown> {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await page.waitForFunction('globalThis.result');
  expect(failures).toEqual([]);
  return page.evaluate('globalThis.result');
}

test('an isolated page copies with kernels in shared memory too', async () => {
  expect(await resultOf('/')).toEqual({ isolated: true, wasm: 'simd', insisting: 'simd', sharedWasm: 'simd', buffer: 'javascript', sharedBuffer: 'javascript' });
});

test('a page without isolation has no shared memory, and the kernels all the same', async () => {
  expect(await resultOf('/plain')).toEqual({
    isolated: false,
    wasm: 'simd',
    insisting: 'simd',
    sharedWasm: 'unsupported',
    buffer: 'javascript',
    sharedBuffer: 'unsupported',
  });
});

test('a page that may not compile WebAssembly copies in JavaScript', async () => {
  expect(await resultOf('/strict')).toEqual({
    isolated: true,
    wasm: 'javascript',
    insisting: 'unsupported',
    sharedWasm: 'javascript',
    buffer: 'javascript',
    sharedBuffer: 'javascript',
  });
});
