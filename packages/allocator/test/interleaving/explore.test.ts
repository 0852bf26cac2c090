import { afterEach, describe, expect, test, vi } from 'vitest';
import { InterleavingError, explore, type ExploreOptions, type ExploreResult } from '../../src/interleaving/index.ts';

const url = new URL('./toys.ts', import.meta.url);

function run(scenario: string, options: Partial<ExploreOptions> = {}): Promise<ExploreResult> {
  return explore({ url, scenario, ...options });
}

async function failureOf(scenario: string, options: Partial<ExploreOptions> = {}): Promise<InterleavingError> {
  const error: unknown = await run(scenario, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InterleavingError);
  return error as InterleavingError;
}

/** What happened, without how often. */
async function namesOf(scenario: string, options: Partial<ExploreOptions> = {}): Promise<string[]> {
  const { tally } = await run(scenario, options);
  return [...tally.keys()].toSorted();
}

afterEach(() => vi.unstubAllEnvs());

/** All orders of so many steps of each thread with at most so many preemptions, counted one by one. */
function countOrders(counts: readonly number[], preemptions: number, running = -1): number {
  let total = counts.every((count) => count === 0) ? 1 : 0;
  counts.forEach((count, thread) => {
    if (count === 0) return;
    const cost = running >= 0 && thread !== running && counts[running]! > 0 ? 1 : 0;
    if (cost <= preemptions) total += countOrders(counts.with(thread, count - 1), preemptions - cost, thread);
  });
  return total;
}

describe('every schedule within the bound is run once', () => {
  const SCENARIOS: readonly (readonly [string, readonly number[]])[] = [
    ['3 and 3 steps', [3, 3]],
    ['5 and 4 steps', [5, 4]],
    ['2, 2 and 2 steps', [2, 2, 2]],
    ['6 steps', [6]],
    ['no steps', [0, 0]],
  ];
  test.each(SCENARIOS)('%s', async (scenario, counts) => {
    for (const preemptions of [0, 1, 2, 3, Infinity]) {
      const expected = countOrders(counts, preemptions);
      const { scheduleCount, isExhaustive, tally } = await run(scenario, { preemptions });
      expect([preemptions, scheduleCount, tally.size, isExhaustive]).toEqual([preemptions, expected, expected, true]);
    }
  });

  test('the counts are the known ones', async () => {
    expect((await run('3 and 3 steps', { preemptions: Infinity })).scheduleCount).toBe(20); // 6 over 3
    expect((await run('5 and 4 steps', { preemptions: Infinity })).scheduleCount).toBe(126); // 9 over 4
    expect((await run('2, 2 and 2 steps', { preemptions: Infinity })).scheduleCount).toBe(90); // 6! / 2! 2! 2!
    expect((await run('5 threads')).scheduleCount).toBe(120); // 5!
  });

  test('a thread can die before each of its steps, or not at all', async () => {
    const { scheduleCount, tally } = await run('6 steps', { deaths: 1 });
    expect(scheduleCount).toBe(7);
    expect([...tally.values()]).toEqual(expect.arrayContaining([6, 1]));
    // One of two: not at all; before one of 3 steps of one, with as many orders as the rest has.
    const orders = [0, 1, 2].map((taken) => countOrders([taken, 3], Infinity));
    const { scheduleCount: ofTwo } = await run('3 and 3 steps', { deaths: 1, preemptions: Infinity });
    expect(ofTwo).toBeGreaterThanOrEqual(20 + 2 * orders.reduce((sum, count) => sum + count, 0));
  });

  test('the limit of schedules is kept, and said', async () => {
    const { tally } = await run('8 threads', { schedulesMax: 300 });
    expect(tally.size).toBe(300);
    expect(await run('5 and 4 steps', { schedulesMax: 7 })).toMatchObject({ scheduleCount: 7, isExhaustive: false });
    expect(await run('3 and 3 steps', { preemptions: Infinity, schedulesMax: 20 })).toMatchObject({ scheduleCount: 20, isExhaustive: true });
  });

  test('what is no step of anybody else makes no schedules', async () => {
    expect((await run('memory of their own')).tally).toEqual(new Map([['timed-out 10 timed-out 10', expect.any(Number)]]));
    expect((await run('what is quiet', { preemptions: Infinity })).scheduleCount).toBe(1);
    expect((await run('points only', { preemptions: Infinity })).scheduleCount).toBe(2);
    expect((await run('kept functions', { preemptions: Infinity })).scheduleCount).toBe(3);
  });
});

describe('random schedules', () => {
  test('are determined by their seed', async () => {
    const options = { preemptions: 0, random: 60 };
    const seeded = (seed: number): Promise<ExploreResult> => run('5 and 4 steps', { ...options, seed });
    const [one, again, other] = [await seeded(1), await seeded(1), await seeded(2)];
    expect(one.scheduleCount).toBe(62);
    expect(again).toEqual(one);
    expect(other.tally).not.toEqual(one.tally);
    expect(one.tally.size).toBeGreaterThan(20);
  });

  test('take the seed of the environment, or a fresh one', async () => {
    vi.stubEnv('ALLOKIT_SEED', '4711');
    expect((await run('no steps')).seed).toBe(4711);
    expect((await run('no steps', { seed: 1 })).seed).toBe(1);
    vi.stubEnv('ALLOKIT_SEED', 'seven');
    await expect(run('no steps')).rejects.toThrow(new RangeError('ALLOKIT_SEED must be in 0..4294967295, got "seven"'));
    vi.stubEnv('ALLOKIT_SEED', '');
    expect((await run('no steps')).seed).not.toBe((await run('no steps')).seed);
  });

  test('die as well', async () => {
    const { tally } = await run('6 steps', { preemptions: 0, schedulesMax: 1, random: 300, deaths: 1, seed: 3 });
    expect(tally.size).toBe(2);
  });
});

describe('a schedule that fails', () => {
  test('is told, with the steps', async () => {
    const error = await failureOf('one who throws');
    expect(error.kind).toBe('thread');
    expect(error.schedule).toBe('');
    expect(error.trace).toEqual(['thread 0  store 0x0, 1', 'thread 0  throws']);
    expect(error.message.split('\n').slice(0, 6)).toEqual([
      '"one who throws": thread 0 threw RangeError: out of range',
      '  in schedule 1',
      "  see it again with schedule: '', or with ALLOKIT_SCHEDULE='one who throws: ' in the environment",
      '    thread 0  store 0x0, 1',
      '    thread 0  throws',
      '  thrown at RangeError: out of range',
    ]);
    expect(error.message).toMatch(/\n {4}at .*toys\.ts/);
    expect((await failureOf('a string that is thrown')).message).toContain('thread 0 threw string: no error');
    expect((await failureOf('a value that cannot be sent')).message).toContain('thread 0 threw DataCloneError');
    expect((await failureOf('one who waits for a promise')).message).toContain('waitAsync is not modelled');
  });

  test('can be replayed alone', async () => {
    const { tally, scheduleCount, isExhaustive } = await run('3 and 3 steps', { schedule: '0>1 2>0' });
    expect([scheduleCount, isExhaustive, [...tally.keys()]]).toEqual([
      1,
      false,
      [JSON.stringify([{ state: 'finished', value: [2, 3, 4] }, { state: 'finished', value: [0, 1, 5] }])],
    ]);
    vi.stubEnv('ALLOKIT_SCHEDULE', '3 and 3 steps:0>1 2>0');
    expect(await run('3 and 3 steps')).toMatchObject({ tally, scheduleCount });
    expect((await run('5 and 4 steps', { preemptions: 0 })).scheduleCount).toBe(2);
    expect(await namesOf('6 steps', { schedule: '2x', deaths: 1 })).toEqual(['[{"state":"died"}]']);
  });

  test.each(['0>2', '3>1', '0x', '5>1 6>1', '50>1'])('%s belongs to another scenario', async (schedule) => {
    const { kind, message } = await failureOf('6 steps', { schedule });
    expect([kind, message]).toEqual(['schedule', expect.stringMatching(/what it wants at decision \d+ is not possible/)]);
  });

  test.each(['x', '1', '1>9', '3>1 2>0', '1>0 1>1', '1>10', '-1>0', '99999999>1'])('%s is no schedule', async (schedule) => {
    await expect(run('6 steps', { schedule })).rejects.toThrow(RangeError);
  });

  test('is noticed when it leads elsewhere the second time', async () => {
    const { kind, message } = await failureOf('one with a memory');
    expect([kind, message]).toEqual(['nondeterministic', expect.stringContaining('something kept from an earlier schedule')]);
  });
});

describe('waiting', () => {
  test('a thread that spins gives way, and is not interrupted over and over', async () => {
    const { scheduleCount, isExhaustive, tally } = await run('a spin loop', { preemptions: 3 });
    expect([...tally.keys()].toSorted()).toEqual(['false true', 'true true']);
    expect(isExhaustive).toBe(true);
    expect(scheduleCount).toBeLessThan(12);
    expect(await namesOf('a spin loop that gives up')).toEqual(['in time 1', 'late 1']);
    // With fewer attempts than that it ends by itself; with more it is made to wait until it is worth a preemption.
    expect(await namesOf('a spin loop that gives up', { spinsMax: 20, preemptions: 0 })).toEqual(['in time 1']);
    expect((await run('a busy loop', { preemptions: 0 })).isExhaustive).toBe(true);
  });

  test('threads that spin for each other make no progress', async () => {
    const { kind, message } = await failureOf('spin loops that wait for each other', { stepsMax: 1500 });
    expect([kind, message]).toEqual(['no-progress', expect.stringContaining('no end after 1500 steps: thread 0 runs, thread 1 runs')]);
    expect(message).toMatch(/\.\.\. \d+ steps before\n/);
  });

  test('threads that sleep for each other are in a deadlock', async () => {
    const { kind, message } = await failureOf('a deadlock');
    expect(kind).toBe('deadlock');
    expect(message).toContain('no thread can go on: thread 0 sleeps at 0x0, thread 1 waits for the end of 0, thread 2 waits for the end of 0 or 1');
  });

  test('time passes when nobody can run, and earlier for a preemption', async () => {
    expect(await namesOf('a timed wait alone')).toEqual(['timed-out']);
    expect(await namesOf('a timed wait', { preemptions: 0 })).toEqual(['not-equal 0', 'ok 1']);
    expect(await namesOf('a timed wait', { preemptions: 1 })).toEqual(['not-equal 0', 'ok 1', 'timed-out 0']);
  });

  test('one notification wakes one sleeper, whoever slept first', async () => {
    const names = await namesOf('two sleepers, one call', { preemptions: 0 });
    expect(names).toContain('ok0 timed-out1 1');
    expect(names).toContain('timed-out1 ok0 1');
    expect(names).toContain('timed-out0 timed-out1 0');
    expect(names.filter((name) => name.includes('ok0 ok') || name.endsWith(' 2'))).toEqual([]);
  });

  test('nobody waits outside of a schedule', async () => {
    expect((await failureOf('a check that waits')).message).toContain('Atomics.wait at index 0 would wait for ever');
    expect(await namesOf('a check that sleeps')).toEqual(['timed-out']);
  });
});

describe('threads', () => {
  test('that died do nothing more, whatever they catch', async () => {
    expect(await namesOf('an heir', { deaths: 1 })).toEqual(['died died: 0 0', 'died died: 1 0', 'died died: 2 1', 'whole finished: 9 1']);
    expect(await namesOf('one who swallows everything', { deaths: 1 })).toEqual(['died: 0', 'died: 1', 'died: 2', 'whole: 3']);
  });

  test('hear of the end of others', async () => {
    expect(await namesOf('whoever is first', { preemptions: 0 })).toEqual(['0 1 0', '1 0 0', '1 0 1']);
    expect((await failureOf('wrong joins')).message).toContain('RangeError: thread must be another one of 2, got 0');
    expect(await namesOf('one who may throw')).toEqual(['failed failed']);
  });

  test('can use every operation, and are refused what is wrong', async () => {
    expect(await namesOf('every operation')).toEqual(['6,5,4,4,13,12,44,7,7,6,-1,0,1,1']);
    expect(await namesOf('wrong operations')).toEqual(['RangeError,TypeError,TypeError,RangeError,TypeError,0,0']);
  });

  test('return and are given values of every kind', async () => {
    const { tally } = await run('values of every kind');
    const many = JSON.stringify(Array.from({ length: 65 }, (_, i) => i));
    expect([...tally.keys()]).toEqual([`undefined 1.5 [1,null,0] ${many} {"text":"text","big":"1208925819614629174706176n"} a map of one null [] one`]);
  });

  test('find the memory as setup left it, though they grow it', async () => {
    const { tally, scheduleCount } = await run('a memory that grows', { preemptions: Infinity });
    expect(scheduleCount).toBe(6);
    // Both grow it before their first operation; what they find there tells the order.
    const found = [...tally.keys()].map((name) => name.split(' ').map((values) => values.split(',').map(Number)));
    for (const [first, second] of found) {
      expect([first![0], second![0]].toSorted()).toEqual([1, 2]);
      expect(Math.min(first![1]!, second![1]!)).toBe(7);
      expect([first![2], second![2]]).toEqual([65_536, 65_536]);
    }
  });
});

describe('plain accesses', () => {
  test('are steps where they are observed', async () => {
    expect(await namesOf('a plain counter', { preemptions: 0 })).toEqual(['2']);
    expect(await namesOf('a plain counter')).toEqual(['1', '2']);
    expect((await run('a plain counter', { preemptions: Infinity })).scheduleCount).toBe(6);
  });

  test('of methods are one step, with the same result', async () => {
    expect(await namesOf('methods of observed arrays')).toEqual(['16,64,5,9,9,62']);
  });
});

describe('what cannot be explored is told', () => {
  test('a thread that never comes to a point', async () => {
    const { kind, message, schedule } = await failureOf('one who loops', { hangMs: 300 });
    expect([kind, schedule]).toEqual(['hang', '']);
    expect(message).toContain('thread 1 ran for 300 ms without reaching a scheduling point or its end');
    expect((await failureOf('a check that loops', { hangMs: 300 })).message).toContain('setup or the check ran for 300 ms');
  });

  test('a module that cannot be used', async () => {
    const elsewhere = (path: string): Promise<InterleavingError> => failureOf('any', { url: new URL(path, url) });
    expect((await elsewhere('./missing.ts')).message).toMatch(/Cannot find module/);
    expect((await elsewhere('./no-scenarios.ts')).message).toMatch(/has not called serve/);
    const missing = await failureOf('any');
    expect([missing.kind, missing.message]).toEqual(['load', expect.stringMatching(/toys\.ts: the module serves no scenario "any", but "3 and 3 steps", /)]);
  });

  test('a scenario that cannot be begun', async () => {
    expect((await failureOf('a setup that throws')).message).toMatch(/RangeError: no setup today/);
    expect((await failureOf('a memory that is not shared')).message).toMatch(/must be a SharedArrayBuffer or a shared WebAssembly\.Memory/);
    expect((await failureOf('one who leaves')).message).toMatch(/a worker exited with code 3/);
  });

  test('options that are none', async () => {
    await expect(run('6 steps', { preemptions: -1 })).rejects.toThrow(RangeError);
    await expect(run('6 steps', { random: 1.5 })).rejects.toThrow(RangeError);
    await expect(run('6 steps', { schedulesMax: 0 })).rejects.toThrow(RangeError);
    await expect(run('6 steps', { seed: 2 ** 32 })).rejects.toThrow(RangeError);
    await expect(run('6 steps', { stepsMax: '9' as unknown as number })).rejects.toThrow(TypeError);
    await expect(run(7 as unknown as string)).rejects.toThrow(new TypeError('scenario must be a name, got 7'));
    await expect(run('6 steps', { url: 'toys.ts' })).rejects.toThrow(TypeError);
  });
});

test('several are explored at once', async () => {
  const results = await Promise.all([run('3 and 3 steps', { preemptions: Infinity }), run('5 and 4 steps', { preemptions: Infinity }), run('6 steps')]);
  expect(results.map(({ scheduleCount }) => scheduleCount)).toEqual([20, 126, 1]);
});
