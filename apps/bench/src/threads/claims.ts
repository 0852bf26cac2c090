/** What is promised of threads, and whether this run keeps it. By the medians. */

import type { ThreadsResult } from './measurement.ts';
import type { Sharing, Task } from './subjects.ts';

/** A promise about the tiered arena. */
interface Promised {
  readonly text: string;
  readonly task: Task;
  readonly sharing: Sharing;
  readonly threadCount: number;
  readonly figure: 'medianNs' | 'speedup' | 'share';
  readonly limit: number;
}

const own = { sharing: 'apart', threadCount: 2, figure: 'speedup', limit: 1.8 } as const;
const pair = { sharing: 'apart', threadCount: 1, figure: 'medianNs', limit: 15 } as const;
const contended = { sharing: 'together', threadCount: 2, figure: 'share', limit: 0.5 } as const;

const PROMISES: readonly Promised[] = [
  { ...pair, task: 'pair', text: 'a pair of 64 bytes on one thread, ns' },
  { ...pair, task: 'mix', text: 'a pair of 16-1039 bytes on one thread, ns' },
  { ...own, task: 'pair', text: 'two threads with pairs of 64 bytes, times one' },
  { ...own, task: 'mix', text: 'two threads with pairs of 16-1039 bytes, times one' },
  { ...own, task: 'churn', text: 'two threads that replace random blocks, times one' },
  { ...contended, task: 'hand-over', text: 'two threads that free what the other one allocated, times those that free their own' },
  { ...contended, task: 'few-slabs', text: 'two threads on the same few slabs, times those with slabs of their own' },
];

/** A promise, held against a run. */
export interface Claim {
  readonly text: string;
  readonly measured: number;
  readonly limit: number;
  /** Whether the limit is the most that may be, or the least. */
  readonly bound: 'at most' | 'at least';
  readonly isMet: boolean;
  /** Where it is about two threads: how many times what one does two do that only count, in this run. Far from 2, the processors were not theirs. */
  readonly spin?: number;
}

/** Those whose rows were measured. */
export function claimsOf(results: readonly ThreadsResult[]): Claim[] {
  const spin = results.find(({ task, kind, threadCount }) => task === 'spin' && kind !== 'native' && threadCount === 2)?.speedup;
  return PROMISES.flatMap(({ text, task, sharing, threadCount, figure, limit }): Claim[] => {
    const isMeant = (result: ThreadsResult): boolean => result.task === task && result.sharing === sharing && result.threadCount === threadCount;
    const measured = results.find((result) => result.subject === 'tiered-arena' && result.status === 'ok' && isMeant(result))?.[figure];
    if (measured === undefined) return [];
    const machine = threadCount === 1 || spin === undefined ? {} : { spin };
    if (figure === 'medianNs') return [{ text, measured, limit, bound: 'at most', isMet: measured <= limit, ...machine }];
    return [{ text, measured, limit, bound: 'at least', isMet: measured >= limit, ...machine }];
  });
}
