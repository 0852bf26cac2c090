/** `Locked` and `RemoteFree` in every order of their atomic operations, up to a number of preemptions, and in random orders beyond; with threads that die. */

import { explore, type ExploreOptions } from '@allokit/allocator/interleaving';
import { describe, expect, test } from 'vitest';

const url = new URL('threads/lock-scenarios.ts', import.meta.url);

interface Case extends Omit<ExploreOptions, 'url'> {
  readonly scenario: string;
  /** What must have happened in some order. */
  readonly seen?: readonly string[];
}

const LOCKED: readonly Case[] = [
  { scenario: 'mutual exclusion', preemptions: 2, random: 1000 },
  { scenario: 'twice each', preemptions: 2, random: 1000 },
  { scenario: 'a thread that may not wait', preemptions: 2, random: 1000, seen: ['gave up', 'allocated'] },
  { scenario: 'an owner dies', preemptions: 1, deaths: 1, random: 1000, seen: ['0 died', '1 died'] },
  { scenario: 'an owner dies at a store', preemptions: 0, deaths: 1, random: 300, seen: ['1 died'] },
  { scenario: 'two die, the supervisor lives', preemptions: 1, deaths: 2, random: 1000, seen: ['0 died', '1 died', '2 died'] },
  { scenario: 'the release', preemptions: 2, random: 500, seen: ['finished', 'failed'] },
];

const REMOTE_FREE: readonly Case[] = [
  { scenario: 'remotes and their owner', preemptions: 2, random: 2000 },
  { scenario: 'two remotes free the same block', preemptions: 2, random: 500, seen: ['told at once', 'refused later'] },
  { scenario: 'a remote dies', preemptions: 1, deaths: 1, random: 1000, seen: ['finished', 'died', 'found by the next owner'] },
  { scenario: 'the owner dies at a store', preemptions: 1, deaths: 1, random: 1000, seen: ['finished', 'died'] },
];

describe.each([
  { what: 'Locked', cases: LOCKED },
  { what: 'RemoteFree', cases: REMOTE_FREE },
])('$what', ({ cases }) => {
  test.each(cases)('$scenario', async ({ seen = [], ...options }) => {
    const { tally, isExhaustive, scheduleCount } = await explore({ url, ...options });
    expect(isExhaustive).toBe(true);
    expect(scheduleCount).toBeGreaterThan(options.random ?? 0);
    for (const label of seen) expect(tally.get(label), label).toBeGreaterThan(0);
    if (process.env['ALLOKIT_VERBOSE'] !== undefined) console.log(options.scenario, scheduleCount, tally);
  });
});
