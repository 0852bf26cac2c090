import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { BufferMemory, WasmMemory, type PagedMemory } from '../src/index.ts';
import type { WorkerReply } from './attaching-worker.ts';

/** Lets a worker attach, check the blocks, allocate one and free another, and resolves with what it found. */
function inWorker(memory: PagedMemory, addresses: readonly number[]): Promise<WorkerReply> {
  const handle = memory instanceof WasmMemory ? memory.wasm : memory.buffer;
  const worker = new Worker(new URL('attaching-worker.ts', import.meta.url), { workerData: { handle, addresses } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.each([
  ['WebAssembly memory', () => WasmMemory.create({ reserve: 2 ** 22, shared: true })],
  ['buffer', () => BufferMemory.create({ reserve: 2 ** 22, shared: true })],
] as const)('a worker attached to a shared %s', (_name, create) => {
  test('sees the same blocks, and its own are seen here', async () => {
    const memory = create();
    const addresses = [100, 70_000, 5].map((size) => memory.allocate(size));
    addresses.forEach((address, i) => memory.u8.fill(i + 1, address, address + 5));
    const stats = memory.stats();
    const reply = await inWorker(memory, addresses);
    expect(reply.stats).toEqual(stats);
    expect(reply.firstBytes).toEqual([1, 2, 3]);
    // The worker freed the second block and allocated a large one, for which the memory had to grow.
    memory.refresh();
    expect(memory.owns(reply.allocated)).toBe(true);
    expect(memory.usableSize(reply.allocated)).toBeGreaterThanOrEqual(2 ** 20);
    expect(memory.u8[reply.allocated + 2 ** 20 - 1]).toBe(0x5a);
    expect(() => memory.usableSize(addresses[1]!)).toThrow('free');
    memory.checkInvariants();
    for (const address of [addresses[0]!, addresses[2]!, reply.allocated]) memory.deallocate(address);
    expect(memory.stats().liveBytes).toBe(0);
  });
});
