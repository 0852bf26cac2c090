/**
 * The table in every order of its atomic operations, up to a number of preemptions, and in random orders beyond; with threads that die. `ALLOKIT_SCHEDULE`
 * replays one.
 */

import { explore, type ExploreOptions } from '@allokit/allocator/interleaving';
import { expect, test } from 'vitest';

const url = new URL('schedules-worker.ts', import.meta.url);

interface Case extends Omit<ExploreOptions, 'url'> {
  /** What must have happened in some order. */
  readonly seen?: readonly string[];
}

const CASES: readonly Case[] = [
  { scenario: 'two register one key', preemptions: 2, random: 300 },
  { scenario: 'two load one key', preemptions: 1, random: 300 },
  { scenario: 'two evict one asset', preemptions: 2, random: 300 },
  { scenario: 'two evict one asset, and another one takes its record', preemptions: 2, random: 300 },
  { scenario: 'one would evict what is another asset by now, and somebody loads that', preemptions: 2, random: 300, spinsMax: 2000 },
  { scenario: 'one pins what another evicts', preemptions: 2, random: 300, seen: ['pinned in time', 'evicted in time', 'one after the other'] },
  { scenario: 'one pins what becomes another asset', preemptions: 2, random: 300 },
  { scenario: 'a look-up while the record becomes another asset', preemptions: 1, random: 1000, seen: ['found', 'not found'] },
  { scenario: 'a look-up of what is being replaced', preemptions: 2, random: 300 },
  { scenario: 'one replaces what another evicts', preemptions: 2, random: 300 },
  { scenario: 'two replace one asset', preemptions: 1, random: 300 },
  { scenario: 'loads that need room, of which a budget has little', preemptions: 1, random: 300 },
  { scenario: 'two leave at once', preemptions: 2, random: 300 },
  { scenario: 'everything at once', preemptions: 1, random: 500 },
  { scenario: 'one dies, and another one cleans up', preemptions: 0, deaths: 1, random: 500, seen: ['died', 'finished'] },
  { scenario: 'one dies, and two clean up', preemptions: 1, deaths: 1, schedulesMax: 1500, random: 500, seen: ['died', 'finished'] },
  { scenario: 'one dies, and so does who cleans up', preemptions: 0, deaths: 2, schedulesMax: 3000, random: 300, seen: ['died,died', 'died,finished'] },
  { scenario: 'one dies as it leaves', preemptions: 0, deaths: 1, seen: ['died', 'finished'] },
  { scenario: 'one dies while another one works', preemptions: 1, deaths: 1, schedulesMax: 1500, random: 300, seen: ['died', 'finished'] },
];

test.each(CASES)('$scenario', async ({ seen = [], ...options }) => {
  const { tally, scheduleCount } = await explore({ url, schedulesMax: 4000, ...options });
  expect(scheduleCount).toBeGreaterThan(options.random ?? 0);
  for (const label of seen) expect(tally.get(label), label).toBeGreaterThan(0);
  if (process.env['ALLOKIT_VERBOSE'] !== undefined) console.log(options.scenario, scheduleCount, tally);
});
