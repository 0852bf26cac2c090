/** What the collector promises of itself, and what the peers make of the same programs: held against a run. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { siblingUrl } from '../sibling.ts';
import type { GcResult } from './measurement.ts';

/** What is measured beside the programs. */
export type FactName = 'allocation' | 'allocation of 64 bytes' | 'minor' | 'marking' | 'memory';

/** A series of measurements. */
export interface Fact {
  readonly name: FactName;
  readonly unit: string;
  readonly count: number;
  readonly best: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** What each is called in tables. */
export const FACT_TITLES: Readonly<Record<FactName, string>> = {
  allocation: 'an allocation of 16 bytes, with the minor collections it causes',
  'allocation of 64 bytes': 'an allocation of 64 bytes, likewise',
  minor: 'a minor collection of 2 MiB, objects of 64 bytes, 10% of them reachable',
  marking: 'a step of marking 256 MiB',
  memory: 'a million reachable objects of 32 bytes (max: on the way)',
};

/** Measures them. */
export async function measureFacts(rounds: number, budgetMs: number): Promise<readonly Fact[]> {
  const worker = new Worker(siblingUrl('facts-worker', import.meta.url), { workerData: { rounds, budgetMs } });
  try {
    const [facts] = (await once(worker, 'message')) as [readonly Fact[]];
    return facts;
  } finally {
    await worker.terminate();
  }
}

/** A promise, held against a run. */
export interface GcClaim {
  readonly text: string;
  readonly isMet: boolean;
  readonly found: number;
}

/** All of them that this run can tell. */
export function gcClaims(facts: readonly Fact[], results: readonly GcResult[], budgetMs: number): GcClaim[] {
  const fact = (name: FactName): Fact => facts.find((one) => one.name === name)!;
  const claims: GcClaim[] = [];
  const atMost = (text: string, found: number, limit: number): void => {
    claims.push({ text, isMet: found <= limit, found });
  };
  if (facts.length > 0) {
    atMost('young allocation with a typed constructor: at most 8 ns', fact('allocation').median, 8);
    atMost('minor collection: median at most 1 ms', fact('minor').median, 1);
    atMost('minor collection: p99 at most 2 ms', fact('minor').p99, 2);
    atMost(`steps of marking: p99 at most twice the budget of ${budgetMs} ms`, fact('marking').p99, budgetMs * 2);
    atMost('a million objects of 32 bytes: at most 44 MB in all', fact('memory').median, 44);
  }
  const trees = (subject: string): number | undefined => results.find((one) => one.workload === 'trees' && one.subject === subject && one.status === 'ok')?.medianMs;
  const [own, v8, assemblyScript] = [trees('allokit-gc'), trees('v8-objects'), trees('as-incremental')];
  if (own !== undefined && v8 !== undefined) atMost('binary-trees: at most twice the time of V8\'s objects', own / v8, 2);
  if (own !== undefined && assemblyScript !== undefined) atMost('binary-trees: at most a third of AssemblyScript\'s time', own / assemblyScript, 1 / 3);
  return claims;
}
