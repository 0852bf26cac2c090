import { AllocatorError } from '@allokit/allocator';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { LiveMap, heapMap, heapMapFigures, heapParts, type HeapPart } from '../src/index.ts';
import { assembly, buffer } from './memories.ts';

test('a heap is seen from another thread while its owner goes on', async () => {
  const worker = new Worker(new URL('live-owner.ts', import.meta.url), { execArgv: ['--conditions=source'] });
  try {
    const [{ wasm, parts, stop }] = (await once(worker, 'message')) as [{ wasm: WebAssembly.Memory; parts: HeapPart[]; stop: Int32Array }];
    const view = LiveMap.attach(wasm, parts);
    const seen = new Set<number>();
    const deadline = performance.now() + 20_000;
    for (let reads = 0; (reads < 200 || seen.size < 20) && performance.now() < deadline; reads += 1) {
      const map = view.read();
      if (map === undefined) continue;
      for (const [i, { address, size }] of map.extents.entries()) expect(address + size).toBeLessThanOrEqual(map.extents[i + 1]?.address ?? map.end);
      seen.add(heapMapFigures(map).blockBytes);
    }
    // It moves.
    expect(seen.size).toBeGreaterThanOrEqual(20);
    const last = once(worker, 'message');
    Atomics.store(stop, 0, 1);
    const [figures] = (await last) as [{ blockBytes: number; blockCount: number }];
    // Once the owner is quiet it is exact.
    expect(heapMapFigures(view.read()!)).toMatchObject(figures);
  } finally {
    await worker.terminate();
  }
});

test('it says the same as the map of the owner', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true });
  const heap = assembly(memory);
  for (let i = 0; i < 50; i += 1) heap.allocate(i * 20 + 1);
  const view = LiveMap.attach(memory.wasm, structuredClone(heapParts(heap)));
  expect(view.read()).toEqual(heapMap(heap));
  heap.release();
  expect(() => view.read()).toThrow(AllocatorError);
});

test('a heap that grows while it is read is read again, with all that it has', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true });
  const heap = Tlsf.create(memory, { size: 2 ** 16, growth: { step: 2 ** 16 } });
  const parts = heapParts(heap);
  const view = LiveMap.attach(memory.wasm, {
    *[Symbol.iterator]() {
      // As the owner would, once the reader has looked how much memory there is.
      while (heap.stats().capacity < 2 ** 17) heap.allocate(4000);
      yield* parts;
    },
  } as unknown as HeapPart[]);
  expect(view.read()).toEqual(heapMap(heap));
});

test('a memory that nobody else can see is refused', () => {
  expect(() => LiveMap.attach(WasmMemory.create({ reserve: 2 ** 20 }).wasm, [])).toThrow(TypeError);
  expect(() => LiveMap.attach(buffer().buffer as unknown as SharedArrayBuffer, [])).toThrow(TypeError);
});

test('tables that never make sense give no map', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true });
  const heap = assembly(memory);
  const address = heap.large.allocate(100);
  memory.i32[address / 4 - 2] = 0x7fff_fff1;
  expect(LiveMap.attach(memory.wasm, heapParts(heap)).read()).toBeUndefined();
});
