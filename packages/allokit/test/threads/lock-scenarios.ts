/** What `Locked` and `RemoteFree` are put through in every order: each thread with handles of its own, on a small heap in a small buffer. */

import { AllocatorError, Locked, NULL, RemoteFree, type Address } from '@allokit/allocator';
import { observed, scenario, serve, type Outcome, type ThreadContext } from '@allokit/allocator/interleaving';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';

const MEMORY_SIZE = 2 ** 14;
const PAGE_SIZE = 64;
const BLOCK_COUNT = 6;
const BLOCK_SIZE = 150;

/** Where everything lies, and what was handed out before the threads begin. */
interface Given {
  readonly heap: Address;
  readonly state: Address;
  /** Two words: one that the threads change under the lock, by a read and a write; one that counts who is ready. */
  readonly counter: Address;
  readonly blocks: readonly Address[];
  readonly liveBytes: number;
}

type Thread = ThreadContext<SharedArrayBuffer, Given>;

/** A memory whose plain accesses become scheduling points at a moment of one's choice: to attach, which walks the heap, is not what is explored. */
function lensOn(root: BufferMemory): { readonly memory: BufferMemory; observe(): void } {
  let target = root;
  const memory: BufferMemory = new Proxy(root, {
    get(_root, key) {
      if (key === 'memory') return memory;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (...values: unknown[]): unknown => Reflect.apply(value, target, values) : value;
    },
  });
  return { memory, observe: () => (target = observed(root)) };
}

function fill(memory: BufferMemory, block: Address): void {
  memory.u8.fill(block / 16, block, block + BLOCK_SIZE);
}

function checkContent(memory: BufferMemory, blocks: readonly Address[]): void {
  for (const block of blocks) {
    const bytes = memory.u8.subarray(block, block + BLOCK_SIZE);
    if (!bytes.every((byte) => byte === ((block / 16) & 0xff))) throw new Error(`the block at ${block} was written to`);
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

/** @param wrap - Puts the combinator around the heap, and says where its state lies. */
function begin(buffer: SharedArrayBuffer, wrap: (heap: O1Heap) => Address): Given {
  const memory = BufferMemory.wrap(buffer, { pageSize: PAGE_SIZE });
  const heap = O1Heap.create(memory, { size: 4096 });
  const state = wrap(heap);
  const blocks = Array.from({ length: BLOCK_COUNT }, () => heap.allocate(BLOCK_SIZE));
  for (const block of blocks) fill(memory, block);
  const counter = heap.allocate(8);
  memory.i32.fill(0, counter / 4, counter / 4 + 2);
  return { heap: heap.address, state, counter, blocks, liveBytes: heap.stats().liveBytes };
}

function lockedSetup({ memory }: { readonly memory: SharedArrayBuffer }): Given {
  return begin(memory, (heap) => {
    const locked = Locked.create(heap);
    // The threads have the numbers 2, 3 and 4; 1 is that of the check.
    for (let i = 0; i < 3; i += 1) locked.reserveThreadId();
    return locked.address;
  });
}

/** A thread's handle. */
function attachLocked({ memory: buffer, given, thread, quietly }: Thread, { isObserved = false, mayWait = true } = {}): Locked<O1Heap> {
  const root = quietly(() => BufferMemory.attach(buffer));
  const lens = lensOn(root);
  const attach = (): O1Heap => quietly(() => O1Heap.attach(lens.memory, given.heap));
  const locked = Locked.attach(lens.memory, given.state, attach, { threadId: thread + 2, mayWait, spinCount: 1 });
  if (isObserved) {
    quietly(() => {
      lens.observe();
      // Takes the new view.
      locked.allocator.usableSize(NULL);
    });
  }
  return locked;
}

/** The handle of the check, which nobody disturbs: on a heap that may need a repair. */
function lockedAfterwards(buffer: SharedArrayBuffer, given: Given): Locked<O1Heap> {
  const memory = BufferMemory.attach(buffer);
  const locked = Locked.attach(memory, given.state, () => O1Heap.attach(memory, given.heap), { mayWait: false, spinCount: 0 });
  locked.checkInvariants();
  expectEqual(locked.holder, 0, 'who holds the lock');
  return locked;
}

/** Adds 1 to the counter, in two steps between which another thread may come. */
function count(locked: Locked<O1Heap>, { counter }: Given): void {
  locked.exclusively((heap) => {
    const words = heap.memory.i32;
    const value = Atomics.load(words, counter / 4);
    Atomics.store(words, counter / 4, value + 1);
  });
}

function counted(buffer: SharedArrayBuffer, { counter }: Given): number {
  return new Int32Array(buffer)[counter / 4]!;
}

/** Waits until so many threads are ready, this one included. */
function meet({ memory, given }: Thread, readyCount: number): void {
  const words = new Int32Array(memory);
  const at = given.counter / 4 + 1;
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
  for (let ready = Atomics.load(words, at); ready < readyCount; ready = Atomics.load(words, at)) Atomics.wait(words, at, ready);
}

function expectAlive(outcomes: readonly Outcome[], threads: readonly number[]): void {
  for (const thread of threads) expectEqual(outcomes[thread]?.state, 'finished', `thread ${thread}`);
}

/** What `mortal` threads of a lock do: every kind of call. */
function work(locked: Locked<O1Heap>, [first, second, third]: readonly Address[]): void {
  locked.deallocate(first!);
  locked.allocate(40);
  locked.reallocate(second!, BLOCK_SIZE, 300);
  locked.resize(third!, BLOCK_SIZE, 20);
}

function codeOf(call: () => void): string {
  try {
    call();
    return '';
  } catch (error) {
    if (error instanceof AllocatorError) return error.code;
    throw error;
  }
}

function remoteSetup({ memory }: { readonly memory: SharedArrayBuffer }): Given {
  // Large enough for marks on three levels.
  return begin(memory, (heap) => RemoteFree.create(heap, { end: 2 ** 18 + 1024 }).address);
}

/** The owner's handle, which looks for nothing that was left behind. */
function attachOwner({ memory: buffer, given, quietly }: Thread, isObserved = false): RemoteFree<O1Heap> {
  return quietly(() => {
    const lens = lensOn(BufferMemory.attach(buffer));
    const heap = O1Heap.attach(lens.memory, given.heap);
    const owner = RemoteFree.attach(heap, given.state, { collectLimit: 2 });
    if (isObserved) {
      lens.observe();
      heap.usableSize(NULL);
    }
    return owner;
  });
}

/** Frees some blocks from another thread. */
function freeRemotely({ memory, given, quietly }: Thread, blocks: readonly Address[]): void {
  const remote = quietly(() => RemoteFree.remote({ i32: new Int32Array(memory) }, given.state));
  for (const block of blocks) remote.deallocate(block);
}

/** Another owner, after everything: finds what is left, and frees what the threads were not asked to. */
function ownerAfterwards(buffer: SharedArrayBuffer, given: Given): RemoteFree<O1Heap> {
  const memory = BufferMemory.attach(buffer);
  const owner = RemoteFree.attach(O1Heap.attach(memory, given.heap, { repair: true }), given.state);
  owner.collect();
  owner.checkInvariants();
  return owner;
}

const blockBytes = 256;

serve({
  'mutual exclusion': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    threads: [0, 1, 2].map(() => (thread: Thread) => count(attachLocked(thread), thread.given)),
    check({ memory, given }) {
      expectEqual(counted(memory, given), 3, 'the counter');
      lockedAfterwards(memory, given);
    },
  }),

  'twice each': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    threads: [0, 1].map(() => (thread: Thread) => {
      const locked = attachLocked(thread);
      count(locked, thread.given);
      locked.deallocate(thread.given.blocks[thread.thread]!);
      count(locked, thread.given);
    }),
    check({ memory, given }) {
      expectEqual(counted(memory, given), 4, 'the counter');
      expectEqual(lockedAfterwards(memory, given).stats().liveBytes, given.liveBytes - 2 * blockBytes, 'live bytes');
    },
  }),

  'a thread that may not wait': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    threads: [
      (thread: Thread) => {
        // Before the other one: to attach it would have to wait.
        const locked = attachLocked(thread, { mayWait: false });
        meet(thread, 2);
        locked.deallocate(thread.given.blocks[0]!);
        locked.deallocate(thread.given.blocks[1]!);
        return locked.allocate(30);
      },
      (thread: Thread) => {
        meet(thread, 2);
        const locked = attachLocked(thread);
        count(locked, thread.given);
        locked.deallocate(thread.given.blocks[2]!);
        return NULL;
      },
    ],
    check({ memory, given }, [first]) {
      const stats = lockedAfterwards(memory, given).stats();
      const address = first?.state === 'finished' ? first.value : NULL;
      expectEqual(stats.liveBytes, given.liveBytes - 3 * blockBytes + (address === NULL ? 0 : 64), 'live bytes');
      expectEqual(stats.refusedCount, 0, 'refused frees');
      return address === NULL ? 'gave up' : 'allocated';
    },
  }),

  'an owner dies': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        meet(thread, 3);
        work(attachLocked(thread), thread.given.blocks);
      },
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 3);
        if (thread.join(0) === 'died') locked.recover(2);
        count(locked, thread.given);
      },
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 3);
        count(locked, thread.given);
      },
    ],
    check: checkDeath([3, 4, 5], [1, 2]),
  }),

  'an owner dies at a store': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        meet(thread, 2);
        work(attachLocked(thread, { isObserved: true }), thread.given.blocks);
      },
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 2);
        if (thread.join(0) === 'died') locked.recover(2);
        count(locked, thread.given);
      },
    ],
    check: checkDeath([3, 4, 5], [1]),
  }),

  'two die, the supervisor lives': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    mortal: [0, 1],
    threads: [
      (thread: Thread) => {
        meet(thread, 3);
        count(attachLocked(thread), thread.given);
      },
      (thread: Thread) => {
        meet(thread, 3);
        count(attachLocked(thread), thread.given);
      },
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 3);
        const first = thread.joinAny([0, 1]);
        if (thread.join(first) === 'died') locked.recover(first + 2);
        if (thread.join(1 - first) === 'died') locked.recover(1 - first + 2);
        count(locked, thread.given);
      },
    ],
    check: checkDeath([0, 1, 2, 3, 4, 5], [2]),
  }),

  'the release': scenario({
    memory: MEMORY_SIZE,
    setup: lockedSetup,
    threads: [
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 2);
        count(locked, thread.given);
        locked.release();
      },
      (thread: Thread) => {
        const locked = attachLocked(thread);
        meet(thread, 2);
        count(locked, thread.given);
      },
    ],
    accepts: (error, thread) => thread === 1 && error.code === 'released',
    check({ memory, given }, outcomes) {
      expectEqual(counted(memory, given), outcomes[1]?.state === 'finished' ? 2 : 1, 'the counter');
      return outcomes[1]?.state;
    },
  }),

  'remotes and their owner': scenario({
    memory: MEMORY_SIZE,
    setup: remoteSetup,
    threads: [
      (thread: Thread) => {
        const owner = attachOwner(thread);
        owner.collect();
        const block = owner.allocate(30);
        thread.join(1);
        thread.join(2);
        // Without looking for what nobody points to.
        owner.collect();
        return [block, owner.stats().liveBytes, owner.stats().refusedCount];
      },
      (thread: Thread) => {
        freeRemotely(thread, thread.given.blocks.slice(0, 2));
        return [];
      },
      (thread: Thread) => {
        freeRemotely(thread, thread.given.blocks.slice(2, 4));
        return [];
      },
    ],
    check({ memory, given }, [owner]) {
      const values = owner?.state === 'finished' ? owner.value : [];
      expectEqual(values[1], given.liveBytes - 4 * blockBytes + 64, 'live bytes');
      expectEqual(values[2], 0, 'refused frees');
      checkContent(BufferMemory.attach(memory), given.blocks.slice(4));
    },
  }),

  'two remotes free the same block': scenario({
    memory: MEMORY_SIZE,
    setup: remoteSetup,
    threads: [
      (thread: Thread) => {
        attachOwner(thread).collect();
        return '';
      },
      (thread: Thread) => codeOf(() => freeRemotely(thread, thread.given.blocks.slice(0, 1))),
      (thread: Thread) => codeOf(() => freeRemotely(thread, thread.given.blocks.slice(0, 1))),
    ],
    check({ memory, given }, [, ...remotes]) {
      const told = remotes.filter((outcome) => outcome.state === 'finished' && outcome.value === 'double-free').length;
      const { liveBytes, refusedCount } = ownerAfterwards(memory, given).stats();
      expectEqual(liveBytes, given.liveBytes - blockBytes, 'live bytes');
      expectEqual(told + refusedCount, 1, 'second frees that were told');
      return told === 1 ? 'told at once' : 'refused later';
    },
  }),

  'a remote dies': scenario({
    memory: MEMORY_SIZE,
    setup: remoteSetup,
    mortal: [1],
    threads: [
      (thread: Thread) => {
        const owner = attachOwner(thread);
        owner.collect();
        thread.join(1);
        thread.join(2);
        owner.collect();
        return owner.stats().liveBytes;
      },
      (thread: Thread) => {
        freeRemotely(thread, thread.given.blocks.slice(0, 2));
        return 0;
      },
      (thread: Thread) => {
        freeRemotely(thread, thread.given.blocks.slice(2, 4));
        return 0;
      },
    ],
    check({ memory, given }, outcomes) {
      expectAlive(outcomes, [0, 2]);
      const least = given.liveBytes - 4 * blockBytes;
      const live = outcomes[0]?.state === 'finished' ? outcomes[0].value : 0;
      // The one that it was freeing, and one that it had not come to.
      if (live < least || live > least + 2 * blockBytes) throw new Error(`${live} bytes are live, ${least} would be without the death`);
      const { liveBytes, refusedCount } = ownerAfterwards(memory, given).stats();
      if (liveBytes > live) throw new Error(`${liveBytes} bytes are live, after ${live}`);
      expectEqual(refusedCount, 0, 'refused frees');
      checkContent(BufferMemory.attach(memory), given.blocks.slice(4));
      return liveBytes < live ? 'found by the next owner' : outcomes[1]?.state;
    },
  }),

  'the owner dies at a store': scenario({
    memory: MEMORY_SIZE,
    setup: remoteSetup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        attachOwner(thread, true).collect();
      },
      (thread: Thread) => {
        freeRemotely(thread, thread.given.blocks.slice(0, 2));
      },
    ],
    check({ memory, given }, outcomes) {
      const { liveBytes, refusedCount } = ownerAfterwards(memory, given).stats();
      expectEqual(liveBytes, given.liveBytes - 2 * blockBytes, 'live bytes');
      expectEqual(refusedCount, 0, 'refused frees');
      checkContent(BufferMemory.attach(memory), given.blocks.slice(2));
      return outcomes[0]?.state;
    },
  }),
});

/** The threads that lived got their turn, the lock works, and what the dead ones had nothing to do with is as it was. */
function checkDeath(untouched: readonly number[], alive: readonly number[]) {
  return ({ memory: buffer, given }: { readonly memory: SharedArrayBuffer; readonly given: Given }, outcomes: readonly Outcome[]): string => {
    expectAlive(outcomes, alive);
    const deadCount = outcomes.filter(({ state }) => state === 'died').length;
    const counter = counted(buffer, given);
    if (counter < alive.length || counter > outcomes.length) throw new Error(`the counter is ${counter}`);
    const locked = lockedAfterwards(buffer, given);
    checkContent(BufferMemory.attach(buffer), untouched.map((i) => given.blocks[i]!));
    for (const i of untouched) locked.deallocate(given.blocks[i]!, BLOCK_SIZE);
    locked.checkInvariants();
    return `${deadCount} died`;
  };
}
