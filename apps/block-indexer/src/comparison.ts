/** The three ways beside one another, over the same blocks, each with a database of its own in memory. */

import type { InstanceTracking } from '@allokit/instance-pool';
import type { ChainFile } from './chain-file.ts';
import { indexerModule } from './guests.ts';
import { indexChain, type IndexReport } from './index-chain.ts';
import { makeRunner, MODES, type Mode } from './runner.ts';
import { StateStore } from './state-store.ts';

export interface ComparisonOptions {
  readonly memoryBytes: number;
  readonly hugePages: boolean;
  readonly tracking: InstanceTracking;
  readonly verify: boolean;
  /** Blocks for fresh instances that are pre-touched. */
  readonly touchedBlocks: number;
}

export interface Comparison {
  readonly reports: readonly IndexReport[];
  /** Whether all agree on the root after every block that they indexed. */
  readonly areRootsEqual: boolean;
  /** How many times cheaper the pool's reset is than a fresh pre-touched instance, in the means; absent when there was none of either. */
  readonly resetAdvantage: number | undefined;
}

/** Runs all modes. One memory at a time: the last one is given back before. */
export async function compareModes(chain: ChainFile, options: ComparisonOptions): Promise<Comparison> {
  const reports: IndexReport[] = [];
  const roots: string[][] = [];
  for (const mode of MODES) {
    const store = new StateStore(':memory:');
    const runner = await makeRunner(indexerModule(), store, { ...options, mode });
    const limit = new AbortController();
    const blockCount = mode === 'fresh-touched' ? options.touchedBlocks : chain.count;
    if (blockCount === 0) limit.abort();
    const onBlock = (height: number): void => {
      if (height + 1 >= blockCount) limit.abort();
    };
    reports.push(await indexChain(chain, store, runner, mode, onBlock, limit.signal));
    roots.push(store.roots());
    runner.close();
    store.close();
  }
  const [longest] = roots.toSorted((a, b) => b.length - a.length);
  const cleanMs = (mode: Mode): number | undefined => reports.find((report) => report.mode === mode)?.perBlock?.clean.meanMs;
  const [touchedMs, pooledMs] = [cleanMs('fresh-touched'), cleanMs('pooled')];
  return {
    reports,
    areRootsEqual: roots.every((list) => list.every((root, height) => root === longest![height])),
    resetAdvantage: touchedMs === undefined || pooledMs === undefined ? undefined : touchedMs / pooledMs,
  };
}
