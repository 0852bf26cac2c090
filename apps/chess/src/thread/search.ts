/** One job: warm up, search, and hold the allocator's books against the search's. */

import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';

import { formatFen, parseFen } from '../fen.ts';
import { Perft } from '../perft.ts';
import type { AuditedStore } from '../stores/audited-store.ts';
import type { MoveStore, StoreFigures } from '../stores/move-store.ts';
import type { Job, SearchResult } from './protocol.ts';

export async function search<M>(store: MoveStore<M>, { fen, depth, warmUpDepth, order }: Job, audit?: AuditedStore): Promise<SearchResult> {
  const position = parseFen(fen);
  const before = formatFen(position);
  new Perft(position, store, order).count(warmUpDepth);
  const perft = new Perft(position, store, order);
  const figures = store.figures();
  const slotCount = audit?.freshCount ?? 0;
  const collections = new Collections();
  const start = performance.now();
  const divisions = perft.divide(depth);
  const milliseconds = performance.now() - start;
  const after = store.figures();
  const { allocations, peakLive } = perft;
  const collected = await collections.stop();
  store.check();
  const faults = contradictions(figures, after, allocations);
  if (formatFen(position) !== before) faults.push(`the position is ${formatFen(position)} after the search`);
  return {
    nodes: divisions.reduce((sum, { nodes }) => sum + nodes, 0),
    milliseconds,
    divisions,
    allocations,
    peakLive,
    ...(audit === undefined ? {} : { freshCount: audit.freshCount - slotCount, slotCount: audit.freshCount }),
    memoryBytes: after.memoryBytes ?? youngSpaceBytes(),
    ...(after.memoryBytes === undefined ? {} : { memoryGrowth: after.memoryBytes - figures.memoryBytes! }),
    ...(after.capacity === undefined ? {} : { capacityGrowth: after.capacity - figures.capacity! }),
    ...collected,
    faults,
  };
}

function contradictions(before: StoreFigures, after: StoreFigures, allocations: number): string[] {
  const faults: string[] = [];
  if (after.live !== undefined && after.live !== 0) faults.push(`${after.live} moves are still alive`);
  if (after.allocated !== undefined && after.allocated - before.allocated! !== allocations) {
    faults.push(`the search allocated ${allocations} moves, the allocator counts ${after.allocated - before.allocated!}`);
  }
  return faults;
}

function youngSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

/** Counts the collections of garbage in this isolate. */
class Collections {
  #count = 0;
  #milliseconds = 0;
  readonly #observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      this.#count += 1;
      this.#milliseconds += duration;
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Entries arrive when the thread is idle: a few turns later. */
  async stop(): Promise<{ collectionCount: number; collectionMilliseconds: number }> {
    for (let turn = 0; turn < 4; turn += 1) await setImmediate();
    this.#observer.disconnect();
    return { collectionCount: this.#count, collectionMilliseconds: this.#milliseconds };
  }
}
