/**
 * One thread's hand in an arena: its number, its record, and the view of the memory that everything it does goes through.
 *
 * An arena's thread is a handle that was created or attached, in whatever JavaScript thread. Numbers are never used twice, so that what a dead thread left in
 * the page table cannot be mistaken for what its successor in the same place does.
 */

import { AllocatorError, NULL, formatAddress, type Address, type Memory, type Parent } from '@allokit/allocator';
import {
  ATTACH_COUNT,
  CLASSES,
  CLASS_WORDS,
  GROUP,
  INTENT,
  INTENT_COUNT,
  INTENT_PAGE,
  INTENT_SEGMENT,
  Intent,
  LOCAL,
  NOTICE,
  NO_NOTICE,
  THREAD_COUNT_MAX,
  THREAD_ID,
  THREAD_LAST,
  THREAD_TIERS,
  THREAD_TIER_WORDS,
  TIERS,
  TIER_CLOSED,
  TIER_COUNT,
  TIER_WORDS,
  threadWords,
} from './layout.ts';
import type { Segment } from './segment.ts';
import { CLASS_COUNT } from './size-class.ts';

/** Numbers fit into a page table entry. They come round again after millions of attachments. */
const ID_MAX = 2 ** 28 - 1;


/** The view of a handle that is closed. */
export const NO_WORDS = new Int32Array(0);

/** What everything in this package works on. */
export class Thread {
  readonly memory: Memory;
  /** What new segments come from. */
  readonly parent: Parent;
  /** Where the arena's state lies. */
  readonly address: Address;
  /** The same as a word index. */
  readonly state: number;
  /** The memory as of the last {@link Thread.renew}. */
  words: Int32Array;
  /** This thread's number; 0 before it is attached and after it is detached. */
  id = 0;
  /** Where its record lies, a word index. */
  record = 0;
  readonly #whenClosed: (() => void)[] = [];
  /** The header's first words: compared whenever a view is taken. */
  readonly #magic: number;
  readonly #kind: number;
  #released = false;

  constructor(parent: Parent, address: Address) {
    this.memory = parent.memory;
    this.parent = parent;
    this.address = address;
    this.state = address >>> 2;
    this.words = parent.memory.i32;
    this.#magic = this.words[this.state]!;
    this.#kind = this.words[this.state + 1]!;
  }

  /** Takes a place among the threads. O(places). */
  attach(): void {
    const { words, state } = this;
    const places = words[state + THREAD_COUNT_MAX]!;
    const countMax = Math.floor(ID_MAX / places) - 1;
    const count = 1 + ((Atomics.add(words, state + ATTACH_COUNT, 1) >>> 0) % countMax);
    for (let place = 0; place < places; place += 1) {
      const record = threadRecord(words, state, place);
      // Whoever knows the number finds the place.
      const id = count * places + place;
      if (Atomics.compareExchange(words, record + THREAD_ID, 0, id) !== 0) continue;
      this.id = id;
      this.record = record;
      // What a thread in this place allocated before is not this one's.
      words[record + THREAD_LAST] = NULL;
      for (let tier = 0; tier < words[state + TIER_COUNT]!; tier += 1) {
        const tierRecord = this.tierRecord(tier);
        // Groups of a tier that was released: it could not let go of them.
        for (let c = 0; c < CLASS_COUNT; c += 1) words[tierRecord + CLASSES + c * CLASS_WORDS + GROUP] = words[tierRecord + CLASSES + c * CLASS_WORDS + LOCAL] = 0;
        Atomics.store(words, tierRecord + NOTICE, NO_NOTICE);
        // In this order: who releases the tier may do so just now.
        if (Atomics.load(words, state + TIERS + tier * TIER_WORDS + TIER_CLOSED) === 1) Atomics.store(words, tierRecord + NOTICE, 0);
      }
      return;
    }
    throw new AllocatorError('out-of-memory', `all ${places} places for threads are taken: detach those that are done, or reclaim those that died`);
  }

  /** This hand acting for a thread that died: with its number, on its record. */
  standingInFor(id: number, record: number): Thread {
    const stand = new Thread(this.parent, this.address);
    stand.words = this.words;
    stand.id = id;
    stand.record = record;
    return stand;
  }

  /** Gives the place to whoever attaches next. The record must hold nothing any more. */
  leave(): void {
    this.words[this.record + THREAD_LAST] = NULL;
    Atomics.store(this.words, this.record + THREAD_ID, 0);
    this.id = 0;
  }

  /**
   * Takes the current view of the memory.
   *
   * @throws AllocatorError `released` when the arena is gone, or the place is no longer this thread's.
   */
  renew(): Int32Array {
    if (this.#released) throw new AllocatorError('released', 'this arena was released, or this handle was detached');
    this.memory.refresh();
    const words = this.memory.i32;
    this.words = words;
    const { state } = this;
    if (words[state] !== this.#magic || words[state + 1] !== this.#kind || words[state + 3] !== (this.address | 0)) {
      this.close();
      throw new AllocatorError('released', `the arena at ${formatAddress(this.address)} is gone: it was released, or overwritten`);
    }
    if (words[this.record + THREAD_ID] !== this.id) {
      const { id } = this;
      this.close();
      throw new AllocatorError('released', `thread ${id} is not attached any more: it was reclaimed, or another arena lies at ${formatAddress(this.address)}`);
    }
    return words;
  }

  /** Lets go: everything but `owns` throws from now on. */
  close(): void {
    this.#released = true;
    this.words = NO_WORDS;
    for (const act of this.#whenClosed) act();
  }

  /** Has something done on closing. */
  whenClosed(act: () => void): void {
    this.#whenClosed.push(act);
  }

  /** Says, for whoever has to clean up behind this thread, what is about to happen to which pages. */
  declare(intent: number, segment: Segment, page: number, count: number): void {
    const { words, record } = this;
    words[record + INTENT_SEGMENT] = segment.address | 0;
    words[record + INTENT_PAGE] = page;
    words[record + INTENT_COUNT] = count;
    // Atomic, so that the fields are in memory before it, and what follows comes after it.
    Atomics.store(words, record + INTENT, intent);
  }

  /** Changes what is said of the same pages. */
  proceed(intent: number): void {
    Atomics.store(this.words, this.record + INTENT, intent);
  }

  /** Nothing is under way any more. */
  done(): void {
    Atomics.store(this.words, this.record + INTENT, Intent.none);
  }

  /** Where the record of a thread lies, or `NULL` when there is no such thread. O(1). */
  recordOf(id: number): number {
    const record = threadRecord(this.words, this.state, id % this.words[this.state + THREAD_COUNT_MAX]!);
    return id !== 0 && Atomics.load(this.words, record + THREAD_ID) === id ? record : NULL;
  }

  /** What a thread keeps for a tier, a word index. */
  tierRecord(tier: number, record = this.record): number {
    return record + THREAD_TIERS + tier * THREAD_TIER_WORDS;
  }

  /** How many places there are. */
  get placeCount(): number {
    return this.words[this.state + THREAD_COUNT_MAX]!;
  }

  /** Where the record of a place lies, taken or not. */
  recordAt(place: number): number {
    return threadRecord(this.words, this.state, place);
  }

  /** The records of all places, taken or not. */
  records(): number[] {
    return Array.from({ length: this.placeCount }, (_, place) => this.recordAt(place));
  }

  /** The numbers of all threads attached. O(places). */
  ids(): number[] {
    const { words, state } = this;
    const ids: number[] = [];
    for (let place = 0; place < words[state + THREAD_COUNT_MAX]!; place += 1) {
      const id = Atomics.load(words, threadRecord(words, state, place) + THREAD_ID);
      if (id !== 0) ids.push(id);
    }
    return ids;
  }
}

/** Where the threads' records start, in words from the arena's state. */
export function threadRecordsStart(tierCount: number): number {
  return Math.ceil((TIERS + tierCount * TIER_WORDS) / 32) * 32;
}

function threadRecord(words: Int32Array, state: number, place: number): number {
  const tierCount = words[state + TIER_COUNT]!;
  return state + threadRecordsStart(tierCount) + place * threadWords(tierCount);
}
