/**
 * A mutex in linear memory whose word names the owner, so that it can be taken from one who died. After U. Drepper, "Futexes are tricky" (2011), with the
 * owner's number in the place of a mere "locked", as robust futexes have it.
 *
 *     word 0   bits 0..28   the owner, 0 when free
 *              bit  29      somebody waits for a promise
 *              bit  30      somebody sleeps
 *              -1           the mutex has come to its end
 *     word 1   counts up when the mutex goes free, for those who wait for a promise
 *
 * Sleepers are woken one at a time, and each one, as it takes the mutex, says anew that others may sleep. Those who wait for a promise are woken all at once,
 * in a line of their own, because nobody knows when a promise is looked at.
 */

import { AllocatorError } from './errors.ts';

/** Words of a mutex. */
export const MUTEX_WORDS = 2;
/** The largest number of an owner. */
export const OWNER_MAX = 2 ** 29 - 1;

const WATCHED = 2 ** 29;
const AWAITED = 2 ** 30;
const ENDED = -1;

/** How often a thread looks again before it sleeps: most calls take less than a microsecond. */
const SPIN_COUNT = 100;
/** How often it looks when it may not sleep: a tenth of a millisecond or so. */
const SPIN_COUNT_RESTLESS = 4000;
/** Milliseconds between two looks at a memory on which the engine cannot wait. */
const NAP_MIN = 0.05;
const NAP_MAX = 2;

/** What a mutex lies in: a memory, or the view of a buffer that does not grow. */
export interface WordSource {
  /** The current view. */
  readonly i32: Int32Array;
}

/** How a thread waits. */
export interface Patience {
  /** Whether this thread may sleep. Default: found out. */
  readonly mayWait?: boolean | undefined;
  /** How often it looks again before it sleeps, or gives up. */
  readonly spinCount?: number | undefined;
}

let nap: Int32Array | undefined;

/** A word on which nobody else waits: to sleep for a while. */
function napWord(): Int32Array {
  nap ??= new Int32Array(new SharedArrayBuffer(4));
  return nap;
}

/** Whether this thread may sleep: a page's main thread, and an audio worklet, may not. */
function mayThisThreadWait(): boolean {
  try {
    Atomics.wait(napWord(), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

function pause(): void {
  (Atomics as { readonly pause?: () => void }).pause?.();
}

/** Whether the engine can wait on a word of this buffer. Native memories are plain buffers: atomic operations work there, waiting does not. */
function isShared(words: Int32Array): boolean {
  return typeof SharedArrayBuffer === 'function' && words.buffer instanceof SharedArrayBuffer;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One thread's hold on a mutex. */
export class Mutex {
  /** This thread's number, as the mutex's word shows it: 1..{@link OWNER_MAX}, no other thread's. */
  readonly owner: number;
  /** Whether this thread may sleep. */
  readonly mayWait: boolean;
  readonly #source: WordSource;
  readonly #at: number;
  readonly #spinCount: number;

  /**
   * @param source - Where the mutex lies.
   * @param at - Its first word there; both words are 0 at first.
   * @param owner - This thread's number.
   */
  constructor(source: WordSource, at: number, owner: number, { mayWait = mayThisThreadWait(), spinCount = mayWait ? SPIN_COUNT : SPIN_COUNT_RESTLESS }: Patience = {}) {
    this.owner = owner;
    this.mayWait = mayWait;
    this.#source = source;
    this.#at = at;
    this.#spinCount = spinCount;
  }

  /** The same thread's hold on the mutex, seen through another source. */
  through(source: WordSource): Mutex {
    return new Mutex(source, this.#at, this.owner, { mayWait: this.mayWait, spinCount: this.#spinCount });
  }

  /** The number of whoever holds the mutex, 0 when nobody does. */
  get holder(): number {
    const seen = Atomics.load(this.#source.i32, this.#at);
    return seen < 0 ? 0 : seen & OWNER_MAX;
  }

  /** Whether {@link Mutex.end} was called. */
  get hasEnded(): boolean {
    return Atomics.load(this.#source.i32, this.#at) === ENDED;
  }

  /**
   * Takes the mutex: one atomic operation when it is free. Otherwise looks again for a while, then sleeps.
   *
   * @returns `false` when this thread may not sleep and the mutex did not go free.
   * @throws AllocatorError `released` when the mutex has come to its end, `unsupported` when this thread has it already.
   */
  lock(): boolean {
    return Atomics.compareExchange(this.#source.i32, this.#at, 0, this.owner) === 0 || this.#lockHeld();
  }

  /** Takes the mutex if it is free. O(1). @throws As `lock` does for a mutex that has come to its end. */
  tryLock(): boolean {
    const seen = Atomics.compareExchange(this.#source.i32, this.#at, 0, this.owner);
    if (seen !== 0) this.#refuse(seen);
    return seen === 0;
  }

  /**
   * Lets the mutex go: one atomic operation when nobody waits.
   *
   * @throws AllocatorError `corrupt` when it was taken over meanwhile: somebody held this thread for dead.
   */
  unlock(): void {
    const seen = Atomics.compareExchange(this.#source.i32, this.#at, this.owner, 0);
    if (seen !== this.owner) this.#unlockAwaited(seen);
  }

  /**
   * Takes the mutex over from an owner who died. Whatever else the dead thread had begun, such as to wake another one, is done now.
   *
   * @returns Whether it had the mutex: then this thread has it.
   */
  takeOver(dead: number): boolean {
    const words = this.#source.i32;
    for (;;) {
      const seen = Atomics.load(words, this.#at);
      if (seen < 0 || (seen & OWNER_MAX) !== dead) break;
      const mine = (seen & WATCHED) | AWAITED | this.owner;
      if (Atomics.compareExchange(words, this.#at, seen, mine) === seen) return true;
    }
    this.#wakeAll();
    return false;
  }

  /** Ends the mutex, which this thread has: everybody who wants it, now or later, learns that it is gone. */
  end(): void {
    Atomics.store(this.#source.i32, this.#at, ENDED);
    this.#wakeAll();
  }

  /**
   * Resolves when the mutex was seen free, which it need not be any more.
   *
   * @throws As `lock` does.
   */
  async whenFree(): Promise<void> {
    const count = this.#at + 1;
    for (let wait = NAP_MIN; ; wait = Math.min(2 * wait, 2 * NAP_MAX)) {
      // A view of native memory ends when that grows, which this thread may have let it do meanwhile.
      const words = this.#source.i32;
      const ticket = Atomics.load(words, count);
      const seen = Atomics.load(words, this.#at);
      if (seen === 0) return;
      this.#refuse(seen);
      if ((seen & WATCHED) === 0 && Atomics.compareExchange(words, this.#at, seen, seen | WATCHED) !== seen) continue;
      if (isShared(words) && typeof Atomics.waitAsync === 'function') await Atomics.waitAsync(words, count, ticket).value;
      else await sleep(wait);
    }
  }

  #lockHeld(): boolean {
    const words = this.#source.i32;
    this.#refuse(Atomics.load(words, this.#at));
    for (let i = 0; i < this.#spinCount; i += 1) {
      pause();
      if (Atomics.load(words, this.#at) === 0 && Atomics.compareExchange(words, this.#at, 0, this.owner) === 0) return true;
    }
    if (!this.mayWait) return false;
    this.#lockAsleep(words);
    return true;
  }

  #lockAsleep(words: Int32Array): void {
    for (let wait = NAP_MIN; ; wait = Math.min(2 * wait, NAP_MAX)) {
      const seen = Atomics.load(words, this.#at);
      if (seen === 0) {
        // Others may sleep as well, and nobody else knows of them.
        if (Atomics.compareExchange(words, this.#at, 0, AWAITED | this.owner) === 0) return;
        continue;
      }
      this.#refuse(seen);
      const announced = seen | AWAITED;
      if (seen !== announced && Atomics.compareExchange(words, this.#at, seen, announced) !== seen) continue;
      if (isShared(words)) Atomics.wait(words, this.#at, announced);
      else Atomics.wait(napWord(), 0, 0, wait);
    }
  }

  #unlockAwaited(first: number): void {
    const words = this.#source.i32;
    let seen = first;
    for (;;) {
      if (seen < 0 || (seen & OWNER_MAX) !== this.owner) {
        throw new AllocatorError('corrupt', `the lock was taken over from thread ${this.owner}, which is alive, by thread ${seen & OWNER_MAX}`);
      }
      const now = Atomics.compareExchange(words, this.#at, seen, 0);
      if (now === seen) break;
      seen = now;
    }
    if ((seen & AWAITED) !== 0) Atomics.notify(words, this.#at, 1);
    if ((seen & WATCHED) !== 0) this.#wakeWatchers(words);
  }

  #wakeWatchers(words: Int32Array): void {
    Atomics.add(words, this.#at + 1, 1);
    Atomics.notify(words, this.#at + 1);
  }

  #wakeAll(): void {
    const words = this.#source.i32;
    Atomics.notify(words, this.#at);
    this.#wakeWatchers(words);
  }

  #refuse(seen: number): void {
    if (seen < 0) throw new AllocatorError('released', 'the allocator behind this lock was released');
    if ((seen & OWNER_MAX) !== this.owner) return;
    throw new AllocatorError('unsupported', `thread ${this.owner} holds this lock already: inside of a call, use the allocator that it guards`);
  }
}
