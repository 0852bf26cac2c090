/** Real threads at work: any number of them at once, on their own blocks and one another's. */

import { describe, expect, test } from 'vitest';
import type { TieredArenaOptions } from '../src/index.ts';
import { Crew, SEED } from './crew.ts';
import { PLACES } from './places.ts';

/** How many operations each worker does in the soak. */
const { ALLOKIT_OPERATIONS } = process.env;
/** How many they do together otherwise. */
const OPERATIONS = 60_000;

const CASES: readonly { readonly what: string; readonly count: number; readonly options: TieredArenaOptions }[] = [
  { what: 'three tiers', count: 2, options: { capacity: 2 ** 23 } },
  { what: 'three tiers', count: 4, options: { capacity: 2 ** 23 } },
  { what: 'three tiers', count: 8, options: { capacity: 2 ** 23 } },
  {
    what: 'tiers that grow',
    count: 4,
    options: {
      capacity: 2 ** 20,
      tiers: [
        { name: 'grows', share: 0.4, alignment: 128, growth: 2 ** 18, limit: 2 ** 21 },
        { name: 'stays', share: 0.3, alignment: 64 },
        { name: 'grows too', share: 0.3, alignment: 8, growth: 2 ** 16, limit: 2 ** 20 },
      ],
    },
  },
  { what: 'handles that are checked', count: 4, options: { capacity: 2 ** 23, checked: true } },
];

describe.each(PLACES)('$name', (place) => {
  test.each(CASES)(`$count workers in $what (seed ${SEED})`, async ({ count, options }) => {
    const crew = new Crew(place, options);
    const { arena } = crew;
    const operations = ALLOKIT_OPERATIONS === undefined ? OPERATIONS / count : Number(ALLOKIT_OPERATIONS);
    const start = performance.now();
    const done = await Promise.all(Array.from({ length: count }, () => crew.start({ operations, crewSize: count }).done));
    const seconds = (performance.now() - start) / 1000;
    crew.free(crew.mail());
    const sum = (key: 'operationCount' | 'handedOver' | 'refused'): number => done.reduce((total, worker) => total + worker[key], 0);
    expect(sum('operationCount')).toBe(count * operations);
    expect(sum('handedOver')).toBeGreaterThan(100);
    expect(arena.threadIds).toEqual([arena.threadId]);
    arena.checkInvariants();
    expect(crew.liveBytes()).toBe(0);
    // No block is lost: all there is can be had.
    const reach = crew.reach();
    expect(reach).toBe(crew.capacity());
    arena.checkInvariants();
    if (ALLOKIT_OPERATIONS !== undefined) {
      const [handedOver, refused] = [sum('handedOver'), sum('refused')];
      console.log(`${count * operations} operations in ${seconds.toFixed(1)} s, ${handedOver} blocks handed over, ${refused} requests refused`);
    }
    crew.release();
  });
});
