/** `Locked` under real threads: three that allocate and free as fast as they can, and some that are terminated while they do. */

import { Locked, NULL } from '@allokit/allocator';
import { Random, environmentSeed, range } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import type { CachedTask } from './threads/cached-worker.ts';
import { createAssembly, handleOf, type Kind } from './threads/assemblies.ts';
import { Journal, verify } from './threads/journal.ts';
import type { LockedTask } from './threads/locked-worker.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const RESERVE = 2 ** 24;
/** `ALLOKIT_KILLS=10` terminates ten times as many threads. */
const KILLS_FACTOR = Number(process.env['ALLOKIT_KILLS'] ?? 1);

const cache = mkdtempSync(join(tmpdir(), 'allokit-threads-'));
afterAll(() => rmSync(cache, { recursive: true }));

const MEMORIES: readonly { readonly name: string; readonly create: () => PagedMemory }[] = [
  { name: 'shared WebAssembly memory', create: () => WasmMemory.create({ reserve: RESERVE, shared: true, pageSize: 4096 }) },
  { name: 'shared buffer', create: () => BufferMemory.create({ reserve: RESERVE, shared: true }) },
  { name: 'native memory', create: () => NativeMemory.create({ reserve: RESERVE }) },
];


interface Thread {
  readonly worker: Worker;
  readonly journal: Journal;
  readonly threadId: number;
  /** Resolves when the thread has done its work, rejects when it failed. */
  readonly done: Promise<void>;
}

function start(task: Omit<LockedTask, 'journal'>): Thread {
  const journal = new Journal();
  const module = new URL('threads/locked-worker.ts', import.meta.url).href;
  const workerData: LockedTask & CachedTask = { ...task, journal: journal.buffer, module, cache };
  const worker = new Worker(new URL('threads/cached-worker.ts', import.meta.url), { workerData });
  const done = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  return { worker, journal, threadId: task.threadId, done };
}

/** The lock around a new assembly, and what other threads need to join. */
function share(kind: Kind, memory: PagedMemory, size: number, step: number): { locked: Locked; trim: () => void; shared: LockedTask['shared'] } {
  const { allocator, repair, trim, parts } = createAssembly(kind, memory, size, step);
  const locked = Locked.create(allocator, { repair });
  return { locked, trim: () => locked.exclusively(trim), shared: { handle: handleOf(memory), lock: locked.address, parts } };
}

const SHARED: readonly { readonly kind: Kind; readonly memory: (typeof MEMORIES)[number] }[] = [
  { kind: 'o1heap', memory: MEMORIES[0]! },
  { kind: 'TLSF', memory: MEMORIES[0]! },
  { kind: 'slab pool on a heap', memory: MEMORIES[0]! },
  { kind: 'pool and heap', memory: MEMORIES[0]! },
  { kind: 'o1heap', memory: MEMORIES[1]! },
  { kind: 'TLSF', memory: MEMORIES[2]! },
  { kind: 'pool and heap', memory: MEMORIES[2]! },
];

describe.each(SHARED)('$kind in $memory.name', ({ kind, memory: { create } }) => {
  test('is shared by three threads', async () => {
    const memory = create();
    const { locked, trim, shared } = share(kind, memory, 2 ** 15, 2 ** 14);
    const { committed } = memory;
    // A pool lives in its heap.
    const baseline = locked.stats().liveBytes;
    const random = Random.fromSeed(SEED);
    const gate = new SharedArrayBuffer(4);
    const threads = range(0, 3).map(() =>
      start({ shared, threadId: locked.reserveThreadId(), seed: random.next(), stepCount: 3000, sizeMax: 4096, gate, gateCount: 3 }),
    );
    try {
      await Promise.all(threads.map(({ done }) => done));
      locked.checkInvariants();
      trim();
      expect(locked.stats()).toMatchObject({ liveBytes: baseline, refusedCount: 0 });
      expect(locked.holder).toBe(0);
      memory.refresh();
      // A buffer is committed from the start.
      if (committed < RESERVE) expect(memory.committed).toBeGreaterThan(committed);
      // All have detached: the lock goes back as well. What a heap has lost it has lost to its pool, which does not own it.
      locked.release();
      if (kind === 'o1heap' || kind === 'TLSF') expect(memory.stats().liveBytes).toBe(0);
    } catch (error) {
      throw new Error(`ALLOKIT_SEED=${SEED}`, { cause: error });
    } finally {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    }
  });
});

/** Frees what a dead thread left, but for the block that it was just freeing: if that is free already, it may be somebody else's by now. */
function bury({ journal }: Thread, locked: Locked): void {
  for (const entry of journal.certain()) {
    verify(locked.memory, entry);
    locked.deallocate(entry.address, entry.size);
  }
}

describe.each([
  // A heap of a fixed size: what a thread that dies in the middle of its growth leaves of the memory's own state is not repaired.
  { kind: 'o1heap', memory: MEMORIES[0]!, killCount: 10 },
  { kind: 'TLSF', memory: MEMORIES[1]!, killCount: 5 },
  { kind: 'pool and heap', memory: MEMORIES[0]!, killCount: 5 },
  { kind: 'RemoteFree heap', memory: MEMORIES[1]!, killCount: 4 },
  { kind: 'o1heap', memory: MEMORIES[2]!, killCount: 4 },
] as const)('$kind in $memory.name', ({ kind, memory: { create }, killCount }) => {
  test('threads are terminated, the others go on', async () => {
    const { locked, shared } = share(kind, create(), 2 ** 21 + 2 ** 19 * KILLS_FACTOR, 0);
    const random = Random.fromSeed(SEED);
    const baseline = locked.stats().liveBytes;
    let lostMax = 0;
    const begin = (): Thread => start({ shared, threadId: locked.reserveThreadId(), seed: random.next(), stepCount: Infinity, sizeMax: 8000 });
    const survivor = begin();
    const mine: { address: number; size: number; id: number }[] = [];
    try {
      await survivor.journal.whenStarted();
      for (let kill = 0; kill < killCount * KILLS_FACTOR; kill += 1) {
        const victim = begin();
        await Promise.race([victim.journal.whenStarted(), victim.done]);
        const delay = random.below(2000) / 1000;
        for (const end = performance.now() + delay; performance.now() < end; );
        await victim.worker.terminate();
        locked.recover(victim.threadId);
        bury(victim, locked);
        // The block of the call that was cut short, with its rounding.
        lostMax += 2 ** 14;
        const address = locked.allocate(1000);
        expect(address).not.toBe(NULL);
        mine.push({ address, size: 1000, id: kill });
      }
      survivor.journal.end();
      await survivor.done;
      for (const { address, size } of mine) locked.deallocate(address, size);
      locked.checkInvariants();
      expect(locked.stats().liveBytes - baseline).toBeLessThanOrEqual(lostMax);
      expect(locked.stats().refusedCount).toBe(0);
      expect(locked.holder).toBe(0);
      locked.reset();
      expect(locked.stats().liveBytes).toBe(0);
    } catch (error) {
      throw new Error(`ALLOKIT_SEED=${SEED}`, { cause: error });
    } finally {
      await survivor.worker.terminate();
    }
  });
});
