/** Owns a heap that others look at: allocates and frees until it is told to stop, then says what is live. */

import { Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { parentPort } from 'node:worker_threads';
import { heapParts } from '../src/index.ts';
import { assembly } from './memories.ts';

const memory = WasmMemory.create({ reserve: 2 ** 24, shared: true });
const heap = assembly(memory);
const stop = new Int32Array(new SharedArrayBuffer(4));
parentPort!.postMessage({ wasm: memory.wasm, parts: heapParts(heap), stop });

const random = Random.fromSeed(1);
const live: number[] = [];
while (Atomics.load(stop, 0) === 0) {
  for (let i = 0; i < 1000; i += 1) {
    const address = heap.allocate(1 + random.below(random.below(4) === 0 ? 3000 : 250));
    if (address !== 0) live.push(address);
    const victim = random.below(400);
    if (address === 0 || victim < live.length) {
      const last = live.pop()!;
      const taken = live[victim];
      if (taken !== undefined) live[victim] = last;
      heap.deallocate(taken ?? last);
    }
  }
}
parentPort!.postMessage({ blockBytes: heap.stats().liveBytes, blockCount: live.length });
