/** What `Locked` is put through in every order: each thread with a handle of its own, on a small heap. */

import { Locked, NULL, type Address } from '@allokit/allocator';
import { scenario, type Outcome, type Scenario } from '@allokit/allocator/interleaving';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';
import { forgetPromises, settle, settleAll } from './settle.ts';
import {
  BLOCK_BYTES,
  BLOCK_SIZE,
  MEMORY_SIZE,
  checkContent,
  expectEqual,
  expectFinished,
  lensOn,
  makeHeap,
  type Given,
  type Place,
  type Thread,
} from './small-heap.ts';

function setup({ memory }: { readonly memory: SharedArrayBuffer }): Given {
  return makeHeap(memory, (heap) => {
    const locked = Locked.create(heap);
    // The threads have the numbers 2, 3 and 4; 1 is that of the setup.
    for (let i = 0; i < 3; i += 1) locked.reserveThreadId();
    return locked.address;
  });
}

/** The same, and a thread that may not wait has freed the first two blocks while the lock was held. */
function setupDeferred({ memory: buffer }: { readonly memory: SharedArrayBuffer }): Given {
  const given = setup({ memory: buffer });
  const memory = BufferMemory.attach(buffer);
  const attachHeap = (): O1Heap => O1Heap.attach(memory, given.heap);
  const [holder, other] = [{}, { mayWait: false, spinCount: 0 }].map((use) => Locked.attach(memory, given.state, attachHeap, use));
  holder!.exclusively(() => {
    for (const block of given.blocks.slice(0, 2)) other!.deallocate(block);
  });
  return given;
}

/** The number of a thread, as the lock knows it. */
function numberOf(thread: number): number {
  return thread + 2;
}

interface Use {
  readonly mayWait?: boolean;
  /** Whether plain accesses of the heap are scheduling points. */
  readonly isObserved?: boolean;
}

/** A thread's handle. */
function attach({ memory: buffer, given, thread, quietly }: Thread, { mayWait = true, isObserved = false }: Use = {}): Locked<O1Heap> {
  const lens = lensOn(quietly(() => BufferMemory.attach(buffer)));
  const attachHeap = (): O1Heap => quietly(() => O1Heap.attach(lens.memory, given.heap));
  const locked = Locked.attach(lens.memory, given.state, attachHeap, { threadId: numberOf(thread), mayWait, spinCount: 1 });
  if (isObserved) {
    quietly(() => {
      lens.observe();
      // Takes the new view.
      locked.allocator.usableSize(NULL);
    });
  }
  return locked;
}

/** The same before any other thread does anything: what a thread does quietly, and first, is done before the schedule begins. */
function attached(thread: Thread, use: Use = {}): Locked<O1Heap> {
  forgetPromises();
  return thread.quietly(() => attach(thread, use));
}

/** The handle of the check, which nobody disturbs: the lock is free, and the heap in order. */
function lockedAfterwards({ memory: buffer, given }: Place): Locked<O1Heap> {
  const memory = BufferMemory.attach(buffer);
  const locked = Locked.attach(memory, given.state, () => O1Heap.attach(memory, given.heap), { mayWait: false, spinCount: 0 });
  locked.checkInvariants();
  expectEqual(locked.holder, 0, 'who holds the lock');
  return locked;
}

/** Adds 1 to the counter, in two steps between which another thread may come. */
function increment(heap: O1Heap, { counter }: Given): void {
  const words = heap.memory.i32;
  const value = Atomics.load(words, counter / 4);
  Atomics.store(words, counter / 4, value + 1);
}

function count(locked: Locked<O1Heap>, given: Given): void {
  locked.exclusively((heap) => increment(heap, given));
}

function countLater(locked: Locked<O1Heap>, given: Given): void {
  settle(locked.whenFree((heap) => increment(heap, given)));
}

function counted({ memory, given }: Place): number {
  return new Int32Array(memory)[given.counter / 4]!;
}

/** How many blocks lie in the table of those to be freed, which is the end of the state: two words of its own, then the places. */
function deferredCount({ memory, given }: Place): number {
  return new Int32Array(memory, given.state + 72, 46).reduce((sum, address) => sum + (address === 0 ? 0 : 1), 0);
}

function checkCount(expected: number) {
  return (place: Place): void => {
    expectEqual(counted(place), expected, 'the counter');
    lockedAfterwards(place);
  };
}

/** Every kind of call. */
function work(locked: Locked<O1Heap>, [first, second, third]: readonly Address[]): void {
  locked.deallocate(first!);
  locked.allocate(40);
  locked.reallocate(second!, BLOCK_SIZE, 300);
  locked.resize(third!, BLOCK_SIZE, 20);
}

/** What a supervisor does: hears of the end of a thread, and takes the lock from it if it died. */
function supervise({ join }: Thread, locked: Locked, thread: number): void {
  if (join(thread) === 'died') locked.recover(numberOf(thread));
}

/** The threads that lived got their turn, the lock works, and what the dead ones had nothing to do with is as it was. */
function checkDeath({ untouched, alive }: { readonly untouched: readonly number[]; readonly alive: readonly number[] }) {
  return (place: Place, outcomes: readonly Outcome[]): string => {
    expectFinished(outcomes, alive);
    const deadCount = outcomes.filter(({ state }) => state === 'died').length;
    const counter = counted(place);
    if (counter < alive.length || counter > outcomes.length) throw new Error(`the counter is ${counter}`);
    const locked = lockedAfterwards(place);
    checkContent(place, untouched);
    for (const i of untouched) locked.deallocate(place.given.blocks[i]!, BLOCK_SIZE);
    locked.checkInvariants();
    return `${deadCount} died`;
  };
}

/** The first two blocks, which were put off, are free, whoever died on the way. */
function checkFreedForAnother(alive: readonly number[]) {
  return (place: Place, outcomes: readonly Outcome[]): string => {
    expectFinished(outcomes, alive);
    const { liveBytes, refusedCount } = lockedAfterwards(place).stats();
    expectEqual(liveBytes, place.given.liveBytes - 2 * BLOCK_BYTES, 'live bytes');
    // The one that the dead thread had freed, and not struck out.
    if (refusedCount > 1 || (refusedCount === 1 && outcomes[0]?.state !== 'died')) throw new Error(`${refusedCount} frees were refused`);
    checkContent(place, [2, 3, 4, 5]);
    return `${outcomes[0]?.state}, ${refusedCount} refused`;
  };
}

/** The scenarios by name. */
export const LOCKED_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'three attach and take their turns': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [0, 1, 2].map(() => (thread: Thread) => count(attach(thread), thread.given)),
    check: checkCount(3),
  }),

  'three take their turns': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [0, 1, 2].map(() => (thread: Thread) => count(attached(thread), thread.given)),
    check: checkCount(3),
  }),

  'two take two turns each': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [0, 1].map(() => (thread: Thread) => {
      const locked = attached(thread);
      count(locked, thread.given);
      locked.deallocate(thread.given.blocks[thread.thread]!);
      count(locked, thread.given);
    }),
    check(place) {
      expectEqual(counted(place), 4, 'the counter');
      expectEqual(lockedAfterwards(place).stats().liveBytes, place.given.liveBytes - 2 * BLOCK_BYTES, 'live bytes');
      checkContent(place, [2, 3, 4, 5]);
    },
  }),

  'one waits for a promise': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => countLater(attached(thread, { mayWait: false }), thread.given),
      (thread: Thread) => {
        const locked = attached(thread);
        count(locked, thread.given);
        count(locked, thread.given);
      },
    ],
    check: checkCount(3),
  }),

  'two wait for a promise, one sleeps': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => countLater(attached(thread, { mayWait: false }), thread.given),
      (thread: Thread) => countLater(attached(thread, { mayWait: false }), thread.given),
      (thread: Thread) => count(attached(thread), thread.given),
    ],
    check: checkCount(3),
  }),

  'one may not wait': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const locked = attached(thread, { mayWait: false });
        locked.deallocate(thread.given.blocks[0]!);
        locked.deallocate(thread.given.blocks[1]!);
        const address = locked.allocate(30);
        settleAll();
        return address;
      },
      (thread: Thread) => {
        const locked = attached(thread);
        count(locked, thread.given);
        locked.deallocate(thread.given.blocks[2]!);
        return NULL;
      },
    ],
    check(place, [first]) {
      const stats = lockedAfterwards(place).stats();
      const address = first?.state === 'finished' ? first.value : NULL;
      expectEqual(stats.liveBytes, place.given.liveBytes - 3 * BLOCK_BYTES + (address === NULL ? 0 : 64), 'live bytes');
      expectEqual(stats.refusedCount, 0, 'refused frees');
      checkContent(place, [3, 4, 5]);
      return address === NULL ? 'gave up' : 'allocated';
    },
  }),

  'two may not wait': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      ...[0, 1].map(() => (thread: Thread) => {
        const locked = attached(thread, { mayWait: false });
        locked.deallocate(thread.given.blocks[thread.thread]!);
        settleAll();
      }),
      (thread: Thread) => count(attached(thread), thread.given),
    ],
    check(place) {
      const { liveBytes, refusedCount } = lockedAfterwards(place).stats();
      expectEqual(liveBytes, place.given.liveBytes - 2 * BLOCK_BYTES, 'live bytes');
      expectEqual(refusedCount, 0, 'refused frees');
    },
  }),

  'an owner dies': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => work(attached(thread), thread.given.blocks),
      (thread: Thread) => {
        const locked = attached(thread);
        supervise(thread, locked, 0);
        count(locked, thread.given);
      },
      (thread: Thread) => count(attached(thread), thread.given),
    ],
    check: checkDeath({ untouched: [3, 4, 5], alive: [1, 2] }),
  }),

  'an owner dies, and one waits for a promise': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => count(attached(thread), thread.given),
      (thread: Thread) => {
        const locked = attached(thread);
        supervise(thread, locked, 0);
        count(locked, thread.given);
      },
      (thread: Thread) => countLater(attached(thread, { mayWait: false }), thread.given),
    ],
    check: checkDeath({ untouched: [0, 1, 2, 3, 4, 5], alive: [1, 2] }),
  }),

  'an owner dies at a store': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => work(attached(thread, { isObserved: true }), thread.given.blocks),
      (thread: Thread) => {
        const locked = attached(thread);
        supervise(thread, locked, 0);
        count(locked, thread.given);
      },
    ],
    check: checkDeath({ untouched: [3, 4, 5], alive: [1] }),
  }),

  'one that may not wait dies': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        const locked = attached(thread, { mayWait: false });
        locked.deallocate(thread.given.blocks[0]!);
        locked.deallocate(thread.given.blocks[1]!);
        return 0;
      },
      (thread: Thread) => {
        const locked = attached(thread);
        supervise(thread, locked, 0);
        return locked.stats().liveBytes;
      },
      (thread: Thread) => {
        count(attached(thread), thread.given);
        return 0;
      },
    ],
    check(place, outcomes) {
      expectFinished(outcomes, [1, 2]);
      const { liveBytes, refusedCount } = lockedAfterwards(place).stats();
      const [mortal, supervisor] = outcomes;
      // What was put off is not put off again.
      expectEqual(supervisor?.state === 'finished' && supervisor.value, liveBytes, 'live bytes when the thread was recovered');
      const freed = (place.given.liveBytes - liveBytes) / BLOCK_BYTES;
      expectEqual(deferredCount(place), 0, 'blocks that nobody comes back to');
      if (mortal?.state === 'finished') expectEqual(freed, 2, 'blocks that were freed');
      // Who dies while it does what was put off may have done a free that it could not cross out: the next one to do it is refused.
      if (mortal?.state === 'finished' || refusedCount > 1) expectEqual(refusedCount, 0, 'refused frees');
      checkContent(place, [2, 3, 4, 5]);
      return `${mortal?.state}, ${freed} freed`;
    },
  }),

  'one that frees for another dies': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        const locked = attached(thread);
        count(locked, thread.given);
        count(locked, thread.given);
      },
      (thread: Thread) => {
        const locked = attached(thread, { mayWait: false });
        locked.deallocate(thread.given.blocks[0]!);
        locked.deallocate(thread.given.blocks[1]!);
        settleAll();
      },
      (thread: Thread) => supervise(thread, attached(thread), 0),
    ],
    check: checkFreedForAnother([1, 2]),
  }),

  'one that frees for another dies at a store': scenario({
    memory: MEMORY_SIZE,
    setup: setupDeferred,
    mortal: [0],
    threads: [
      (thread: Thread) => count(attached(thread, { isObserved: true }), thread.given),
      (thread: Thread) => supervise(thread, attached(thread), 0),
    ],
    check: checkFreedForAnother([1]),
  }),

  'two die, the supervisor lives': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0, 1],
    threads: [
      (thread: Thread) => count(attach(thread), thread.given),
      (thread: Thread) => count(attach(thread), thread.given),
      (thread: Thread) => {
        const locked = attached(thread);
        const first = thread.joinAny([0, 1]);
        supervise(thread, locked, first);
        supervise(thread, locked, 1 - first);
        count(locked, thread.given);
      },
    ],
    check: checkDeath({ untouched: [0, 1, 2, 3, 4, 5], alive: [2] }),
  }),

  'the supervisor dies as well': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0, 1],
    threads: [
      (thread: Thread) => work(attached(thread, { isObserved: true }), thread.given.blocks),
      (thread: Thread) => {
        const locked = attached(thread, { isObserved: true });
        supervise(thread, locked, 0);
        count(locked, thread.given);
      },
      (thread: Thread) => {
        const locked = attached(thread);
        // Whoever recovers may have been the dead thread's supervisor, and not have come so far.
        supervise(thread, locked, 1);
        supervise(thread, locked, 0);
        count(locked, thread.given);
      },
    ],
    check: checkDeath({ untouched: [3, 4, 5], alive: [2] }),
  }),

  'the release': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const locked = attached(thread);
        count(locked, thread.given);
        locked.release();
      },
      (thread: Thread) => count(attached(thread), thread.given),
      (thread: Thread) => countLater(attached(thread, { mayWait: false }), thread.given),
    ],
    accepts: (error, thread) => thread !== 0 && error.code === 'released',
    check(place, outcomes) {
      const finished = outcomes.filter(({ state }) => state === 'finished').length;
      expectEqual(counted(place), finished, 'the counter');
      return `${finished} came before it`;
    },
  }),
};
