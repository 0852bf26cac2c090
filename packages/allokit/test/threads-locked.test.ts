/** `Locked` under real threads, that allocate and free as fast as they can, each the blocks of the others too; and some that are terminated while they do. */

import { Locked, NULL } from '@allokit/allocator';
import { Random, environmentSeed, range } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createAssembly, handleOf, type Kind } from './threads/assemblies.ts';
import { Journal, read, verify } from './threads/journal.ts';
import type { LockedTask } from './threads/locked-worker.ts';
import { starterOf, type Started } from './threads/start.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const RESERVE = 2 ** 24;
/** Of all threads together. */
const STEP_COUNT = 12_000;
/** Bytes that the call of a thread can lose that dies: a block with its rounding, or an object and the slab that it keeps from its heap. */
const LOST_MAX = 2 ** 15;
/** `ALLOKIT_KILLS=10` terminates ten times as many threads. */
const KILLS_FACTOR = Number(process.env['ALLOKIT_KILLS'] ?? 1);

const startThread = starterOf('locked-worker.ts');

const MEMORIES: readonly { readonly name: string; readonly create: () => PagedMemory }[] = [
  { name: 'shared WebAssembly memory', create: () => WasmMemory.create({ reserve: RESERVE, shared: true, pageSize: 4096 }) },
  { name: 'shared buffer', create: () => BufferMemory.create({ reserve: RESERVE, shared: true }) },
  { name: 'native memory', create: () => NativeMemory.create({ reserve: RESERVE }) },
];

interface Thread extends Started {
  readonly journal: Journal;
  readonly threadId: number;
}

function start(task: Omit<LockedTask, 'journal'>): Thread {
  const journal = new Journal();
  const whole: LockedTask = { ...task, journal: journal.buffer };
  return { journal, threadId: task.threadId, ...startThread(whole) };
}

/** The lock around a new assembly, and what other threads need to join. */
function share(kind: Kind, memory: PagedMemory, size: number, step: number): { locked: Locked; trim: () => void; shared: LockedTask['shared'] } {
  const { allocator, repair, trim, parts } = createAssembly(kind, memory, size, step);
  const locked = Locked.create(allocator, { repair });
  return { locked, trim: () => locked.exclusively(trim), shared: { handle: handleOf(memory), lock: locked.address, parts } };
}

describe.each([
  { kind: 'o1heap', memory: MEMORIES[0]!, threadCount: 4 },
  { kind: 'TLSF', memory: MEMORIES[0]!, threadCount: 2 },
  { kind: 'slab pool on a heap', memory: MEMORIES[0]!, threadCount: 2 },
  { kind: 'pool and heap', memory: MEMORIES[0]!, threadCount: 4 },
  { kind: 'o1heap', memory: MEMORIES[1]!, threadCount: 2 },
  { kind: 'TLSF', memory: MEMORIES[2]!, threadCount: 4 },
  { kind: 'pool and heap', memory: MEMORIES[2]!, threadCount: 2 },
] as const)('$kind in $memory.name', ({ kind, memory: { create }, threadCount }) => {
  test(`is shared by ${threadCount} threads`, async () => {
    const memory = create();
    const { locked, trim, shared } = share(kind, memory, 2 ** 15, 2 ** 14);
    const { committed } = memory;
    // A pool lives in its heap.
    const baseline = locked.stats().liveBytes;
    const random = Random.fromSeed(SEED);
    const gate = new SharedArrayBuffer(4);
    const exchange = new SharedArrayBuffer(64);
    const threads = range(0, threadCount).map(() =>
      start({
        shared,
        threadId: locked.reserveThreadId(),
        seed: random.next(),
        stepCount: STEP_COUNT / threadCount,
        sizeMax: 4096,
        gate,
        gateCount: threadCount,
        exchange,
      }),
    );
    try {
      await Promise.all(threads.map(({ done }) => done));
      const left = [...new Int32Array(exchange)].filter((address) => address !== NULL);
      expect(left.length).toBeGreaterThan(0);
      for (const address of left) {
        const block = read(locked.memory, address);
        verify(locked.memory, block);
        locked.deallocate(address, block.size);
      }
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
    const { locked, trim, shared } = share(kind, create(), 2 ** 21 + 2 ** 19 * KILLS_FACTOR, 0);
    const random = Random.fromSeed(SEED);
    const baseline = locked.stats().liveBytes;
    const begin = (): Thread => start({ shared, threadId: locked.reserveThreadId(), seed: random.next(), stepCount: Infinity, sizeMax: 8000 });
    const survivor = begin();
    const mine: { address: number; size: number; id: number }[] = [];
    try {
      await Promise.race([survivor.journal.whenStarted(), survivor.done]);
      for (let kill = 0; kill < killCount * KILLS_FACTOR; kill += 1) {
        const victim = begin();
        // Some never come to their work: they are terminated while they attach, or before.
        if (random.chance(3, 4)) await Promise.race([victim.journal.whenStarted(), victim.done]);
        else await sleep(random.below(100));
        const delay = random.below(2000) / 1000;
        for (const end = performance.now() + delay; performance.now() < end; );
        await victim.worker.terminate();
        locked.recover(victim.threadId);
        bury(victim, locked);
        const address = locked.allocate(1000);
        expect(address).not.toBe(NULL);
        mine.push({ address, size: 1000, id: kill });
      }
      survivor.journal.end();
      await survivor.done;
      for (const { address, size } of mine) locked.deallocate(address, size);
      locked.checkInvariants();
      trim();
      expect(locked.stats().liveBytes - baseline).toBeLessThanOrEqual(killCount * KILLS_FACTOR * LOST_MAX);
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
