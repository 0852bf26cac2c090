/** Bodies on their way into memory: of known and unknown length, compressed, empty, in any number of pieces, on every kind of target. */

import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AssetRegistry, LoadProgress } from '../src/index.ts';
import { AssetServer, bytesOf, send, sendChunked } from './asset-server.ts';
import { TARGETS, registryOn, type Subject } from './targets.ts';

let server: AssetServer;
beforeAll(async () => {
  server = await AssetServer.start();
});
afterAll(() => server.stop());
afterEach(() => server.reset());

const LENGTHS = [1, 100, 4096, 65_536, 1_000_000];

describe.each(TARGETS)('$name', (kind) => {
  async function trying(work: (registry: AssetRegistry, subject: Subject) => Promise<void>): Promise<void> {
    const { registry, subject } = registryOn(kind, { baseUrl: server.base });
    await work(registry, subject);
    registry.checkInvariants();
    registry.release();
    subject.checkInvariants();
    expect(subject.liveBytes()).toBe(0);
  }

  test.each(LENGTHS)('%i bytes whose number the server says', async (length) => {
    const bytes = bytesOf(1, length);
    server.on('a.bin', send(bytes, { ETag: '"one"', 'Last-Modified': 'Sat, 21 Nov 2026 10:00:00 GMT', 'Content-Type': 'image/png' }));
    await trying(async (registry) => {
      const asset = await registry.load('a.bin', 'image');
      expect(Buffer.from(asset.bytes).equals(bytes)).toBe(true);
      expect(asset).toMatchObject({
        key: 'a.bin',
        type: 'image',
        size: length,
        etag: '"one"',
        lastModified: 'Sat, 21 Nov 2026 10:00:00 GMT',
        contentType: 'image/png',
      });
      expect(asset.handle % 2 ** 32).toBe(asset.address);
      expect(registry.stats()).toMatchObject({ assetCount: 1, assetBytes: length, loadingCount: 0, requestCount: 1, receivedBytes: length });
    });
  });

  test.each(LENGTHS)('%i bytes whose number nobody says, in pieces', async (length) => {
    const bytes = bytesOf(2, length);
    server.on('a.bin', sendChunked(bytes, 30_000));
    await trying(async (registry) => {
      const asset = await registry.load('a.bin', 'binary');
      expect(Buffer.from(asset.bytes).equals(bytes)).toBe(true);
      expect(registry.stats()).toMatchObject({ assetCount: 1, assetBytes: length, loadingBytes: 0 });
    });
  });

  test('a compressed body, of which the server says the compressed length', async () => {
    const bytes = bytesOf(3, 500_000);
    const compressed = gzipSync(bytes);
    server.on('a.json', send(compressed, { 'Content-Encoding': 'gzip' }));
    await trying(async (registry) => {
      const progress: LoadProgress[] = [];
      const asset = await registry.load('a.json', 'json', { onProgress: (now) => progress.push(now) });
      expect(compressed.length).toBeLessThan(bytes.length);
      expect(Buffer.from(asset.bytes).equals(bytes)).toBe(true);
      expect(progress.at(-1)).toEqual({ key: 'a.json', loadedBytes: 500_000, totalBytes: undefined });
    });
  });

  test('a body that grows by being compressed', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    server.on('a', send(gzipSync(bytes), { 'Content-Encoding': 'gzip' }));
    await trying(async (registry) => expect(Array.from((await registry.load('a', 'binary')).bytes)).toEqual([1, 2, 3]));
  });

  test('empty bodies', async () => {
    server.on('none', send(new Uint8Array(0)));
    server.on('chunked', sendChunked(new Uint8Array(0), 1));
    server.on('no-content', (_request, response) => response.writeHead(204).end());
    await trying(async (registry) => {
      for (const path of ['none', 'chunked', 'no-content']) {
        const asset = await registry.load(path, 'json');
        expect([asset.address, asset.size, asset.bytes.length, asset.text(), registry.get(path)?.size]).toEqual([0, 0, 0, '', 0]);
      }
      expect(registry.evictBatch(['none', 'chunked', 'no-content'])).toBe(3);
    });
  });

  test('thirty at once, while the memory grows', async () => {
    const lengths = Array.from({ length: 30 }, (_, i) => (i * 7919) % 100_000);
    for (const [i, length] of lengths.entries()) server.on(`${i}`, i % 2 === 0 ? send(bytesOf(i, length)) : sendChunked(bytesOf(i, length), 9000));
    await trying(async (registry) => {
      const results = await registry.loadBatch(lengths.map((_, i) => ({ path: `${i}`, type: (['image', 'json', 'binary'] as const)[i % 3]! })));
      expect(results.map(({ status }) => status)).toEqual(lengths.map(() => 'fulfilled'));
      for (const [i, length] of lengths.entries()) expect(Buffer.from(registry.get(`${i}`)!.bytes).equals(bytesOf(i, length))).toBe(true);
      expect(server.activeMax).toBeLessThanOrEqual(8);
      registry.checkInvariants();
    });
  });
});
