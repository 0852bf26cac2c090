import { describe, expect, test } from 'vitest';

import { arenaWorkload } from '../src/commands/arena.ts';
import { churnWorkload } from '../src/commands/churn.ts';
import { hybridWorkload } from '../src/commands/hybrid.ts';
import { pairWorkload } from '../src/commands/pair.ts';
import { poolWorkloads } from '../src/commands/pool.ts';
import { measure, type MeasureOptions } from '../src/measure.ts';
import { formatCsv } from '../src/report/csv.ts';
import { silentProgress } from '../src/report/progress.ts';
import { formatTable } from '../src/report/table.ts';
import { isFlawless, type Result } from '../src/result.ts';
import { summarise } from '../src/statistics.ts';
import { scriptSubject } from '../src/subjects/scripts.ts';
import { ThreadSession } from '../src/thread/session.ts';
import { TraceBuilder } from '../src/trace/builder.ts';
import { parseTrace, encodeTrace, type Trace } from '../src/trace/trace.ts';
import { replayWorkload, shareWorkload, type Workload } from '../src/workload.ts';
import { firstFit } from './first-fit.ts';

const OPTIONS: MeasureOptions = { rounds: 3, warmRounds: 1, budget: 20, verify: true, sizedFree: false };

const WORKLOADS: Workload[] = [pairWorkload(1), churnWorkload(1), ...poolWorkloads(), arenaWorkload(1), hybridWorkload()];

function smallTrace(): Trace {
  const builder = new TraceBuilder();
  for (let i = 0; i < 1000; i += 1) {
    builder.allocate(0, 8 + i);
    builder.allocate(1, 16);
    builder.reallocate(1, 32 + i);
    builder.free(0);
    builder.free(1);
  }
  return builder.finish('small');
}

function resultOf(results: readonly Result[], subject: string): Result {
  const found = results.find((result) => result.subject === subject);
  if (found === undefined) throw new Error(`no row for ${subject}`);
  return found;
}

test('rounds are summed up by median, best and worst', () => {
  expect(summarise([5, 1, 9])).toEqual({ median: 5, best: 1, worst: 9, roundCount: 3 });
  expect(summarise([4, 2])).toEqual({ median: 3, best: 2, worst: 4, roundCount: 2 });
});

test('a subject is measured, verified and compared with the base', async () => {
  const workload = replayWorkload(smallTrace());
  const results = await measure(workload, [firstFit(), firstFit({}, 'twin'), await scriptSubject('Uint8Array')], { ...OPTIONS, base: 'twin' }, silentProgress);
  const row = resultOf(results, 'first-fit');
  expect(row).toMatchObject({ workload: 'small', status: 'ok', verified: true, failedOperations: 0, operationCount: 5000, roundCount: 3 });
  expect(row.bestNs).toBeGreaterThan(0);
  expect(row.medianNs).toBeGreaterThanOrEqual(row.bestNs!);
  expect(row.peakFootprint).toBeGreaterThanOrEqual(row.peakLive);
  expect(row.worstNs).toBeGreaterThan(0);
  expect(row.checksum).toBeGreaterThan(0);
  expect(resultOf(results, 'twin').ratio).toBe(1);
  expect(row.ratio).toBeCloseTo(row.medianNs! / resultOf(results, 'twin').medianNs!, 10);
  expect(isFlawless(row, true)).toBe(true);
  expect(resultOf(results, 'Uint8Array').verified).toBeUndefined();
});

test('a broken subject is reported as failing with the reason, and not timed', async () => {
  const workload = replayWorkload(smallTrace());
  const results = await measure(workload, [firstFit({ overlapEvery: 7 }, 'broken'), firstFit()], OPTIONS, silentProgress);
  const broken = resultOf(results, 'broken');
  expect(broken).toMatchObject({ status: 'failed', verified: false, reason: expect.stringMatching(/changed by another hand/) as string });
  expect(broken.medianNs).toBeUndefined();
  expect(isFlawless(broken, false)).toBe(false);
  expect(resultOf(results, 'first-fit').status).toBe('ok');
  expect(formatTable(workload, results, [], { base: 'broken', colour: false })).toMatch(/FAILED broken: operation \d+/);
});

test('without verifying, the loops themselves notice blocks that overlap', async () => {
  const results = await measure(poolWorkloads()[1]!, [firstFit({ overlapEvery: 50 })], { ...OPTIONS, verify: false }, silentProgress);
  expect(results[0]).toMatchObject({ status: 'failed', reason: expect.stringMatching(/first and last byte/) as string });
});

test('a subject that refuses requests is timed, and fails', async () => {
  const results = await measure(replayWorkload(smallTrace()), [firstFit({ sizeMax: 500 })], OPTIONS, silentProgress);
  expect(results[0]).toMatchObject({ status: 'failed', reason: '501 bytes were refused' });
  expect(results[0]!.failedOperations).toBeGreaterThan(500);
  expect(results[0]!.medianNs).toBeGreaterThan(0);
});

test('a subject that cannot even be made is a row', async () => {
  const impossible = firstFit({ throwsOnCreate: 'not on this machine' }, 'impossible');
  const results = await measure(replayWorkload(smallTrace()), [impossible], OPTIONS, silentProgress);
  expect(results[0]).toMatchObject({ status: 'failed', reason: 'not on this machine' });
});

test.each(WORKLOADS.map((workload) => [workload.name, workload] as const))('the work of %s is a trace that can be', (_, { trace }) => {
  expect(parseTrace(encodeTrace(trace), trace.name).peakLiveBytes).toBe(trace.peakLiveBytes);
});

test('the same seed gives the same work', () => {
  expect(churnWorkload(7).trace.words).toEqual(churnWorkload(7).trace.words);
  expect(churnWorkload(7).trace.words).not.toEqual(churnWorkload(8).trace.words);
});

test('hybrid work is routed three to one', () => {
  expect(hybridWorkload().facts).toEqual([
    'routing of hybridPool: 75% (30,000 objects, 703 KB) to the pool, 25% (10,000 objects, 5000 KB) to the arena',
  ]);
});

test('a loop gives a peer the same operations that it verifies', async () => {
  const workload = pairWorkload(3);
  const { source } = await scriptSubject('thi.ng-malloc');
  const session = await ThreadSession.start(source, workload, false);
  try {
    const round = await session.round(Infinity);
    expect(round).toMatchObject({ share: 1, failureCount: 0, damageCount: 0 });
    // Every block of the pool lands at its start.
    expect(round.checksum % workload.operationCount).toBe(0);
  } finally {
    await session.close();
  }
});

describe('a worker', () => {
  test('has seen no other heap, neither a rival nor the one that was verified', async () => {
    const subjects = ['one', 'two'].map((name) => firstFit({ isUnique: true }, name));
    const results = await measure(replayWorkload(smallTrace()), subjects, OPTIONS, silentProgress);
    expect(results.map(({ status, verified }) => [status, verified])).toEqual([
      ['ok', true],
      ['ok', true],
    ]);
  });

  test('that is too slow is stopped in the middle of an operation, while verifying and while timed', async () => {
    const subjects = [firstFit({ hangsAfter: 1500 }, 'hangs', 'peer'), firstFit()];
    const results = await measure(replayWorkload(smallTrace()), subjects, { ...OPTIONS, budget: 0.5 }, silentProgress);
    const row = resultOf(results, 'hangs');
    expect(row).toMatchObject({ status: 'stopped', reason: 'too slow: stopped after 0% of the first round' });
    expect([row.medianNs, row.verified]).toEqual([undefined, undefined]);
    expect(resultOf(results, 'first-fit').status).toBe('ok');
  });

  test('that is stopped tells how far it was', async () => {
    const workload = pairWorkload(1);
    const { source } = firstFit({ hangsAfter: 20_000 });
    const verifier = await ThreadSession.start(source, workload, false);
    expect(await verifier.verify(600)).toMatchObject({ verified: undefined, isDamaged: false, reason: expect.stringMatching(/^too slow to verify: 18%/) as string });
    const session = await ThreadSession.start(source, workload, false);
    const round = await session.round(600);
    expect(round.share).toBe(4 / 25);
    expect(round.nanoseconds).toBeGreaterThan(0);
  });

  test('that ended says so instead of answering', async () => {
    const session = await ThreadSession.start(firstFit().source, pairWorkload(1), false);
    await session.close();
    await expect(session.round(500)).rejects.toThrow(/its worker ended/);
  });

  test('reads the operations from shared memory', () => {
    const workload = churnWorkload(1);
    const shared = shareWorkload(workload);
    expect([shared.trace.words.buffer, shared.sizes.buffer, shared.slots.buffer].every((buffer) => buffer instanceof SharedArrayBuffer)).toBe(true);
    expect([shared.trace.words, shared.sizes, shared.slots]).toEqual([workload.trace.words, workload.sizes, workload.slots]);
  });
});

test('pairs have the sizes that were asked for', () => {
  expect(new Set(pairWorkload(1, { min: 64, max: 64 }).sizes)).toEqual(new Set([64]));
  expect([...new Set(pairWorkload(1, { min: 5, max: 7 }).sizes)].sort()).toEqual([5, 6, 7]);
  expect(pairWorkload(1).title).toMatch(/16-1039 bytes/);
});

test('results are written as CSV', () => {
  const result: Result = { workload: 'w', subject: 'a "b", c', kind: 'peer', status: 'ok', roundCount: 1, operationCount: 2, peakLive: 3, verified: true };
  const [header, line] = formatCsv([result]).split('\n');
  expect(header).toMatch(/^workload,subject,kind,status,medianNs/);
  expect(line).toBe('w,"a ""b"", c",peer,ok,,,,1,2,,true,,3,,,');
});
