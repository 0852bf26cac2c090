/**
 * The schedules of `interleavings.test.ts` on source that is changed as it is loaded: variants, in which there must be nothing wrong either, and planted bugs,
 * one at a time, which must be found.
 */

import { InterleavingError, explore, type ExploreOptions } from '@allokit/allocator/interleaving';
import { describe, expect, test } from 'vitest';
import { BUGS, VARIANTS, changedScenario } from './threads/changes.ts';

const url = new URL('threads/changed-scenarios.ts', import.meta.url);

type Found = readonly [scenario: string, kind: InterleavingError['kind'], message: RegExp, options?: Omit<ExploreOptions, 'url' | 'scenario'>];

const DEATH = { preemptions: 1, deaths: 1 };

const FOUND: Readonly<Record<keyof typeof BUGS, Found>> = {
  'a lock by a look and a store': ['three take their turns', 'thread', /the lock was taken over from thread/],
  'an unlock by a store': ['two take two turns each', 'deadlock', /sleeps at/],
  'an unlock that wakes nobody': ['two take two turns each', 'deadlock', /sleeps at/],
  'an unlock that keeps no promise': ['one waits for a promise', 'deadlock', /thread 0 sleeps at/],
  'a sleeper that does not look again': ['two take two turns each', 'deadlock', /sleeps at/],
  'a woken sleeper that forgets the others': ['three take their turns', 'deadlock', /sleeps at/],
  'a promise that is late to see its turn': ['one waits for a promise', 'deadlock', /thread 0 sleeps at/],
  'a promise that nobody knows of': ['one waits for a promise', 'deadlock', /thread 0 sleeps at/],
  'a takeover that wakes nobody': ['an owner dies', 'deadlock', /thread 2 sleeps at/, DEATH],
  'a takeover that forgets the sleepers': ['an owner dies', 'deadlock', /thread 2 sleeps at/, DEATH],
  'a takeover that forgets the promises': ['an owner dies, and one waits for a promise', 'deadlock', /thread 2 sleeps at/, DEATH],
  'an end that wakes nobody': ['the release', 'deadlock', /sleeps at/],
  'a table that is said to be empty too late': ['one may not wait', 'check', /live bytes/, { preemptions: 3 }],
  'a place in the table by a store': ['two may not wait', 'check', /live bytes/],
  'a free that is struck out before it is done': ['one that frees for another dies at a store', 'check', /live bytes/, { preemptions: 0, deaths: 1 }],
  'a recovery that does not remind': ['one that may not wait dies', 'check', /nobody comes back to: 1, not 0/, DEATH],
  'a recovery without a repair': ['an owner dies at a store', 'thread', /left the allocator damaged/, { preemptions: 0, deaths: 1 }],
  'a mark by a look and a store': ['two remotes free the same block', 'check', /second frees that were told: 0, not 1/],
  'marks that are taken by a look and a store': ['a remote and its owner', 'check', /live bytes/],
  'marks of which all in a word are taken': ['a remote and its owner', 'check', /live bytes/],
  'a collector that does not look again': ['a remote and its owner', 'check', /live bytes/],
  'the bits above before the mark': ['a remote and its owner', 'check', /live bytes/],
  'a collector that says too late that there is nothing': ['a remote and its owner', 'check', /live bytes/],
  'a free that tries until it succeeds': ['two remotes and their owner', 'thread', /a free took 9 steps/, { preemptions: 3 }],
  'an owner that does not say what it frees': ['the owner dies at a store', 'check', /live bytes/, DEATH],
  'an owner that does not finish what another began': ['the owner dies at a store', 'check', /live bytes/, DEATH],
  'an owner that takes the mark for a second free': ['the owner dies at a store', 'check', /refused frees/, DEATH],
  'an owner that does not look for what the dead left': ['a remote dies', 'check', /marks that nobody finds/, DEATH],
};

interface Case extends Omit<ExploreOptions, 'url'> {
  readonly scenario: string;
  readonly random: number;
}

const SOUND: Readonly<Record<keyof typeof VARIANTS, readonly Case[]>> = {
  'a memory on which the engine cannot wait': [
    { scenario: 'three take their turns', preemptions: 1, random: 500 },
    { scenario: 'two take two turns each', preemptions: 2, random: 500 },
    { scenario: 'an owner dies', preemptions: 0, deaths: 1, random: 500 },
  ],
  'a table with one place': [
    { scenario: 'one may not wait', preemptions: 2, random: 500 },
    { scenario: 'two may not wait', preemptions: 2, random: 500 },
  ],
};

describe.each(Object.entries(SOUND) as [keyof typeof VARIANTS, readonly Case[]][])('%s', (name, cases) => {
  test.each(cases)('$scenario', async ({ scenario, ...options }) => {
    const { isExhaustive, scheduleCount } = await explore({ url, scenario: changedScenario(name, scenario), ...options });
    expect(isExhaustive).toBe(true);
    expect(scheduleCount).toBeGreaterThan(options.random);
  });
});

describe('what is found', () => {
  test.each(Object.entries(FOUND) as [keyof typeof BUGS, Found][])('%s', async (name, [scenario, kind, message, options]) => {
    const found: unknown = await explore({ url, scenario: changedScenario(name, scenario), ...options }).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(InterleavingError);
    expect([(found as InterleavingError).kind, (found as InterleavingError).message]).toEqual([kind, expect.stringMatching(message)]);
  });
});
