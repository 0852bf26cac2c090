/** A long-running program: the random mutator in one heap, again and again, whose footprint must stay flat. */

import { setTimeout as sleep } from 'node:timers/promises';
import { smallHeap } from './memories.ts';
import { Mutator } from './mutator.ts';

/** What a stretch of it came to. */
export interface SoakSample {
  readonly second: number;
  readonly takenBytes: number;
  readonly takenBytesMax: number;
  readonly memoryBytes: number;
  readonly handleCount: number;
  readonly objectCount: number;
}

/** Runs for so long; compares with JavaScript all the time, and verifies. */
export async function soak(seconds: number, seed: number, report: (sample: SoakSample) => void): Promise<void> {
  const start = performance.now();
  const heap = smallHeap({ nurserySizeMax: 2 ** 16, compaction: true });
  const mutator = new Mutator(heap, seed, { largeLength: 20_000 });
  let next = 0;
  for (;;) {
    mutator.run(5000, 1000);
    mutator.compareExactly();
    // JavaScript runs what the finalization registry asks for between two turns only.
    await sleep(0);
    const second = (performance.now() - start) / 1000;
    if (second >= next || second >= seconds) {
      const { takenBytes, takenBytesMax, handleCount } = heap.stats();
      const objectCount = heap.census().reduce((sum, { count }) => sum + count, 0);
      report({ second, takenBytes, takenBytesMax, memoryBytes: heap.memory.committed, handleCount, objectCount });
      next = second + seconds / 20;
    }
    if (second >= seconds) return;
  }
}
