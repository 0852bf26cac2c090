import { Random } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { CANDIDATES, Recorded, Replay, TraceBuilder, demandOf, smallestBytes, tune, tuneReport, worstCaseBytes, type Trace } from '../src/index.ts';
import { tuneInThreads } from '../src/native/index.ts';
import { tlsf } from './memories.ts';

/** A trace of blocks of 24 to 600 bytes. */
function makeTrace(seed = 3, count = 3000): Trace {
  const random = Random.fromSeed(seed);
  const builder = new TraceBuilder();
  for (let i = 0; i < count; i += 1) {
    const slot = Math.min(random.below(100), builder.slotCount);
    if (!builder.isLive(slot)) builder.allocate(slot, 24 + random.below(577));
    else if (random.below(4) === 0) builder.reallocate(slot, 24 + random.below(577));
    else builder.free(slot);
  }
  return builder.finish('random');
}

test('what a trace asks for at the most', () => {
  const heap = Recorded.create(tlsf());
  const a = heap.allocate(100);
  heap.allocate(40, 64);
  heap.reallocate(a, 100, 300);
  expect(demandOf(heap.trace())).toEqual({ live: 440, largest: 300, smallest: 40, alignment: 64 });
  expect(demandOf(new TraceBuilder().finish('empty'))).toEqual({ live: 0, largest: 0, smallest: 0, alignment: 1 });
});

describe('the worst case', () => {
  test('has room for the trace in any order', () => {
    const trace = makeTrace();
    const demand = demandOf(trace);
    const size = worstCaseBytes(demand)!;
    expect(size).toBe(O1Heap.requiredCapacity(demand));
    const heap = O1Heap.create(BufferMemory.create({ reserve: 2 * size }), { size });
    const replay = new Replay(trace, heap);
    replay.run();
    expect(replay.failureCount).toBe(0);
  });

  test('is not known for what an o1heap gives no bound for', () => {
    expect(worstCaseBytes({ live: 0, largest: 0, smallest: 0, alignment: 1 })).toBeUndefined();
    expect(worstCaseBytes({ live: 100, largest: 100, smallest: 10, alignment: 64 })).toBeUndefined();
    expect(worstCaseBytes({ live: 2 ** 32 - 1, largest: 2 ** 32 - 1, smallest: 10, alignment: 1 })).toBeUndefined();
  });
});

test.each(CANDIDATES)('$name runs in the smallest memory that was found, and hardly in less', (candidate) => {
  const trace = makeTrace();
  const failures = (size: number): number => {
    const memory = BufferMemory.create({ reserve: size, commit: size, pageSize: 4096 });
    const replay = new Replay(trace, candidate.create(memory, memory.stats().capacity));
    replay.run();
    return replay.failureCount;
  };
  const bytes = smallestBytes(trace, candidate)!;
  expect(bytes).toBeGreaterThan(demandOf(trace).live / 2);
  expect(failures(bytes)).toBe(0);
  const less = bytes - Math.max(4096, Math.floor(bytes / 128 / 4096) * 4096);
  let isEnough = true;
  try {
    isEnough = failures(less) === 0;
  } catch {
    isEnough = false;
  }
  expect(isEnough).toBe(false);
});

test('the report names the fastest and the smallest', () => {
  const figures = [[50, 300], [20, 500], [undefined, 200], [90, undefined]] as const;
  const results = figures.map(([nanoseconds, smallestBytes], i) => ({ name: 'abcd'[i]!, description: '', nanoseconds, smallestBytes }));
  expect(tuneReport(makeTrace(), results)).toMatchObject({ trace: 'random', operationCount: 3000, fastest: 'b', smallest: 'c' });
});

test('all candidates are compared', () => {
  const report = tune(makeTrace(), { rounds: 1 });
  expect(report.results.map(({ name }) => name)).toEqual(CANDIDATES.map(({ name }) => name));
  for (const { nanoseconds, smallestBytes } of report.results) {
    expect(nanoseconds).toBeGreaterThan(0);
    expect(smallestBytes).toBeGreaterThan(0);
  }
  expect(report.worstCaseBytes).toBeGreaterThan(report.demand.live);
  expect(() => tune(makeTrace(), { rounds: 0 })).toThrow(RangeError);
});

test('a trace that is too much for any memory has no result', () => {
  const builder = new TraceBuilder();
  for (let slot = 0; slot < 3; slot += 1) builder.allocate(slot, 2 ** 31 - 1);
  const candidates = CANDIDATES.filter(({ name }) => name === 'tlsf');
  expect(tune(builder.finish('huge'), { candidates })).toMatchObject({ fastest: undefined, smallest: undefined, results: [{ nanoseconds: undefined, smallestBytes: undefined }] });
});

test('in threads of their own they fare the same', async () => {
  const trace = makeTrace();
  const report = await tuneInThreads(trace, { rounds: 1, names: ['tlsf', 'general'] });
  const here = tune(trace, { rounds: 1 });
  for (const { name, smallestBytes, nanoseconds } of report.results) {
    expect(smallestBytes).toBe(here.results.find((result) => result.name === name)!.smallestBytes);
    expect(nanoseconds).toBeGreaterThan(0);
  }
  expect(report.results).toHaveLength(2);
  await expect(tuneInThreads(trace, { names: ['nobody'] })).rejects.toThrow('nobody');
});

test('a replay can stop on its way', () => {
  const trace = makeTrace();
  const heap = tlsf(2 ** 18);
  const replay = new Replay(trace, heap);
  replay.run(1000);
  expect(replay.position).toBe(1000);
  const live = heap.stats().liveBytes;
  expect(live).toBeGreaterThan(0);
  replay.run(500);
  expect(heap.stats().liveBytes).toBe(live);
  replay.run();
  expect(replay.position).toBe(trace.operationCount);
  replay.rewind();
  expect([replay.position, heap.stats().liveBytes]).toEqual([0, 0]);
});

test('what finds no room is counted, and the rest goes on', () => {
  const builder = new TraceBuilder();
  builder.allocate(0, 100);
  builder.reallocate(0, 2 ** 22);
  builder.reallocate(0, 50);
  builder.allocate(1, 2 ** 22);
  builder.free(1);
  builder.allocate(1, 0);
  const heap = tlsf();
  const replay = new Replay(builder.finish('full'), heap);
  replay.run();
  expect(replay.failureCount).toBe(2);
  expect(heap.stats().liveBytes).toBe(64);
});
