/** Random programs of everything that one thread can do, several loads of it at once, against a model. `ALLOKIT_SEED` gives a seed again. */

import { Random, environmentSeed } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { AssetError, type Asset, type AssetRegistry, type Pin } from '../src/index.ts';
import { bytesOf } from './asset-server.ts';
import { TARGETS, registryOn } from './targets.ts';

const SEEDS = environmentSeed() === undefined ? [1, 2, 3, Math.floor(Math.random() * 2 ** 31)] : [environmentSeed()!];
const BUDGET = 60_000;
const STEPS = 400;

/** A server that is none: what it answers depends on its mood. */
class Server {
  readonly #random: Random;
  /** Which version of each path it has. */
  readonly versions = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  readonly fetch = async (url: string, { signal, headers }: RequestInit): Promise<Response> => {
    const path = url.slice(url.lastIndexOf('/') + 1);
    for (let i = this.#random.below(4); i > 0; i -= 1) await Promise.resolve();
    if (signal?.aborted === true) throw signal.reason as Error;
    const version = this.versions.get(path) ?? 0;
    const tag = `"${version}"`;
    const mood = this.#random.below(20);
    if (mood === 0) throw new TypeError('no network');
    if (mood === 1) return new Response(null, { status: 404 });
    if ((headers as Record<string, string> | undefined)?.['If-None-Match'] === tag) return new Response(null, { status: 304 });
    const bytes = this.bytes(path);
    const length = mood === 2 ? bytes.length + 1 : mood === 3 ? Math.max(0, bytes.length - 1) : bytes.length;
    const pieces = this.#random.below(4) + 1;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const at = sent;
        sent = Math.min(bytes.length, sent + Math.ceil(bytes.length / pieces));
        if (at < sent) controller.enqueue(bytes.slice(at, sent));
        else controller.close();
      },
    });
    let sent = 0;
    return new Response(body, { headers: { ETag: tag, ...(this.#random.below(3) > 0 && { 'Content-Length': `${length}` }) } });
  };

  /** What a path's bytes are. */
  bytes(path: string): Uint8Array {
    const seed = Number(path) * 10 + (this.versions.get(path) ?? 0);
    return bytesOf(seed, (seed * 7919) % 20_000);
  }
}

class Program {
  readonly #registry: AssetRegistry;
  readonly #random: Random;
  readonly #server: Server;
  readonly #pins: Pin[] = [];
  readonly #loads = new Set<Promise<unknown>>();
  /** What assets hold that were found once, by what tells their versions apart. */
  readonly #contents = new Map<string, Uint8Array>();

  constructor(registry: AssetRegistry, random: Random, server: Server) {
    this.#registry = registry;
    this.#random = random;
    this.#server = server;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      this.#step(`${this.#random.below(12)}`);
      if (this.#random.below(3) === 0) await Promise.resolve();
      if (step % 40 === 0) {
        this.#check();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    await Promise.all(this.#loads);
    this.#check();
  }

  #step(key: string): void {
    const registry = this.#registry;
    const choice = this.#random.below(12);
    if (choice < 4) this.#load(key);
    else if (choice === 4) this.#server.versions.set(key, this.#random.below(3));
    else if (choice < 7) this.#await(registry.revalidate(key));
    else if (choice === 7) this.#evict(key);
    else if (choice === 8) this.#pin(registry.get(key));
    else if (choice === 9) this.#pins.splice(this.#random.below(Math.max(1, this.#pins.length)), 1)[0]?.[Symbol.dispose]();
    else if (choice === 10) this.#register(key);
    else if (this.#random.below(10) === 0) registry.clear();
  }

  #load(key: string): void {
    const controller = new AbortController();
    this.#await(this.#registry.load(key, 'binary', { signal: controller.signal }));
    if (this.#random.below(6) === 0) queueMicrotask(() => controller.abort());
  }

  /** What fails must fail as a load may. */
  #await(load: Promise<unknown>): void {
    const settled = load.catch((error: unknown) => {
      if (!(error instanceof AssetError)) throw error;
    });
    this.#loads.add(settled);
  }

  #evict(key: string): void {
    const isPinned = this.#pins.some(({ asset }) => asset.key === key && asset.isLive);
    const isThere = this.#registry.get(key) !== undefined;
    expect(this.#registry.evict(key)).toBe(isThere && !isPinned);
    expect(this.#registry.get(key) === undefined).toBe(!isPinned);
  }

  #pin(asset: Asset | undefined): void {
    const pin = asset?.pin() ?? null;
    if (pin !== null) this.#pins.push(pin);
  }

  #register(key: string): void {
    const bytes = bytesOf(this.#random.below(1000), this.#random.below(3000));
    const handle = this.#registry.loadBytes(bytes);
    const isThere = this.#registry.get(key) !== undefined;
    // Without a tag, nobody takes it for a version of the server's.
    const isNew = this.#registry.register(key, { type: 'binary', handle, size: bytes.length });
    expect(isNew).toBe(!isThere);
    const asset = this.#registry.get(key)!;
    if (isNew) this.#contents.set(`${asset.key} at ${asset.address}`, bytes);
    else if (handle !== 0) this.#orphans.push(handle);
  }

  readonly #orphans: number[] = [];

  /** Blocks that are this program's still. */
  get orphans(): readonly number[] {
    return this.#orphans;
  }

  #check(): void {
    this.#registry.checkInvariants();
    for (const { asset } of this.#pins) expect(asset.isLive).toBe(true);
    for (const asset of this.#registry.assets()) {
      const expected = asset.etag === undefined ? this.#contents.get(`${asset.key} at ${asset.address}`)! : this.#bytesOfVersion(asset.key, asset.etag);
      if (!Buffer.from(asset.bytes).equals(expected)) expect.fail(`${asset.key}, version ${String(asset.etag)}, holds other bytes`);
    }
  }

  #bytesOfVersion(key: string, etag: string): Uint8Array {
    const seed = Number(key) * 10 + Number(etag.slice(1, -1));
    return bytesOf(seed, (seed * 7919) % 20_000);
  }
}

describe.each(TARGETS)('$name', (kind) => {
  test.each(SEEDS)('seed %i', async (seed) => {
    const random = Random.fromSeed(seed);
    const server = new Server(random);
    const { registry, subject } = registryOn(kind, {
      baseUrl: 'http://localhost/',
      fetch: server.fetch,
      concurrency: 3,
      retries: 1,
      retryDelay: 0,
      ...(seed % 2 === 0 && { budget: BUDGET }),
    });
    const program = new Program(registry, random, server);
    await program.run();
    expect(registry.stats()).toMatchObject({ loadingCount: 0, loadingBytes: 0, activeCount: 0, waitingCount: 0 });
    // What is registered counts, and is not held against the budget before the next load.
    registry.release();
    for (const handle of program.orphans) (subject.target as { deallocate(handle: number): void }).deallocate(handle);
    expect(subject.liveBytes()).toBe(0);
    subject.checkInvariants();
  });
});
