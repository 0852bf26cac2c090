/** What the browser runs in `browser.test.ts`: loads on the main thread, and with three workers beside it where memory can be shared. */

import { AssetError, AssetRegistry, type AssetRegistryOptions } from '@allokit/asset-registry';
import { TieredArena } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import type { Orders } from './worker.ts';

const MIB = 2 ** 20;
const isolated = globalThis.crossOriginIsolated;
const memory = WasmMemory.create({ reserve: 128 * MIB, shared: isolated });
const arena = TieredArena.create(memory, { capacity: 32 * MIB });
const registry = AssetRegistry.create(arena, { baseUrl: '/assets/', retries: 0, stallTimeout: 5000 });

function liveBytes(): number {
  return arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0);
}

/** What came of a load: its size and its bytes' sum, or the error's code. */
async function outcome(path: string, options: AssetRegistryOptions & { readonly integrity?: string; readonly abortAt?: number } = {}): Promise<string> {
  const { integrity, abortAt, ...use } = options;
  const own = AssetRegistry.attach(arena, registry.address, { baseUrl: '/assets/', retries: 0, stallTimeout: 5000, ...use });
  const controller = new AbortController();
  const progress: number[] = [];
  const onProgress = ({ loadedBytes }: { readonly loadedBytes: number }): void => {
    progress.push(loadedBytes);
    if (abortAt !== undefined && loadedBytes >= abortAt) controller.abort();
  };
  try {
    const asset = await own.load(path, 'binary', { signal: controller.signal, onProgress, ...(integrity !== undefined && { integrity }) });
    const sum = asset.bytes.reduce((total, byte) => total + byte, 0);
    const isTold = progress.at(-1) === asset.size;
    own.evict(path);
    return `${asset.size} bytes, sum ${sum}${isTold ? '' : ', but progress was not told'}`;
  } catch (error) {
    return error instanceof AssetError ? error.code : String(error);
  } finally {
    own.detach();
  }
}

async function loads(): Promise<Record<string, string>> {
  const stalling: AssetRegistryOptions = { stallTimeout: 100 };
  const results: Record<string, string> = {
    sized: await outcome('sized'),
    unsized: await outcome('unsized'),
    gzip: await outcome('gzip'),
    empty: await outcome('empty'),
    missing: await outcome('missing'),
    short: await outcome('short'),
    reset: await outcome('reset'),
    refused: await outcome('refused'),
    stalled: await outcome('stalled', stalling),
    aborted: await outcome('trickle', { abortAt: 1 }),
    limit: await outcome('sized', { limit: 1000 }),
    outside: await outcome('../secret'),
    redirected: await outcome('redirect'),
    retried: await outcome('flaky', { retries: 2, retryDelay: 1 }),
    hash: await outcome('sized', { integrity: 'sha256-AAAA' }),
  };
  const leftBytes = liveBytes();
  results['left'] = `${leftBytes - tableBytes} bytes`;
  return results;
}

async function revalidation(): Promise<string> {
  const first = await registry.load('tagged', 'json');
  const same = await registry.revalidate('tagged');
  const value = JSON.stringify(first.json());
  registry.evict('tagged');
  return `${value}, replaced ${String(same?.isReplaced)}, ${String(first.etag)}`;
}

/** Three workers load ten assets each, while this thread, which may not wait, looks, registers and evicts. */
async function workers(): Promise<string> {
  if (!isolated) return 'unsupported';
  const ended = [0, 1, 2].map((index) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    const orders: Orders = { memory: memory.wasm, arena: arena.address, registry: registry.address, index, base: new URL('/assets/', location.href).href };
    worker.postMessage(orders);
    return new Promise<string>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(String(data));
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  });
  const running = new Set(ended);
  const all = Promise.all(ended.map((end) => end.finally(() => running.delete(end))));
  let [busyCount, roundCount] = [0, 0];
  while (running.size > 0) {
    const handle = registry.loadBytes(Uint8Array.of(roundCount));
    try {
      registry.register('mine', { type: 'json', handle, size: 1 });
      if (registry.get('mine')?.bytes[0] !== roundCount % 256) throw new Error('the bytes are others');
      if (!registry.evict('mine')) throw new Error('it cannot be evicted');
    } catch (error) {
      // The lock is held: nothing has happened.
      if ((error as { readonly code?: string }).code !== 'unsupported') throw error;
      busyCount += 1;
      arena.deallocate(handle);
    }
    await registry.load('shared', 'binary');
    registry.evict('shared');
    roundCount += 1;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const said = await all;
  const assets = registry.assets().filter(({ key }) => key.startsWith('numbered/'));
  const isRight = assets.every(({ key, bytes }) => bytes.length === 3000 && bytes.every((byte) => byte === Number(key.slice('numbered/'.length))));
  registry.checkInvariants();
  return `${assets.length} assets, right ${isRight}, ${said.join(' ')}, rounds ${roundCount > 0}, busy ${busyCount < roundCount}`;
}

// The first asset makes the table grow.
const first = registry.loadBytes(Uint8Array.of(1));
registry.register('first', { type: 'json', handle: first, size: 1 });
registry.evict('first');
const tableBytes = liveBytes();

async function run(): Promise<Record<string, unknown>> {
  const results = { isolated, loads: await loads(), revalidation: await revalidation(), workers: await workers() };
  registry.release();
  return { ...results, end: liveBytes() };
}

Object.assign(globalThis, { result: run() });
