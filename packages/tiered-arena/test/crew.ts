/** An arena and the workers that use it, for the stress and death tests. */

import { environmentSeed } from '@allokit/allocator/testing';
import type { PagedMemory } from '@allokit/vmem';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { NULL, type Address } from '@allokit/allocator';
import { TieredArena, type Tier, type TieredArenaOptions } from '../src/index.ts';
import { CONTROL_WORDS, JOURNAL_WORDS, REST, RESTING, type Done, type Orders } from './arena-worker.ts';
import { Journal } from './journal.ts';
import type { MemoryToken, Place } from './places.ts';

/** Determines what the workers do, but not when. */
export const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);

const WORKER = new URL('arena-worker.ts', import.meta.url);
const RESERVE = 2 ** 26;
const MAILBOXES = 16;

/** A worker, as this thread sees it. */
export interface Hand {
  readonly worker: Worker;
  readonly journal: Journal;
  /** What the arena calls it at first; it attaches anew after each rest. */
  readonly threadId: Promise<number>;
  /** What it says in the end. Rejects with what it threw. */
  readonly done: Promise<Done>;
}

/** An arena, and what its workers have in common. */
export class Crew {
  readonly arena: TieredArena;
  readonly mailboxes = new BigInt64Array(new SharedArrayBuffer(8 * MAILBOXES));
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
  readonly #memory: PagedMemory;
  readonly #token: MemoryToken;
  #started = 0;
  #failure: unknown;

  constructor(place: Place, options: TieredArenaOptions) {
    const { memory, token } = place.create(RESERVE);
    this.#memory = memory;
    this.#token = token;
    this.arena = TieredArena.create(memory, options);
  }

  /** Starts a worker. */
  start({ operations = Infinity, isMortal = false, crewSize = 0 }: Partial<Pick<Orders, 'operations' | 'isMortal' | 'crewSize'>>): Hand {
    const journal = new Int32Array(new SharedArrayBuffer(4 * JOURNAL_WORDS));
    const { arena, mailboxes } = this;
    this.#started += 1;
    const orders: Orders = {
      memory: this.#token,
      address: arena.address,
      mailboxes,
      control: this.#control,
      journal,
      seed: (SEED + this.#started) >>> 0,
      operations,
      crewSize,
      isMortal,
    };
    const worker = new Worker(WORKER, {
      workerData: orders,
      execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
      // Workers that are born to die should not take long for it.
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'allokit-compile-cache') },
    });
    const messages: unknown[] = [];
    worker.on('message', (message: unknown) => messages.push(message));
    const threadId = once(worker, 'message').then(([message]) => (message as { readonly threadId: number }).threadId);
    const done = once(worker, 'exit').then(() => messages.at(-1) as Done);
    done.catch((error: unknown) => (this.#failure = error));
    return { worker, journal: new Journal(journal), threadId, done };
  }

  /** Has the workers that are not mortal rest, detached, with no block in any hands but theirs and the mailboxes'. */
  async rest(count: number): Promise<void> {
    Atomics.store(this.#control, REST, 1);
    await this.#resting(count);
  }

  /** Has them go on. */
  async resume(): Promise<void> {
    this.#tell(0);
    await this.#resting(0);
  }

  /** Has them finish. */
  finish(): void {
    this.#tell(2);
  }

  /** Waits until so many rest. */
  async #resting(count: number): Promise<void> {
    while (Atomics.load(this.#control, RESTING) !== count) {
      // Who threw will never rest.
      if (this.#failure !== undefined) throw this.#failure as Error;
      await delay(1);
    }
  }

  #tell(wish: number): void {
    Atomics.store(this.#control, REST, wish);
    Atomics.notify(this.#control, REST);
  }

  /** The blocks in the mailboxes. */
  mail(): Address[] {
    return Array.from(this.mailboxes, Number)
      .filter((handle) => handle !== NULL)
      .map((handle) => handle % 2 ** 32);
  }

  /** Bytes in live blocks. */
  liveBytes(): number {
    return this.arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0);
  }

  /** Bytes in all tiers. */
  capacity(): number {
    return this.arena.tiers.reduce((sum, tier) => sum + tier.stats().capacity, 0);
  }

  /** The tier of an address. */
  tierOf(address: Address): Tier {
    return this.arena.tiers.find((tier) => tier.owns(address))!;
  }

  /** Frees blocks, and holds nothing of them ready. */
  free(addresses: Iterable<Address>): void {
    // Not `using`: Node.js 22 runs this file as it is.
    const arena = TieredArena.attach(this.#memory, this.arena.address);
    for (const address of addresses) arena.tiers.find((tier) => tier.owns(address))!.deallocate(address);
    arena[Symbol.dispose]();
  }

  /** Bytes that a thread can get: takes all there are, and gives them back. */
  reach(): number {
    const arena = TieredArena.attach(this.#memory, this.arena.address);
    const reached = arena.tiers.reduce((sum, tier) => sum + takeAll(tier), 0);
    arena[Symbol.dispose]();
    return reached;
  }

  /** Gives everything back. */
  release(): void {
    this.arena.release();
    this.#memory.release();
  }
}

/** Pages first, then what is left of slabs, the largest slots first: smaller requests would take those too. */
function takeAll(tier: Tier): number {
  const blocks: Address[] = [];
  for (let size = 4096; size >= 32; size /= 2) {
    for (let address = tier.allocate(size); address !== NULL; address = tier.allocate(size)) blocks.push(address);
  }
  let bytes = 0;
  for (const address of blocks) {
    bytes += tier.usableSize(address);
    tier.deallocate(address);
  }
  return bytes;
}
