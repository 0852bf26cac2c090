/**
 * What the threads of `threads-remote-free.test.ts` do. The owner allocates, fills, and enters blocks into the journals of the others; each of those verifies
 * what it finds in its own, frees it, and strikes it out.
 */

import { NULL, RemoteFree, type Memory } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { parentPort, workerData } from 'node:worker_threads';
import { memoryOf, type MemoryHandle } from './assemblies.ts';
import { Journal, PLACE_COUNT, fill, verify } from './journal.ts';

/** What a thread is to do. */
export interface RemoteTask {
  readonly role: 'owner' | 'remote';
  readonly handle: MemoryHandle;
  readonly heap: number;
  readonly state: number;
  readonly seed: number;
  /** How many blocks the owner hands out, unless it is told to end before. */
  readonly blockCount: number;
  /** Whether the former owner died. */
  readonly repair: boolean;
  /** The owner's own: says when it runs, and is to end. */
  readonly journal: SharedArrayBuffer;
  /** Each remote's; a remote has one. */
  readonly journals: readonly SharedArrayBuffer[];
}

const SIZE_MAX = 8192;
const pauseWord = new Int32Array(new SharedArrayBuffer(4));

function pause(): void {
  Atomics.wait(pauseWord, 0, 0, 0.1);
}

function own({ heap: heapAddress, state, seed, blockCount, repair, journal: buffer, journals: buffers }: RemoteTask, memory: Memory): number {
  const random = Random.fromSeed(seed);
  const journal = new Journal(buffer);
  const journals = buffers.map((each) => new Journal(each));
  const heap = O1Heap.attach(memory, heapAddress, { repair });
  const refused: string[] = [];
  const owner = RemoteFree.attach(heap, state, { onRefused: (_address, { message }) => refused.push(message) });
  journal.start();
  let count = 0;
  for (let id = seed % 1_000_000; count < blockCount && !journal.isToEnd; id += 1) {
    const target = random.choice(journals);
    const place = random.below(PLACE_COUNT);
    if (target.at(place) !== undefined) {
      // Everybody has enough to do.
      if (random.chance(1, 8)) pause();
      continue;
    }
    const size = random.logUniform(1, SIZE_MAX);
    const address = owner.allocate(size, random.chance(1, 8) ? 2 ** random.between(4, 7) : undefined);
    if (address === NULL) {
      pause();
      continue;
    }
    const block = { place, address, size, id };
    fill(memory, block);
    if (random.chance(1, 8)) owner.deallocate(address, size);
    else target.enter(block);
    count += 1;
    if (count % 512 === 0) owner.checkInvariants();
  }
  if (refused.length > 0) throw new Error(refused[0]);
  return count;
}

function freeRemotely({ state, seed, journals: [buffer] }: RemoteTask, memory: Memory): number {
  const random = Random.fromSeed(seed);
  const journal = new Journal(buffer);
  const remote = RemoteFree.remote(memory, state);
  let count = 0;
  journal.start();
  for (;;) {
    const wasToEnd = journal.isToEnd;
    let found = 0;
    for (let place = 0; place < PLACE_COUNT; place += 1) {
      const entry = journal.at(place);
      if (entry === undefined) continue;
      verify(memory, entry);
      journal.strike(place, () => remote.deallocate(entry.address, random.chance(1, 2) ? entry.size : undefined));
      found += 1;
    }
    count += found;
    if (found === 0 && wasToEnd) break;
    if (found === 0) pause();
  }
  remote.detach();
  return count;
}

const task = workerData as RemoteTask;
parentPort?.postMessage((task.role === 'owner' ? own : freeRemotely)(task, memoryOf(task.handle)));
