/** Searches positions with one store after the other, and draws up what was found. */

import type { Division, Order } from './perft.ts';
import { isOurs, STORE_TITLES, type StoreName } from './stores/catalogue.ts';
import type { Job, SearchResult } from './thread/protocol.ts';
import { Session } from './thread/session.ts';

/** What to search. */
export interface Task {
  readonly name: string;
  readonly fen: string;
  readonly depth: number;
  /** The published count; undefined where there is none. */
  readonly expected?: number;
}

/** How to search. */
export interface RunOptions {
  /** At least so many, more where one is short. The fastest counts. */
  readonly rounds: number;
  readonly order: Order;
}

/** What a store did. */
export interface StoreResult extends Omit<SearchResult, 'divisions' | 'freshCount' | 'slotCount'> {
  readonly store: StoreName;
  readonly title: string;
  readonly nodesPerSecond: number;
  /** Speed by that of the first store: 2 is twice as fast. */
  readonly ratio: number;
  /** Of Allokit's only. */
  readonly reuse?: Reuse;
}

/** Found in a search of its own with every slot watched, the second one on the same heap. */
export interface Reuse {
  readonly depth: number;
  readonly allocations: number;
  /** Allocations that got a slot never used before. */
  readonly freshCount: number;
  /** Slots ever used, both searches together. */
  readonly slotCount: number;
  /** Part of the allocations that reused a slot, in 0..1. */
  readonly rate: number;
}

export interface TaskResult extends Task {
  readonly nodes: number;
  /** All stores agree, with the published count too, and nobody's books are wrong. */
  readonly ok: boolean;
  readonly divide: readonly Division[];
  readonly stores: readonly StoreResult[];
}

/** Searches above this are audited at a lesser depth: watching every slot takes its time, and two searches. */
const AUDIT_NODE_COUNT_MAX = 6_000_000;

/**
 * A single short search says little: the engine may be compiling something again. So there are more rounds until they take so long together, but not more than
 * so many.
 */
const SHORT_MILLISECONDS = 400;
const ROUND_COUNT_MAX = 8;

/**
 * Yields a result as soon as a position is done.
 The stores take turns.
 */
export async function* runTasks(tasks: readonly Task[], stores: readonly StoreName[], { rounds, order }: RunOptions): AsyncGenerator<TaskResult> {
  const timed = stores.map((store) => Session.start({ store, audited: false }));
  const audited = stores.map((store) => (!isOurs(store) ? undefined : Session.start({ store, audited: true })));
  try {
    for (const task of tasks) yield await runTask(task, timed, audited, { rounds, order });
  } finally {
    for (const session of [...timed, ...audited]) await session?.close();
  }
}

async function runTask(task: Task, timed: readonly Session[], audited: readonly (Session | undefined)[], { rounds, order }: RunOptions): Promise<TaskResult> {
  const { fen, depth, expected } = task;
  const best: SearchResult[] = [];
  for (let round = 0, searched = 0; round < rounds || (round < ROUND_COUNT_MAX && searched < SHORT_MILLISECONDS); round += 1) {
    for (const [i, session] of timed.entries()) {
      const result = await session.search({ fen, depth, warmUpDepth: Math.max(1, depth - 1), order });
      if (best[i] === undefined || result.milliseconds < best[i].milliseconds) best[i] = result;
      if (i === 0) searched += result.milliseconds;
    }
  }
  const stores: StoreResult[] = [];
  for (const [i, session] of timed.entries()) {
    const reuse = audited[i] === undefined ? undefined : await auditReuse(audited[i], { fen, order, depth: auditDepth(depth, best[i]!.nodes) });
    stores.push(storeResult(session.store, best[i]!, speedOf(best[0]!), reuse));
  }
  const { nodes, divisions } = best[0]!;
  const ok = stores.every((store) => store.nodes === (expected ?? nodes) && store.faults.length === 0);
  return { ...task, nodes, ok, divide: divisions, stores };
}

/** The greatest depth that has few enough nodes, as if they grew by the same factor at each. */
function auditDepth(depth: number, nodes: number): number {
  let least = depth;
  while (least > 1 && nodes ** (least / depth) > AUDIT_NODE_COUNT_MAX) least -= 1;
  return least;
}

async function auditReuse(session: Session, job: Omit<Job, 'warmUpDepth'>): Promise<Reuse> {
  const { depth } = job;
  const { allocations, freshCount = 0, slotCount = 0 } = await session.search({ ...job, warmUpDepth: depth });
  return { depth, allocations, freshCount, slotCount, rate: allocations === 0 ? 1 : 1 - freshCount / allocations };
}

function speedOf({ nodes, milliseconds }: SearchResult): number {
  return (nodes / milliseconds) * 1000;
}

function storeResult(store: StoreName, result: SearchResult, baseSpeed: number, reuse: Reuse | undefined): StoreResult {
  const { nodes, milliseconds, allocations, peakLive, memoryBytes, memoryGrowth, capacityGrowth, collectionCount, collectionMilliseconds } = result;
  const nodesPerSecond = speedOf(result);
  const faults = [...result.faults];
  // Of ours it is promised: what was freed last is handed out next, so the same search takes the same slots.
  if (isOurs(store) && reuse !== undefined && reuse.freshCount > 0) {
    faults.push(`${reuse.freshCount} allocations after the warm-up got a slot never used before`);
  }
  return {
    store,
    title: STORE_TITLES[store],
    nodes,
    milliseconds,
    nodesPerSecond,
    ratio: nodesPerSecond / baseSpeed,
    allocations,
    peakLive,
    ...(reuse === undefined ? {} : { reuse }),
    memoryBytes,
    ...(memoryGrowth === undefined ? {} : { memoryGrowth }),
    ...(capacityGrowth === undefined ? {} : { capacityGrowth }),
    collectionCount,
    collectionMilliseconds,
    faults,
  };
}
