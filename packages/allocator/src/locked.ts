/**
 * Makes a single-owner allocator one for all threads: a mutex in the memory itself, which survives the death of its owner.
 *
 *     byte   0  header: magic, kind, version, own address
 *           16  the mutex: two words
 *           24  the number of the next thread, what others must learn of, whether the state is damaged,
 *           36  live bytes that are this state's own, handles that were not detached, refused frees, requests given up, size of the parent's block
 *           64  frees that were deferred
 *
 * Each thread has a handle of its own, on an allocator handle of its own. What one thread changes under the lock, the next one sees; but views of the memory
 * are kept by each, so a count in the state says when it has grown.
 */

import { NULL, alignUp, checkAddress, checkAlignment, checkInteger, checkSize, type Address } from './address.ts';
import type { Allocator, AllocatorStats, Parent } from './allocator.ts';
import { DEFERRED_WORDS, DeferredFrees } from './deferred-frees.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator } from './guards.ts';
import { HEADER_SIZE, checkHeader, eraseHeader, hasHeader, writeHeader } from './header.ts';
import type { Memory } from './memory.ts';
import { MUTEX_WORDS, Mutex, OWNER_MAX, type WordSource } from './mutex.ts';
import { giveBack } from './parent.ts';
import { isRepairable, type Repair } from './repairable.ts';

const HEADER = { kind: 'LOCK', version: 1 };

// In words from the state's start.
const FIELDS = HEADER_SIZE / 4;
const MUTEX = FIELDS;
const NEXT_THREAD = MUTEX + MUTEX_WORDS;
const NEWS = NEXT_THREAD + 1;
const DAMAGED = NEXT_THREAD + 2;
const OWN_BYTES = NEXT_THREAD + 3;
const HANDLE_COUNT = NEXT_THREAD + 4;
const REFUSED_COUNT = NEXT_THREAD + 5;
const GIVEN_UP_COUNT = NEXT_THREAD + 6;
const BLOCK_SIZE = NEXT_THREAD + 7;
const DEFERRED = 16;
const STATE_SIZE = (DEFERRED + DEFERRED_WORDS) * 4;

/** How a thread uses a {@link Locked}. */
export interface LockedUse {
  /**
   * Whether this thread may sleep until the lock is free. Default: found out; a page's main thread and an audio worklet may not. A thread that may not never
   * blocks: see {@link Locked}.
   */
  readonly mayWait?: boolean;
  /** How often the thread looks again at a lock that is held before it sleeps or gives up. Default 100, or 4000 where it may not sleep. */
  readonly spinCount?: number;
  /**
   * How to put the allocator in order after a thread died inside of it. Default: its own `repair`, where it has one. An assembly has none: name its parts, the
   * parents first.
   */
  readonly repair?: () => Repair;
}

/** How to make a {@link Locked}. */
export interface LockedOptions extends LockedUse {
  /** Where the 256 bytes of the lock come from: on the same memory. Default: the memory, where it is an allocator; its pages may be large. */
  readonly parent?: Parent;
}

/** How a thread joins a {@link Locked}. */
export interface LockedAttachOptions extends LockedUse {
  /** This thread's number, as {@link Locked.reserveThreadId} gave it. Default: the next. */
  readonly threadId?: number;
}

/**
 * The figures of the allocator, the lock's own bytes not counted. `failureCount` includes requests that were given up because the lock was held.
 */
export interface LockedStats extends AllocatorStats {
  /** Deferred frees that the allocator refused: of blocks that were not live. */
  readonly refusedCount: number;
}

/** What {@link Locked.recover} did. */
export interface Recovery {
  /** Whether the dead thread had the lock. */
  readonly wasHolding: boolean;
  /** What was repaired; `undefined` when the allocator was in order. */
  readonly repair: Repair | undefined;
}

/** What `work` returned, when it is done: what follows an `await` would be done without the lock. @throws TypeError for a promise. */
function done<T>(result: T): T {
  if (typeof (result as { readonly then?: unknown } | null | undefined)?.then !== 'function') return result;
  // What it rejects with is the lesser problem. Other thenables only begin when they are asked: nobody does.
  if (result instanceof Promise) result.catch(() => undefined);
  throw new TypeError('work must not return a promise: what it does after its first `await` is done without the lock');
}

/**
 * An allocator that any number of threads may call: one at a time goes in. Two atomic operations a call when nobody else is there, some 20 ns; a thread that
 * comes second spins for some microseconds, then sleeps. On native memory, where the engine cannot wait, it naps and looks again.
 *
 * One handle a thread: `create` in one, `attach` in the others. Everything that lies below, down to the memory, must be used under this lock alone: two heaps
 * that grow on one memory either share a lock, or are built on a `Locked` memory. What the allocator knows must lie in the memory: `Bounded`, `Tracked`,
 * `Guarded`, `Scoped` and `Retained` go outside of the lock, where they know of one thread's blocks.
 *
 * **A thread that may not sleep** never blocks. When the lock is held it looks a few thousand times, then: `deallocate` leaves the block to whoever has the
 * lock next; `allocate` and `reallocate` yield `NULL`, and `resize` `false`, as when there is no room; `owns` looks without the lock; everything else throws
 * `unsupported`. {@link Locked.whenFree} waits without blocking.
 *
 * **When a thread dies**, inside of a call or not, whoever knows of it calls {@link Locked.recover} with its number; until then those who wait for the lock go
 * on waiting. A thread must not be held for dead while it lives.
 */
export class Locked<A extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** What is guarded. To be used inside of {@link Locked.exclusively} and {@link Locked.whenFree} only. */
  readonly allocator: A;
  /** Where the lock lies: what `attach` wants. */
  readonly address: Address;
  /** This thread's number, which {@link Locked.recover} wants when it died. No other thread ever gets it. */
  readonly threadId: number;
  readonly #parent: Parent | undefined;
  readonly #mutex: Mutex;
  readonly #deferred: DeferredFrees;
  readonly #repair: (() => Repair) | undefined;
  readonly #state: number;
  #words: Int32Array;
  #news: number;
  #flushing = false;
  #released: 'no' | 'detached' | 'released' = 'no';

  private constructor(allocator: A, address: Address, mutex: Mutex, { repair }: LockedUse, parent: Parent | undefined) {
    this.memory = allocator.memory;
    this.alignment = allocator.alignment;
    this.allocator = allocator;
    this.address = address;
    this.threadId = mutex.owner;
    this.#parent = parent;
    this.#mutex = mutex;
    this.#state = address >>> 2;
    this.#deferred = new DeferredFrees(this.memory, this.#state + DEFERRED);
    this.#repair = repair ?? (isRepairable(allocator) ? () => allocator.repair() : undefined);
    this.#words = this.memory.i32;
    // The first call takes the views that there are then.
    this.#news = this.#words[this.#state + NEWS]! - 1;
  }

  /**
   * Puts a lock around an allocator, for this thread; the others attach. O(1).
   *
   * @param allocator - On a memory that other threads can see: a shared one, or a native one. (On any other the lock works, for nobody.)
   * @throws TypeError for what is no allocator, or when there is no parent; RangeError for a parent on another memory; AllocatorError `out-of-memory`.
   */
  static create<A extends Allocator>(allocator: A, options: LockedOptions = {}): Locked<A> {
    checkAllocator(allocator, 'allocator');
    checkUse(options);
    const { memory } = allocator;
    const parent = options.parent ?? (memory as Memory & Partial<Parent>);
    checkAllocator(parent as Parent, 'parent');
    if ((parent as Parent).memory !== memory) throw new RangeError('parent must be on the memory of the allocator');
    const source = parent as Parent;
    const size = alignUp(STATE_SIZE, Math.max(16, source.alignment));
    const liveBytes = allocator.stats().liveBytes;
    const address = source.allocate(size, 16);
    if (address === NULL) throw new AllocatorError('out-of-memory', `the parent has no block of ${size} bytes for the lock`);
    const words = memory.i32;
    const state = address >>> 2;
    words.fill(0, state, state + STATE_SIZE / 4);
    words[state + NEXT_THREAD] = 2;
    words[state + HANDLE_COUNT] = 1;
    words[state + BLOCK_SIZE] = size;
    words[state + OWN_BYTES] = allocator.stats().liveBytes - liveBytes;
    writeHeader(memory, address, HEADER);
    return new Locked(allocator, address, new Mutex(memory, state + MUTEX, 1, options), options, source);
  }

  /**
   * Joins another thread's lock. `attach` is called with the lock held, because an allocator that changes meanwhile looks damaged; so it should attach the
   * memory as well:
   *
   *     Locked.attach({ i32: new Int32Array(wasm.buffer) }, address, () => O1Heap.attach(WasmMemory.attach(wasm), heapAddress))
   *
   * @param source - A view of the memory, or a memory: of a native one there is no view before it was attached, at a time when nobody changes it.
   * @param address - The other one's `address`.
   * @param attach - Makes this thread's handle on the allocator.
   * @throws AllocatorError `bad-header` when no lock lies there, `released` when its allocator was, `corrupt` when it is damaged, `unsupported` when the lock
   *   is held and this thread may not wait; and what `attach` throws.
   */
  static attach<A extends Allocator>(source: WordSource, address: Address, attach: () => A, options: LockedAttachOptions = {}): Locked<A> {
    checkUse(options);
    if (typeof attach !== 'function') throw new TypeError(`attach must be a function, got ${typeof attach}`);
    const words = source.i32;
    const probe = { i32: words, u8: new Uint8Array(words.buffer), committed: words.length * 4, refresh: () => undefined };
    checkHeader(probe, address, HEADER, STATE_SIZE);
    const state = address >>> 2;
    const threadId = options.threadId ?? nextThread(words, state);
    checkInteger(threadId, 'threadId', 1, Atomics.load(words, state + NEXT_THREAD) - 1);
    const mutex = new Mutex(source, state + MUTEX, threadId, options);
    if (!mutex.lock()) throw busy(mutex);
    let end = mutex;
    try {
      const allocator = attach();
      checkAllocator(allocator, 'the allocator');
      const { memory } = allocator;
      memory.refresh();
      // Nobody else could have put this thread's number there.
      const isSame = hasHeader(memory, address, HEADER) && mutex.through(memory).holder === threadId;
      if (!isSame) throw new RangeError('the allocator must be on the memory that the lock lies in');
      end = mutex.through(memory);
      const locked = new Locked(allocator, address, end, options, undefined);
      // The memory's view: that of the source may have ended when the memory was attached anew.
      if (memory.i32[state + DAMAGED] !== 0) throw damaged(address);
      Atomics.add(memory.i32, state + HANDLE_COUNT, 1);
      return locked;
    } finally {
      end.unlock();
    }
  }

  /**
   * A number for a thread that will attach: so that whoever starts it can {@link Locked.recover} it, wherever it dies. O(1), without the lock.
   *
   * @throws AllocatorError `released`, or `unsupported` after 2^29 threads.
   */
  reserveThreadId(): number {
    this.#checkUsable();
    return nextThread(this.memory.i32, this.#state);
  }

  /** The number of the thread that holds the lock now, or 0. For diagnosis: it may be another one a moment later. O(1). */
  get holder(): number {
    this.#checkUsable();
    return this.#mutex.holder;
  }

  /** Whether this thread may sleep until the lock is free. */
  get mayWait(): boolean {
    return this.#mutex.mayWait;
  }

  /** Allocates, as `Allocator.allocate` says. A thread that may not sleep gets `NULL` also when the lock does not go free. */
  allocate(size: number, alignment?: number): Address {
    if (!this.#enter()) return this.#giveUp(size, alignment);
    try {
      return this.allocator.allocate(size, alignment);
    } finally {
      this.#leave();
    }
  }

  /**
   * Frees, as `Allocator.deallocate` says. A thread that may not sleep, when the lock does not go free, leaves the block to the next one to have it: then only
   * the kind and range of its arguments is checked, and a block that is not live is counted in `stats().refusedCount` when its turn comes.
   */
  deallocate(address: Address, size?: number): void {
    if (!this.#enter()) {
      this.#defer(address, size);
      return;
    }
    try {
      this.allocator.deallocate(address, size);
    } finally {
      this.#leave();
    }
  }

  /** Resizes in place, as `Allocator.resize` says. A thread that may not sleep gets `false` also when the lock does not go free. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    if (!this.#enter()) {
      checkAddress(address);
      checkSize(oldSize, 'oldSize');
      checkSize(newSize, 'newSize');
      return false;
    }
    try {
      return this.allocator.resize(address, oldSize, newSize);
    } finally {
      this.#leave();
    }
  }

  /** Resizes or moves, as `Allocator.reallocate` says; copies under the lock. A thread that may not sleep gets `NULL` also when the lock does not go free. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    if (address === NULL) return this.allocate(newSize, alignment);
    if (!this.#enter()) return this.#giveUpMove(address, oldSize, newSize, alignment);
    try {
      return this.allocator.reallocate(address, oldSize, newSize, alignment);
    } finally {
      this.#leave();
    }
  }

  /** As the allocator says. */
  usableSize(address: Address): number {
    return this.exclusively((allocator) => allocator.usableSize(address));
  }

  /** As the allocator says. A thread that may not sleep looks without the lock when that does not go free: it may see a moment's change, or miss one. */
  owns(address: Address): boolean {
    let isLocked = false;
    try {
      isLocked = this.#enter();
      return this.allocator.owns(address);
    } catch (error) {
      if (error instanceof AllocatorError && (error.code === 'released' || error.code === 'corrupt')) return false;
      throw error;
    } finally {
      if (isLocked) this.#leave();
    }
  }

  /**
   * Resets the allocator, for all threads. After damage that could not be repaired this is what makes it usable again, if anything can.
   *
   * @throws AllocatorError `unsupported` when the lock itself lies in a block of the allocator, or `corrupt` when it is damaged beyond that.
   */
  reset(): void {
    this.#lockOrThrow();
    try {
      this.#learn();
      if (this.memory.i32[this.#state + OWN_BYTES] !== 0) throw new AllocatorError('unsupported', 'the lock lies in the allocator that it guards, which cannot be reset under it');
      this.#deferred.clear();
      this.allocator.reset();
      const words = this.memory.i32;
      if (words[this.#state + DAMAGED] === 0) return;
      this.allocator.checkInvariants();
      words[this.#state + DAMAGED] = 0;
    } finally {
      this.#leave();
    }
  }

  /**
   * Releases the allocator: every handle of every thread throws `released` from now on, and who waits for the lock learns of it. The lock's own bytes go back
   * to the parent too, unless another handle was attached and not detached: a thread may look at them at any time.
   */
  release(): void {
    if (this.#released !== 'no') return;
    try {
      this.#lockOrThrow();
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'released')) throw error;
      this.#released = 'released';
      return;
    }
    this.#released = 'released';
    this.#learn();
    const words = this.memory.i32;
    const isLast = words[this.#state + HANDLE_COUNT] === 1;
    const size = words[this.#state + BLOCK_SIZE]!;
    this.#mutex.end();
    const parent = this.#parent;
    if (!isLast || parent === undefined) {
      this.allocator.release();
      return;
    }
    eraseHeader(this.memory, this.address);
    // A lock in its own allocator went back with it.
    const isInside = words[this.#state + OWN_BYTES] !== 0;
    this.allocator.release();
    if (!isInside) giveBack(parent, this.address, size);
  }

  /**
   * Ends this thread's use of the lock, not the allocator's: later calls throw `released`. Frees what was deferred and fell to this thread alone.
   *
   * @throws AllocatorError `unsupported` when there is such a block, the lock is held, and this thread may not wait.
   */
  detach(): void {
    if (this.#released !== 'no') return;
    if (this.#deferred.ownCount !== 0) this.exclusively(() => undefined);
    Atomics.sub(this.memory.i32, this.#state + HANDLE_COUNT, 1);
    this.#released = 'detached';
  }

  /** The figures. Costs what the allocator's cost. */
  stats(): LockedStats {
    return this.exclusively((allocator) => {
      const { capacity, liveBytes, failureCount } = allocator.stats();
      const words = this.memory.i32;
      return {
        capacity,
        liveBytes: liveBytes - words[this.#state + OWN_BYTES]!,
        failureCount: failureCount + Atomics.load(words, this.#state + GIVEN_UP_COUNT),
        refusedCount: words[this.#state + REFUSED_COUNT]!,
      };
    });
  }

  /** Checks the allocator. */
  checkInvariants(): void {
    this.exclusively((allocator) => {
      allocator.checkInvariants();
    });
  }

  /**
   * Does several things under the lock, as one: `locked.exclusively((heap) => [heap.allocate(10), heap.allocate(20)])`.
   *
   * @param work - Is given the allocator, for as long as the call lasts. It must not use this handle, and had better be quick.
   * @returns What `work` returns.
   * @throws AllocatorError `released`, `corrupt`, or `unsupported` when the lock is held and this thread may not wait; TypeError when `work` returns a promise;
   * and what `work` throws.
   */
  exclusively<T>(work: (allocator: A) => T): T {
    if (!this.#enter()) throw busy(this.#mutex);
    try {
      return done(work(this.allocator));
    } finally {
      this.#leave();
    }
  }

  /**
   * The same, as soon as the lock is free, without blocking: for threads that may not sleep. Another thread may take the lock first, and again: then it goes on
   * waiting.
   *
   * @throws As `exclusively` does, but not for a lock that is held.
   */
  async whenFree<T>(work: (allocator: A) => T): Promise<T> {
    while (!this.#tryEnter()) await this.#mutex.whenFree();
    try {
      return done(work(this.allocator));
    } finally {
      this.#leave();
    }
  }

  /**
   * Cleans up after a thread that died: takes the lock from it if it had it, checks the allocator, repairs what it left half done, and wakes whoever waits. To
   * be called once the thread has ended for certain (its worker's `exit` was seen), for every one that ended without notice. O(n) where it had the lock, else
   * O(1).
   *
   * At most the block of the interrupted call is lost, where the allocator can be repaired; and frees that the dead thread, which could not wait, had put off
   * and kept to itself. The memory's own map of pages is not repaired: after a death in the middle of growth, calls that need more memory may throw `corrupt`.
   *
   * @param threadId - The dead thread's number.
   * @throws RangeError for this thread's number or one that no thread has; AllocatorError `corrupt` when the allocator is damaged beyond repair: so says every
   *   later call of every thread then, until `reset`.
   */
  recover(threadId: number): Recovery {
    this.#checkUsable();
    const words = this.memory.i32;
    checkInteger(threadId, 'threadId', 1, Atomics.load(words, this.#state + NEXT_THREAD) - 1);
    if (threadId === this.threadId) throw new RangeError(`threadId must be that of another thread, got this one's, ${threadId}`);
    if (!this.#mutex.takeOver(threadId)) {
      if (this.#mutex.hasEnded) throw new AllocatorError('released', 'the allocator behind this lock was released');
      this.#deferred.remind();
      return { wasHolding: false, repair: undefined };
    }
    try {
      // Before anything else: who dies here leaves a state of which everybody knows that it was not looked at.
      const repair = this.#putInOrder();
      this.#drain();
      return { wasHolding: true, repair };
    } finally {
      this.#leave();
    }
  }

  #checkUsable(): void {
    if (this.#released !== 'no') throw new AllocatorError('released', `this allocator was ${this.#released}`);
  }

  /** Goes in, and catches up with what other threads did. Returns `false` when this thread would have to sleep and may not. */
  #enter(): boolean {
    this.#checkUsable();
    if (!this.#mutex.lock()) return false;
    this.#catchUp();
    return true;
  }

  #tryEnter(): boolean {
    this.#checkUsable();
    if (!this.#mutex.tryLock()) return false;
    this.#catchUp();
    return true;
  }

  #lockOrThrow(): void {
    this.#checkUsable();
    if (!this.#mutex.lock()) throw busy(this.#mutex);
  }

  #catchUp(): void {
    const words = this.memory.i32;
    const { isPending } = this.#deferred;
    if (words[this.#state + NEWS] === this.#news && !isPending) return;
    try {
      if (words[this.#state + DAMAGED] !== 0) throw damaged(this.address);
      this.#learn();
      if (isPending) this.#drain();
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Frees what was deferred. */
  #drain(): void {
    const refusedCount = this.#deferred.drain(this.allocator);
    this.memory.i32[this.#state + REFUSED_COUNT]! += refusedCount;
  }

  /** Takes new views, where another thread has grown the memory. */
  #learn(): void {
    const news = this.memory.i32[this.#state + NEWS]!;
    if (news === this.#news) return;
    this.memory.refresh();
    // Every part of an assembly is asked for its figures, and takes the new view then.
    if (this.memory.i32[this.#state + DAMAGED] === 0) this.allocator.stats();
    this.#news = news;
    this.#words = this.memory.i32;
  }

  /**
   * Says that there are new views to take, where this thread has grown the memory, and goes out. It is news to this thread, too: what has grown is one part of an
   * assembly, and others may have been given blocks in the new pages before it comes back.
   */
  #leave(): void {
    const words = this.memory.i32;
    if (words !== this.#words) this.#announce(words);
    this.#mutex.unlock();
  }

  #announce(words: Int32Array): void {
    words[this.#state + NEWS] = (words[this.#state + NEWS]! + 1) | 0;
    this.#words = words;
  }

  /** Checks what a dead thread left behind, and repairs it. */
  #putInOrder(): Repair | undefined {
    this.memory.refresh();
    // The dead thread may have grown the memory and not said so.
    this.#announce(this.memory.i32);
    const damage = this.#findDamage();
    let cause: unknown = damage;
    try {
      // Also where no damage is seen: what was begun may be there to be finished.
      const repair = this.#repair?.();
      cause = this.#findDamage();
      if (cause === undefined) return damage === undefined ? undefined : repair;
    } catch (error) {
      cause = error;
    }
    this.memory.i32[this.#state + DAMAGED] = 1;
    // Handles look for damage when there is news.
    this.#announce(this.memory.i32);
    throw new AllocatorError('corrupt', `a thread died and left the allocator damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }

  #findDamage(): unknown {
    try {
      this.allocator.checkInvariants();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #defer(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    if (address === NULL) return;
    this.#deferred.push(address);
    if (this.#deferred.ownCount === 0 || this.#flushing) return;
    this.#flushing = true;
    const end = (): void => {
      this.#flushing = false;
    };
    // To go in is to free what was deferred. Where that is not to be, the next call of this thread says why.
    void this.whenFree(end).catch(end);
  }

  #giveUp(size: number, alignment: number | undefined): Address {
    checkSize(size);
    if (alignment !== undefined) checkAlignment(alignment);
    if (size !== 0) Atomics.add(this.memory.i32, this.#state + GIVEN_UP_COUNT, 1);
    return NULL;
  }

  #giveUpMove(address: Address, oldSize: number, newSize: number, alignment: number | undefined): Address {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    if (newSize === 0) this.#defer(address, oldSize);
    return this.#giveUp(newSize, alignment);
  }
}

function nextThread(words: Int32Array, state: number): number {
  const threadId = Atomics.add(words, state + NEXT_THREAD, 1);
  if (threadId > 0 && threadId <= OWNER_MAX) return threadId;
  Atomics.sub(words, state + NEXT_THREAD, 1);
  throw new AllocatorError('unsupported', `no more than ${OWNER_MAX} threads can use a lock in its life`);
}

function checkUse({ mayWait, spinCount, repair }: LockedUse): void {
  const given: unknown = mayWait;
  if (given !== undefined && typeof given !== 'boolean') throw new TypeError(`mayWait must be a boolean, got ${typeof given}`);
  if (spinCount !== undefined) checkInteger(spinCount, 'spinCount');
  if (repair !== undefined && typeof repair !== 'function') throw new TypeError(`repair must be a function, got ${typeof repair}`);
}

function busy(mutex: Mutex): AllocatorError {
  return new AllocatorError('unsupported', `the lock is held by thread ${mutex.holder}, and this one may not wait: use whenFree`);
}

function damaged(address: Address): AllocatorError {
  return new AllocatorError('corrupt', `a thread died inside of the allocator behind the lock at ${formatAddress(address)}, and what it left could not be repaired: reset it`);
}

if (NEXT_THREAD + 8 > DEFERRED || (DEFERRED * 4) % 16 !== 0) throw new RangeError('the deferred frees must follow the fields');
