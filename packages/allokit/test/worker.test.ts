import { Worker } from 'node:worker_threads';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { KINDS, WORKER_BLOCK, type WorkerReply, type WorkerTask } from './worker/attaching-worker.ts';

function inWorker(task: WorkerTask): Promise<WorkerReply> {
  const worker = new Worker(new URL('worker/attaching-worker.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

const MEMORIES: readonly (readonly [string, () => PagedMemory])[] = [
  ['WebAssembly memory', () => WasmMemory.create({ reserve: 2 ** 22, shared: true })],
  ['buffer', () => BufferMemory.create({ reserve: 2 ** 22, shared: true })],
];

const CREATE = {
  O1Heap: (memory: PagedMemory) => KINDS.O1Heap.create(memory, { size: 2 ** 17 }),
  SlabPool: (memory: PagedMemory) => KINDS.SlabPool.create(memory),
  Arena: (memory: PagedMemory) => KINDS.Arena.create(memory, { chunkSize: 4096 }),
};

describe.each(MEMORIES)('in a shared %s', (_name, createMemory) => {
  test.each(['O1Heap', 'SlabPool', 'Arena'] as const)('another thread attaches to an allocator and goes on where this one stopped: %s', async (kind) => {
    const memory = createMemory();
    const allocator = CREATE[kind](memory);
    const blocks = Array.from({ length: 50 }, (_, i) => {
      const block = allocator.allocate(100 + i);
      memory.u8[block] = i;
      return block;
    });
    const stats = allocator.stats();
    const handle = memory instanceof WasmMemory ? memory.wasm : (memory.buffer as SharedArrayBuffer);
    const reply = await inWorker({ handle, kind, address: allocator.address, blocks });
    expect(reply.stats).toEqual(stats);
    expect(reply.firstBytes).toEqual(blocks.map((_, i) => i));
    // What the worker did is seen here at once.
    const { allocated } = reply;
    allocator.checkInvariants();
    expect(allocator.owns(allocated)).toBe(true);
    expect(memory.u8.subarray(allocated, allocated + WORKER_BLOCK.size).every((byte) => byte === WORKER_BLOCK.byte)).toBe(true);
    if (!('deallocate' in allocator)) return;
    expect(allocator.usableSize(allocated)).toBeGreaterThanOrEqual(WORKER_BLOCK.size);
    for (const block of [...blocks.slice(1), allocated]) allocator.deallocate(block);
    expect(allocator.stats().liveBytes).toBe(0);
  });
});
