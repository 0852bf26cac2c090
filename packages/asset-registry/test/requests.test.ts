/** Requests shared, queued, repeated, ended: who waits for what, and what the server sees of it. */

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { AssetError, AssetRegistry, type AssetRegistryOptions, type AssetType, type LoadProgress } from '../src/index.ts';
import { retryDelay } from '../src/retry.ts';
import { AssetServer, bytesOf, inTurn, send, sendRaw, status, type Answer } from './asset-server.ts';
import { failureOf } from './failing.ts';
import { DEFAULT_TARGET, registryOn, type Subject } from './targets.ts';

const BYTES = bytesOf(1, 1000);

let server: AssetServer;
const made: { readonly registry: AssetRegistry; readonly subject: Subject }[] = [];
beforeAll(async () => {
  server = await AssetServer.start();
});
afterAll(() => server.stop());
afterEach(() => {
  server.reset();
  for (const { registry, subject } of made.splice(0)) {
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  }
});

function registryOf(options: AssetRegistryOptions = {}): AssetRegistry {
  const one = registryOn(DEFAULT_TARGET, { baseUrl: server.base, ...options });
  made.push(one);
  return one.registry;
}

/** An answer that waits until it is told to go on. */
function gate(answer: Answer): { readonly answer: Answer; readonly open: () => void } {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  return {
    answer: (request, response) => {
      if (isOpen) answer(request, response);
      else waiting.push(() => answer(request, response));
    },
    open: () => {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const hashOf = (algorithm: 'sha256' | 'sha384' | 'sha512', bytes: Uint8Array): string => `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`;

describe('one request for many', () => {
  test('loads of one path share it, and what it brings', async () => {
    const { answer, open } = gate(send(BYTES));
    server.on('a', answer);
    const registry = registryOf();
    const loads = Array.from({ length: 10 }, () => registry.load('a', 'json'));
    await until(() => server.requests.length > 0);
    open();
    const assets = await Promise.all(loads);
    expect(new Set(assets.map(({ address }) => address)).size).toBe(1);
    expect((await registry.load('a', 'json')).address).toBe(assets[0]!.address);
    expect(server.requests).toEqual(['a']);
    expect(registry.stats()).toMatchObject({ requestCount: 1, sharedCount: 10, assetCount: 1 });
  });

  test('who leaves does not take the others along', async () => {
    const { answer, open } = gate(send(BYTES));
    server.on('a', answer);
    const registry = registryOf();
    const leaving = new AbortController();
    const first = failureOf(registry.load('a', 'json', { signal: leaving.signal }));
    const second = registry.load('a', 'json');
    await until(() => server.requests.length > 0);
    leaving.abort();
    expect(await first).toMatchObject({ code: 'aborted' });
    open();
    expect((await second).size).toBe(1000);
    expect(server.requests).toEqual(['a']);
  });

  test('when the last one leaves, the request ends, and a later load makes another', async () => {
    let closedCount = 0;
    server.on(
      'a',
      inTurn((_request, response) => response.on('close', () => (closedCount += 1)), send(BYTES)),
    );
    const registry = registryOf();
    const [one, two] = [new AbortController(), new AbortController()];
    const loads = [one, two].map(({ signal }) => failureOf(registry.load('a', 'json', { signal })));
    await until(() => server.requests.length > 0);
    one.abort();
    two.abort();
    const again = registry.load('a', 'json');
    expect((await Promise.all(loads)).map(({ code }) => code)).toEqual(['aborted', 'aborted']);
    expect((await again).size).toBe(1000);
    await until(() => closedCount === 1);
    expect(registry.stats()).toMatchObject({ requestCount: 2, failureCount: 2 });
  });

  test("a failure is everybody's, and nobody's afterwards", async () => {
    server.on('a', inTurn(status(404), send(BYTES)));
    const registry = registryOf();
    const errors = await Promise.all([1, 2, 3].map(() => failureOf(registry.load('a', 'json'))));
    expect(errors.map(({ code }) => code)).toEqual(['status', 'status', 'status']);
    expect((await registry.load('a', 'json')).size).toBe(1000);
    expect(server.requests).toEqual(['a', 'a']);
  });

  test('one path has one type', async () => {
    server.on('a', send(BYTES));
    const registry = registryOf();
    const [first, second] = [registry.load('a', 'json'), failureOf(registry.load('a', 'image'))];
    expect(await second).toMatchObject({ code: 'type-mismatch' });
    expect((await first).type).toBe('json');
    expect(await failureOf(registry.load('a', 'binary'))).toMatchObject({ code: 'type-mismatch' });
  });

  test('two handles that load one path at once both ask, and keep one copy', async () => {
    const { answer, open } = gate(send(BYTES));
    server.on('a', answer);
    const registry = registryOf();
    const other = AssetRegistry.attach(made[0]!.subject.target, registry.address, { baseUrl: server.base });
    const loads = [registry.load('a', 'json'), other.load('a', 'json')];
    await until(() => server.requests.length === 2);
    open();
    const [first, second] = await Promise.all(loads);
    expect(first!.address).toBe(second!.address);
    expect(registry.stats()).toMatchObject({ assetCount: 1, assetBytes: 1000, loadingCount: 0 });
    registry.checkInvariants();
  });
});

describe('turns', () => {
  test('eight at once, the others in the order they came', async () => {
    const { answer, open } = gate(send(BYTES));
    server.otherwise(answer);
    const registry = registryOf();
    const loads = registry.loadBatch(Array.from({ length: 30 }, (_, i) => ({ path: `${i}`, type: 'binary' })));
    await until(() => server.requests.length === 8);
    expect(registry.stats()).toMatchObject({ activeCount: 8, waitingCount: 8 });
    open();
    const results = await loads;
    expect(results.map((result) => result.status === 'fulfilled' && result.value.key)).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
    expect(registry.stats()).toMatchObject({ activeCount: 0, waitingCount: 0, requestCount: 30 });
    expect(server.activeMax).toBe(8);
  });

  test('one at once', async () => {
    server.otherwise(send(BYTES));
    const registry = registryOf({ concurrency: 1 });
    await registry.loadBatch(Array.from({ length: 20 }, (_, i) => ({ path: `${i}`, type: 'binary' })));
    expect(server.requests).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    expect(server.activeMax).toBe(1);
  });

  test('who gives up in the queue is not asked for, and who fails makes room', async () => {
    const { answer, open } = gate(status(404));
    server.on('first', answer);
    server.otherwise(send(BYTES));
    const registry = registryOf({ concurrency: 1 });
    const [first, second] = [failureOf(registry.load('first', 'json')), new AbortController()];
    const loads = [failureOf(registry.load('second', 'json', { signal: second.signal })), registry.load('third', 'json')];
    await until(() => server.requests.length === 1);
    second.abort();
    open();
    expect((await first).code).toBe('status');
    await Promise.all(loads);
    expect(server.requests).toEqual(['first', 'third']);
  });

  test('the time in the queue does not count', async () => {
    const { answer, open } = gate(send(BYTES));
    server.on('slow', answer);
    server.otherwise(send(BYTES));
    const registry = registryOf({ concurrency: 1 });
    const hurried = AssetRegistry.attach(made[0]!.subject.target, registry.address, { baseUrl: server.base, concurrency: 1, timeout: 2000 });
    const loads = [registry.load('slow', 'json'), registry.load('quick', 'json'), hurried.load('other', 'json')];
    await until(() => server.requests.length === 2);
    open();
    expect((await Promise.all(loads)).length).toBe(3);
  });

  test('a batch says of each what became of it, and asks for nothing if one makes no sense', async () => {
    server.on('a', send(BYTES));
    server.on('c', send(BYTES));
    const registry = registryOf();
    const results = await registry.loadBatch([
      { path: 'a', type: 'json' },
      { path: 'b', type: 'json' },
      { path: 'a', type: 'json' },
      { path: 'c', type: 'image' },
      { path: '../d', type: 'json' },
    ]);
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value.key : (result.reason as { code: string }).code))).toEqual([
      'a',
      'status',
      'a',
      'c',
      'outside-base',
    ]);
    server.requests.length = 0;
    await expect(
      registry.loadBatch([
        { path: 'e', type: 'json' },
        { path: 'f', type: 'video' as 'json' },
      ]),
    ).rejects.toThrow(TypeError);
    await expect(registry.loadBatch([{ path: 'e', type: 'json' }, null as never])).rejects.toThrow(/request must be an object, got null/);
    expect(server.requests).toEqual([]);
  });

  test('a batch is what it was when it was given', async () => {
    server.otherwise(send(BYTES));
    const registry = registryOf({ concurrency: 1 });
    const requests: { path: string; type: AssetType }[] = ['a', 'b', 'c', 'd'].map((path) => ({ path, type: 'json' }));
    const batch = registry.loadBatch(requests);
    requests.pop();
    requests[2]!.path = 'e';
    const results = await batch;
    expect(results.map((result) => result.status === 'fulfilled' && result.value.key)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('ten thousand requests', async () => {
    server.otherwise((request, response) => {
      const seed = Number(request.url!.slice('/assets/'.length));
      if (seed % 100 === 7) status(404)(request, response);
      else send(bytesOf(seed, seed % 777))(request, response);
    });
    const registry = registryOf({ concurrency: 32 });
    const { liveBytes } = made[0]!.subject;
    const results = await registry.loadBatch(
      Array.from({ length: 10_000 }, (_, i) => ({ path: `${i}`, type: (['image', 'json', 'binary'] as const)[i % 3]! })),
    );
    expect(results.filter((result) => result.status === 'rejected').length).toBe(100);
    expect(server.activeMax).toBeLessThanOrEqual(32);
    expect(registry.stats()).toMatchObject({ assetCount: 9900, loadingCount: 0, requestCount: 10_000, failureCount: 100 });
    registry.checkInvariants();
    for (let i = 0; i < 10_000; i += 101) {
      const asset = registry.get(`${i}`);
      if (i % 100 === 7) expect(asset).toBe(undefined);
      else expect(Buffer.from(asset!.bytes).equals(bytesOf(i, i % 777))).toBe(true);
    }
    const { tableBytes } = registry.stats();
    expect(registry.clear()).toBe(9900);
    registry.checkInvariants();
    expect(liveBytes()).toBeLessThan(tableBytes);
  });
});

describe('repetitions', () => {
  const quick = { retries: 2, retryDelay: 1 };

  test.each<{ readonly name: string; readonly first: Answer }>([
    { name: '500', first: status(500) },
    { name: '503 that asks for no patience', first: status(503, { 'Retry-After': '0' }) },
    { name: '503 until a date that is past', first: status(503, { 'Retry-After': 'Sat, 21 Nov 2020 10:00:00 GMT' }) },
    { name: '429', first: status(429) },
    { name: 'a reset', first: ({ socket }) => socket.resetAndDestroy() },
    { name: 'a body that ends early', first: sendRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789', (socket) => socket.end()) },
  ])('$name, then 200', async ({ first }) => {
    server.on('a', inTurn(first, first, send(BYTES)));
    const registry = registryOf(quick);
    expect(Buffer.from((await registry.load('a', 'json')).bytes).equals(BYTES)).toBe(true);
    expect(server.requests.length).toBe(3);
    expect(registry.stats()).toMatchObject({ requestCount: 3, retryCount: 2, failureCount: 0, loadingCount: 0, assetCount: 1 });
  });

  test('a stall, then 200', async () => {
    server.on(
      'a',
      inTurn(() => undefined, send(BYTES)),
    );
    const registry = registryOf({ ...quick, stallTimeout: 200 });
    expect((await registry.load('a', 'json')).size).toBe(1000);
    expect(server.requests.length).toBe(2);
  });

  test.each<{ readonly name: string; readonly answer: Answer; readonly count: number; readonly code: string }>([
    { name: '404 is not repeated', answer: status(404), count: 1, code: 'status' },
    { name: '400 is not repeated', answer: status(400), count: 1, code: 'status' },
    { name: '500 is repeated so often', answer: status(500), count: 3, code: 'status' },
    { name: '503 that asks for more patience than there is', answer: status(503, { 'Retry-After': '3600' }), count: 1, code: 'status' },
    {
      name: 'a redirect to the outside is not repeated',
      answer: (_request, response) => response.writeHead(302, { Location: '/other' }).end(),
      count: 1,
      code: 'outside-base',
    },
  ])('$name', async ({ answer, count, code }) => {
    server.on('a', answer);
    const registry = registryOf(quick);
    expect(await failureOf(registry.load('a', 'json'))).toMatchObject({ code });
    expect(server.requests.filter((path) => path === 'a').length).toBe(count);
  });

  test('the pauses double, are shortened at random, and are at least what the server asks for', async () => {
    const times: number[] = [];
    const timed =
      (answer: Answer): Answer =>
      (request, response) => {
        times.push(performance.now());
        answer(request, response);
      };
    server.on('a', inTurn(timed(status(500)), timed(status(500)), timed(status(429, { 'Retry-After': '1' })), timed(send(BYTES))));
    const registry = registryOf({ retries: 3, retryDelay: 40 });
    await registry.load('a', 'json');
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    // A timer may be early by a millisecond.
    expect(pauses[0]).toBeGreaterThan(19);
    expect(pauses[1]).toBeGreaterThan(39);
    expect(pauses[2]).toBeGreaterThan(998);
  });

  test('without a pause they go on without one, however often', () => {
    const plan = { retries: 5000, retryDelay: 0, retryDelayMax: 1000 };
    for (const attempt of [0, 1, 1023, 1024, 4999]) expect(retryDelay(new AssetError('network', 'no answer'), attempt, plan)).toBe(0);
  });

  test("a pause takes nobody's turn, and ends with the one who waits", async () => {
    server.on('a', status(500));
    server.on('b', send(BYTES));
    const registry = registryOf({ concurrency: 1, retries: 1, retryDelay: 60_000, retryDelayMax: 60_000 });
    const controller = new AbortController();
    const first = failureOf(registry.load('a', 'json', { signal: controller.signal }));
    expect((await registry.load('b', 'json')).size).toBe(1000);
    controller.abort();
    expect(await first).toMatchObject({ code: 'aborted' });
    expect(server.requests).toEqual(['a', 'b']);
  });

  test('a time limit includes the pauses', async () => {
    server.on('a', status(500));
    const registry = registryOf({ retries: 1, retryDelay: 60_000, retryDelayMax: 60_000, timeout: 50 });
    expect(await failureOf(registry.load('a', 'json'))).toMatchObject({ code: 'timeout' });
  });
});

describe('signals and progress', () => {
  test('a signal that came too early ends a load before it asks', async () => {
    const registry = registryOf();
    expect(await failureOf(registry.load('a', 'json', { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
    expect(server.requests).toEqual([]);
  });

  test('an abort amid the body gives the memory back at once', async () => {
    server.on('a', sendRaw(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(1000)}`));
    const registry = registryOf();
    const { liveBytes } = made[0]!.subject;
    const controller = new AbortController();
    const arrived = Promise.withResolvers<number>();
    const load = failureOf(registry.load('a', 'json', { signal: controller.signal, onProgress: ({ loadedBytes }) => arrived.resolve(loadedBytes) }));
    expect(await arrived.promise).toBe(1000);
    expect(registry.stats()).toMatchObject({ loadingCount: 1, loadingBytes: 100_000 });
    controller.abort();
    expect(registry.stats()).toMatchObject({ loadingCount: 0, loadingBytes: 0 });
    expect(liveBytes()).toBeLessThan(100_000);
    expect(await load).toMatchObject({ code: 'aborted' });
  });

  test('progress is told to each, from where they came in', async () => {
    const rest = Promise.withResolvers<() => void>();
    server.on('a', (_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write(BYTES.subarray(0, 400));
      rest.resolve(() => response.end(BYTES.subarray(400)));
    });
    const registry = registryOf();
    const seen: [LoadProgress[], LoadProgress[]] = [[], []];
    const first = registry.load('a', 'json', { onProgress: (progress) => seen[0].push(progress) });
    await until(() => seen[0].length === 1);
    const second = registry.load('a', 'json', { onProgress: (progress) => seen[1].push(progress) });
    (await rest.promise)();
    await Promise.all([first, second]);
    expect(seen[0]).toEqual([400, 1000].map((loadedBytes) => ({ key: 'a', loadedBytes, totalBytes: 1000 })));
    expect(seen[1]).toEqual([{ key: 'a', loadedBytes: 1000, totalBytes: 1000 }]);
  });

  test('who throws at progress fails alone, with what was thrown', async () => {
    server.on('a', send(BYTES));
    const registry = registryOf();
    const error = new Error('the bar broke');
    const broken = registry.load('a', 'json', {
      onProgress: () => {
        throw error;
      },
    });
    const sound = registry.load('a', 'json');
    await expect(broken).rejects.toBe(error);
    expect((await sound).size).toBe(1000);
  });
});

describe('a stall is the silence of the server', () => {
  test('and not that of a thread that is busy itself', async () => {
    const registry = registryOf({ stallTimeout: 40 });
    server.on('a', (_request, response) => {
      response.writeHead(200, { 'Content-Length': '200' }).write(bytesOf(1, 100));
      setTimeout(() => response.end(bytesOf(1, 100)), 5);
    });
    let isBusy = false;
    const busy = (): void => {
      if (isBusy) return;
      isBusy = true;
      const end = performance.now() + 120;
      while (performance.now() < end);
    };
    expect((await registry.load('a', 'binary', { onProgress: busy })).size).toBe(200);
    expect(isBusy).toBe(true);
  });

  test('and not that of a hash that takes its time', async () => {
    const registry = registryOf({ stallTimeout: 20 });
    server.on('a', send(bytesOf(1, 100)));
    const { subtle } = crypto;
    const digest = subtle.digest.bind(subtle);
    const slow = vi.spyOn(subtle, 'digest').mockImplementation(async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return digest(...given);
    });
    const integrity = `sha256-${Buffer.from(await digest('SHA-256', bytesOf(1, 100))).toString('base64')}`;
    expect((await registry.load('a', 'binary', { integrity })).size).toBe(100);
    slow.mockRestore();
  });
});

describe('hashes', () => {
  test.each(['sha256', 'sha384', 'sha512'] as const)('%s', async (algorithm) => {
    server.on('a', send(BYTES));
    const registry = registryOf();
    const integrity = hashOf(algorithm, BYTES);
    expect((await registry.load('a', 'json', { integrity })).size).toBe(1000);
    expect((await registry.load('a', 'json', { integrity })).size).toBe(1000);
    expect(await failureOf(registry.load('a', 'json', { integrity: hashOf(algorithm, bytesOf(2, 9)) }))).toMatchObject({ code: 'integrity' });
    expect(registry.get('a')?.size).toBe(1000);
  });

  test('of several, the strongest algorithm counts, and any of its hashes', async () => {
    server.on('a', send(BYTES));
    server.on('b', send(BYTES));
    const registry = registryOf();
    const wrong = bytesOf(3, 3);
    expect(
      (await registry.load('a', 'json', { integrity: `${hashOf('sha256', wrong)}  ${hashOf('sha512', wrong)} md5-abc ${hashOf('sha512', BYTES)}?opaque` }))
        .size,
    ).toBe(1000);
    expect(await failureOf(registry.load('b', 'json', { integrity: `${hashOf('sha256', BYTES)} ${hashOf('sha384', wrong)}` }))).toMatchObject({
      code: 'integrity',
    });
    for (const integrity of ['', 'md5-abc', 'sha256-', 'sha256-?']) await expect(registry.load('b', 'json', { integrity })).rejects.toThrow(RangeError);
  });

  test('whoever joins a load with another hash has it checked for himself', async () => {
    const { answer, open } = gate(send(BYTES));
    server.on('a', answer);
    const registry = registryOf();
    const loads = [registry.load('a', 'json'), registry.load('a', 'json', { integrity: hashOf('sha256', BYTES) })] as const;
    const wrong = failureOf(registry.load('a', 'json', { integrity: hashOf('sha256', bytesOf(2, 2)) }));
    open();
    expect((await Promise.all(loads)).length).toBe(2);
    expect(await wrong).toMatchObject({ code: 'integrity' });
    expect(server.requests).toEqual(['a']);
  });
});
