/** The pool in a browser: everything but what the operating system would have to tell. */

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
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: fileURLToPath(new URL('browser/page.ts', import.meta.url)), formats: ['es'], fileName: 'page' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [first] = (Array.isArray(output) ? output : [output]) as Rolldown.RolldownOutput[];
  return first!.output[0].code;
}

beforeAll(async () => {
  const code = await bundle();
  server = createServer(({ url }, response) => {
    response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.js' ? code : '<!doctype html><title>instance-pool</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await browsers.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox', '--headless'] });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test('instances are reset, proven, saved and loaded', async () => {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction('globalThis.result');
  expect(failures).toEqual([]);
  expect(await page.evaluate('globalThis.result')).toEqual({
    auto: '7 7 7 7 7 7 compare 5 0',
    stores: '7 7 7 7 7 7 stores 5 0',
    open: '7 7 7 7 7 7 compare 5 0',
    recreate: '7 7 7 7 7 7 compare 0 5',
    touched: '7 7 7 7 7 7 compare 5 0',
    written: 'unsupported',
  });
});
