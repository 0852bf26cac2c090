/** `Locked` and `RemoteFree` in every order of their atomic operations, up to a number of preemptions, and in random orders beyond; with threads that die. */

import { explore, type ExploreOptions } from '@allokit/allocator/interleaving';
import { describe, expect, test } from 'vitest';

interface Case extends Omit<ExploreOptions, 'url'> {
  readonly scenario: string;
  /** What must have happened in some order. */
  readonly seen?: readonly string[];
}

const LOCKED: readonly Case[] = [
  { scenario: 'three attach and take their turns', preemptions: 1, random: 500 },
  { scenario: 'three take their turns', preemptions: 2, random: 500 },
  { scenario: 'two take two turns each', preemptions: 3, random: 500 },
  { scenario: 'one waits for a promise', preemptions: 2, random: 500 },
  { scenario: 'two wait for a promise, one sleeps', preemptions: 2, random: 500 },
  { scenario: 'one may not wait', preemptions: 2, random: 500, seen: ['gave up', 'allocated'] },
  { scenario: 'two may not wait', preemptions: 2, random: 500 },
  { scenario: 'an owner dies', preemptions: 1, deaths: 1, random: 500, seen: ['0 died', '1 died'] },
  { scenario: 'an owner dies, and one waits for a promise', preemptions: 1, deaths: 1, random: 500, seen: ['0 died', '1 died'] },
  { scenario: 'an owner dies at a store', preemptions: 0, deaths: 1, random: 300, seen: ['1 died'] },
  {
    scenario: 'one that may not wait dies',
    preemptions: 1,
    deaths: 1,
    random: 500,
    seen: ['finished, 2 freed', 'died, 0 freed', 'died, 1 freed', 'died, 2 freed'],
  },
  { scenario: 'one that frees for another dies', preemptions: 1, deaths: 1, random: 500, seen: ['finished, 0 refused', 'died, 0 refused', 'died, 1 refused'] },
  {
    scenario: 'one that frees for another dies at a store',
    preemptions: 0,
    deaths: 1,
    random: 200,
    seen: ['finished, 0 refused', 'died, 0 refused', 'died, 1 refused'],
  },
  { scenario: 'two die, the supervisor lives', preemptions: 1, deaths: 2, schedulesMax: 2000, random: 500, seen: ['0 died', '1 died', '2 died'] },
  { scenario: 'the supervisor dies as well', preemptions: 0, deaths: 2, schedulesMax: 1000, random: 300, seen: ['0 died', '1 died', '2 died'] },
  { scenario: 'the release', preemptions: 1, random: 500, seen: ['1 came before it', '2 came before it', '3 came before it'] },
];

const REMOTE_FREE: readonly Case[] = [
  { scenario: 'a remote and its owner', preemptions: 2, random: 500 },
  { scenario: 'two remotes and their owner', preemptions: 2, random: 500 },
  { scenario: 'a block comes and goes', preemptions: 2, random: 500 },
  { scenario: 'two remotes free the same block', preemptions: 2, random: 500, seen: ['told at once', 'refused later'] },
  { scenario: 'the owner frees the same block', preemptions: 2, random: 500, seen: ['told at once', 'refused later'] },
  { scenario: 'a remote dies', preemptions: 1, deaths: 1, random: 500, seen: ['finished', 'died', 'found by the next owner'] },
  { scenario: 'the owner dies at a store', preemptions: 1, deaths: 1, random: 500, seen: ['finished', 'died'] },
  {
    scenario: 'another owner takes over while a remote frees',
    preemptions: 1,
    deaths: 1,
    random: 500,
    seen: ['the owner finished', 'the owner died', 'the remote died, the owner finished'],
  },
  { scenario: 'the release of an owner', preemptions: 2, random: 500, seen: ['before', 'after'] },
];

const url = new URL('threads/scenarios.ts', import.meta.url);

describe.each([
  { what: 'Locked', cases: LOCKED },
  { what: 'RemoteFree', cases: REMOTE_FREE },
])('$what', ({ cases }) => {
  test.each(cases)('$scenario', async ({ seen = [], ...options }) => {
    const { tally, isExhaustive, scheduleCount } = await explore({ url, ...options });
    if (process.env['ALLOKIT_VERBOSE'] !== undefined) console.log(options.scenario, scheduleCount, tally);
    expect(isExhaustive).toBe(options.schedulesMax === undefined);
    expect(scheduleCount).toBeGreaterThan(options.random ?? 0);
    for (const label of seen) expect(tally.get(label), label).toBeGreaterThan(0);
  });
});
