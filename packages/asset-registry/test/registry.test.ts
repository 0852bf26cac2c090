/** Assets that are there: registered, found, evicted, pinned, compacted away; the budget; what the server says of changes; the end. */

import { AllocatorError, Tracked } from '@allokit/allocator';
import { TieredArena } from '@allokit/tiered-arena';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AssetRegistry, type AssetRegistryOptions, type AssetType } from '../src/index.ts';
import { AssetServer, bytesOf, inTurn, send, status } from './asset-server.ts';
import { failureOf } from './failing.ts';
import { DEFAULT_TARGET, TARGETS, registryOn } from './targets.ts';

let server: AssetServer;
beforeAll(async () => {
  server = await AssetServer.start();
});
afterAll(() => server.stop());
afterEach(() => server.reset());

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

/** Enters bytes under a key. */
function enter(registry: AssetRegistry, key: string, size: number, type: AssetType = 'binary'): number {
  const handle = registry.loadBytes(bytesOf(size, size));
  expect(registry.register(key, { type, handle, size })).toBe(true);
  return handle;
}

const keysOf = (registry: AssetRegistry): string[] =>
  registry
    .assets()
    .map(({ key }) => key)
    .sort();

describe.each(TARGETS)('$name', (kind) => {
  test('five assets: the second is evicted, then a batch of the first, the last and one that is missing', async () => {
    for (let i = 1; i <= 5; i += 1) server.on(`${i}`, send(bytesOf(i, i * 1000)));
    const { registry, subject } = registryOn(kind, { baseUrl: server.base });
    const assets = await Promise.all([1, 2, 3, 4, 5].map((i) => registry.load(`${i}`, 'binary')));
    const contents = (): boolean[] => [3, 4].map((i) => Buffer.from(assets[i - 1]!.bytes).equals(bytesOf(i, i * 1000)));
    const liveBytes = subject.liveBytes();
    expect(registry.evict('2')).toBe(true);
    expect(registry.evict('2')).toBe(false);
    expect(liveBytes - subject.liveBytes()).toBeGreaterThanOrEqual(2000);
    expect(registry.evictBatch(['1', '5', 'missing'])).toBe(2);
    expect(keysOf(registry)).toEqual(['3', '4']);
    expect(assets.map(({ isLive }) => isLive)).toEqual([false, false, true, true, false]);
    expect(contents()).toEqual([true, true]);
    expect(() => assets[0]!.bytes).toThrow(code('invalid-address'));
    expect(() => assets[0]!.text()).toThrow(/"1" .* was evicted/);
    expect(registry.stats()).toMatchObject({ assetCount: 2, assetBytes: 7000 });
    registry.checkInvariants();
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  });

  test("bytes from memory: a block of one's own until it is registered", () => {
    const { registry, subject } = registryOn(kind);
    const handle = registry.loadBytes(bytesOf(7, 5000));
    expect(registry.register('a', { type: 'image', handle, size: 5000, etag: 'W/"1"' })).toBe(true);
    expect(registry.get('a')).toMatchObject({ key: 'a', type: 'image', handle, size: 5000, etag: 'W/"1"', lastModified: undefined });
    expect(Buffer.from(registry.get('a')!.bytes).equals(bytesOf(7, 5000))).toBe(true);
    const second = registry.loadBytes(bytesOf(8, 5000));
    expect(registry.register('a', { type: 'json', handle: second, size: 5000 })).toBe(false);
    expect(registry.get('a')!.type).toBe('image');
    expect(registry.register('b', { type: 'json', handle: second, size: 4999 })).toBe(true);
    expect(registry.loadBytes(new Uint8Array(0))).toBe(0);
    expect(registry.register('nothing', { type: 'json', handle: 0, size: 0 })).toBe(true);
    expect(registry.clear()).toBe(3);
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  });

  test('a view of the memory itself, which grows as it is copied', () => {
    const { registry } = registryOn(kind);
    const { memory } = registry;
    const handle = registry.loadBytes(bytesOf(1, 3000));
    for (let i = 0; i < 40; i += 1) {
      const address = handle % 2 ** 32;
      const copy = registry.loadBytes(memory.u8.subarray(address, address + 3000)) % 2 ** 32;
      expect(Buffer.from(memory.u8.subarray(copy, copy + 3000)).equals(bytesOf(1, 3000))).toBe(true);
    }
  });
});

describe('keys', () => {
  test('of all kinds, and many of them, with a table that expected few', () => {
    const { registry } = registryOn(DEFAULT_TARGET, { expectedCount: 1 });
    const keys = ['Zoë', '\0', '\ud800', 'a'.repeat(65_535), '__proto__', 'x', 'X', ...Array.from({ length: 500 }, (_, i) => `textures/${i}`)];
    for (const key of keys) expect(registry.register(key, { type: 'json', handle: 0, size: 0 })).toBe(true);
    for (const key of keys) expect(registry.get(key)?.key).toBe(key);
    expect(registry.get('textures/500')).toBe(undefined);
    expect(registry.assets().length).toBe(keys.length);
    registry.checkInvariants();
    expect(registry.evictBatch(keys.filter((_, i) => i % 2 === 0))).toBe(Math.ceil(keys.length / 2));
    const { tableBytes } = registry.stats();
    for (const key of keys.filter((_, i) => i % 2 === 0)) registry.register(key, { type: 'json', handle: 0, size: 0 });
    // Records are used again, strings come and go.
    expect(registry.stats().tableBytes - tableBytes).toBeLessThan(65_535 * 2 + 20_000);
    expect(registry.assets().length).toBe(keys.length);
    registry.checkInvariants();
  });

  test('of a saved image: another handle on the same memory finds everything', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 21, commit: 2 ** 21 });
    const heap = Tlsf.create(memory, { size: 2 ** 20 });
    const registry = AssetRegistry.create(heap);
    enter(registry, 'a', 1000);
    const image = BufferMemory.attach(memory.buffer.slice(0));
    const copy = AssetRegistry.attach(Tlsf.attach(image, heap.address), registry.address);
    // Its threads are not in the image.
    copy.recover(registry.threadId);
    expect(copy.threadIds).toEqual([copy.threadId]);
    enter(copy, 'b', 10);
    expect(registry.get('b')).toBe(undefined);
    expect(Buffer.from(copy.get('a')!.bytes).equals(bytesOf(1000, 1000))).toBe(true);
    copy.checkInvariants();
  });
});

describe('tiers', () => {
  test('images go to the top, the rest to the middle', async () => {
    server.otherwise(send(bytesOf(1, 100)));
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    const assets = await Promise.all((['image', 'json', 'binary'] as const).map((type) => registry.load(type, type)));
    expect(assets.map(({ tier, address }) => [tier, address % 64])).toEqual([
      ['top', 0],
      ['middle', 0],
      ['middle', 0],
    ]);
  });

  test('unless they are told otherwise', async () => {
    server.otherwise(send(bytesOf(1, 100)));
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, tiers: { image: 'bottom', binary: 0 } });
    const assets = await Promise.all((['image', 'json', 'binary'] as const).map((type) => registry.load(type, type)));
    expect(assets.map(({ tier }) => tier)).toEqual(['bottom', 'middle', 'top']);
    const handle = registry.loadBytes(new Uint8Array(10), 'bottom');
    registry.register('x', { type: 'image', handle, size: 10 });
    expect(registry.get('x')!.tier).toBe('bottom');
  });

  test('an allocator has none', async () => {
    server.otherwise(send(bytesOf(1, 100)));
    const { registry } = registryOn(TARGETS[3]!, { baseUrl: server.base });
    expect((await registry.load('a', 'image')).tier).toBe(undefined);
    expect(() => registry.loadBytes(new Uint8Array(1), 'top')).toThrow(TypeError);
    expect(() => registry.fastCompact('top', 0)).toThrow(TypeError);
    expect(() => registryOn(TARGETS[3]!, { tiers: { image: 'top' } })).toThrow(TypeError);
    expect(() => registryOn(TARGETS[3]!, { table: 'top' })).toThrow(TypeError);
  });

  test('compacting forgets what lies above the boundary, and nothing else', () => {
    const arena = TieredArena.create(WasmMemory.create({ reserve: 2 ** 26 }), { capacity: 2 ** 24 });
    const registry = AssetRegistry.create(arena, { table: 'bottom' });
    const handles = [1, 2, 3].map((i) => enter(registry, `${i}`, 100_000));
    enter(registry, 'small', 100);
    const elsewhere = registry.loadBytes(new Uint8Array(10), 'top');
    registry.register('top', { type: 'image', handle: elsewhere, size: 10 });
    const boundary = arena.offsetOf(handles[1]!);
    const pin = registry.get('3')!.pin()!;
    expect(() => registry.fastCompact('middle', boundary)).toThrow(code('pinned'));
    expect(keysOf(registry)).toEqual(['1', '2', '3', 'small', 'top']);
    pin[Symbol.dispose]();
    expect(() => registry.fastCompact('middle', 2 ** 30)).toThrow(RangeError);
    expect(() => registry.fastCompact('middle', 0.5)).toThrow(RangeError);
    expect(() => registry.fastCompact('bottom', 0)).toThrow(code('unsupported'));
    expect(keysOf(registry)).toEqual(['1', '2', '3', 'small', 'top']);
    expect(registry.fastCompact('middle', boundary)).toBe(3);
    expect(keysOf(registry)).toEqual(['1', 'top']);
    expect(registry.get('1')!.bytes.length).toBe(100_000);
    expect(arena.tier('middle').stats().used).toBe(boundary);
    registry.checkInvariants();
    arena.checkInvariants();
    registry.release();
    expect(Object.values(arena.stats()).map(({ liveBytes }) => liveBytes)).toEqual([0, 0, 0]);
  });

  test.each([
    { name: 'the block', tier: 'middle', table: 'bottom' },
    { name: 'the strings', tier: 'top', table: 'middle' },
  ] as const)('compacting between two steps of a load takes $name away from no record', async ({ tier, table }) => {
    const outcomes = new Set<unknown>();
    for (let steps = 0; steps < 30; steps += 1) {
      const fetch = (): Promise<Response> => Promise.resolve(new Response(bytesOf(1, 1000)));
      const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, table, tiers: { binary: tier }, fetch });
      const arena = subject.target as TieredArena;
      const boundary = arena.tier('middle').stats().used;
      const load = registry.load('an/asset', 'binary');
      for (let i = 0; i < steps; i += 1) await Promise.resolve();
      try {
        registry.fastCompact('middle', boundary);
        outcomes.add('compacted');
      } catch (error) {
        outcomes.add((error as AllocatorError).code);
      }
      const other = arena.allocate('middle', 1000);
      registry.memory.u8.fill(0xee, other, other + 1000);
      const asset = await load;
      // Compacting takes an asset along that is there already.
      if (asset.isLive) expect(asset.bytes).toEqual(bytesOf(1, 1000));
      expect(registry.memory.u8.subarray(other, other + 1000).every((byte) => byte === 0xee)).toBe(true);
      registry.checkInvariants();
      registry.release();
    }
    expect(outcomes).toEqual(new Set(['compacted', table === 'middle' ? 'unsupported' : 'pinned']));
  });
});

describe('pins', () => {
  test('keep an asset from being evicted, until the last one goes', () => {
    const { registry } = registryOn(DEFAULT_TARGET);
    enter(registry, 'a', 100);
    const asset = registry.get('a')!;
    {
      using first = asset.pin()!;
      expect(first.asset).toBe(asset);
      const second = registry.get('a')!.pin()!;
      expect(registry.evict('a')).toBe(false);
      second[Symbol.dispose]();
      second[Symbol.dispose]();
      expect([registry.evict('a'), registry.evictBatch(['a']), registry.clear()]).toEqual([false, 0, 0]);
    }
    expect(registry.evict('a')).toBe(true);
    expect(asset.pin()).toBe(null);
    enter(registry, 'a', 200);
    expect(asset.pin()).toBe(null);
    expect(registry.evict('a')).toBe(true);
  });

  test("belong to a handle: another one's hold as well, and go when it leaves", () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET);
    const other = AssetRegistry.attach(subject.target, registry.address);
    enter(registry, 'a', 100);
    const [mine, its] = [registry.get('a')!.pin()!, other.get('a')!.pin()!];
    mine[Symbol.dispose]();
    expect(registry.evict('a')).toBe(false);
    other.detach();
    expect(registry.evict('a')).toBe(true);
    its[Symbol.dispose]();
    registry.checkInvariants();
  });
});

describe('the budget', () => {
  async function loadAll(registry: AssetRegistry, ...keys: string[]): Promise<void> {
    for (const key of keys) await registry.load(key, 'binary');
  }

  test('is kept by evicting what was used longest ago', async () => {
    server.otherwise(send(bytesOf(1, 1000)));
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, budget: 3500 });
    await loadAll(registry, 'a', 'b', 'c');
    registry.get('a');
    await loadAll(registry, 'd');
    expect(keysOf(registry)).toEqual(['a', 'c', 'd']);
    await loadAll(registry, 'c', 'e');
    expect(keysOf(registry)).toEqual(['c', 'd', 'e']);
    expect(registry.stats()).toMatchObject({ evictionCount: 2, assetBytes: 3000 });
  });

  test('passes pinned assets over, and evicts nothing in vain', async () => {
    server.on('large', send(bytesOf(1, 3000)));
    server.on('largest', send(bytesOf(1, 3501)));
    server.otherwise(send(bytesOf(1, 1000)));
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, budget: 3500 });
    await loadAll(registry, 'a', 'b', 'c');
    const pin = registry.get('a')!.pin()!;
    registry.get('b');
    registry.get('c');
    expect(await failureOf(registry.load('large', 'binary'))).toMatchObject({ code: 'over-budget' });
    expect(await failureOf(registry.load('largest', 'binary'))).toMatchObject({ code: 'over-budget' });
    expect(keysOf(registry)).toEqual(['a', 'b', 'c']);
    await loadAll(registry, 'd');
    expect(keysOf(registry)).toEqual(['a', 'c', 'd']);
    pin[Symbol.dispose]();
    await loadAll(registry, 'large');
    expect(keysOf(registry)).toEqual(['large']);
  });

  test('holds for many at once, of known length and not', async () => {
    server.otherwise((request, response) => {
      const length = Number(request.url!.slice('/assets/'.length)) % 1000;
      if (length % 2 === 0) response.writeHead(200, { 'Content-Length': `${length}` });
      else response.writeHead(200);
      response.end(bytesOf(1, length));
    });
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, budget: 10_000 });
    const results = await registry.loadBatch(Array.from({ length: 300 }, (_, i) => ({ path: `${i * 37}`, type: 'binary' })));
    expect(results.every((result) => result.status === 'fulfilled' || (result.reason as { code: string }).code === 'over-budget')).toBe(true);
    expect(registry.stats().assetBytes).toBeLessThanOrEqual(10_000);
    expect(registry.stats().assetBytes).toBeGreaterThan(8000);
    registry.checkInvariants();
  });
});

describe('validators', () => {
  const [OLD, NEW] = [bytesOf(1, 1000), bytesOf(2, 2000)];

  test('an asset that has not changed keeps its bytes; one that has is replaced', async () => {
    const asked: (string | undefined)[] = [];
    let version = 1;
    server.on('a', (request, response) => {
      asked.push(request.headers['if-none-match']);
      if (request.headers['if-none-match'] === `"${version}"`) response.writeHead(304).end();
      else send(version === 1 ? OLD : NEW, { ETag: `"${version}"` })(request, response);
    });
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    const first = await registry.load('a', 'json');
    const same = await registry.revalidate('a');
    expect(same).toMatchObject({ isReplaced: false, asset: { address: first.address } });
    version = 2;
    const [changed, shared] = await Promise.all([registry.revalidate('a'), registry.revalidate('a')]);
    expect(changed).toMatchObject({ isReplaced: true, asset: { size: 2000, etag: '"2"' } });
    expect(shared!.asset.address).toBe(changed!.asset.address);
    expect([first.isLive, Buffer.from(registry.get('a')!.bytes).equals(NEW)]).toEqual([false, true]);
    expect(asked).toEqual([undefined, '"1"', '"1"']);
    expect(registry.stats()).toMatchObject({ assetCount: 1, assetBytes: 2000 });
    registry.checkInvariants();
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  });

  test('by its date, where there is no ETag; anew, where there is neither', async () => {
    const asked: (string | undefined)[] = [];
    const DATE = 'Sat, 21 Nov 2026 10:00:00 GMT';
    server.on('dated', (request, response) => {
      asked.push(request.headers['if-modified-since']);
      if (request.headers['if-modified-since'] === DATE) response.writeHead(304).end();
      else send(OLD, { 'Last-Modified': DATE })(request, response);
    });
    server.on('bare', inTurn(send(OLD), send(NEW)));
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    await registry.load('dated', 'json');
    await registry.load('bare', 'json');
    expect((await registry.revalidate('dated'))!.isReplaced).toBe(false);
    expect(await registry.revalidate('bare')).toMatchObject({ isReplaced: true, asset: { size: 2000 } });
    expect(asked).toEqual([undefined, DATE]);
    expect(await registry.revalidate('missing')).toBe(undefined);
  });

  test('a failure leaves the old one, and so does a pin', async () => {
    server.on('a', inTurn(send(OLD, { ETag: '"1"' }), status(404), send(NEW)));
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    const asset = await registry.load('a', 'json');
    expect(await failureOf(registry.revalidate('a'))).toMatchObject({ code: 'status', status: 404 });
    const pin = asset.pin()!;
    expect(await failureOf(registry.revalidate('a'))).toMatchObject({ code: 'pinned' });
    expect([asset.isLive, registry.stats().loadingCount, registry.stats().assetCount]).toEqual([true, 0, 1]);
    pin[Symbol.dispose]();
    expect((await registry.revalidate('a'))!.isReplaced).toBe(true);
    registry.release();
    expect(subject.liveBytes()).toBe(0);
  });

  test('one that was evicted meanwhile comes back new, or not at all', async () => {
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    server.on('a', inTurn(send(OLD, { ETag: '"1"' }), status(304), send(NEW)));
    await registry.load('a', 'json');
    const unchanged = registry.revalidate('a');
    registry.evict('a');
    expect(await unchanged).toBe(undefined);
    enter(registry, 'a', 10, 'json');
    const changed = registry.revalidate('a');
    registry.evict('a');
    expect(await changed).toMatchObject({ isReplaced: true, asset: { size: 2000 } });
  });
});

describe('the end', () => {
  test('release frees everything, pinned or on its way', async () => {
    server.on('a', send(bytesOf(1, 1000)));
    server.on('never', (_request, response) => response.writeHead(200, { 'Content-Length': '5000' }).write('x'));
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    const asset = await registry.load('a', 'binary');
    const pin = asset.pin()!;
    const begun = Promise.withResolvers<unknown>();
    const load = failureOf(registry.load('never', 'binary', { onProgress: begun.resolve }));
    await begun.promise;
    registry.release();
    expect(subject.liveBytes()).toBe(0);
    expect(await load).toMatchObject({ code: 'released' });
    registry.release();
    registry.detach();
    pin[Symbol.dispose]();
    for (const act of [
      () => registry.get('a'),
      () => registry.evict('a'),
      () => registry.stats(),
      () => asset.bytes,
      () => asset.isLive,
      () => asset.pin(),
      () => registry.assets(),
      () => registry.checkInvariants(),
    ]) {
      expect(act).toThrow(code('released'));
    }
    await expect(registry.load('a', 'binary')).rejects.toThrow(code('released'));
    await expect(registry.revalidate('a')).rejects.toThrow(code('released'));
    expect(() => AssetRegistry.attach(subject.target, registry.address)).toThrow(code('bad-header'));
  });

  test('a handle whose registry another one released has no part in one that is made in the same place', () => {
    const heap = Tlsf.create(WasmMemory.create({ reserve: 2 ** 24 }), { size: 2 ** 20 });
    const first = AssetRegistry.create(heap);
    const late = AssetRegistry.attach(heap, first.address);
    enter(first, 'a', 100);
    const asset = late.get('a')!;
    const pin = asset.pin()!;
    first.release();
    const second = AssetRegistry.create(heap);
    expect(second.address).toBe(first.address);
    enter(second, 'b', 100);
    pin[Symbol.dispose]();
    for (const act of [() => late.get('b'), () => late.evict('b'), () => asset.isLive, () => asset.pin(), () => late.clear()])
      expect(act).toThrow(code('released'));
    late.release();
    expect(keysOf(second)).toEqual(['b']);
    second.release();
  });

  test('cleaning up after a thread leaves what is gone already, and does the rest', async () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET, { table: 'bottom' });
    const arena = subject.target as TieredArena;
    const begins = ['a', 'b', 'c'].map(() => Promise.withResolvers<unknown>());
    // A handle of which nobody hears any more is as good as dead.
    const dead = AssetRegistry.attach(arena, registry.address, {
      baseUrl: server.base,
      fetch: () =>
        Promise.resolve(
          new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) }), { headers: { 'Content-Length': '1000' } }),
        ),
    });
    const loads = begins.map(({ resolve }, i) => failureOf(dead.load(`${i}`, i === 2 ? 'image' : 'binary', { onProgress: resolve })));
    await Promise.all(begins.map(({ promise }) => promise));
    expect(registry.stats().loadingCount).toBe(3);
    arena.resetTier('middle');
    registry.recover(dead.threadId);
    expect(registry.stats().loadingCount).toBe(0);
    expect(registry.threadIds).toEqual([registry.threadId]);
    expect(() => registry.recover(dead.threadId)).toThrow(RangeError);
    registry.release();
    expect(subject.liveBytes()).toBe(0);
    dead.detach();
    expect(await Promise.all(loads)).toMatchObject([{ code: 'released' }, { code: 'released' }, { code: 'released' }]);
  });

  test("detach ends this handle's loads, and leaves the assets; dispose of the last handle releases", async () => {
    server.on('a', send(bytesOf(1, 1000)));
    server.on('never', () => undefined);
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    {
      using other = AssetRegistry.attach(subject.target, registry.address, { baseUrl: server.base });
      await other.load('a', 'binary');
      expect(registry.threadIds).toEqual([registry.threadId, other.threadId]);
      other.detach();
      expect(registry.get('a')?.size).toBe(1000);
    }
    const lasting = AssetRegistry.attach(subject.target, registry.address, { baseUrl: server.base });
    const load = failureOf(lasting.load('never', 'binary'));
    registry[Symbol.dispose]();
    expect(lasting.threadIds).toEqual([lasting.threadId]);
    lasting[Symbol.dispose]();
    expect(await load).toMatchObject({ code: 'released' });
    expect(subject.liveBytes()).toBe(0);
  });

  test('a memory that went first takes the registry along, and a target that did is left alone', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24 });
    const registry = AssetRegistry.create(Tlsf.create(memory, { size: 2 ** 20 }));
    enter(registry, 'a', 100);
    memory.release();
    expect(() => registry.get('a')).toThrow(code('released'));
    for (const end of [() => registry.detach(), () => registry.release(), () => registry[Symbol.dispose]()]) end();
    const { registry: second, subject } = registryOn(DEFAULT_TARGET);
    enter(second, 'a', 100);
    (subject.target as TieredArena).release();
    second.release();
    expect(() => second.get('a')).toThrow(code('released'));
  });

  test('a block that was freed past the registry is refused when its turn comes, and the key is gone', () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET);
    const handle = enter(registry, 'a', 100);
    (subject.target as TieredArena).deallocate(handle);
    expect(() => registry.checkInvariants()).toThrow(AllocatorError);
    expect(() => registry.evict('a')).toThrow(code('double-free'));
    expect(registry.get('a')).toBe(undefined);
    registry.checkInvariants();
  });
});

describe('a block that somebody freed past the registry', () => {
  test('is replaced, and the new one is whole', async () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    server.on('a', send(bytesOf(2, 5000)));
    (subject.target as TieredArena).deallocate(enter(registry, 'a', 100));
    const revalidation = await registry.revalidate('a');
    expect(revalidation).toMatchObject({ isReplaced: true, asset: { size: 5000, isLive: true } });
    expect(registry.get('a')!.bytes).toEqual(bytesOf(2, 5000));
    registry.checkInvariants();
  });

  test('makes room, and what needs it is loaded', async () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET, { baseUrl: server.base, budget: 5000 });
    server.on('a', send(bytesOf(2, 5000)));
    (subject.target as TieredArena).deallocate(enter(registry, 'old', 100));
    expect((await registry.load('a', 'binary')).bytes).toEqual(bytesOf(2, 5000));
    expect(keysOf(registry)).toEqual(['a']);
    expect(registry.stats().evictionCount).toBe(1);
    registry.checkInvariants();
  });
});

describe('misuse is refused, and changes nothing', () => {
  const { target } = DEFAULT_TARGET.create();

  test.each<readonly [AssetRegistryOptions, RegExp]>([
    [{ baseUrl: 'x' }, /baseUrl must be a URL/],
    [{ concurrency: 0 }, /concurrency must be in 1/],
    [{ concurrency: 1.5 }, /concurrency must be a whole number/],
    [{ limit: -1 }, /limit/],
    [{ timeout: 0 }, /timeout must be in 1/],
    [{ stallTimeout: NaN }, /stallTimeout/],
    [{ stallTimeout: 2 ** 31 }, /stallTimeout/],
    [{ retries: -1 }, /retries/],
    [{ retryDelay: Infinity }, /retryDelay/],
    [{ retryDelayMax: -1 }, /retryDelayMax/],
    [{ budget: 0 }, /budget must be in 1/],
    [{ budget: 2 ** 32 }, /budget/],
    [{ expectedCount: 0 }, /expectedCount/],
    [{ tiers: { image: 'attic' } }, /there is no tier "attic"/],
    [{ tiers: { video: 'top' } as never }, /type must be one of image, json, binary, got "video"/],
    [{ table: 'attic' }, /there is no tier/],
    [{ table: 9 }, /there is no tier 9/],
    [{ table: {} as never }, /table must be an allocator/],
    [{ fetch: 7 as never }, /fetch must be a function, got number/],
    [{ allowOutsideBase: 1 as never }, /allowOutsideBase must be a boolean/],
    [null as never, /options must be an object, got null/],
  ])('options %o', (options, message) => {
    expect(() => AssetRegistry.create(target, options)).toThrow(message);
  });

  test('targets that are none', () => {
    for (const nothing of [undefined, null, 7, {}, 'heap']) expect(() => AssetRegistry.create(nothing as never)).toThrow(TypeError);
    expect(() => AssetRegistry.create(target, { table: Tlsf.create(WasmMemory.create({ reserve: 2 ** 20 }), { size: 2 ** 16 }) })).toThrow(
      /table must be on the memory of the target/,
    );
  });

  test('arguments', async () => {
    const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: server.base });
    for (const key of [undefined, null, 7, {}] as never[]) {
      for (const act of [
        () => registry.get(key),
        () => registry.evict(key),
        () => registry.evictBatch(['a', key]),
        () => registry.register(key, { type: 'json', handle: 0, size: 0 }),
      ])
        expect(act).toThrow(TypeError);
      await expect(registry.load(key, 'json')).rejects.toThrow(TypeError);
    }
    expect(() => registry.get('')).toThrow(RangeError);
    expect(() => registry.get('a'.repeat(65_536))).toThrow(/path|key must have 1..65535 characters, got 65536/);
    await expect(registry.load('a', 'video' as never)).rejects.toThrow(/type must be one of/);
    for (const options of [null, 7, { signal: 7 }, { signal: null }, { signal: { aborted: false } }, { onProgress: 7 }, { integrity: 7 }] as never[])
      await expect(registry.load('a', 'json', options)).rejects.toThrow(TypeError);
    for (const bytes of [undefined, 'abc', [1], new Int32Array(1)] as never[]) expect(() => registry.loadBytes(bytes)).toThrow(TypeError);
    expect(() => registry.loadBytes(new Uint8Array(1), 'attic')).toThrow(RangeError);
    expect(() => registry.register('a', { type: 'json', handle: 0, size: 1 })).toThrow(code('size-mismatch'));
    const handle = registry.loadBytes(new Uint8Array(100));
    expect(() => registry.register('a', { type: 'json', handle, size: 1000 })).toThrow(code('size-mismatch'));
    expect(() => registry.register('a', { type: 'json', handle: handle + 8, size: 1 })).toThrow(AllocatorError);
    expect(() => registry.register('a', { type: 'json', handle, size: 1, etag: 7 as never })).toThrow(TypeError);
    expect(() => registry.register('a', null as never)).toThrow(TypeError);
    for (const keys of [undefined, null, 'abc', {}] as never[]) {
      expect(() => registry.evictBatch(keys)).toThrow(/keys must be an array, got/);
      await expect(registry.loadBatch(keys)).rejects.toThrow(/requests must be an array, got/);
    }
    expect(() => registry.recover(registry.threadId)).toThrow(/is this one, and alive/);
    expect(() => registry.recover(99)).toThrow(/no thread 99 is attached/);
    expect(() => registry.recover('x' as never)).toThrow(TypeError);
    expect(registry.stats()).toMatchObject({ assetCount: 0, requestCount: 0 });
    expect(server.requests).toEqual([]);
  });

  test('a block belongs to one asset only, and the table its own', () => {
    const { registry } = registryOn(DEFAULT_TARGET);
    const handle = registry.loadBytes(Uint8Array.of(1, 2, 3));
    expect(registry.register('a', { type: 'binary', handle, size: 3 })).toBe(true);
    expect(() => registry.register('b', { type: 'binary', handle, size: 3 })).toThrow(/the block at 0x[0-9a-f]+ .* is the registry's already/);
    expect(() => registry.register('b', { type: 'binary', handle: registry.address, size: 3 })).toThrow(RangeError);
    registry.checkInvariants();
    expect(registry.assets().map(({ key }) => key)).toEqual(['a']);
    expect(registry.register('empty', { type: 'binary', handle: 0, size: 0 }) && registry.register('empty too', { type: 'binary', handle: 0, size: 0 })).toBe(true);
  });

  test('attaching to what is no registry, or with another target', () => {
    const { registry, subject } = registryOn(DEFAULT_TARGET);
    expect(() => AssetRegistry.attach(subject.target, registry.address + 16)).toThrow(code('bad-header'));
    expect(() => AssetRegistry.attach(subject.target, 2 ** 31)).toThrow(code('bad-header'));
    expect(() => AssetRegistry.attach(subject.target, -1)).toThrow(RangeError);
    expect(() => AssetRegistry.attach((subject.target as TieredArena).tier('top'), registry.address)).toThrow(/created on an arena|comes from tier/);
    const words = registry.memory.i32;
    const state = registry.address >>> 2;
    for (const [field, value] of [
      [8, 40],
      [8, -1],
      [12, 64],
      [9, -1],
      [9, 1000],
      [13, 9],
      [13, -7],
    ] as const) {
      const old = words[state + field]!;
      words[state + field] = value;
      expect(() => AssetRegistry.attach(subject.target, registry.address), `field ${field}`).toThrow(code('corrupt'));
      words[state + field] = old;
    }
    expect(registry.threadIds).toEqual([registry.threadId]);
    const handles = Array.from({ length: 29 }, () => AssetRegistry.attach(subject.target, registry.address));
    expect(() => AssetRegistry.attach(subject.target, registry.address)).toThrow(code('out-of-memory'));
    handles[7]!.detach();
    AssetRegistry.attach(subject.target, registry.address).detach();
  });

  test('the checker finds what was overwritten', () => {
    const { registry } = registryOn(DEFAULT_TARGET, { expectedCount: 4 });
    for (let i = 0; i < 6; i += 1) enter(registry, `${i}`, 100 + i);
    registry.checkInvariants();
    const words = registry.memory.i32;
    const chunk = words[(registry.address >>> 2) + 16]! >>> 2;
    // In turn: the link, the hash, the name's address and length, the block's address, the size.
    for (const [field, value] of [
      [2, 7],
      [2, 1],
      [3, 1],
      [4, 0],
      [4, 8],
      [5, 2],
      [10, 1],
      [9, 16],
      [11, 1e6],
    ] as const) {
      const old = words[chunk + field]!;
      words[chunk + field] = value;
      expect(() => registry.checkInvariants(), `field ${field}, ${value}`).toThrow(AllocatorError);
      words[chunk + field] = old;
    }
    registry.checkInvariants();
  });
});

test('the table in an allocator of its own', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 26 });
  const arena = TieredArena.create(memory, { capacity: 2 ** 22 });
  const heap = Tracked.create(Tlsf.create(memory, { size: 2 ** 20 }));
  const registry = AssetRegistry.create(arena, { table: heap });
  enter(registry, 'a', 100);
  expect(registry.stats().tableBytes).toBeLessThanOrEqual(heap.stats().liveBytes);
  expect(() => AssetRegistry.attach(arena, registry.address)).toThrow(/give that as `table`/);
  const other = AssetRegistry.attach(arena, registry.address, { table: heap });
  expect(other.get('a')!.size).toBe(100);
  other.detach();
  expect(registry.fastCompact('middle', 0)).toBe(1);
  registry.release();
  expect(heap.stats().liveBytes).toBe(0);
});
