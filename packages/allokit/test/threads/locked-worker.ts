/** What the threads of `threads-locked.test.ts` do: allocate, fill, verify and free, some number of times or until they are told to end. */

import { Random } from '@allokit/allocator/testing';
import { NULL } from '@allokit/allocator';
import { parentPort, workerData } from 'node:worker_threads';
import { attachLocked, type SharedAssembly } from './assemblies.ts';
import { Journal, PLACE_COUNT, fill, read, verify } from './journal.ts';

/** What a thread is to do. */
export interface LockedTask {
  readonly shared: SharedAssembly;
  readonly threadId: number;
  readonly seed: number;
  readonly stepCount: number;
  readonly sizeMax: number;
  readonly journal: SharedArrayBuffer;
  /** Whether a word of this counts who is ready: all begin at once. */
  readonly gate?: SharedArrayBuffer;
  readonly gateCount?: number;
  /** Blocks that threads give to each other: a word each. */
  readonly exchange?: SharedArrayBuffer;
}

function work({ shared, threadId, seed, stepCount, sizeMax, journal: buffer, gate, gateCount = 0, exchange }: LockedTask): void {
  const journal = new Journal(buffer);
  const random = Random.fromSeed(seed);
  const locked = attachLocked(shared, { threadId });
  const { memory } = locked;
  if (gate !== undefined) {
    const words = new Int32Array(gate);
    Atomics.add(words, 0, 1);
    while (Atomics.load(words, 0) < gateCount) Atomics.wait(words, 0, Atomics.load(words, 0), 1);
  }
  let id = threadId * 1_000_000;
  const free = (place: number): void => {
    const entry = journal.at(place);
    if (entry === undefined) return;
    verify(memory, entry);
    journal.strike(place, () => locked.deallocate(entry.address, random.chance(1, 2) ? entry.size : undefined));
  };
  const swap = (place: number, words: Int32Array): void => {
    const entry = journal.at(place);
    if (entry === undefined || entry.size < 8) return;
    verify(memory, entry);
    journal.strike(place, () => undefined);
    const address = Atomics.exchange(words, random.below(words.length), entry.address | 0) >>> 0;
    if (address !== NULL) journal.enter({ ...read(memory, address), place });
  };
  const allocate = (place: number): void => {
    const size = random.logUniform(1, sizeMax);
    const address = locked.allocate(size, random.chance(1, 8) ? 2 ** random.between(4, 7) : undefined);
    if (address === NULL) return;
    id += 1;
    const block = { place, address, size, id };
    fill(memory, block);
    journal.enter(block);
  };
  const exchanged = exchange === undefined ? undefined : new Int32Array(exchange);
  journal.start();
  for (let i = 0; i < stepCount && !journal.isToEnd; i += 1) {
    const place = random.below(PLACE_COUNT);
    if (journal.at(place) === undefined) allocate(place);
    else if (exchanged !== undefined && random.chance(1, 2)) swap(place, exchanged);
    else free(place);
    if (i % 256 === 255) locked.checkInvariants();
  }
  for (let place = 0; place < PLACE_COUNT; place += 1) free(place);
  locked.detach();
  parentPort?.postMessage('done');
}

work(workerData as LockedTask);
