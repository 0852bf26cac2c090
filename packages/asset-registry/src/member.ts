/**
 * One thread's part in the table: its number, its place, and its turns with the mutex.
 *
 * A place is a bit in the states of records: whatever a thread has pinned, loads or evicts bears it. It is free again when no record does.
 */

import { AllocatorError, Mutex, OWNER_MAX } from '@allokit/allocator';
import { MUTEX, NEXT_THREAD, THREADS, THREAD_COUNT_MAX } from './layout.ts';
import type { Records } from './records.ts';

/** A thread that is attached. */
export class Member {
  /** Its number; unique for as long as the table lives. */
  readonly id: number;
  /** The bit of its place in a record's state. */
  readonly bit: number;
  readonly #records: Records;
  readonly #place: number;
  readonly #mutex: Mutex;

  /** Takes a number and a place. Throws AllocatorError `out-of-memory` when all places are taken. */
  constructor(records: Records) {
    const { memory, state } = records;
    this.id = nextNumber(memory.i32, state);
    this.#records = records;
    this.#place = takePlace(memory.i32, state, this.id);
    this.bit = bitOf(this.#place);
    this.#mutex = new Mutex(memory, state + MUTEX, this.id);
  }

  /** Whether nobody else is attached. */
  get isAlone(): boolean {
    return this.#records.threads().filter((id) => id !== 0).length === 1;
  }

  /** Does something with the mutex: at once, or as soon as it is free where this thread may not wait. */
  soon<T>(work: () => T): T | Promise<T> {
    return this.tryLock() ? this.#unlocking(work) : this.#whenFree(work);
  }

  /** Does something with the mutex. Throws AllocatorError `unsupported` where this thread may not wait, and would have to. */
  now<T>(work: () => T): T {
    this.lock();
    return this.#unlocking(work);
  }

  /** Takes the mutex. Throws as {@link Member.now}. */
  lock(): void {
    if (!this.tryLock())
      throw new AllocatorError('unsupported', `the table is locked by thread ${this.#mutex.holder}, and this one may not wait: try again later`);
  }

  /** Takes the mutex, unless this thread would have to wait and may not. */
  tryLock(): boolean {
    this.#records.renew();
    return this.#mutex.lock();
  }

  /** Lets the mutex go. */
  unlock(): void {
    this.#mutex.unlock();
  }

  /** Ends the mutex, which this thread has. */
  endMutex(): void {
    this.#mutex.end();
  }

  /** Leaves its place, once what bears the place's bit is cleared. */
  leave(clear: (bit: number) => void): void {
    clear(this.bit);
    Atomics.store(this.#records.renew(), this.#records.state + THREADS + this.#place, 0);
  }

  /**
   * Leaves the place of a thread that died for it, and lets its mutex go. The place is this thread's until that is done: nobody else clears it as well, or
   * takes it; and should this thread die, whoever stands in for it finds the work.
   *
   * @throws RangeError when no such thread is attached, or somebody else stands in for it already, or it is this one.
   */
  standInFor(dead: number, clear: (bit: number) => void): void {
    const words = this.#records.renew();
    if (dead === this.id) throw new RangeError(`thread ${dead} is this one, and alive`);
    // First of all, and for a thread without a place, too: it may have died between leaving that and letting the mutex go.
    const hadLock = this.#mutex.takeOver(dead);
    try {
      const places = this.#records.threads().flatMap((id, place) => (id === dead ? [place] : []));
      const taken = places.filter((place) => Atomics.compareExchange(words, this.#records.state + THREADS + place, dead, this.id) === dead);
      if (taken.length === 0 && !hadLock) throw new RangeError(`no thread ${dead} is attached`);
      for (const place of taken) {
        clear(bitOf(place));
        Atomics.store(words, this.#records.state + THREADS + place, 0);
      }
    } finally {
      if (hadLock) this.unlock();
    }
  }

  #unlocking<T>(work: () => T): T {
    try {
      return work();
    } finally {
      this.unlock();
    }
  }

  async #whenFree<T>(work: () => T): Promise<T> {
    do {
      await this.#mutex.whenFree();
      this.#records.renew();
    } while (!this.#mutex.tryLock());
    return this.#unlocking(work);
  }
}

/** A place's bit, above the two that say what the record is. */
function bitOf(place: number): number {
  return 4 << place;
}

function nextNumber(words: Int32Array, state: number): number {
  const id = Atomics.add(words, state + NEXT_THREAD, 1);
  if (id > 0 && id <= OWNER_MAX) return id;
  throw new AllocatorError('unsupported', `no more than ${OWNER_MAX} threads can use a registry in its life`);
}

function takePlace(words: Int32Array, state: number, id: number): number {
  for (let place = 0; place < THREAD_COUNT_MAX; place += 1) {
    if (Atomics.compareExchange(words, state + THREADS + place, 0, id) === 0) return place;
  }
  throw new AllocatorError('out-of-memory', `all ${THREAD_COUNT_MAX} places for threads are taken: detach those that are done, or recover those that died`);
}
