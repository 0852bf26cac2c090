import { describe, expect, test, vi } from 'vitest';

import { churnWorkload } from '../src/commands/churn.ts';
import { distributionOf, slowestOf } from '../src/distribution.ts';
import { measureOperations } from '../src/measure-operations.ts';
import { OperationTimer } from '../src/operation-timer.ts';
import { formatOperations, formatOperationsCsv, operationsPlot } from '../src/report/operations.ts';
import { silentProgress } from '../src/report/progress.ts';
import { TraceBuilder } from '../src/trace/builder.ts';
import { KIND, type Trace } from '../src/trace/trace.ts';
import { firstFit, firstFitInstance } from './first-fit.ts';

const OPTIONS = { rounds: 3, warmRounds: 1, budget: 20, verify: true, sizedFree: false };
const CHURN = churnWorkload(1, { slotCount: 64, replacementCount: 2000, size: { min: 16, max: 200 } });

/** Malloc, calloc, realloc, two frees, and one of nothing. */
function everyKind(): Trace {
  const builder = new TraceBuilder();
  builder.allocate(0, 100);
  builder.allocate(1, 100, KIND.calloc);
  builder.reallocate(0, 200);
  builder.free(0);
  builder.free(1);
  builder.allocate(0, 0);
  builder.free(0);
  return builder.finish('kinds');
}

/** So many mallocs. */
function mallocs(count: number): Trace {
  const builder = new TraceBuilder();
  for (let slot = 0; slot < count; slot += 1) builder.allocate(slot, 16);
  return builder.finish('mallocs');
}

describe('a timer of operations', () => {
  test('keeps the fastest time of each, and leaves the heap empty', () => {
    // Readings of the clock before and after each operation of two passes: the second is faster at first, slower then.
    const durations = [[5, 1, 1], [2, 4, 1]];
    const builder = new TraceBuilder();
    builder.allocate(0, 16);
    builder.allocate(1, 16);
    builder.free(0);
    const instance = firstFitInstance();
    const timer = new OperationTimer(instance, builder.finish('three'), false);
    for (const pass of durations) {
      // The untimed prelude, then the operations; what is read after that is nothing.
      const readings = [...[0, 0, 0], ...pass].flatMap((duration) => [0, duration]);
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => readings.shift() ?? 0);
      timer.pass();
      clock.mockRestore();
    }
    expect([...timer.times().nanoseconds]).toEqual([2e6, 1e6, 1e6]);
    expect(timer.times().clockNs).toBe(0);
    expect(instance.heap.allocate(2 ** 20 - 16)).toBe(16);
  });

  test('does every kind, and not the free of nothing', () => {
    const timer = new OperationTimer(firstFitInstance(), everyKind(), true);
    timer.pass();
    const { nanoseconds, clockNs } = timer.times();
    expect([...nanoseconds].map((ns) => ns === Infinity)).toEqual([false, false, false, false, false, false, true]);
    expect(clockNs).toBeGreaterThan(0);
    expect(clockNs).toBeLessThan(100_000);
  });
});

describe('a distribution', () => {
  const nanoseconds = Float64Array.from({ length: 10_000 }, (_, i) => i + 1);

  test('has its percentiles, and a curve from all to one', () => {
    const { curve, ...rest } = distributionOf({ nanoseconds, clockNs: 40 }, mallocs(10_000))!;
    const percentiles = { p50Ns: 5000, p99Ns: 9900, p999Ns: 9990, p9999Ns: 9999 };
    expect(rest).toMatchObject({ maxNs: 10_000, operationCount: 10_000, clockNs: 40 });
    for (const [name, ns] of Object.entries(percentiles)) expect(Math.floor(rest[name as keyof typeof percentiles])).toBe(ns);
    expect([curve[0], curve.at(-1)]).toEqual([
      { ns: 1, share: 1 },
      { ns: 10_000, share: 0.0001 },
    ]);
    for (const { ns, share } of curve) expect(share).toBeCloseTo((10_001 - ns) / 10_000, 10);
    expect(curve.length).toBeLessThan(120);
  });

  test('is one of mallocs and frees; what clears and copies stands aside, and what was not done nowhere', () => {
    const times = { nanoseconds: Float64Array.of(10, 900, 800, 20, 30, 15, Infinity), clockNs: 1 };
    expect(distributionOf(times, everyKind())).toMatchObject({ operationCount: 4, maxNs: 30, maxOthersNs: 900 });
    expect(slowestOf(times)).toBe(900);
  });

  test('of nothing is none', () => {
    expect(distributionOf({ nanoseconds: Float64Array.of(Infinity), clockNs: 1 }, mallocs(1))).toBeUndefined();
  });
});

test('subjects are verified, timed and told of; who fails is, too', async () => {
  const subjects = [firstFit(), firstFit({ overlapEvery: 50 }, 'broken'), firstFit({ sizeMax: 150 }, 'refuses')];
  const rows = await measureOperations(CHURN, subjects, OPTIONS, silentProgress);
  expect(rows).toMatchObject([
    { subject: 'first-fit', status: 'ok', verified: true, failedOperations: 0, passCount: 3 },
    { subject: 'broken', status: 'failed', verified: false, passCount: 0 },
    { subject: 'refuses', status: 'failed', passCount: 3, reason: expect.stringMatching(/were refused/) as string },
  ]);
  const [{ distribution } = {}] = rows;
  expect(distribution!.operationCount).toBe(CHURN.trace.operationCount);
  expect(distribution!.maxNs).toBeGreaterThanOrEqual(distribution!.p50Ns);
  expect(rows[1]!.distribution).toBeUndefined();

  const table = formatOperations(CHURN, rows, false);
  expect(table).toMatch(/first-fit │ +[\d,]+ │/);
  expect(table).toMatch(/broken +│ +- │/);
  expect(table).toMatch(/4,128 mallocs and frees, 3 passes|to 4,128 mallocs and frees, 3 passes/);
  expect(table).toMatch(/FAILED broken: operation \d+/);
  expect(table).not.toMatch(/others/);
  expect(formatOperationsCsv(rows).split('\n')[2]).toMatch(/^churn,broken,allokit,failed,,0,/);

  const plot = operationsPlot(CHURN, rows, subjects, 'no machine');
  expect(plot.series.map(({ name }) => name)).toEqual(['first-fit']);
  expect(plot.subtitle.join()).toMatch(/the clock is part of each: [\d,]+( to [\d,]+)? ns in JavaScript,no machine/);
});
