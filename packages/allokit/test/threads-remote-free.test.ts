/** `RemoteFree` under real threads: one that allocates, others that free, and some that are terminated while they do. */

import { RemoteFree, type Address } from '@allokit/allocator';
import { Random, environmentSeed, range } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { handleOf } from './threads/assemblies.ts';
import { Journal } from './threads/journal.ts';
import type { RemoteTask } from './threads/remote-worker.ts';
import { starterOf, type Started } from './threads/start.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const RESERVE = 2 ** 24;
const BLOCK_COUNT = 20_000;
/** `ALLOKIT_KILLS=10` terminates ten times as many threads. */
const KILL_COUNT = 8 * Number(process.env['ALLOKIT_KILLS'] ?? 1);
/** Bytes of the largest block, with its rounding and alignment. */
const LOST_MAX = 2 ** 14;

const startThread = starterOf('remote-worker.ts');

const MEMORIES: readonly { readonly name: string; readonly create: () => PagedMemory }[] = [
  { name: 'shared WebAssembly memory', create: () => WasmMemory.create({ reserve: RESERVE, shared: true, pageSize: 4096 }) },
  { name: 'native memory', create: () => NativeMemory.create({ reserve: RESERVE }) },
];

interface Thread extends Started {
  readonly journal: Journal;
}

/** An owner and some remotes, on one heap. */
class Team {
  readonly memory: PagedMemory;
  readonly heap: O1Heap;
  readonly #state: Address;
  readonly #journals: readonly Journal[];
  readonly #ownerJournal = new Journal();
  readonly #random = Random.fromSeed(SEED);
  readonly #remotes: Thread[] = [];
  #owner: Thread | undefined;

  constructor(memory: PagedMemory, options: Parameters<typeof O1Heap.create>[1], remoteCount: number) {
    this.memory = memory;
    this.heap = O1Heap.create(memory, options);
    this.#state = RemoteFree.create(this.heap).address;
    this.#journals = range(0, remoteCount).map(() => new Journal());
  }

  /** The owner, and then the remotes. */
  get threads(): readonly Thread[] {
    return this.#owner === undefined ? this.#remotes : [this.#owner, ...this.#remotes];
  }

  /** Starts all threads, the owner last: nothing changes while the others attach. */
  async start(blockCount: number): Promise<void> {
    for (let i = 0; i < this.#journals.length; i += 1) this.startRemote(i);
    await Promise.all(this.#remotes.map(whenStarted));
    await whenStarted(this.startOwner(blockCount));
  }

  startRemote(i: number): void {
    const journal = this.#journals[i]!;
    const task: RemoteTask = { ...this.#task(), role: 'remote', journals: [journal.buffer] };
    this.#remotes[i] = { journal, ...startThread(task) };
  }

  startOwner(blockCount: number): Thread {
    const task: RemoteTask = { ...this.#task(), role: 'owner', blockCount, repair: this.#owner !== undefined };
    this.#owner = { journal: this.#ownerJournal, ...startThread(task) };
    return this.#owner;
  }

  /** What the owner says at the end; rejects when any thread fails before. */
  async ownerDone(): Promise<unknown> {
    const others = Promise.all(this.#remotes.map(({ done }) => done));
    return Promise.race([this.#owner?.done, others.then(() => this.#owner?.done)]);
  }

  /** Ends the remotes, when they have freed what they have; returns how many blocks that were. */
  async finishRemotes(): Promise<number> {
    for (const { journal } of this.#remotes) journal.end();
    const counts = (await Promise.all(this.#remotes.map(({ done }) => done))) as number[];
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The last owner, when the others have ended: in this thread. */
  takeOver(): RemoteFree<O1Heap> {
    const { memory } = this;
    memory.refresh();
    return RemoteFree.attach(O1Heap.attach(memory, this.heap.address, { repair: true }), this.#state, { parent: memory });
  }

  async terminate(): Promise<void> {
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  #task(): Omit<RemoteTask, 'role'> {
    return {
      handle: handleOf(this.memory),
      heap: this.heap.address,
      state: this.#state,
      seed: this.#random.next(),
      blockCount: 0,
      repair: false,
      journal: this.#ownerJournal.buffer,
      journals: this.#journals.map(({ buffer }) => buffer),
    };
  }
}

function whenStarted({ journal, done }: Thread): Promise<unknown> {
  return Promise.race([journal.whenStarted(), done]);
}

describe.each(MEMORIES)('a heap in $name', ({ create }) => {
  test.each([1, 3])('has one owner, and %i others that free', async (remoteCount) => {
    const team = new Team(create(), { size: 2 ** 15, growth: { step: 2 ** 14 } }, remoteCount);
    const { capacity } = team.heap.stats();
    try {
      await team.start(BLOCK_COUNT);
      expect(await team.ownerDone()).toBe(BLOCK_COUNT);
      const freedCount = await team.finishRemotes();
      expect(freedCount).toBeGreaterThan(BLOCK_COUNT / 2);
      const owner = team.takeOver();
      owner.collect();
      owner.checkInvariants();
      expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
      expect(owner.stats().capacity).toBeGreaterThan(capacity);
      owner.release();
    } catch (error) {
      throw new Error(`ALLOKIT_SEED=${SEED}`, { cause: error });
    } finally {
      await team.terminate();
    }
  });

  test('its owner and the others are terminated, and have successors', async () => {
    const random = Random.fromSeed(SEED);
    // Of a fixed size: what an owner that dies in the middle of its growth leaves of the memory's own state is not repaired.
    const team = new Team(create(), { size: 2 ** 20 }, 2);
    const doubtful: Address[] = [];
    let ownerDeaths = 0;
    try {
      await team.start(Infinity);
      for (let kill = 0; kill < KILL_COUNT; kill += 1) {
        const victim = random.below(3);
        await sleep(random.below(5));
        const { worker, journal } = team.threads[victim]!;
        await worker.terminate();
        if (victim === 0) {
          ownerDeaths += 1;
          team.startOwner(Infinity);
          continue;
        }
        const entry = journal.strikeDoubtful();
        if (entry !== undefined) doubtful.push(entry.address);
        team.startRemote(victim - 1);
      }
      team.threads[0]!.journal.end();
      expect(await team.ownerDone()).toBeGreaterThanOrEqual(0);
      await team.finishRemotes();
      const owner = team.takeOver();
      owner.collect();
      owner.checkInvariants();
      expect(owner.stats().refusedCount).toBe(0);
      // What a dead remote was freeing may be live; everything else is known, but for a block that a dead owner had not handed on.
      for (const address of doubtful) if (isLive(owner, address)) owner.deallocate(address);
      expect(owner.stats().liveBytes).toBeLessThanOrEqual(ownerDeaths * LOST_MAX);
      owner.reset();
      expect(owner.stats().liveBytes).toBe(0);
    } catch (error) {
      throw new Error(`ALLOKIT_SEED=${SEED}`, { cause: error });
    } finally {
      await team.terminate();
    }
  });
});

function isLive(owner: RemoteFree, address: Address): boolean {
  try {
    return owner.usableSize(address) > 0;
  } catch {
    return false;
  }
}
