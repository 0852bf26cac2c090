/** The pool in a browser: everything but what the operating system would have to tell. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, resultOf, servePage, startChromium, type PageServer } from '../../../browser.shared.ts';

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  const script = await bundle(new URL('browser/page.ts', import.meta.url));
  server = await servePage(script, () => ({}));
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('instances are reset, proven, saved and loaded', async () => {
  expect(await resultOf(browser, server.url)).toEqual({
    auto: '7 7 7 7 7 7 compare 5 0',
    stores: '7 7 7 7 7 7 stores 5 0',
    open: '7 7 7 7 7 7 compare 5 0',
    recreate: '7 7 7 7 7 7 compare 0 5',
    touched: '7 7 7 7 7 7 compare 5 0',
    written: 'unsupported',
  });
});
