/**
 * Every order in which a few threads can do a few things, as far as a bound on preemptions goes, and random ones beyond; and each step of each
 * thread as its last one. `ALLOKIT_SCHEDULE` replays one.
 */

import { explore } from '@allokit/allocator/interleaving';
import { describe, expect, test } from 'vitest';
import { OBSERVED, SUPERVISED, THREE, TWO } from './schedules-worker.ts';

const url = new URL('schedules-worker.ts', import.meta.url);

describe('two threads', () => {
  test.each(Object.entries(TWO))('%s', async (scenario, { grows = false }) => {
    // A memory that has grown is made anew for each schedule, which takes its time.
    const { scheduleCount } = await explore({ url, scenario, preemptions: grows ? 1 : 2, schedulesMax: 2000, random: 100 });
    expect(scheduleCount).toBeGreaterThan(100);
    const { isExhaustive } = await explore({ url, scenario: scenario + OBSERVED, preemptions: 1, random: 50 });
    expect(isExhaustive).toBe(true);
  });

  test.each(Object.keys(TWO))('%s, and one of them dies', async (scenario) => {
    const { tally } = await explore({ url, scenario, preemptions: 1, deaths: 1, schedulesMax: 1000, random: 100 });
    expect(tally.get('died')).toBeGreaterThan(10);
    const { isExhaustive } = await explore({ url, scenario: scenario + OBSERVED, preemptions: 0, deaths: 1, random: 50 });
    expect(isExhaustive).toBe(true);
  });
});

describe('three threads', () => {
  test.each(Object.keys(THREE))('%s', async (scenario) => {
    const { scheduleCount } = await explore({ url, scenario, preemptions: 1, schedulesMax: 1000, random: 200 });
    expect(scheduleCount).toBeGreaterThan(200);
  });

  test.each(Object.keys(THREE))('%s, and two of them die', async (scenario) => {
    const { tally } = await explore({ url, scenario, preemptions: 0, deaths: 2, schedulesMax: 1000, random: 200 });
    expect(tally.get('died')).toBeGreaterThan(10);
  });

  test.each(Object.keys(SUPERVISED))('%s', async (scenario) => {
    const { tally } = await explore({ url, scenario, preemptions: 1, deaths: 1, schedulesMax: 1500, random: 100 });
    expect(tally.get('died')).toBeGreaterThan(10);
    const { isExhaustive } = await explore({ url, scenario, preemptions: 0, deaths: 2 });
    expect(isExhaustive).toBe(true);
  });
});
