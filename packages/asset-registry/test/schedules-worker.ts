/** What the table is put through in every order: each thread with a handle of its own, on an allocator that finds every block that is freed twice, or never. */

import { ALIGNMENT_MAX, NULL, OWNER_MAX, alignUp, type Address, type Allocator, type Memory } from '@allokit/allocator';
import { observed, scenario, serve, type Outcome, type ThreadContext } from '@allokit/allocator/interleaving';
import { BufferMemory } from '@allokit/vmem';
import { MUTEX, SOURCE_OWN } from '../src/layout.ts';
import type { Entry } from '../src/records.ts';
import { Table, type Claim } from '../src/table.ts';
import type { Target } from '../src/target.ts';

const MEMORY_SIZE = 2 ** 14;
const PAGE_SIZE = 64;
/** Slots, each with a word that says whether it is taken; then room for what is larger, which is never freed. */
const SLOT_COUNT = 24;
const SLOT_SIZE = 64;
const ASSET_SIZE = 32;
const BUDGET = 3 * ASSET_SIZE;

/** Where everything lies. */
interface Given {
  /** The slots' words, the place of the next large block, and for each thread a word for its number. */
  readonly slots: Address;
  readonly table: Address;
}

type Thread = ThreadContext<SharedArrayBuffer, Given>;

/** The simplest allocator that threads can share: a word for each slot. What it does is not what is explored. */
function slotAllocator(memory: Memory, slots: Address, quietly: <T>(call: () => T) => T): Allocator {
  const words = new Int32Array(memory.buffer, slots, SLOT_COUNT + 1);
  const start = alignUp(slots + 256, SLOT_SIZE);
  const large = start + SLOT_COUNT * SLOT_SIZE;
  const slotOf = (address: Address): number => (address - start) / SLOT_SIZE;
  const allocate = (size: number): Address => {
    if (size > SLOT_SIZE) return large + Atomics.add(words, SLOT_COUNT, alignUp(size, 16));
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
      if (Atomics.compareExchange(words, slot, 0, 1) === 0) return start + slot * SLOT_SIZE;
    }
    return NULL;
  };
  const deallocate = (address: Address): void => {
    if (address < large && Atomics.exchange(words, slotOf(address), 0) !== 1) throw new Error(`slot ${slotOf(address)} is free already`);
  };
  const usableSize = (address: Address): number => {
    if (address < large && Atomics.load(words, slotOf(address)) !== 1) throw new Error(`slot ${slotOf(address)} is free`);
    return address < large ? SLOT_SIZE : ALIGNMENT_MAX;
  };
  const allocator = {
    memory,
    alignment: 16,
    allocate: (size: number) => quietly(() => allocate(size)),
    deallocate: (address: Address) => quietly(() => deallocate(address)),
    usableSize: (address: Address) => quietly(() => usableSize(address)),
  };
  return allocator as unknown as Allocator;
}

/** A handle on the table. */
class Hand {
  readonly table: Table;
  readonly #allocator: Allocator;
  readonly #root: BufferMemory;

  constructor(
    buffer: SharedArrayBuffer,
    given: Given | undefined,
    { quietly = (call) => call(), isObserved = false }: { quietly?: Thread['quietly']; isObserved?: boolean } = {},
  ) {
    this.#root = given === undefined ? BufferMemory.wrap(buffer, { pageSize: PAGE_SIZE }) : BufferMemory.attach(buffer);
    const slots = given?.slots ?? this.#root.allocate(MEMORY_SIZE / 2, 64);
    if (given === undefined) this.#root.u8.fill(0, slots, slots + 256);
    const memory = isObserved ? observed(this.#root) : this.#root;
    const allocator = slotAllocator(this.#root, slots, quietly);
    const target: Target = {
      memory,
      tierNames: [],
      arena: undefined,
      tierIndex: () => 0,
      allocatorOf: () => allocator,
      allocate: (_tier, size) => allocator.allocate(size),
      deallocate: (handle) => allocator.deallocate(handle),
      usableSize: (handle) => allocator.usableSize(handle),
      tierOf: () => 0,
    };
    this.#allocator = allocator;
    this.table =
      given === undefined
        ? Table.create(target, allocator, { budget: BUDGET, expectedCount: 1, source: SOURCE_OWN })
        : quietly(() => Table.attach(target, () => allocator, given.table));
    this.slots = slots;
  }

  readonly slots: Address;

  /** A block that says whose it is. */
  block(mark: number): Address {
    const address = this.#allocator.allocate(ASSET_SIZE);
    if (address === NULL) throw new Error('the slots are used up');
    this.#root.u8.fill(mark, address, address + ASSET_SIZE);
    return address;
  }

  /** Enters an asset whose bytes are all the mark. */
  register(key: string, mark: number): boolean {
    const handle = this.block(mark);
    const isNew = this.table.register({ ...claimOf(key), handle, size: ASSET_SIZE });
    if (!isNew) this.#allocator.deallocate(handle);
    return isNew;
  }

  /** Loads an asset as a transfer does, up to publishing. Returns its record's index, or -1 when it does not fit into the budget. */
  load(key: string, mark: number): number {
    const index = this.table.member.now(() => this.table.take(claimOf(key)));
    if (this.table.reserve(index, ASSET_SIZE, () => undefined) !== true) {
      this.table.abandon(index);
      return -1;
    }
    this.table.setBlock(index, this.block(mark));
    return index;
  }

  publish(index: number): boolean {
    const { index: found } = this.table.member.now(() => this.table.publish(index));
    if (found !== index) this.table.abandon(index);
    return found === index;
  }

  replace(index: number): boolean {
    const isReplaced = this.table.member.now(() => this.table.replace(index)) !== undefined;
    if (!isReplaced) this.table.abandon(index);
    return isReplaced;
  }

  /** The mark that all bytes of an asset have; 0 when there is none. */
  mark(key: string): number {
    const found = this.table.records.lookUp(key);
    return found === undefined ? 0 : this.#root.u8[found.description.handle]!;
  }

  /** Looks at a pinned asset twice. Returns its mark, or 0 when it is not there. */
  markPinned(entry: Entry | undefined): number {
    if (entry === undefined || !this.table.pin(entry)) return 0;
    const description = this.table.records.describe(entry);
    if (description === undefined) throw new Error('an asset is gone that was pinned');
    const bytes = this.#root.u8.subarray(description.handle, description.handle + ASSET_SIZE);
    const mark = bytes[0]!;
    this.table.touch(entry);
    if (!this.table.records.isLive(entry) || !bytes.every((byte) => byte === mark)) throw new Error('an asset was written to that was pinned');
    this.table.unpin(entry);
    return mark;
  }

  evict(key: string): boolean {
    const entry = this.table.records.find(key);
    return entry !== undefined && this.table.evict(entry);
  }

  /** How many slots are taken. */
  get takenCount(): number {
    return new Int32Array(this.#root.buffer, this.slots, SLOT_COUNT).filter((word) => word === 1).length;
  }
}

function claimOf(key: string): Claim {
  return { key, type: 'binary', tier: 0, etag: undefined, lastModified: undefined, contentType: undefined };
}

/** What the threads find: a table with these assets, whose marks count up from 1. */
function setup(...keys: readonly string[]) {
  return ({ memory }: { readonly memory: SharedArrayBuffer }): Given => {
    const hand = new Hand(memory, undefined);
    keys.forEach((key, i) => hand.register(key, i + 1));
    const given = { slots: hand.slots, table: hand.table.address };
    hand.table.detach();
    return given;
  };
}

/** This thread's handle; its number is noted for whoever has to recover it. */
function attach({ memory, given, thread, quietly }: Thread, isObserved = false): Hand {
  const hand = new Hand(memory, given, { quietly, isObserved });
  quietly(() => Atomics.store(new Int32Array(memory), given.slots / 4 + SLOT_COUNT + 1 + thread, hand.table.member.id));
  return hand;
}

function numberOf({ memory, given }: Thread, thread: number): number {
  return Atomics.load(new Int32Array(memory), given.slots / 4 + SLOT_COUNT + 1 + thread);
}

/** Everything is in order, and but for what `lostMax` slots a dead thread lost, every slot is free or in the table. */
function checkAll(memory: SharedArrayBuffer, given: Given, lostMax = 0): Hand {
  const hand = new Hand(memory, given);
  const { table } = hand;
  for (const threadId of new Set(table.records.threads())) if (threadId !== 0 && threadId !== table.member.id) table.recover(threadId);
  table.checkInvariants();
  const { loadingCount, assetCount, assetBytes } = table.records.totals();
  expectEqual(loadingCount, 0, 'loads under way');
  if (assetBytes > BUDGET) throw new Error(`${assetBytes} bytes of assets`);
  const lost = hand.takenCount - 2 * assetCount;
  if (lost < 0 || lost > lostMax) throw new Error(`${lost} slots are lost`);
  for (const entry of table.records.entries()) if (!table.evict(entry)) throw new Error(`${JSON.stringify(table.records.describe(entry))} cannot be evicted`);
  expectEqual(hand.takenCount, lost, 'slots at the end');
  return hand;
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

function values(outcomes: readonly Outcome<number>[]): number[] {
  return outcomes.map((outcome) => (outcome.state === 'finished' ? outcome.value : -1));
}

/** Everything that a thread can do to a table. */
function work(hand: Hand): number {
  hand.evict('a');
  hand.register('c', 7);
  hand.markPinned(hand.table.records.find('b'));
  const index = hand.load('c', 8);
  if (index >= 0) hand.replace(index);
  const last = hand.load('a', 9);
  if (last >= 0) hand.publish(last);
  return 1;
}

serve({
  'two register one key': scenario({
    memory: MEMORY_SIZE,
    setup: setup('b'),
    threads: [0, 1].map((i) => (thread: Thread) => Number(attach(thread).register('a', i + 7))),
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(
        values(outcomes).reduce((sum, value) => sum + value, 0),
        1,
        'how many found it new',
      );
      checkAll(memory, given);
    },
  }),

  'two load one key': scenario({
    memory: MEMORY_SIZE,
    setup: setup('b'),
    threads: [0, 1].map((i) => (thread: Thread) => {
      const hand = attach(thread);
      return Number(hand.publish(hand.load('a', i + 7)));
    }),
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(
        values(outcomes).reduce((sum, value) => sum + value, 0),
        1,
        'how many were first',
      );
      checkAll(memory, given);
    },
  }),

  'two evict one asset': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    threads: [0, 1].map(() => (thread: Thread) => Number(attach(thread).evict('a'))),
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(
        values(outcomes).reduce((sum, value) => sum + value, 0),
        1,
        'how many evicted it',
      );
      checkAll(memory, given);
    },
  }),

  'two evict one asset, and another one takes its record': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        const isEvicted = hand.evict('a');
        hand.register('b', 2);
        return Number(isEvicted);
      },
      (thread: Thread) => {
        const hand = attach(thread);
        const entry = thread.quietly(() => hand.table.records.find('a'));
        return Number(entry !== undefined && hand.table.evict(entry));
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(
        values(outcomes).reduce((sum, value) => sum + value, 0),
        1,
        'how many evicted it',
      );
      expectEqual(new Hand(memory, given).mark('b'), 2, 'the mark of the other');
      checkAll(memory, given);
    },
  }),

  'one would evict what is another asset by now, and somebody loads that': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        return Number(hand.publish(hand.load('a', 2)));
      },
      (thread: Thread) => {
        const hand = attach(thread);
        const entry = thread.quietly(() => hand.table.records.find('a'))!;
        return Number(hand.table.evict({ ...entry, generation: entry.generation - 1 }));
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(values(outcomes).join(), '0,0', 'published, evicted');
      expectEqual(new Hand(memory, given).mark('a'), 1, 'the mark');
      checkAll(memory, given);
    },
  }),

  'one pins what another evicts': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    threads: [
      (thread: Thread) => Number(attach(thread).evict('a')),
      (thread: Thread) => {
        const hand = attach(thread);
        return hand.markPinned(hand.table.records.find('a'));
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      const [evicted, mark] = values(outcomes);
      checkAll(memory, given);
      if (evicted === 0 && mark !== 1) throw new Error(`nobody had it: ${evicted}, ${mark}`);
      return evicted === 0 ? 'pinned in time' : mark === 0 ? 'evicted in time' : 'one after the other';
    },
  }),

  'one pins what becomes another asset': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        hand.evict('a');
        return Number(hand.register('b', 2));
      },
      (thread: Thread) => {
        const hand = attach(thread);
        const entry = thread.quietly(() => hand.table.records.find('a'));
        const mark = hand.markPinned(entry);
        if (mark === 2) throw new Error('the pin is on another asset');
        return mark;
      },
    ],
    check({ memory, given }) {
      checkAll(memory, given);
    },
  }),

  'a look-up while the record becomes another asset': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        hand.evict('a');
        hand.register('b', 2);
        hand.evict('b');
        return Number(hand.register('a', 3));
      },
      (thread: Thread) => {
        const hand = attach(thread, true);
        const found = hand.table.records.lookUp('a');
        if (found !== undefined && found.description.key !== 'a') throw new Error(`"a" is ${found.description.key}`);
        return found === undefined ? 0 : 1;
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given);
      return values(outcomes)[1] === 1 ? 'found' : 'not found';
    },
  }),

  'a look-up of what is being replaced': scenario({
    memory: MEMORY_SIZE,
    // A record in front of it is free, and will be the new one's.
    setup: (context) => {
      const given = setup('a', 'b')(context);
      const hand = new Hand(context.memory, given);
      hand.evict('b');
      hand.table.detach();
      return given;
    },
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        return Number(hand.replace(hand.load('a', 7)));
      },
      (thread: Thread) => {
        const hand = attach(thread);
        const marks = [hand.table.records.find('a'), hand.table.records.find('a')];
        if (marks.includes(undefined)) throw new Error('it was not there for a moment');
        return 1;
      },
    ],
    check({ memory, given }) {
      expectEqual(new Hand(memory, given).mark('a'), 7, 'the mark');
      checkAll(memory, given);
    },
  }),

  'one replaces what another evicts': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    threads: [
      (thread: Thread) => {
        const hand = attach(thread);
        return Number(hand.replace(hand.load('a', 7)));
      },
      (thread: Thread) => Number(attach(thread).evict('a')),
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(values(outcomes)[0], 1, 'replaced');
      checkAll(memory, given);
    },
  }),

  'two replace one asset': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [0, 1].map((i) => (thread: Thread) => {
      const hand = attach(thread);
      return Number(hand.replace(hand.load('a', i + 7)));
    }),
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      expectEqual(values(outcomes).join(), '1,1', 'replaced');
      checkAll(memory, given);
    },
  }),

  'loads that need room, of which a budget has little': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    threads: [0, 1].map((i) => (thread: Thread) => {
      const hand = attach(thread);
      const index = hand.load(i === 0 ? 'c' : 'd', 7);
      return index < 0 ? 0 : Number(hand.publish(index));
    }),
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given);
      expectEqual(values(outcomes).join(), '1,1', 'loaded');
    },
  }),

  'two leave at once': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a'),
    threads: [0, 1].map(() => (thread: Thread) => {
      const hand = attach(thread);
      meet(thread, 2);
      hand.table.leave();
      return 1;
    }),
    check({ memory, given }) {
      // The last one takes everything along.
      expectEqual(
        new Int32Array(memory, given.slots, SLOT_COUNT).some((word) => word === 1),
        false,
        'slots taken',
      );
      expectEqual(new Int32Array(memory)[given.table / 4], 0, 'the header');
    },
  }),

  'everything at once': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    threads: [0, 1].map(() => (thread: Thread) => work(attach(thread))),
    check({ memory, given }) {
      checkAll(memory, given);
    },
  }),

  'one dies, and another one cleans up': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    mortal: [0],
    threads: [
      (thread: Thread) => work(attach(thread)),
      (thread: Thread) => {
        const hand = attach(thread);
        recoverIfDead(thread, hand);
        return work(hand);
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      // The block and the strings of the call that was cut short.
      checkAll(memory, given, 2);
      return outcomes[0]?.state;
    },
  }),

  'one dies, and two clean up': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    mortal: [0],
    threads: [
      (thread: Thread) => work(attach(thread)),
      ...[7, 8].map((mark) => (thread: Thread) => {
        const hand = attach(thread);
        recoverIfDead(thread, hand);
        // Whoever comes now may get the dead one's place.
        const late = new Hand(thread.memory, thread.given, { quietly: thread.quietly });
        const index = late.load('d', mark);
        return index < 0 ? 0 : Number(late.publish(index));
      }),
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given, 2);
      return outcomes[0]?.state;
    },
  }),

  'one dies, and so does who cleans up': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    mortal: [0, 1],
    threads: [
      (thread: Thread) => work(attach(thread)),
      (thread: Thread) => {
        recoverIfDead(thread, attach(thread));
        return 1;
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given, 4);
      return outcomes.map(({ state }) => state).join();
    },
  }),

  'one dies as it leaves': scenario({
    memory: MEMORY_SIZE,
    setup: (context) => {
      const given = setup('a', 'b')(context);
      // Somebody stays, so that whoever leaves is not the last.
      new Hand(context.memory, given);
      return given;
    },
    mortal: [0],
    threads: [
      (thread: Thread) => {
        attach(thread).table.leave();
        return 1;
      },
      (thread: Thread) => {
        if (thread.join(0) !== 'died') return 1;
        const hand = attach(thread);
        const dead = numberOf(thread, 0);
        const isAttached = (): boolean => hand.table.records.threads().includes(dead);
        const holdsLock = (): boolean => (Atomics.load(new Int32Array(thread.memory), thread.given.table / 4 + MUTEX) & OWNER_MAX) === dead;
        if (dead !== 0 && (isAttached() || holdsLock())) hand.table.recover(dead);
        return Number(hand.register('c', 7));
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given);
      return outcomes[0]?.state;
    },
  }),

  'one dies while another one works': scenario({
    memory: MEMORY_SIZE,
    setup: setup('a', 'b'),
    mortal: [0],
    threads: [
      (thread: Thread) => work(attach(thread, true)),
      (thread: Thread) => work(attach(thread)),
      (thread: Thread) => {
        recoverIfDead(thread, attach(thread));
        return 1;
      },
    ],
    check({ memory, given }, outcomes: readonly Outcome<number>[]) {
      checkAll(memory, given, 2);
      return outcomes[0]?.state;
    },
  }),
});

/** What a supervisor does when the first thread has ended. Another one may have done it. */
function recoverIfDead(thread: Thread, hand: Hand): void {
  if (thread.join(0) !== 'died') return;
  const dead = numberOf(thread, 0);
  try {
    if (dead !== 0) hand.table.recover(dead);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** Waits until so many threads are ready, this one included. */
function meet({ memory, given }: Thread, readyCount: number): void {
  const words = new Int32Array(memory);
  const at = given.slots / 4 + SLOT_COUNT + 8;
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
  for (let ready = Atomics.load(words, at); ready < readyCount; ready = Atomics.load(words, at)) Atomics.wait(words, at, ready);
}
