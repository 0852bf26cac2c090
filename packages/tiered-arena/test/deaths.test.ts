/**
 * Threads that are terminated at random moments, while others go on: how much is out of reach then, and that a reclaim gives it back.
 *
 * Everybody keeps a journal of their blocks. When the others rest, each byte of the arena is in a block that a journal tells of, or can be
 * allocated, or is out of reach.
 */

import { AllocatorError, NULL, type Address } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TieredArena, type TieredArenaOptions } from '../src/index.ts';
import { SIZE_MAX } from './arena-worker.ts';
import { verifyOther } from './content.ts';
import { Crew, SEED, type Hand } from './crew.ts';
import { PLACES } from './places.ts';

/** How many die in all tests; the soak sets more. */
const DEATHS_IN_ALL = Number(process.env['ALLOKIT_DEATHS'] ?? 48);
/** How many live and die at the same time. */
const AT_ONCE = 4;
const SURVIVORS = 2;
const LIFE_MS_MAX = 15;
const PAGE = 4096;
/** A group of the largest slots: what a thread may have been freeing into. */
const GROUP_SIZE = 32 * 2048;

const CASES: readonly { readonly what: string; readonly options: TieredArenaOptions }[] = [
  { what: 'three tiers', options: { capacity: 2 ** 22 } },
  { what: 'handles that are checked', options: { capacity: 2 ** 22, checked: true } },
];

const DEATHS = Math.ceil(DEATHS_IN_ALL / (CASES.length * PLACES.length));

function sumOf(crew: Crew, addresses: Iterable<Address>): number {
  let bytes = 0;
  for (const address of addresses) bytes += crew.tierOf(address).usableSize(address);
  return bytes;
}

function isLive(crew: Crew, address: Address): boolean {
  try {
    return crew.tierOf(address).usableSize(address) > 0;
  } catch (error) {
    if (error instanceof AllocatorError) return false;
    throw error;
  }
}

/** What the threads say they have, and what lies in the mailboxes: each block once, and whole. */
function known(crew: Crew, hands: readonly Hand[]): Set<Address> {
  const addresses = [...hands.flatMap(({ journal }) => journal.kept()), ...crew.mail()];
  const set = new Set(addresses);
  expect(set.size).toBe(addresses.length);
  crew.arena.memory.refresh();
  for (const address of addresses) verifyOther(crew.arena.memory.i32, address);
  return set;
}

/** Some live for a moment, and are terminated. */
async function mortals(crew: Crew, random: Random, count: number): Promise<{ readonly hands: Hand[]; readonly threadIds: number[] }> {
  const hands = Array.from({ length: count }, () => crew.start({ isMortal: true }));
  const threadIds = await Promise.all(hands.map(({ threadId }) => threadId));
  await Promise.all(
    hands.map(async ({ worker, done }) => {
      await delay(random.below(LIFE_MS_MAX));
      await worker.terminate();
      // Throws if it had ended by itself, because of something that was wrong.
      await done;
    }),
  );
  return { hands, threadIds };
}

/** Frees what dead threads had, by their journals and by what a reclaim said; whatever else is live then nobody knows of. */
function bury(crew: Crew, dead: readonly Hand[], last: readonly Address[], living: ReadonlySet<Address>): void {
  crew.free(dead.flatMap(({ journal }) => journal.kept()));
  const doubtful = new Set([...dead.flatMap(({ journal }) => journal.doubtful()), ...last]);
  crew.free([...doubtful].filter((address) => address !== NULL && !living.has(address) && isLive(crew, address)));
}

describe.each(PLACES)('$name', (place) => {
  test.each(CASES)(`$what: no more than the bound is out of reach, and a reclaim gives it back (seed ${SEED})`, async ({ options }) => {
    const crew = new Crew(place, options);
    const { arena } = crew;
    const random = Random.fromSeed(SEED);
    const capacity = crew.capacity();
    // What it holds ready, the block that it was allocating or freeing, and the group that it was freeing into.
    const outOfReachMax = arena.heldBytesMax + Math.ceil(SIZE_MAX / PAGE) * PAGE + GROUP_SIZE;
    let outOfReachPeak = 0;
    const survivors = Array.from({ length: SURVIVORS }, () => crew.start({}));
    const ended = Promise.all(survivors.map(({ done }) => done));
    // What a survivor throws comes up when it should rest.
    ended.catch(() => undefined);
    await Promise.all(survivors.map(({ threadId }) => threadId));
    for (let deaths = 0; deaths < DEATHS; deaths += AT_ONCE) {
      const { hands, threadIds } = await mortals(crew, random, Math.min(AT_ONCE, DEATHS - deaths));

      await crew.rest(SURVIVORS);
      const outOfReach = capacity - sumOf(crew, known(crew, [...survivors, ...hands])) - crew.reach();
      expect(outOfReach).toBeLessThanOrEqual(hands.length * outOfReachMax);
      outOfReachPeak = Math.max(outOfReachPeak, outOfReach / hands.length);
      await crew.resume();

      const last = threadIds.map((threadId) => arena.reclaim(threadId).lastAllocated % 2 ** 32);

      await crew.rest(SURVIVORS);
      expect(arena.threadIds).toEqual([arena.threadId]);
      arena.checkInvariants();
      known(crew, [...survivors, ...hands]);
      const living = known(crew, survivors);
      bury(crew, hands, last, living);
      expect(crew.liveBytes()).toBe(sumOf(crew, living));
      expect(crew.reach()).toBe(capacity - crew.liveBytes());
      arena.checkInvariants();
      await crew.resume();
    }
    crew.finish();
    const work = (await ended).reduce((sum, { operationCount }) => sum + operationCount, 0);
    expect(work).toBeGreaterThan(1000);
    crew.free(crew.mail());
    expect(crew.liveBytes()).toBe(0);
    arena.checkInvariants();
    if (process.env['ALLOKIT_DEATHS'] !== undefined) {
      console.log(`${DEATHS} deaths beside ${work} operations; out of reach at most ${Math.ceil(outOfReachPeak)} bytes a thread of ${outOfReachMax}`);
    }
    crew.release();
  });

  test('a thread that allocated nothing allocated nothing last, whoever had its place before', () => {
    const { memory } = place.create(2 ** 22);
    const arena = TieredArena.create(memory, { capacity: 2 ** 20 });
    const before = TieredArena.attach(memory, arena.address);
    const block = before.allocate('top', 100);
    before.detach();
    const { threadId } = TieredArena.attach(memory, arena.address);
    expect(arena.reclaim(threadId).lastAllocated).toBe(0);
    arena.deallocate(block);
    memory.release();
  });
});
