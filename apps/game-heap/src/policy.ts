/** The ways in which a heap can come by its memory, and the beginning of its life in each. */

import { gameHeap, preTouch, resident, type GameHeap } from 'allokit';
import { reserveFor, type MemoryKind } from './memory.ts';

/**
 * When memory is committed, and when pages come.
 *
 * - `all`: everything is committed at once, pages come when they are used
 * - `steps`: 64 MiB are committed, then twice as much whenever the heap is full
 * - `touch`: as `all`, and 512 MiB are written to before the first frame
 * - `populate`: the same by one system call
 */
export type Policy = 'all' | 'steps' | 'touch' | 'populate';

export const POLICIES: readonly Policy[] = ['all', 'steps', 'touch', 'populate'];

/** What people are told. */
export const POLICY_NAMES: Readonly<Record<Policy, string>> = {
  all: 'commit all',
  steps: 'commit in steps',
  touch: 'commit all, pre-touch',
  populate: 'commit all, populate',
};

/** Bytes that are made resident beforehand, of a heap that has them. */
export const PRE_TOUCH_SIZE = 2 ** 29;

/** What happened before the first frame. */
export interface Beginning {
  /** Milliseconds to claim addresses. */
  readonly reserveMs: number;
  /** Milliseconds to make all accessible; what `steps` commits at first counts as init. */
  readonly commitMs: number;
  /** Milliseconds to lay the heap out. */
  readonly initMs: number;
  /** Milliseconds to make pages resident. */
  readonly touchMs: number;
  /** Bytes resident after init, before any pre-touch; `undefined` where nobody can tell. */
  readonly residentAfterInit: number | undefined;
  /** Bytes resident when the first frame begins. */
  readonly residentAtStart: number | undefined;
}

/** Makes a heap of `size` bytes. */
export async function begin(kind: MemoryKind, size: number, policy: Policy): Promise<{ readonly game: GameHeap; readonly beginning: Beginning }> {
  const clock = stopwatch();
  const memory = reserveFor(kind, size);
  const reserveMs = clock();
  try {
    // A refusal is not lost: the heap meets it again, and says what the system said.
    if (policy !== 'steps') memory.commit(memory.reserved);
    const commitMs = clock();
    const game = gameHeap(memory, { size, commit: policy === 'steps' ? 'steps' : 'all' });
    const initMs = clock();
    const residentAfterInit = resident(memory);
    clock();
    const strategy = policy === 'touch' ? 'write' : policy === 'populate' ? 'populate' : 'lazy';
    const touch = strategy === 'lazy' ? undefined : await preTouch(memory, { strategy, to: Math.min(PRE_TOUCH_SIZE, memory.committed) });
    const touchMs = touch === undefined ? 0 : clock();
    return { game, beginning: { reserveMs, commitMs, initMs, touchMs, residentAfterInit, residentAtStart: resident(memory) } };
  } catch (error) {
    memory.release();
    throw error;
  }
}

/** Milliseconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return last - before;
  };
}
