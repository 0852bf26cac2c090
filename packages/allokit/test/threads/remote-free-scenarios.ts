/** What `RemoteFree` is put through in every order: an owner that collects, and threads that free, on a small heap. */

import { NULL, RemoteFree, type Address, type Remote } from '@allokit/allocator';
import { scenario, type Scenario } from '@allokit/allocator/interleaving';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';
import {
  BLOCK_BYTES,
  MEMORY_SIZE,
  checkContent,
  codeOf,
  expectEqual,
  expectFinished,
  lensOn,
  makeHeap,
  type Given,
  type Place,
  type Thread,
} from './small-heap.ts';
import { stepsOf } from './steps.ts';

/** Large enough for marks on three levels. */
const RANGE_END = 2 ** 18 + 1024;
const LEVEL_COUNT = 3;
/** What a free takes at the most: a look at the state, the mark, a look and a bit on each level above, a look and a word to say that there is something. */
const STEPS_MAX = 1 + 1 + 2 * (LEVEL_COUNT - 1) + 2;

function setup({ memory }: { readonly memory: SharedArrayBuffer }): Given {
  return makeHeap(memory, (heap) => RemoteFree.create(heap, { end: RANGE_END }).address);
}

/** The owner's handle. */
function ownerOf({ memory: buffer, given, quietly }: Thread, { isObserved = false } = {}): RemoteFree<O1Heap> {
  return quietly(() => {
    const lens = lensOn(BufferMemory.attach(buffer));
    const heap = O1Heap.attach(lens.memory, given.heap, { repair: true });
    const owner = RemoteFree.attach(heap, given.state, { collectLimit: 2 });
    if (isObserved) {
      lens.observe();
      // Takes the new view.
      heap.usableSize(NULL);
    }
    return owner;
  });
}

function remoteOf({ memory, given, quietly }: Thread): Remote {
  return quietly(() => RemoteFree.remote({ i32: new Int32Array(memory) }, given.state));
}

/** @throws Error when it takes more steps than it may, whatever the others do. */
function freeInBoundedSteps(remote: Remote, block: Address): void {
  const steps = stepsOf(() => remote.deallocate(block));
  if (steps > STEPS_MAX) throw new Error(`a free took ${steps} steps`);
}

/** Frees some blocks from another thread. */
function freeRemotely(thread: Thread, blocks: readonly number[]): void {
  const remote = remoteOf(thread);
  for (const i of blocks) freeInBoundedSteps(remote, thread.given.blocks[i]!);
}

/** Another owner, after everything: finds what is left, and frees it. */
function ownerAfterwards({ memory: buffer, given }: Place): RemoteFree<O1Heap> {
  const memory = BufferMemory.attach(buffer);
  const owner = RemoteFree.attach(O1Heap.attach(memory, given.heap, { repair: true }), given.state);
  owner.collect();
  owner.checkInvariants();
  const marks = new Int32Array(buffer, given.state + 64, Math.ceil(RANGE_END / 16 / 32));
  if (!marks.every((word) => word === 0)) throw new Error('there are marks that nobody finds');
  return owner;
}

/** All but so many blocks are live, none was freed twice, and those that nobody freed are untouched. */
function checkFreed(place: Place, freedCount: number, untouched: readonly number[], otherBytes = 0): void {
  const { liveBytes, refusedCount } = ownerAfterwards(place).stats();
  expectEqual(liveBytes, place.given.liveBytes - freedCount * BLOCK_BYTES + otherBytes, 'live bytes');
  expectEqual(refusedCount, 0, 'refused frees');
  checkContent(place, untouched);
}

/** The scenarios by name. */
export const REMOTE_FREE_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'two remotes and their owner': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const owner = ownerOf(thread);
        owner.collect();
        const block = owner.allocate(30);
        thread.join(1);
        thread.join(2);
        // Without looking for what nobody points to.
        owner.collect();
        const { liveBytes, refusedCount } = owner.stats();
        return [block, liveBytes, refusedCount];
      },
      (thread: Thread) => {
        freeRemotely(thread, [0, 1]);
        return [];
      },
      (thread: Thread) => {
        freeRemotely(thread, [2, 3]);
        return [];
      },
    ],
    check(place, [owner]) {
      const [, liveBytes, refusedCount] = owner?.state === 'finished' ? owner.value : [];
      expectEqual(liveBytes, place.given.liveBytes - 4 * BLOCK_BYTES + 64, 'live bytes');
      expectEqual(refusedCount, 0, 'refused frees');
      checkContent(place, [4, 5]);
    },
  }),

  'a remote and its owner': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const owner = ownerOf(thread);
        owner.collect(1);
        owner.collect();
        thread.join(1);
        // Two blocks are collected by each, if there is said to be something.
        owner.allocate(30);
        owner.allocate(30);
        return owner.stats().liveBytes;
      },
      (thread: Thread) => {
        freeRemotely(thread, [0, 1, 2]);
        return 0;
      },
    ],
    check(place, [owner]) {
      expectEqual(owner?.state === 'finished' && owner.value, place.given.liveBytes - 3 * BLOCK_BYTES + 128, 'live bytes');
      checkFreed(place, 3, [3, 4, 5], 128);
    },
  }),

  'a block comes and goes': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      // What the remote has freed is handed out again, at the same place, and freed again: by the same remote, who is told of it through a word.
      (thread: Thread) => {
        const owner = ownerOf(thread);
        const words = thread.quietly(() => BufferMemory.attach(thread.memory)).i32;
        const word = thread.given.counter / 4;
        const taken: Address[] = [];
        for (let turn = 0; turn < 2; turn += 1) {
          owner.collect();
          const block = owner.allocate(140);
          taken.push(block);
          Atomics.store(words, word, block);
          Atomics.notify(words, word);
          while (Atomics.load(words, word) === block) Atomics.wait(words, word, block);
        }
        owner.collect();
        return [owner.stats().liveBytes, owner.stats().refusedCount, ...taken];
      },
      (thread: Thread) => {
        const remote = remoteOf(thread);
        const words = thread.quietly(() => BufferMemory.attach(thread.memory)).i32;
        const word = thread.given.counter / 4;
        freeInBoundedSteps(remote, thread.given.blocks[0]!);
        for (let turn = 0; turn < 2; turn += 1) {
          let block = NULL;
          for (; (block = Atomics.load(words, word)) === 0; ) Atomics.wait(words, word, 0);
          freeInBoundedSteps(remote, block);
          Atomics.store(words, word, 0);
          Atomics.notify(words, word);
        }
        return [];
      },
    ],
    check(place, [owner]) {
      const [liveBytes, refusedCount, ...taken] = owner?.state === 'finished' ? owner.value : [];
      expectEqual(liveBytes, place.given.liveBytes - BLOCK_BYTES, 'live bytes');
      expectEqual(refusedCount, 0, 'refused frees');
      checkFreed(place, 1, [1, 2, 3, 4, 5]);
      const againCount = taken.filter((block) => block === place.given.blocks[0]).length;
      return `${againCount} times the same`;
    },
  }),

  'two remotes free the same block': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        ownerOf(thread).collect();
        return '';
      },
      (thread: Thread) => codeOf(() => remoteOf(thread).deallocate(thread.given.blocks[0]!)),
      (thread: Thread) => codeOf(() => remoteOf(thread).deallocate(thread.given.blocks[0]!)),
    ],
    check(place, [, ...remotes]) {
      const told = remotes.filter((outcome) => outcome.state === 'finished' && outcome.value === 'double-free').length;
      const { liveBytes, refusedCount } = ownerAfterwards(place).stats();
      expectEqual(liveBytes, place.given.liveBytes - BLOCK_BYTES, 'live bytes');
      expectEqual(told + refusedCount, 1, 'second frees that were told');
      return told === 1 ? 'told at once' : 'refused later';
    },
  }),

  'the owner frees the same block': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const owner = ownerOf(thread, { isObserved: true });
        const code = codeOf(() => owner.deallocate(thread.given.blocks[0]!));
        owner.collect();
        return code;
      },
      (thread: Thread) => codeOf(() => remoteOf(thread).deallocate(thread.given.blocks[0]!)),
    ],
    check(place, outcomes) {
      const told = outcomes.filter((outcome) => outcome.state === 'finished' && outcome.value === 'double-free').length;
      const { liveBytes, refusedCount } = ownerAfterwards(place).stats();
      expectEqual(liveBytes, place.given.liveBytes - BLOCK_BYTES, 'live bytes');
      expectEqual(told + refusedCount, 1, 'second frees that were told');
      return told === 1 ? 'told at once' : 'refused later';
    },
  }),

  'a remote dies': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [1],
    threads: [
      (thread: Thread) => {
        const owner = ownerOf(thread);
        owner.collect();
        thread.join(1);
        thread.join(2);
        owner.collect();
        return owner.stats().liveBytes;
      },
      (thread: Thread) => {
        freeRemotely(thread, [0, 1]);
        return 0;
      },
      (thread: Thread) => {
        freeRemotely(thread, [2, 3]);
        return 0;
      },
    ],
    check(place, outcomes) {
      expectFinished(outcomes, [0, 2]);
      const least = place.given.liveBytes - 4 * BLOCK_BYTES;
      const live = outcomes[0]?.state === 'finished' ? outcomes[0].value : 0;
      // The one that it was freeing, and one that it had not come to.
      if (live < least || live > least + 2 * BLOCK_BYTES) throw new Error(`${live} bytes are live, ${least} would be without the death`);
      const { liveBytes, refusedCount } = ownerAfterwards(place).stats();
      if (liveBytes > live) throw new Error(`${liveBytes} bytes are live, after ${live}`);
      expectEqual(refusedCount, 0, 'refused frees');
      checkContent(place, [4, 5]);
      return liveBytes < live ? 'found by the next owner' : outcomes[1]?.state;
    },
  }),

  'the owner dies at a store': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0],
    threads: [
      (thread: Thread) => {
        ownerOf(thread, { isObserved: true }).collect();
      },
      (thread: Thread) => freeRemotely(thread, [0, 1]),
    ],
    check(place, outcomes) {
      checkFreed(place, 2, [2, 3, 4, 5]);
      return outcomes[0]?.state;
    },
  }),

  'another owner takes over while a remote frees': scenario({
    memory: MEMORY_SIZE,
    setup,
    mortal: [0, 1],
    threads: [
      (thread: Thread) => {
        ownerOf(thread, { isObserved: true }).collect();
      },
      (thread: Thread) => freeRemotely(thread, [0, 1]),
      (thread: Thread) => {
        thread.join(0);
        const memory = thread.quietly(() => BufferMemory.attach(thread.memory));
        const heap = thread.quietly(() => O1Heap.attach(memory, thread.given.heap, { repair: true }));
        const owner = RemoteFree.attach(heap, thread.given.state);
        owner.collect();
      },
    ],
    check(place, outcomes) {
      expectFinished(outcomes, [2]);
      const [owner, remote] = outcomes;
      if (remote?.state === 'finished') {
        checkFreed(place, 2, [2, 3, 4, 5]);
        return `the owner ${owner?.state}`;
      }
      const { liveBytes, refusedCount } = ownerAfterwards(place).stats();
      const freed = (place.given.liveBytes - liveBytes) / BLOCK_BYTES;
      if (![0, 1, 2].includes(freed)) throw new Error(`${freed} blocks were freed`);
      expectEqual(refusedCount, 0, 'refused frees');
      checkContent(place, [2, 3, 4, 5]);
      return `the remote died, the owner ${owner?.state}`;
    },
  }),

  'the release of an owner': scenario({
    memory: MEMORY_SIZE,
    setup,
    threads: [
      (thread: Thread) => {
        const owner = ownerOf(thread);
        owner.collect();
        owner.release();
        return '';
      },
      (thread: Thread) => codeOf(() => freeRemotely(thread, [0, 1])),
    ],
    check(_place, [, remote]) {
      const code = remote?.state === 'finished' ? remote.value : undefined;
      if (code !== '' && code !== 'released') throw new Error(`the remote was told ${String(code)}`);
      return code === '' ? 'before' : 'after';
    },
  }),
};
