/** What several threads do at once, who does it, and what each is called in tables. */

import type { SubjectKind } from '../subject.ts';

/** What is measured. */
export const TASKS = ['spin', 'pair', 'mix', 'churn', 'hand-over', 'few-slabs'] as const;
export type Task = (typeof TASKS)[number];

/**
 * Whether the threads have to do with one another. In `hand-over` each block is freed by the thread that allocated it, or by the other one; in `few-slabs` each
 * thread allocates from a tier of its own, or all from the same one.
 */
export type Sharing = 'apart' | 'together';

/** Tasks that are done in both ways. In the others every thread has blocks of its own. */
const CONTENDED: ReadonlySet<Task> = new Set<Task>(['hand-over', 'few-slabs']);

/** In which ways a task is done. */
export function sharingsOf(task: Task): readonly Sharing[] {
  return CONTENDED.has(task) ? ['apart', 'together'] : ['apart'];
}

/** Bytes of a block, wherever they do not vary. */
export const BLOCK_SIZE = 64;

/** What a worker makes. */
export type HeapName = 'tiered-arena' | 'locked' | 'remote-free' | 'o1heap' | 'slab-pool';

/** A row's subject: a heap in workers, a loop in workers that only counts, or a C program. */
export interface ThreadsSubject {
  readonly name: string;
  readonly kind: SubjectKind;
  readonly colour: string;
  readonly script?: HeapName | 'spin';
  /** Of the C compiler. */
  readonly flags?: readonly string[];
  /** How many times as many operations another subject does in the time that this one takes, roughly. Default 1. */
  readonly slowness?: number;
}

const TIERED: ThreadsSubject = { name: 'tiered-arena', kind: 'allokit', colour: '#d62728', script: 'tiered-arena' };
const LOCKED: ThreadsSubject = { name: 'locked-o1heap', kind: 'allokit', colour: '#ff7f0e', script: 'locked', slowness: 8 };
const REMOTE_FREE: ThreadsSubject = { name: 'remote-free-o1heap', kind: 'allokit', colour: '#2ca02c', script: 'remote-free' };
const O1HEAP: ThreadsSubject = { name: 'o1heap', kind: 'allokit', colour: '#1f4fb4', script: 'o1heap' };
const SLAB_POOL: ThreadsSubject = { name: 'slab-pool', kind: 'allokit', colour: '#9467bd', script: 'slab-pool' };
const MALLOC: ThreadsSubject = { name: 'native-malloc', kind: 'native', colour: '#222222', flags: ['-pthread'] };
const MIMALLOC: ThreadsSubject = { name: 'native-mimalloc', kind: 'native', colour: '#7f7f7f', flags: ['-pthread', '-DUSE_MIMALLOC', '-lmimalloc'] };

/** The subjects of each task, in the order of its table. */
export const FIELDS: Readonly<Record<Task, readonly ThreadsSubject[]>> = {
  spin: [
    { name: 'JavaScript', kind: 'peer', colour: '#c9a227', script: 'spin' },
    { name: 'C', kind: 'native', colour: '#222222', flags: ['-pthread'] },
  ],
  pair: [TIERED, LOCKED, REMOTE_FREE, O1HEAP, SLAB_POOL, MALLOC, MIMALLOC],
  mix: [TIERED, LOCKED, REMOTE_FREE, O1HEAP, MALLOC, MIMALLOC],
  churn: [TIERED, LOCKED, REMOTE_FREE, O1HEAP, SLAB_POOL, MALLOC, MIMALLOC],
  'hand-over': [TIERED, LOCKED, REMOTE_FREE, MALLOC, MIMALLOC],
  'few-slabs': [TIERED, LOCKED],
};

const COUNTS: Readonly<Record<Task, number>> = { spin: 2 ** 21, pair: 2 ** 18, mix: 2 ** 18, churn: 2 ** 17, 'hand-over': 2 ** 16, 'few-slabs': 2 ** 16 };

/**
 * How many operations each thread does in a round: some milliseconds' work, so that the start, which no two threads see at the same instant, does not count.
 */
export function operationCount(task: Task, { slowness = 1 }: ThreadsSubject): number {
  return COUNTS[task] / slowness;
}

/** 1, 2, 4, .. up to the processors there are: two at the least, which is what most promises are about, and eight at the most. */
export function threadCounts(processorCount: number): number[] {
  return [1, 2, 4, 8].filter((count) => count <= Math.max(2, processorCount));
}
