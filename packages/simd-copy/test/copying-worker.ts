/** What the other threads do in `worker.test.ts`: copy a pattern through a range of their own, over and over. */

import { WasmMemory } from '@allokit/vmem';
import { parentPort, workerData } from 'node:worker_threads';
import { Copier } from '../src/index.ts';

/** What a worker is told. */
export interface CopyingTask {
  readonly wasm: WebAssembly.Memory;
  /** The first byte of a range of 3 * size bytes, whose first third holds the pattern. */
  readonly start: number;
  readonly size: number;
  readonly rounds: number;
}

/** What it reports. */
export interface CopyingReport {
  readonly backend: string;
  readonly mistakeCount: number;
}

const { wasm, start, size, rounds } = workerData as CopyingTask;
const copier = Copier.create(WasmMemory.attach(wasm));
let mistakeCount = 0;
for (let round = 0; round < rounds; round += 1) {
  const length = (round % size) + 1;
  copier.zero(start + size, 2 * size);
  copier.copy(start + size, start, length);
  copier.bulkCopy([{ to: start + size + length, from: start + size, size: length }]);
  if (!copier.equal(start + size + length, start, length) || copier.findByte(start + size + 2 * length, 2 * (size - length), 1) !== -1) mistakeCount += 1;
}
parentPort!.postMessage({ backend: copier.backend, mistakeCount } satisfies CopyingReport);
