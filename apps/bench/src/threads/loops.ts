/**
 * The measured loops. A worker makes one of them, for one heap: the heap is a constant in it, as in a program that has one allocator. Blocks are not touched,
 * neither here nor in C, because a block that another core wrote is fetched from there, which is nothing that an allocator does.
 *
 * The addresses vary: where the last block freed would be the next one allocated, every 64th block lives on for a while.
 */

import { FEW_LIVE, type Hands } from './grounds.ts';
import { BATCH_SIZE, LAG, type Mailbox } from './mailbox.ts';
import { BLOCK_SIZE, type Sharing, type Task } from './subjects.ts';

/** One thread's work. */
export interface ThreadLoop {
  /** Does `count` operations; all threads do as many. */
  run(count: number): void;
  /** Frees what is live. No other thread is at work. */
  finish(): void;
  /** Requests refused so far. */
  refusedCount(): number;
  /** The sum of all addresses so far. */
  checksum(): number;
}

/** What a loop is made from. */
export interface LoopOptions {
  readonly sharing: Sharing;
  readonly thread: number;
  readonly mail: Int32Array;
  readonly mailbox: Mailbox;
}

/** Operations in a step: many short calls are what the engine optimises best. */
const STEP = 4096;
/** Of so many blocks one lives on, until so many others did. */
const KEEP_EVERY = 64;
const KEPT_COUNT = 64;
/** Random numbers in turn: a power of two. */
const NUMBER_COUNT = 2 ** 16;
const CHURN_LIVE = 1024;
/** Bytes of a block that varies. */
const MIX = { min: 16, spread: 1024 };

/** A loop. `spin` allocates nothing and needs no hands. */
export function makeLoop(task: Task, hands: Hands | undefined, options: LoopOptions): ThreadLoop {
  if (task === 'spin' || hands === undefined) return spinLoop();
  switch (task) {
    case 'pair':
      return pairLoop(hands, new Int32Array(NUMBER_COUNT).fill(BLOCK_SIZE));
    case 'mix':
      return pairLoop(hands, numbersOf(options.thread, MIX.spread).map((number) => MIX.min + number));
    case 'churn':
      return churnLoop(hands, options, CHURN_LIVE);
    case 'few-slabs':
      return churnLoop(hands, options, FEW_LIVE);
    case 'hand-over':
      return handOverLoop(hands, options);
  }
}

/** The numbers of a thread, the same as in `native/threads.c`. */
function numbersOf(thread: number, below: number): Int32Array {
  let state = thread + 1;
  return Int32Array.from({ length: NUMBER_COUNT }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  });
}

/** Steps of a loop, one after the other: `from` goes on and on. */
function stepper(step: (from: number, to: number) => void): (count: number) => void {
  let from = 0;
  return (count) => {
    for (const end = from + count; from < end; ) {
      const to = Math.min(from + STEP, end);
      step(from, to);
      from = to;
    }
  };
}

function spinLoop(): ThreadLoop {
  let state = 1;
  const run = stepper((from, to) => {
    let x = state;
    for (let i = from; i < to; i += 1) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
    }
    state = x;
  });
  return { run, finish: () => undefined, refusedCount: () => 0, checksum: () => state };
}

function pairLoop({ heap }: Hands, sizes: Int32Array): ThreadLoop {
  const kept = new Uint32Array(KEPT_COUNT);
  let checksum = 0;
  let refused = 0;
  const run = stepper((from, to) => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      let address = heap.allocate(sizes[i & (NUMBER_COUNT - 1)]!);
      if (address === 0) refused += 1;
      sum += address;
      if (i % KEEP_EVERY === 0) {
        const place = (i / KEEP_EVERY) & (KEPT_COUNT - 1);
        const old = kept[place]!;
        kept[place] = address;
        address = old;
      }
      heap.deallocate(address);
    }
    checksum += sum;
  });
  return { run, finish: () => freeAll(heap, kept), refusedCount: () => refused, checksum: () => checksum };
}

function churnLoop({ heap }: Hands, { thread }: LoopOptions, liveCount: number): ThreadLoop {
  const places = numbersOf(thread, liveCount);
  const live = new Uint32Array(liveCount);
  let checksum = 0;
  let refused = 0;
  const run = stepper((from, to) => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const place = places[i & (NUMBER_COUNT - 1)]!;
      heap.deallocate(live[place]!);
      const address = heap.allocate(BLOCK_SIZE);
      live[place] = address;
      if (address === 0) refused += 1;
      sum += address;
    }
    checksum += sum;
  });
  return { run, finish: () => freeAll(heap, live), refusedCount: () => refused, checksum: () => checksum };
}

/**
 * Batches written into one's own ring, and read from the other's. Both ways read as many addresses of each: what differs is whose are freed. Two loops, so that
 * neither carries the other's calls.
 */
function handOverLoop({ heap, other }: Hands, { sharing, mail, mailbox }: LoopOptions): ThreadLoop {
  let checksum = 0;
  let refused = 0;

  function fill(at: number): void {
    for (let i = at; i < at + BATCH_SIZE; i += 1) {
      const address = heap.allocate(BLOCK_SIZE);
      if (address === 0) refused += 1;
      mail[i] = address;
    }
  }

  function freeOwn(own: number, theirs: number): void {
    let sum = 0;
    for (let i = 0; i < BATCH_SIZE; i += 1) {
      sum += mail[theirs + i]!;
      heap.deallocate(mail[own + i]!);
    }
    checksum += sum;
  }

  function freeTheirs(own: number, theirs: number): void {
    let sum = 0;
    for (let i = 0; i < BATCH_SIZE; i += 1) {
      sum += mail[own + i]!;
      other.deallocate(mail[theirs + i]!);
    }
    checksum += sum;
  }

  const free = sharing === 'apart' ? freeOwn : freeTheirs;
  const run = (count: number): void => {
    const batches = count / BATCH_SIZE;
    for (let batch = 0; batch < batches + LAG; batch += 1) {
      if (batch < batches) {
        fill(mailbox.room(batch));
        mailbox.post(batch);
      }
      if (batch < LAG) continue;
      free(mailbox.own(batch - LAG), mailbox.receive(batch - LAG));
      mailbox.take(batch - LAG);
    }
  };
  return { run, finish: () => undefined, refusedCount: () => refused, checksum: () => checksum };
}

function freeAll(heap: Hands['heap'], addresses: Uint32Array): void {
  for (const address of addresses) heap.deallocate(address);
  addresses.fill(0);
}
