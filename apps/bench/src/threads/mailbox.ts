/**
 * How blocks come from one thread to another: in batches, through a ring for each thread into which it alone writes and the next one alone looks. The ring is
 * deep enough for a thread to be a few batches ahead of the other, so that neither waits for the other's every hiccup.
 *
 *     control    meeting | thread 0: posted | taken | thread 1: posted | taken | ..      a cache line each, counts of batches
 *     mail       thread 0: batches | thread 1: batches | ..                              addresses
 */

import { LINE_WORDS, MEETING_WORDS, waitUntil } from './meeting.ts';

/** Blocks in a batch. */
export const BATCH_SIZE = 64;
/** Batches in a ring. */
const DEPTH = 8;
/** How many batches a thread has posted before it looks for the first. */
export const LAG = 4;

const RING_WORDS = DEPTH * BATCH_SIZE;

/** Both arrays for so many threads. */
export function makeMail(threadCount: number): { readonly control: Int32Array; readonly mail: Int32Array } {
  const shared = (words: number): Int32Array => new Int32Array(new SharedArrayBuffer(words * 4));
  return { control: shared(MEETING_WORDS + 2 * threadCount * LINE_WORDS), mail: shared(threadCount * RING_WORDS) };
}

/** One thread's ring, and that of the thread before it. */
export class Mailbox {
  readonly #control: Int32Array;
  readonly #own: number;
  readonly #ownCounts: number;
  #theirs = 0;
  #theirCounts = 0;

  constructor(control: Int32Array, thread: number) {
    this.#control = control;
    this.#own = thread * RING_WORDS;
    this.#ownCounts = countsOf(thread);
  }

  /** From now on the mail of this thread is read. All counts are zero. */
  listenTo(thread: number): void {
    this.#theirs = thread * RING_WORDS;
    this.#theirCounts = countsOf(thread);
  }

  /** Where this thread's batch of this number is to be written, as soon as there is room. */
  room(batch: number): number {
    waitUntil(this.#control, this.#ownCounts + LINE_WORDS, batch + 1 - DEPTH);
    return this.own(batch);
  }

  /** Where this thread's batch lies. */
  own(batch: number): number {
    return this.#own + (batch % DEPTH) * BATCH_SIZE;
  }

  /** Lets the reader see it. */
  post(batch: number): void {
    Atomics.store(this.#control, this.#ownCounts, batch + 1);
  }

  /** Where the other thread's batch lies, as soon as it was posted. */
  receive(batch: number): number {
    waitUntil(this.#control, this.#theirCounts, batch + 1);
    return this.#theirs + (batch % DEPTH) * BATCH_SIZE;
  }

  /** Lets the writer use its place again. */
  take(batch: number): void {
    Atomics.store(this.#control, this.#theirCounts + LINE_WORDS, batch + 1);
  }
}

function countsOf(thread: number): number {
  return MEETING_WORDS + 2 * thread * LINE_WORDS;
}
