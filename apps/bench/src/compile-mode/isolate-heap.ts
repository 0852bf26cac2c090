/** The heap of this isolate: what lives in it, and how long its collector worked. */

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects everything, now. */
const collect = runInNewContext('gc') as () => void;

/** Bytes of all objects that can be reached: everything else is collected first. */
export function reachableBytes(): number {
  // Once is not enough for what only a finished collection lets go of.
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

/** Bytes of all objects that were not collected yet. */
export function usedBytes(): number {
  return getHeapStatistics().used_heap_size;
}

/** Adds up the collector's pauses. */
export class PauseClock {
  #milliseconds = 0;
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#milliseconds += duration;
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Milliseconds since the last time this was asked. The engine reports a pause some time after it: only who has waited hears of all. */
  async take(): Promise<number> {
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
    const milliseconds = this.#milliseconds;
    this.#milliseconds = 0;
    return milliseconds;
  }
}
