/** `Locked` in a real browser: a page's main thread, which may not sleep, and a worker. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, resultOf, servePage, startChromium, type PageServer } from '../../../browser.shared.ts';

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  const script = await bundle(new URL('browser/locked-page.ts', import.meta.url));
  server = await servePage(script);
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('a page shares a heap with its worker, and never waits for it', async () => {
  expect(await resultOf(browser, server.url)).toEqual({
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
