/** Small structures of the kinds that the allocators use, each with a classic bug and without it. */

import { observed, scenario, serve, type Outcome, type Scenario, type ThreadContext } from '../../src/interleaving/index.ts';

type Shared = ThreadContext<SharedArrayBuffer>;

const wordsOf = ({ memory }: { readonly memory: SharedArrayBuffer }): Int32Array => new Int32Array(memory);

/** What threads returned, all of which must have done so. */
function values<R>(outcomes: readonly Outcome<R>[]): R[] {
  return outcomes.map((outcome) => {
    if (outcome.state !== 'finished') throw new Error(`a thread has ${outcome.state}`);
    return outcome.value;
  });
}

function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

// A Treiber stack of nodes 1..3: word 0 is the head, word i the node below node i.
const HEAD = 0;
const NODES = 3;
/** The head's low byte is the node, the rest a tag that each pop counts up, or does not. */
const TAG = 0x100;

function pop(words: Int32Array, tagStep: number): number {
  for (;;) {
    const head = Atomics.load(words, HEAD);
    const node = head & 255;
    if (node === 0) return 0;
    const below = Atomics.load(words, node);
    if (Atomics.compareExchange(words, HEAD, head, (head & ~255) + tagStep + below) === head) return node;
  }
}

function push(words: Int32Array, node: number): void {
  for (;;) {
    const head = Atomics.load(words, HEAD);
    Atomics.store(words, node, head & 255);
    if (Atomics.compareExchange(words, HEAD, head, (head & ~255) + node) === head) return;
  }
}

function stack(tagStep: number): Scenario {
  return scenario({
    memory: 64,
    setup: (context) => wordsOf(context).set([1, 2, 3, 0]),
    threads: [
      (context: Shared) => [pop(wordsOf(context), tagStep)],
      (context: Shared) => {
        const words = wordsOf(context);
        const top = pop(words, tagStep);
        const second = pop(words, tagStep);
        if (top !== 0) push(words, top);
        return [second];
      },
    ],
    check: (context, outcomes) => {
      const words = wordsOf(context);
      const found = values(outcomes).flat().filter((node) => node !== 0);
      for (let node = words[HEAD]! & 255; node !== 0 && found.length <= NODES; node = words[node]!) found.push(node);
      expect(found.toSorted().join() === '1,2,3', `nodes 1, 2, 3 have become ${found.join(', ')}`);
    },
  });
}

// An owner that goes away while others free into its bits: whoever comes last must take them.
const BITS = 0;
const OWNER = 1;
const TAKEN = 2;

/** Takes the bits if nobody owns them. */
function adopt(words: Int32Array): void {
  while (Atomics.load(words, BITS) !== 0 && Atomics.compareExchange(words, OWNER, 0, 1) === 0) {
    Atomics.or(words, TAKEN, Atomics.exchange(words, BITS, 0));
    Atomics.store(words, OWNER, 0);
  }
}

function abandoning(looksAgain: boolean): Scenario {
  return scenario({
    memory: 64,
    setup: (context) => wordsOf(context).set([0, 1]),
    threads: [
      (context: Shared) => {
        const words = wordsOf(context);
        Atomics.or(words, TAKEN, Atomics.exchange(words, BITS, 0));
        Atomics.store(words, OWNER, 0);
        if (looksAgain) adopt(words);
      },
      (context: Shared) => {
        const words = wordsOf(context);
        Atomics.or(words, BITS, 4);
        if (Atomics.load(words, OWNER) === 0) adopt(words);
      },
    ],
    check: (context) => expect(wordsOf(context)[TAKEN] === 4, 'the bit was left to nobody'),
  });
}

/** Two threads that set a bit each. */
function freeing(set: (words: Int32Array, bit: number) => void, isObserved = false): Scenario {
  const thread = (bit: number) => (context: Shared) => set(isObserved ? observed(wordsOf(context)) : wordsOf(context), bit);
  return scenario({
    memory: 64,
    threads: [thread(1), thread(2)],
    check: (context) => expect(wordsOf(context)[0] === 3, `bits 1 and 2 have become ${wordsOf(context)[0]!}`),
  });
}

function setPlainly(words: Int32Array, bit: number): void {
  words[0]! |= bit;
}

// A mutex that puts waiters to sleep: 0 free, else who holds it, counted from 1; word 1 says that somebody sleeps.
const LOCK = 0;
const SLEEPERS = 1;
const INSIDE = 2;
const ENTRIES = 3;

function unlock(words: Int32Array): void {
  Atomics.store(words, LOCK, 0);
  Atomics.notify(words, LOCK, 1);
}

function lockAndWork(context: Shared): void {
  const words = wordsOf(context);
  for (;;) {
    const holder = Atomics.compareExchange(words, LOCK, 0, context.thread + 1);
    if (holder === 0) break;
    Atomics.add(words, SLEEPERS, 1);
    Atomics.wait(words, LOCK, holder);
    Atomics.sub(words, SLEEPERS, 1);
  }
  expect(words[INSIDE] === 0, 'two threads hold the lock');
  words[INSIDE] = 1;
  Atomics.add(words, ENTRIES, 1);
  words[INSIDE] = 0;
  unlock(words);
}

/** Frees the lock of a thread that has died; the next one finds what it protects as the dead one left it. */
function supervise(context: Shared): void {
  for (const alive = new Set([0, 1]); alive.size > 0; ) {
    const thread = context.joinAny([...alive]);
    alive.delete(thread);
    if (context.join(thread) !== 'died') continue;
    const words = wordsOf(context);
    context.quietly(() => (words[LOCK] === thread + 1 ? (words[INSIDE] = 0) : 0));
    if (Atomics.compareExchange(words, LOCK, thread + 1, 0) === thread + 1) Atomics.notify(words, LOCK);
    // The dead one may have freed the lock and not come to waking anybody.
    else Atomics.notify(words, LOCK, 1);
  }
}

function locking(...more: ((context: Shared) => void)[]): Scenario {
  return scenario({
    memory: 64,
    threads: [lockAndWork, lockAndWork, ...more],
    mortal: [0, 1],
    check: (context, outcomes) => {
      const entries = wordsOf(context)[ENTRIES]!;
      const dead = outcomes.filter(({ state }) => state === 'died').length;
      expect(entries === 2 || (dead > 0 && entries >= 2 - dead), `${entries} entries with ${dead} dead`);
      return `${dead} dead, ${entries} entries`;
    },
  });
}

/** One thread sleeps until the other has something for it: on the word that it looked at, or on another one. */
function waking(sleepAt: number): Scenario {
  return scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        const words = wordsOf(context);
        while (Atomics.load(words, 0) === 0) Atomics.wait(words, sleepAt, 0);
      },
      (context: Shared) => {
        const words = wordsOf(context);
        Atomics.store(words, 0, 1);
        Atomics.notify(words, sleepAt);
      },
    ],
  });
}

serve({
  'a stack without tags': stack(0),
  'a stack with tags': stack(TAG),
  'an owner that leaves without looking again': abandoning(false),
  'an owner that looks again': abandoning(true),
  'a free by load and store': freeing((words, bit) => Atomics.store(words, 0, Atomics.load(words, 0) | bit)),
  'a free by or': freeing((words, bit) => Atomics.or(words, 0, bit)),
  'a plain free': freeing(setPlainly),
  'a plain free, observed': freeing(setPlainly, true),
  'a lock': locking(),
  'a lock with a supervisor': locking(supervise),
  'a wake-up that can be lost': waking(1),
  'a wake-up that cannot be lost': waking(0),
});
