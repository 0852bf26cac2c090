/** Real threads: any number of them at once, freeing one another's blocks, and dying in the middle of it. */

import { environmentSeed } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { TieredArena } from '../src/index.ts';
import type { Done, Orders } from './arena-worker.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const WORKER = new URL('arena-worker.ts', import.meta.url);
/** The soak sets more: `ALLOKIT_SOAK=10000000`. */
const OPERATIONS = Number(process.env['ALLOKIT_SOAK'] ?? 60_000);
const DEATHS = Number(process.env['ALLOKIT_DEATHS'] ?? 40);

interface Place {
  readonly name: string;
  readonly create: () => { readonly memory: WasmMemory | NativeMemory; readonly given: Orders['memory'] };
}

const PLACES: readonly Place[] = [
  {
    name: 'shared WebAssembly memory',
    create: () => {
      const memory = WasmMemory.create({ reserve: 2 ** 27, shared: true });
      return { memory, given: memory.wasm };
    },
  },
  {
    name: 'native memory',
    create: () => {
      const memory = NativeMemory.create({ reserve: 2 ** 27 });
      return { memory, given: memory.token };
    },
  },
];

const GROWING = [
  { name: 'top', share: 0.4, alignment: 128, growth: 2 ** 20 },
  { name: 'middle', share: 0.3, alignment: 64 },
  { name: 'bottom', share: 0.3, alignment: 8 },
];

function start(orders: Orders): Worker {
  return new Worker(WORKER, { workerData: orders, execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] });
}

/** The messages of a worker until it ends; throws what it threw. */
async function run(worker: Worker): Promise<Done> {
  let last: unknown;
  worker.on('message', (message: unknown) => (last = message));
  await once(worker, 'exit');
  return last as Done;
}

function drainMail(arena: TieredArena, mailboxes: Int32Array): void {
  for (let box = 0; box < mailboxes.length; box += 1) {
    const address = Atomics.exchange(mailboxes, box, 0) >>> 0;
    if (address !== 0) arena.deallocate(address);
  }
}

function liveBytes(arena: TieredArena): number {
  return arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0);
}

describe.each(PLACES)('$name', ({ create }) => {
  test.each([2, 4])(`%i workers allocate, verify and free, their own blocks and one another's (seed ${SEED})`, async (count) => {
    const { memory, given } = create();
    const arena = TieredArena.create(memory, { capacity: 2 ** 24 });
    const mailboxes = new Int32Array(new SharedArrayBuffer(64));
    const orders = (i: number): Orders => ({ memory: given, address: arena.address, mailboxes, seed: SEED + i, operations: Math.ceil(OPERATIONS / count), blocksMax: 200 });
    const done = await Promise.all(Array.from({ length: count }, (_, i) => run(start(orders(i)))));
    drainMail(arena, mailboxes);
    expect(done.reduce((sum, { handedOver }) => sum + handedOver, 0)).toBeGreaterThan(100);
    expect(arena.threadIds).toEqual([arena.threadId]);
    arena.checkInvariants();
    expect(liveBytes(arena)).toBe(0);
    arena.release();
    memory.release();
  });

  test(`workers are terminated at random moments: the arena goes on, and a reclaim gives back what they held (seed ${SEED})`, async () => {
    const { memory, given } = create();
    const arena = TieredArena.create(memory, { capacity: 2 ** 24, tiers: GROWING });
    const mailboxes = new Int32Array(new SharedArrayBuffer(64));
    const survivor = start({ memory: given, address: arena.address, mailboxes, seed: SEED, operations: OPERATIONS, blocksMax: 100 });
    const survives = run(survivor);
    const dead: number[] = [];
    for (let i = 0; i < DEATHS; i += 1) {
      const worker = start({ memory: given, address: arena.address, mailboxes, seed: SEED + i + 1, operations: 2 ** 30, blocksMax: 100 });
      const [{ threadId }] = (await once(worker, 'message')) as [{ threadId: number }];
      await delay(((SEED + i * 7919) >>> 0) % 12);
      await worker.terminate();
      dead.push(threadId);
      arena.reclaim(threadId);
      expect(arena.threadIds).not.toContain(threadId);
    }
    expect((await survives).operationCount).toBe(OPERATIONS);
    expect(new Set(dead).size).toBe(DEATHS);
    arena.checkInvariants();
    // What is live now the dead had allocated; everything else can be had.
    for (const tier of arena.tiers) tier.reset();
    arena.checkInvariants();
    expect(liveBytes(arena)).toBe(0);
    for (const { used, capacity } of Object.values(arena.stats())) expect(used).toBeLessThan(capacity);
    arena.release();
    memory.release();
  });
});
