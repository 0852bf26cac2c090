import { WasmMemory } from '@allokit/vmem';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Copier } from '../src/index.ts';
import type { CopyingReport, CopyingTask } from './copying-worker.ts';

function inWorker(task: CopyingTask): Promise<CopyingReport> {
  const worker = new Worker(new URL('copying-worker.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('two threads with a copier each work side by side in one memory', async () => {
  const size = 700;
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true });
  const copier = Copier.create(memory);
  // The ranges meet: a byte too far would show in the other one.
  const block = memory.allocate(8 * size);
  const starts = [block + size, block + 4 * size];
  copier.fill(block, 0xee, 8 * size);
  starts.forEach((start) => copier.fill(start, 1, size));
  const reports = await Promise.all(starts.map((start) => inWorker({ wasm: memory.wasm, start, size, rounds: 3000 })));
  expect(reports).toEqual(starts.map(() => ({ backend: 'simd', mistakeCount: 0 })));
  // What surrounds the two is as it was.
  for (const edge of [block, block + 7 * size]) expect(memory.u8.subarray(edge, edge + size).every((byte) => byte === 0xee)).toBe(true);
});
