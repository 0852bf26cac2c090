/** Real threads on one registry: they find what others loaded, get in one another's way, and die. */

import { environmentSeed } from '@allokit/allocator/testing';
import { TieredArena } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AssetRegistry } from '../src/index.ts';
import { AssetServer, bytesOf, send } from './asset-server.ts';
import type { Orders, Task } from './registry-worker.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 31);
const ROUNDS = Number(process.env['ALLOKIT_DEATHS'] ?? 4);
const WORKER = new URL('registry-worker.ts', import.meta.url);

let server: AssetServer;
beforeAll(async () => {
  server = await AssetServer.start();
});
afterAll(() => server.stop());
afterEach(() => server.reset());

/** A worker at work. */
interface Hand {
  readonly worker: Worker;
  readonly arenaThread: number;
  readonly registryThread: number;
  /** Resolves when it has ended; rejects with what it threw. */
  readonly ended: Promise<unknown>;
}

class Stage {
  readonly memory = WasmMemory.create({ reserve: 2 ** 27, shared: true });
  readonly arena = TieredArena.create(this.memory, { capacity: 2 ** 24 });
  readonly registry = AssetRegistry.create(this.arena, { baseUrl: server.base, retries: 0 });

  async start(task: Task, seed = SEED): Promise<Hand> {
    const orders: Orders = { memory: this.memory.wasm, arena: this.arena.address, registry: this.registry.address, base: server.base, task, seed };
    const worker = new Worker(WORKER, { workerData: orders, execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] });
    const ended = once(worker, 'exit');
    ended.catch(() => undefined);
    const [numbers] = (await once(worker, 'message')) as [Pick<Hand, 'arenaThread' | 'registryThread'>];
    return { worker, ended, ...numbers };
  }

  /** What a supervisor does when a worker was terminated. Returns whether it had to. */
  cleanUp({ arenaThread, registryThread }: Hand): boolean {
    const isArenaThere = this.arena.threadIds.includes(arenaThread);
    const isRegistryThere = this.registry.threadIds.includes(registryThread);
    if (isArenaThere) this.arena.reclaim(arenaThread);
    if (isRegistryThere) this.registry.recover(registryThread);
    return isRegistryThere;
  }

  liveBytes(): number {
    return this.arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0);
  }
}

test('three workers load ten assets each: thirty are registered', async () => {
  server.otherwise((request, response) => send(bytesOf(Number(request.url!.slice(8)), 5000))(request, response));
  const stage = new Stage();
  const hands = await Promise.all([0, 1, 2].map((i) => stage.start({ kind: 'load', keys: Array.from({ length: 10 }, (_, j) => `${i * 10 + j}`) })));
  await Promise.all(hands.map(({ ended }) => ended));
  expect(stage.registry.stats()).toMatchObject({ assetCount: 30, assetBytes: 150_000, loadingCount: 0, requestCount: 0 });
  for (let i = 0; i < 30; i += 1) expect(Buffer.from(stage.registry.get(`${i}`)!.bytes).equals(bytesOf(i, 5000))).toBe(true);
  expect(stage.registry.threadIds).toEqual([stage.registry.threadId]);
  stage.registry.checkInvariants();
  stage.registry.release();
  expect(stage.liveBytes()).toBe(0);
});

test('three workers want the same assets: each is there once', async () => {
  server.otherwise((request, response) => send(bytesOf(Number(request.url!.slice(8)), 3000))(request, response));
  const stage = new Stage();
  const keys = Array.from({ length: 40 }, (_, i) => `${i}`);
  const hands = await Promise.all([0, 1, 2].map(() => stage.start({ kind: 'load', keys })));
  await Promise.all(hands.map(({ ended }) => ended));
  expect(stage.registry.stats()).toMatchObject({ assetCount: 40, assetBytes: 120_000, loadingCount: 0 });
  stage.registry.checkInvariants();
  stage.registry.release();
  expect(stage.liveBytes()).toBe(0);
});

test('a worker dies amid a load: its pins and its memory come back', async () => {
  server.on('pinned', send(bytesOf(1, 100)));
  server.on('never', (_request, response) => response.writeHead(200, { 'Content-Length': '100000' }).write('x'));
  const stage = new Stage();
  await stage.registry.load('pinned', 'binary');
  const before = stage.liveBytes();
  const hand = await stage.start({ kind: 'hang', key: 'never', pinned: 'pinned' });
  await once(hand.worker, 'message');
  await hand.worker.terminate();
  expect(stage.registry.stats()).toMatchObject({ loadingCount: 1, loadingBytes: 100_000 });
  expect(stage.registry.evict('pinned')).toBe(false);
  expect(stage.cleanUp(hand)).toBe(true);
  expect(stage.registry.stats()).toMatchObject({ loadingCount: 0, loadingBytes: 0 });
  expect(stage.liveBytes()).toBe(before);
  expect(stage.registry.evict('pinned')).toBe(true);
  expect(() => stage.registry.recover(hand.registryThread)).toThrow(RangeError);
  stage.registry.checkInvariants();
  stage.registry.release();
  expect(stage.liveBytes()).toBe(0);
});

test('an asset that is replaced all the time is always there', async () => {
  let version = 0;
  server.on('a', (request, response) => {
    version += 1;
    send(new Uint8Array(500 + (version % 7) * 300).fill(version))(request, response);
  });
  const stage = new Stage();
  await stage.registry.load('a', 'binary');
  const hands = await Promise.all([0, 1].map(() => stage.start({ kind: 'revalidate', key: 'a', count: 60 })));
  const running = new Set(hands);
  const ended = Promise.all(hands.map((hand) => hand.ended.finally(() => running.delete(hand))));
  let lookUps = 0;
  while (running.size > 0) {
    for (let i = 0; i < 200; i += 1) {
      const asset = stage.registry.get('a');
      if (asset === undefined) expect.fail(`it was gone at look-up ${lookUps}`);
      using pin = i % 50 === 0 ? asset.pin() : null;
      if (pin !== null) {
        const { bytes } = asset;
        if (!bytes.every((byte) => byte === bytes[0])) expect.fail('its bytes changed while it was pinned');
      }
      lookUps += 1;
    }
    await delay(0);
  }
  await ended;
  expect(lookUps).toBeGreaterThan(200);
  stage.registry.checkInvariants();
  stage.registry.release();
  expect(stage.liveBytes()).toBe(0);
});

test(`three workers get in one another's way (seed ${SEED})`, async () => {
  server.otherwise(send(new Uint8Array(700).fill(9)));
  const stage = new Stage();
  const hands = await Promise.all([0, 1, 2].map((i) => stage.start({ kind: 'churn', keyCount: 6, operations: 1500 }, SEED + i)));
  await Promise.all(hands.map(({ ended }) => ended));
  stage.registry.checkInvariants();
  stage.arena.checkInvariants();
  expect(stage.registry.stats().loadingCount).toBe(0);
  stage.registry.release();
  expect(stage.liveBytes()).toBe(0);
});

test(`workers are terminated at random moments, ${ROUNDS} times (seed ${SEED})`, async () => {
  server.otherwise(send(new Uint8Array(2000).fill(9)));
  const stage = new Stage();
  let deaths = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const hands = await Promise.all([0, 1].map((i) => stage.start({ kind: 'churn', keyCount: 4, operations: 1_000_000 }, SEED + 2 * round + i)));
    await delay((SEED + round * 7) % 23);
    for (const { worker } of hands) await worker.terminate();
    for (const hand of hands) if (stage.cleanUp(hand)) deaths += 1;
    expect(stage.registry.stats().loadingCount).toBe(0);
    stage.registry.checkInvariants();
    const handle = stage.registry.loadBytes(new Uint8Array(10));
    expect(stage.registry.register(`round ${round}`, { type: 'json', handle, size: 10 })).toBe(true);
    expect(stage.registry.evict(`round ${round}`)).toBe(true);
  }
  expect(deaths).toBeGreaterThan(ROUNDS);
  // Nobody has pinned anything any more.
  const { assetCount } = stage.registry.stats();
  expect(stage.registry.clear()).toBe(assetCount);
  stage.registry.release();
  stage.arena.checkInvariants();
  // Of each death at the most the block and the strings of the call that was cut short.
  expect(stage.liveBytes()).toBeLessThanOrEqual(deaths * (4096 + 64));
});
