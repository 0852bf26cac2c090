import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ISOLATED, bundle, resultOf, servePage, startChromium, type PageServer } from '../../../browser.shared.ts';

/** What a page may do. A policy that names where scripts come from forbids compiling WebAssembly, unless it says otherwise. */
const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/isolated': ISOLATED,
  '/plain': {},
  '/strict': { ...ISOLATED, 'Content-Security-Policy': "script-src 'self'" },
};

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  const script = await bundle(new URL('browser/page.ts', import.meta.url));
  server = await servePage(script, (path) => HEADERS[path] ?? ISOLATED);
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('an isolated page copies with kernels in shared memory too', async () => {
  expect(await resultOf(browser, `${server.url}/isolated`)).toEqual({
    isolated: true,
    wasm: 'simd',
    insisting: 'simd',
    sharedWasm: 'simd',
    buffer: 'javascript',
    sharedBuffer: 'javascript',
  });
});

test('a page without isolation has no shared memory, and the kernels all the same', async () => {
  expect(await resultOf(browser, `${server.url}/plain`)).toEqual({
    isolated: false,
    wasm: 'simd',
    insisting: 'simd',
    sharedWasm: 'unsupported',
    buffer: 'javascript',
    sharedBuffer: 'unsupported',
  });
});

test('a page that may not compile WebAssembly copies in JavaScript', async () => {
  expect(await resultOf(browser, `${server.url}/strict`)).toEqual({
    isolated: true,
    wasm: 'javascript',
    insisting: 'unsupported',
    sharedWasm: 'javascript',
    buffer: 'javascript',
    sharedBuffer: 'javascript',
  });
});
