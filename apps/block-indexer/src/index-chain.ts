/** Indexes a chain from where the store left off: block by block, until all are done or somebody asks to stop. */

import { mean, quantile } from 'simple-statistics';
import { blockHash, displayHash } from './bitcoin/encoding.ts';
import type { ChainFile } from './chain-file.ts';
import { IndexerError } from './indexer-error.ts';
import type { Indexed, Mode, Runner } from './runner.ts';
import type { StateStore } from './state-store.ts';

/** What one run over a chain did. */
export interface IndexReport {
  readonly mode: Mode;
  readonly tracking: string | undefined;
  /** Height of the first block of this run. */
  readonly from: number;
  /** Blocks that are indexed now. */
  readonly height: number;
  readonly isComplete: boolean;
  /** State root after the last block. */
  readonly root: string | undefined;
  readonly readyMs: number;
  /** Of the blocks of this run; absent when there were none. */
  readonly perBlock: Record<'clean' | 'run' | 'store', { readonly meanMs: number; readonly medianMs: number; readonly p99Ms: number }> | undefined;
  readonly totalMs: number;
  readonly bytes: number;
}

/** Called after each block. */
export type OnBlock = (height: number, root: string) => void;

/** The key of the hash of the last block. */
const TIP = Uint8Array.of(0x74);

/**
 * Runs the blocks that the store has not.
 *
 * @throws IndexerError when the store is not one of this chain, or for a block that the indexer refuses: all before it are kept.
 */
export async function indexChain(chain: ChainFile, store: StateStore, runner: Runner, mode: Mode, onBlock: OnBlock = () => undefined, signal?: AbortSignal): Promise<IndexReport> {
  const startMs = performance.now();
  const from = store.height;
  checkBelongs(store, chain);
  const samples = { clean: [] as number[], run: [] as number[], store: [] as number[] };
  let bytes = 0;
  let height = from;
  for (; height < chain.count && signal?.aborted !== true; height += 1) {
    const block = chain.read(height);
    const { pairs, cleanMs, runMs } = await indexBlock(runner, height, block);
    const root = pairs.at(-1)!.value;
    const storeStartMs = performance.now();
    store.commit(height, pairs, root);
    samples.store.push(performance.now() - storeStartMs);
    samples.clean.push(cleanMs);
    samples.run.push(runMs);
    bytes += block.length;
    onBlock(height, Buffer.from(root).toString('hex'));
    // The event loop gets its turn: signals are delivered there.
    if (height % 16 === 15) await new Promise(setImmediate);
  }
  const figures = (values: readonly number[]): { meanMs: number; medianMs: number; p99Ms: number } => ({
    meanMs: mean([...values]),
    medianMs: quantile([...values], 0.5),
    p99Ms: quantile([...values], 0.99),
  });
  return {
    mode,
    tracking: runner.tracking,
    from,
    height,
    isComplete: height === chain.count,
    root: store.root(height - 1),
    readyMs: runner.readyMs,
    perBlock: height === from ? undefined : { clean: figures(samples.clean), run: figures(samples.run), store: figures(samples.store) },
    totalMs: performance.now() - startMs,
    bytes,
  };
}

/** Whether the blocks in the store are the first ones of the chain: its last one names all before it. */
function checkBelongs(store: StateStore, chain: ChainFile): void {
  const { height } = store;
  if (height > chain.count) throw new IndexerError(`the index has ${String(height)} blocks, the chain only ${String(chain.count)}`);
  if (height === 0) return;
  const found = store.get(TIP);
  const expected = displayHash(blockHash(chain.read(height - 1)));
  if (found === undefined || displayHash(found) !== expected) {
    throw new IndexerError(`the index is of another chain: its block ${String(height - 1)} is ${found === undefined ? 'missing' : displayHash(found)}, here it is ${expected}`);
  }
}

async function indexBlock(runner: Runner, height: number, block: Uint8Array): Promise<Indexed> {
  try {
    return await runner.index(height, block);
  } catch (cause) {
    if (!(cause instanceof IndexerError || cause instanceof WebAssembly.RuntimeError)) throw cause;
    throw new IndexerError(`block ${String(height)}: ${cause.message}`, { cause });
  }
}
