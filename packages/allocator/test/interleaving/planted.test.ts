import { describe, expect, test } from 'vitest';
import { InterleavingError, explore, type ExploreOptions } from '../../src/interleaving/index.ts';

const url = new URL('./planted.ts', import.meta.url);

async function failureOf(options: Omit<ExploreOptions, 'url'>): Promise<InterleavingError> {
  const error: unknown = await explore({ url, ...options }).then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InterleavingError);
  return error as InterleavingError;
}

const PAIRS: readonly (readonly [bug: string, kind: string, message: RegExp, twin: string, deaths: number])[] = [
  ['a stack without tags', 'check', /nodes 1, 2, 3 have become/, 'a stack with tags', 0],
  ['an owner that leaves without looking again', 'check', /the bit was left to nobody/, 'an owner that looks again', 0],
  ['a free by load and store', 'check', /bits 1 and 2 have become [12]/, 'a free by or', 0],
  ['a plain free, observed', 'check', /bits 1 and 2 have become [12]/, 'a free by or', 0],
  ['a wake-up that can be lost', 'deadlock', /thread 0 sleeps at 0x4, thread 1 has returned/, 'a wake-up that cannot be lost', 0],
  ['a lock', 'deadlock', /thread [01] sleeps at 0x0, thread 1 has died|thread 0 has died, thread 1 sleeps at 0x0/, 'a lock with a supervisor', 1],
];

describe.each(PAIRS)('%s', (bug, kind, message, twin, deaths) => {
  test('is found, and its schedule shows it again', async () => {
    const found = await failureOf({ scenario: bug, deaths });
    expect(found.message).toMatch(message);
    expect(found.kind).toBe(kind);
    const again = await failureOf({ scenario: bug, deaths, schedule: found.schedule! });
    expect([again.kind, again.schedule, again.trace]).toEqual([kind, found.schedule, found.trace]);
  });

  test('is found by random schedules', async () => {
    const found = await failureOf({ scenario: bug, deaths, preemptions: 0, schedulesMax: 1, random: 5000, seed: 1 });
    expect([found.kind, found.message]).toEqual([kind, expect.stringMatching(message)]);
    expect(found.message).toContain('ALLOKIT_SEED=1 ');
    // Few departures are left of the many that a random schedule makes.
    expect(found.schedule!.split(' ').length).toBeLessThanOrEqual(4);
  });

  test(`is not in its twin, ${twin}`, async () => {
    const { isExhaustive, scheduleCount } = await explore({ url, scenario: twin, deaths, preemptions: 3, random: 500, seed: 2 });
    expect(isExhaustive).toBe(true);
    expect(scheduleCount).toBeGreaterThan(500);
  });
});

test('a plain race shows only where it is observed', async () => {
  const { scheduleCount } = await explore({ url, scenario: 'a plain free' });
  expect(scheduleCount).toBe(1);
});

test('a lock is a lock as long as nobody dies', async () => {
  const { isExhaustive, tally } = await explore({ url, scenario: 'a lock', preemptions: 4 });
  expect([isExhaustive, [...tally.keys()]]).toEqual([true, ['0 dead, 2 entries']]);
});
