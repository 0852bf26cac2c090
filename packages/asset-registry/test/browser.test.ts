/** The registry in Chromium: on a page's main thread and in its workers, with and without shared memory. */

import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ISOLATED, bundle, resultOf, startChromium } from '../../../browser.shared.ts';
import { AssetServer, bytesOf, inTurn, send, sendChunked, sendRaw, status, type Answer } from './asset-server.ts';

const BYTES = bytesOf(1, 200_000);
const SUM = BYTES.reduce((total, byte) => total + byte, 0);

let browser: Browser;
let server: AssetServer;

/** A script that a page or worker can load. */
async function script(name: string): Promise<Answer> {
  const code = await bundle(new URL(`browser/${name}.ts`, import.meta.url));
  expect(code).not.toMatch(/node:|createRequire/);
  return send(new TextEncoder().encode(code), { 'Content-Type': 'text/javascript', 'Cross-Origin-Embedder-Policy': 'require-corp' });
}

beforeAll(async () => {
  server = await AssetServer.start();
  const [page, worker] = await Promise.all([script('page'), script('worker')]);
  const html = new TextEncoder().encode(
    '<!doctype html><title>asset-registry</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  );
  server.on('/page.js', page);
  server.on('/worker.js', worker);
  server.on('/plain', send(html, { 'Content-Type': 'text/html' }));
  server.on(
    '/isolated',
    send(html, { 'Content-Type': 'text/html', ...ISOLATED }),
  );
  server.on('sized', send(BYTES));
  server.on('shared', send(BYTES));
  server.on('unsized', sendChunked(BYTES, 30_000));
  server.on('gzip', send(gzipSync(BYTES), { 'Content-Encoding': 'gzip' }));
  server.on('empty', send(new Uint8Array(0)));
  server.on(
    'short',
    sendRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789', (socket) => socket.end()),
  );
  server.on(
    'reset',
    sendRaw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n', (socket) => socket.resetAndDestroy()),
  );
  server.on('refused', ({ socket }) => socket.resetAndDestroy());
  server.on('stalled', () => undefined);
  server.on('trickle', (_request, response) => response.writeHead(200, { 'Content-Length': '100000' }).write('x'.repeat(1000)));
  server.on('redirect', status(302, { Location: '/secret' }));
  server.on('/secret', send(BYTES));
  server.on('tagged', (request, response) => {
    if (request.headers['if-none-match'] === '"7"') response.writeHead(304, { ETag: '"7"' }).end();
    else send(new TextEncoder().encode('{"level":1}'), { ETag: '"7"' })(request, response);
  });
  for (let i = 0; i < 30; i += 1) server.on(`numbered/${i}`, send(new Uint8Array(3000).fill(i)));
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test.each(['isolated', 'plain'])('a page that is %s', async (kind) => {
  server.on('flaky', inTurn(status(500), send(BYTES)));
  const whole = `200000 bytes, sum ${SUM}`;
  expect(await resultOf(browser, new URL(`/${kind}`, server.base).href)).toEqual({
    isolated: kind === 'isolated',
    loads: {
      sized: whole,
      unsized: whole,
      gzip: whole,
      empty: '0 bytes, sum 0, but progress was not told',
      missing: 'status',
      short: 'too-short',
      reset: 'network',
      refused: 'network',
      stalled: 'stalled',
      aborted: 'aborted',
      limit: 'above-limit',
      outside: 'outside-base',
      redirected: 'outside-base',
      retried: whole,
      hash: 'integrity',
      left: '0 bytes',
    },
    revalidation: '{"level":1}, replaced false, "7"',
    workers: kind === 'isolated' ? '30 assets, right true, 0: 10 1: 10 2: 10, rounds true, busy true' : 'unsupported',
    end: 0,
  });
});
