/** What a heap brings of its own: how it rounds requests, how it sorts free fragments into bins, and in which bin it looks. */

import type { HeaderKind } from '@allokit/allocator';

/**
 * The bins of one kind of heap. A bin is a ring of free fragments through a sentinel, two words in the state that stand for a block of which
 * nothing but the links exists. All sizes are in words, headers included; nothing here has state of its own.
 *
 * A heap's `allocate` and `deallocate` do the same in one piece; these are for everything that is not as hot.
 */
export interface Bins {
  /** What messages call such a heap. */
  readonly name: string;
  /** What its state's header says. */
  readonly header: HeaderKind;
  /** Bytes of its state: a multiple of the smallest fragment. */
  readonly stateSize: number;
  /** Bytes of the largest request that any such heap can serve. */
  readonly requestSizeMax: number;
  /** Every bin, in any order. Those that never hold a fragment are among them. */
  readonly numbers: readonly number[];

  /** The index of a bin's sentinel. */
  sentinelOf(state: number, bin: number): number;
  /** The bin of a free fragment of `size` words. */
  binOf(size: number): number;
  /** Words of the fragment for a request of `size` bytes, 1..requestSizeMax. */
  fragmentWords(size: number): number;
  /** The least that a fragment must have, so that a search for `size` words finds it when it was the last to go free. */
  searchWords(size: number): number;
  /** The most that a search can ask for and find, when the first fragment of the highest bin in use has `size` words. */
  foundWords(size: number): number;
  /** Notes that a bin holds something. */
  mark(words: Int32Array, state: number, bin: number): void;
  /** Notes that a bin holds nothing any more. Not called by heaps whose marks are allowed to lag behind. */
  unmark(words: Int32Array, state: number, bin: number): void;
  /** Whether a bin is marked; never for one that cannot hold anything. */
  isMarked(words: Int32Array, state: number, bin: number): boolean;
  /** Makes all marks those of empty bins. */
  clearMarks(words: Int32Array, state: number): void;
  /** A free fragment of at least `size` words, as the heap's search finds it. May correct marks on its way. Returns its block, or 0. */
  find(words: Int32Array, state: number, size: number): number;
  /** The bin with the largest free fragment, or `undefined` when nothing is free. */
  highestInUse(words: Int32Array, state: number): number | undefined;
  /** What is wrong with the marks, but for a mark that {@link isMarked} misses; `undefined` when all is well. Safe on any bytes. */
  wrongMark(words: Int32Array, state: number): string | undefined;
}
