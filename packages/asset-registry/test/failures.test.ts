/** Every way in which a load can fail: the error says which, nothing is registered, and the memory is as it was. */

import { createHash } from 'node:crypto';
import { MessageChannel } from 'node:worker_threads';
import type { TieredArena } from '@allokit/tiered-arena';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AssetError, AssetRegistry, type AssetErrorCode, type AssetRegistryOptions, type LoadOptions } from '../src/index.ts';
import { AssetServer, bytesOf, send, sendChunked, sendRaw, status, type Answer } from './asset-server.ts';
import { failureOf } from './failing.ts';
import { DEFAULT_TARGET, TARGETS, registryOn } from './targets.ts';

const BYTES = bytesOf(1, 10_000);
const HASH = `sha256-${createHash('sha256').update(bytesOf(2, 10_000)).digest('base64')}`;

let server: AssetServer;
beforeAll(async () => {
  server = await AssetServer.start();
});
afterAll(() => server.stop());
afterEach(() => server.reset());

interface Failure {
  readonly name: string;
  readonly code: AssetErrorCode;
  readonly answer: Answer;
  readonly path?: string;
  readonly registry?: AssetRegistryOptions;
  readonly load?: LoadOptions;
  readonly message?: RegExp;
}

/** A head that promises so many bytes, and the beginning of the body. */
function head(length: number, body = BYTES.subarray(0, 10)): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(body.length)}`;
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n';
/** A `fetch` whose answer says another length than the body has, as a proxy or a service worker may. */
const lying = (length: number): AssetRegistryOptions => ({
  fetch: async (url, init) => {
    const { body } = await fetch(url, init);
    return new Response(body, { headers: { 'Content-Length': `${length}` } });
  },
});

const FAILURES: readonly Failure[] = [
  { name: '404', code: 'status', answer: status(404), message: /answered with 404/ },
  { name: '500', code: 'status', answer: status(500) },
  { name: 'a redirect to nowhere', code: 'status', answer: status(300) },
  { name: '304 that nobody asked for', code: 'status', answer: status(304) },
  { name: '404 with a body', code: 'status', answer: (_request, response) => response.writeHead(404).end(BYTES) },
  { name: 'a connection that is closed before the answer', code: 'network', answer: ({ socket }) => socket.destroy() },
  { name: 'a connection that is reset before the answer', code: 'network', answer: ({ socket }) => socket.resetAndDestroy() },
  { name: 'something that is not HTTP', code: 'network', answer: sendRaw('220 smtp.example\r\n', (socket) => socket.end()) },
  {
    name: 'a length that is no number',
    code: 'network',
    answer: sendRaw('HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n0123456789', (socket) => socket.end()),
  },
  {
    name: 'two lengths',
    code: 'network',
    answer: sendRaw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n012345', (socket) => socket.end()),
  },
  { name: 'a body that ends early', code: 'too-short', answer: sendRaw(head(100), (socket) => socket.end()), message: /after 10 of 100 bytes/ },
  {
    name: 'no body where one was promised',
    code: 'too-short',
    answer: sendRaw(head(100, BYTES.subarray(0, 0)), (socket) => socket.end()),
    message: /after 0 of 100 bytes/,
  },
  { name: 'a body that is less than a gateway says', code: 'too-short', answer: send(BYTES), registry: lying(10_001), message: /ended after 10000 of 10001/ },
  { name: 'a connection that is reset amid the body', code: 'network', answer: sendRaw(head(100), (socket) => socket.resetAndDestroy()), message: /broke off/ },
  {
    name: 'a body of unknown length that is cut off',
    code: 'network',
    answer: sendRaw(CHUNKED, (socket) => socket.end()),
    message: /after 5 of unknown bytes/,
  },
  { name: 'a body of unknown length that is reset', code: 'network', answer: sendRaw(CHUNKED, (socket) => socket.resetAndDestroy()) },
  { name: 'a body that is more than a gateway says', code: 'too-long', answer: send(BYTES), registry: lying(9999), message: /beyond the 9999 bytes/ },
  { name: 'a body where none was promised', code: 'too-long', answer: send(BYTES), registry: lying(0) },
  { name: 'a body that is said to be compressed, and is not', code: 'network', answer: send(BYTES, { 'Content-Encoding': 'gzip' }) },
  {
    name: 'a compressed body that is cut off',
    code: 'network',
    answer: (_request, response) => {
      const bytes = gzipSync(BYTES);
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': `${bytes.length}` });
      response.write(bytes.subarray(0, 100), () => setTimeout(() => response.destroy(), 5));
    },
  },
  { name: 'an answer that never comes', code: 'stalled', answer: () => undefined, registry: { stallTimeout: 300 }, message: /nothing for 300 ms, after 0 bytes/ },
  { name: 'a body that stops', code: 'stalled', answer: sendRaw(head(100)), registry: { stallTimeout: 300 }, message: /after 10 bytes/ },
  { name: 'a body of unknown length that stops', code: 'stalled', answer: sendRaw(CHUNKED), registry: { stallTimeout: 300 } },
  { name: 'an answer that takes too long as a whole', code: 'timeout', answer: () => undefined, registry: { timeout: 30 }, message: /longer than 30 ms/ },
  {
    name: 'a body that trickles',
    code: 'timeout',
    answer: (_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    },
    registry: { timeout: 800, stallTimeout: 600 },
  },
  { name: 'a length above the limit', code: 'above-limit', answer: send(BYTES), registry: { limit: 9999 }, message: /10000 bytes or more, 9999 are allowed/ },
  { name: 'a body of unknown length above the limit', code: 'above-limit', answer: sendChunked(BYTES, 1000), registry: { limit: 9999 } },
  { name: 'a compressed body above the limit', code: 'above-limit', answer: send(gzipSync(BYTES), { 'Content-Encoding': 'gzip' }), registry: { limit: 9999 } },
  { name: 'other bytes than the hash says', code: 'integrity', answer: send(BYTES), load: { integrity: HASH }, message: /does not have the hash sha256-/ },
  { name: 'a length that no memory has', code: 'out-of-memory', answer: sendRaw(head(4_000_000_000)), message: /no room for "a", 4000000000 bytes/ },
  { name: 'a length beyond all sizes', code: 'above-limit', answer: sendRaw(head(2 ** 40)) },
  { name: 'more than the budget', code: 'over-budget', answer: send(BYTES), registry: { budget: 9999 }, message: /budget of 9999/ },
  { name: 'more than the budget, of unknown length', code: 'over-budget', answer: sendChunked(BYTES, 1000), registry: { budget: 9999 } },
  { name: 'a path that leaves the base', code: 'outside-base', path: '../secret', answer: send(BYTES) },
  {
    name: 'a redirect that leaves the base',
    code: 'outside-base',
    answer: (_request, response) => response.writeHead(302, { Location: '/secret' }).end(),
    message: /leads to .*\/secret/,
  },
  {
    name: 'a redirect to another server',
    code: 'outside-base',
    answer: (_request, response) => response.writeHead(302, { Location: server.base.replace('127.0.0.1', 'localhost') }).end(),
  },
  { name: 'redirects in a circle', code: 'network', answer: (_request, response) => response.writeHead(302, { Location: '/assets/a' }).end() },
];

describe.each(FAILURES)('$name', ({ code, answer, path = 'a', registry: options = {}, load = {}, message = /./ }) => {
  test(`is ${code}`, async () => {
    server.on(path, answer);
    server.on('/secret', send(BYTES));
    server.on('well', send(BYTES.subarray(0, 5000)));
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, ...options });
    const patient = AssetRegistry.attach(subject.target, registry.address, { baseUrl: server.base });
    // The first asset makes the table grow.
    await patient.load('well', 'binary');
    registry.clear();
    const before = subject.liveBytes();
    const error = await failureOf(registry.load(path, 'binary', load));
    expect([error.code, error.name]).toEqual([code, 'AssetError']);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(JSON.stringify(path));
    expect(subject.liveBytes()).toBe(before);
    expect((await patient.load('well', 'binary')).size).toBe(5000);
    expect(registry.stats()).toMatchObject({ loadingCount: 0, loadingBytes: 0, activeCount: 0, waitingCount: 0, failureCount: 1 });
    expect(registry.get(path)).toBe(undefined);
    registry.checkInvariants();
    registry.release();
    subject.checkInvariants();
    expect(subject.liveBytes()).toBe(0);
  });
});

test('a status is told, and so is the patience that the server asks for', async () => {
  server.on('a', status(503, { 'Retry-After': '7' }));
  const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
  expect(await failureOf(registry.load('a', 'json'))).toMatchObject({ code: 'status', status: 503, retryAfter: 7000 });
});

test('what the network or the caller said is the cause', async () => {
  server.on('a', ({ socket }) => socket.resetAndDestroy());
  const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
  expect((await failureOf(registry.load('a', 'json'))).cause).toBeInstanceOf(TypeError);
  const reason = new Error('enough');
  expect((await failureOf(registry.load('a', 'json', { signal: AbortSignal.abort(reason) }))).cause).toBe(reason);
});

test('a server that sends more than it says is taken at its word: HTTP gives nobody more', async () => {
  server.on(
    'a',
    sendRaw(head(5), () => undefined),
  );
  server.on('b', send(BYTES));
  const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
  expect((await registry.load('a', 'binary')).text()).toBe('xxxxx');
  expect((await registry.load('b', 'binary')).size).toBe(10_000);
});

test('a full target is out of memory, and serves again when there is room', async () => {
  for (const kind of TARGETS) {
    const { registry, subject } = registryOn(kind, { baseUrl: server.base });
    server.on('a', send(bytesOf(1, 1000)));
    server.on('b', sendChunked(bytesOf(1, 100_000), 10_000));
    await registry.load('a', 'binary');
    // As the memory is, and not as it might become: nothing can grow any more.
    const blocks: number[] = [];
    for (let size = 2 ** 26; size >= 2048;) {
      const handle = registry.loadBytes(new Uint8Array(size));
      if (handle === 0) size /= 2;
      else blocks.push(handle);
    }
    expect(await failureOf(registry.load('b', 'binary'))).toMatchObject({ code: 'out-of-memory' });
    for (const handle of blocks) (subject.target as { deallocate(handle: number): void }).deallocate(handle);
    expect((await registry.load('b', 'binary')).size).toBe(100_000);
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  }
});

test('a registry for which there is no room is not made, and takes nothing', () => {
  const { target, liveBytes } = DEFAULT_TARGET.create();
  expect(() => AssetRegistry.create(target, { expectedCount: 2 ** 24 })).toThrow(expect.objectContaining({ code: 'out-of-memory' }) as Error);
  expect(liveBytes()).toBe(0);
});

test('a tier that is reset under a load: the load fails as it would have', async () => {
  server.on('never', (_request, response) => response.writeHead(200, { 'Content-Length': '5000' }).write('x'));
  const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, table: 'bottom' });
  const arena = subject.target as TieredArena;
  const [controller, begun] = [new AbortController(), Promise.withResolvers<unknown>()];
  const load = failureOf(registry.load('never', 'binary', { signal: controller.signal, onProgress: begun.resolve }));
  await begun.promise;
  arena.resetTier('middle');
  controller.abort();
  expect(await load).toMatchObject({ code: 'aborted' });
  expect(registry.stats().loadingCount).toBe(0);
  registry.checkInvariants();
  registry.release();
});

test('bytes that came while the thread was busy for longer than a stall may last are found', async () => {
  const { port1, port2 } = new MessageChannel();
  const { registry } = registryOn(DEFAULT_TARGET, {
    baseUrl: server.base,
    stallTimeout: 50,
    fetch: () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          port1.on('message', () => {
            controller.enqueue(new Uint8Array(1000).fill(7));
            controller.close();
            port1.close();
          });
        },
      });
      // Timers come next, messages after them.
      setImmediate(() => {
        port2.postMessage('');
        for (const end = performance.now() + 200; performance.now() < end; );
      });
      return Promise.resolve(new Response(body, { headers: { 'Content-Length': '1000' } }));
    },
  });
  expect((await registry.load('a', 'binary')).size).toBe(1000);
});

test('a fetch that does not listen, or does not behave', async () => {
  server.on('a', send(BYTES));
  const deaf = registryOn(DEFAULT_TARGET, {
    baseUrl: server.base,
    stallTimeout: 20,
    concurrency: 1,
    fetch: (url) => (url.endsWith('deaf') ? new Promise(() => undefined) : fetch(url)),
  });
  expect(await failureOf(deaf.registry.load('deaf', 'json'))).toMatchObject({ code: 'stalled' });
  expect((await deaf.registry.load('a', 'json')).size).toBe(10_000);
  const texts = new ReadableStream({ start: (controller) => controller.enqueue('text') });
  const odd = registryOn(DEFAULT_TARGET, { baseUrl: server.base, fetch: () => Promise.resolve(new Response(texts)) });
  expect(await failureOf(odd.registry.load('a', 'json'))).toMatchObject({ code: 'network' });
  const throwing = registryOn(DEFAULT_TARGET, {
    baseUrl: server.base,
    fetch: () => {
      throw new RangeError('broken');
    },
  });
  expect(await failureOf(throwing.registry.load('a', 'json'))).toMatchObject({ code: 'network', cause: new RangeError('broken') });
  for (const { registry, subject } of [deaf, odd, throwing]) {
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  }
});

test.each([
  ['null', null, /got no Response from fetch, but null/],
  ['a number', 7, /got no Response from fetch, but number/],
  ['half a response', { ok: true, status: 200 }, /got no Response from fetch, but object/],
  ['a body that is being read', readByOthers(), /has a body that somebody else reads/],
  ['a body that is a text', withBody('text'), /got no Response from fetch, but object/],
  ['a body that cannot be cancelled', withBody({ getReader: () => ({ read: breakOff }) }), /broke off/],
  ['a body that will not be cancelled', withBody({ getReader: () => ({ read: breakOff, cancel: breakOff }) }), /broke off/],
  ['a body that is cancelled without a promise', withBody({ getReader: () => ({ read: breakOff, cancel: () => undefined }) }), /broke off/],
])('a fetch that answers with %s', async (_name, answer, message) => {
  const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, fetch: () => Promise.resolve(answer as Response) });
  expect(await failureOf(registry.load('a', 'json'))).toMatchObject({ code: 'network', message: expect.stringMatching(message) as string });
  registry.release();
  expect(subject.liveBytes()).toBe(0);
});

function withBody(body: unknown): unknown {
  return { ok: true, status: 200, url: '', headers: new Headers(), body };
}

function breakOff(): never {
  throw new Error('no more');
}

function readByOthers(): Response {
  const response = new Response('abc');
  response.body!.getReader();
  return response;
}

test("a deaf fetch that answers in the end writes nothing into memory that is somebody else's", async () => {
  const late: (() => void)[] = [];
  const { registry, subject } = registryOn(DEFAULT_TARGET, {
    baseUrl: server.base,
    stallTimeout: 20,
    fetch: () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new Uint8Array(100).fill(7));
          late.push(() => {
            try {
              controller.enqueue(new Uint8Array(900).fill(7));
            } catch {
              // It was cancelled: so much the better.
            }
          });
        },
        cancel: () => new Promise(() => undefined),
      });
      return Promise.resolve(new Response(body, { headers: { 'Content-Length': '1000' } }));
    },
  });
  expect(await failureOf(registry.load('a', 'json'))).toMatchObject({ code: 'stalled' });
  const handle = registry.loadBytes(new Uint8Array(1000));
  for (const send of late) send();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(registry.memory.u8.subarray(handle, handle + 1000).every((byte) => byte === 0)).toBe(true);
  registry.release();
  expect(subject.liveBytes()).toBe(1024);
});

test('instanceof takes the errors of another copy of the package, and no others', async () => {
  const path = '../src/asset-error.ts?another-copy';
  const other = (await import(path)) as { readonly AssetError: typeof AssetError };
  expect(other.AssetError).not.toBe(AssetError);
  expect(new other.AssetError('status', 'refused') instanceof AssetError).toBe(true);
  for (const value of [new Error('AssetError'), { name: 'AssetError' }, null]) expect(value instanceof AssetError).toBe(false);
});
