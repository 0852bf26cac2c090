import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, resultOf, servePage, startChromium, type PageServer } from '../../../browser.shared.ts';

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  const script = await bundle(new URL('browser/page.ts', import.meta.url));
  expect(script).not.toMatch(/createRequire|mmap|node:fs/);
  server = await servePage(script);
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('a browser touches pages with what it has, and says what it has not', async () => {
  const done = (strategy: string): string => `${strategy}, 16 MiB, verified false, unchanged true, ends with 16`;
  expect(await resultOf(browser, server.url)).toEqual({
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
