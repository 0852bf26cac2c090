import { NULL, Retained, compile, type Allocator } from '@allokit/allocator';
import { Random, environmentSeed } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import { describe, expect, test } from 'vitest';
import { KIND, OPERATION_WORDS, Recorded, Replay, TraceBuilder, TraceError, encodeTrace, parseTrace, type Trace } from '../src/index.ts';
import { assembly, buffer, tlsf } from './memories.ts';

/** The operations of a trace as text. */
function operations({ words }: Trace): string[] {
  const names = Object.keys(KIND);
  return Array.from({ length: words.length / OPERATION_WORDS }, (_, i) => {
    const [head, slot, size] = words.subarray(i * OPERATION_WORDS, (i + 1) * OPERATION_WORDS) as unknown as [number, number, number];
    return `${names[head & 0xff]!}${head > 0xff ? `@${2 ** (head >>> 8)}` : ''} ${slot} ${size}`;
  });
}

test('what was asked for is recorded, with slots in place of addresses', () => {
  const heap = Recorded.create(tlsf());
  const a = heap.allocate(100);
  const b = heap.allocate(200, 64);
  heap.deallocate(a);
  const c = heap.allocate(50);
  const moved = heap.reallocate(b, 200, 5000, 64);
  expect(heap.resize(c, 50, 40)).toBe(true);
  heap.reallocate(moved, 5000, 0);
  const d = heap.reallocate(NULL, 0, 70);
  heap.deallocate(d, 70);
  heap.deallocate(NULL);
  expect(operations(heap.trace())).toEqual([
    'malloc 0 100', 'malloc@64 1 200', 'free 0 0', 'malloc 0 50', 'realloc@64 1 5000', 'realloc 0 40', 'free 1 0', 'malloc 1 70', 'free 1 0',
  ]);
});

test('what failed, and what came before, is not', () => {
  const parent = tlsf();
  const before = parent.allocate(16);
  const heap = Recorded.create(parent);
  expect(heap.allocate(2 ** 24)).toBe(NULL);
  expect(heap.allocate(0)).toBe(NULL);
  heap.deallocate(before);
  const a = heap.allocate(10);
  expect(heap.reallocate(a, 10, 2 ** 24)).toBe(NULL);
  expect(heap.resize(a, 10, 2 ** 24)).toBe(false);
  expect(() => heap.deallocate(3)).toThrow();
  expect(operations(heap.trace())).toEqual(['malloc 0 10']);
});

test('a reset frees what is live', () => {
  const heap = Recorded.create(tlsf());
  heap.allocate(1);
  heap.allocate(2);
  heap.reset();
  heap.allocate(3);
  heap.release();
  expect(operations(heap.trace())).toEqual(['malloc 0 1', 'malloc 1 2', 'free 0 0', 'free 1 0', 'malloc 1 3', 'free 1 0']);
});

test('a block that is handed out again was freed, even if by somebody else', () => {
  const arena = Arena.create(buffer(), { chunkSize: 4096 });
  const heap = Recorded.create(Retained.create(arena));
  heap.allocate(16);
  const mark = arena.mark();
  const b = heap.allocate(32);
  arena.rewind(mark);
  expect(heap.allocate(48)).toBe(b);
  expect(operations(heap.trace())).toEqual(['malloc 0 16', 'malloc 1 32', 'free 1 0', 'malloc 1 48']);
  // What is moved there as well.
  const c = heap.allocate(1);
  arena.rewind(mark);
  const moved = heap.reallocate(NULL, 0, 8);
  expect(moved).toBe(b);
  heap.reallocate(moved, 8, 900);
  expect(operations(heap.trace()).slice(4)).toEqual(['malloc 2 1', 'free 1 0', 'malloc 1 8', 'realloc 1 900']);
  expect(c).not.toBe(NULL);
});

test('recording starts again, also beyond the limit', () => {
  const heap = Recorded.create(tlsf(), { limit: 4096 });
  const [a, b] = [heap.allocate(100), heap.allocate(200)];
  for (let i = 0; i < 5000; i += 1) heap.deallocate(heap.allocate(16));
  heap.restart();
  expect(heap.operationCount).toBe(0);
  heap.deallocate(a);
  heap.reallocate(b, 200, 300);
  heap.allocate(16);
  expect(operations(heap.trace())).toEqual(['malloc 0 300', 'malloc 1 16']);
});

test('recording ends at the limit', () => {
  const heap = Recorded.create(tlsf(), { limit: 5000 });
  for (let i = 0; i < 10_000; i += 1) heap.deallocate(heap.allocate(16));
  expect(heap.operationCount).toBe(5000);
  expect(heap.trace().operationCount).toBe(5000);
  for (const limit of [0, 1.5, 2 ** 28 + 1]) expect(() => Recorded.create(tlsf(), { limit })).toThrow(RangeError);
});

/** A program of many operations, with blocks of all sizes. */
function work(heap: Allocator, seed: number, count: number): void {
  const random = Random.fromSeed(seed);
  const live: { address: number; size: number }[] = [];
  for (let i = 0; i < count; i += 1) {
    const size = 1 + random.below(random.below(10) === 0 ? 5000 : 200);
    const choice = random.below(10);
    const victim = random.below(live.length + 1);
    const block = live[victim];
    if (block !== undefined && choice < 4) {
      heap.deallocate(block.address);
      live.splice(victim, 1);
    } else if (block !== undefined && choice < 6) {
      const address = heap.reallocate(block.address, block.size, size);
      if (address !== NULL) live[victim] = { address, size };
    } else {
      const address = heap.allocate(size);
      if (address !== NULL) live.push({ address, size });
    }
  }
}

describe.each([
  { name: 'plain', wrap: (heap: Allocator) => heap },
  { name: 'compiled', wrap: (heap: Allocator) => compile(heap) },
])('a program is played again as it was, $name', ({ wrap }) => {
  // More operations than the buffer holds, and an allocator whose addresses depend on every one of them.
  const seed = environmentSeed() ?? 7;
  test(`seed ${seed}`, () => {
    const recorded = Recorded.create(assembly());
    const program = wrap(recorded);
    work(program, seed, 20_000);
    const trace = recorded.trace('program');
    expect(trace.operationCount).toBeGreaterThan(15_000);
    const read = parseTrace(encodeTrace(trace), 'program');
    expect(read).toEqual(trace);
    const again = assembly();
    const replay = new Replay(read, again);
    replay.run();
    expect(replay.failureCount).toBe(0);
    expect(again.stats().liveBytes).toBe(recorded.stats().liveBytes);
    const second = Recorded.create(assembly());
    new Replay(read, second).run();
    expect(second.trace('program').words).toEqual(trace.words);
    replay.rewind();
    expect(again.stats().liveBytes).toBe(0);
  });
});

describe('a trace being built', () => {
  test('is of any length', () => {
    const builder = new TraceBuilder();
    for (let i = 0; i < 5000; i += 1) {
      builder.allocate(0, i);
      builder.free(0);
    }
    const { words, operationCount, slotCount, peakLiveBytes } = builder.finish('long');
    expect([operationCount, slotCount, peakLiveBytes, words.length]).toEqual([10_000, 1, 4999, 30_000]);
    expect([...words.subarray(-6)]).toEqual([KIND.malloc, 0, 4999, KIND.free, 0, 0]);
  });

  test('takes nothing that cannot be', () => {
    const builder = new TraceBuilder();
    builder.allocate(0, 1);
    for (const step of [
      () => builder.allocate(0, 1), () => builder.allocate(-1, 1), () => builder.allocate(1.5, 1), () => builder.allocate(1, -1), () => builder.allocate(1, 2 ** 32),
      () => builder.reallocate(1, 1), () => builder.reallocate(0, 0.5), () => builder.free(1), () => builder.free(-1),
    ]) expect(step).toThrow(RangeError);
    expect(operations(builder.finish('short'))).toEqual(['malloc 0 1']);
  });
});

test('a free that asks for an alignment is no operation', () => {
  const builder = new TraceBuilder();
  builder.allocate(0, 1);
  builder.free(0);
  const bytes = encodeTrace(builder.finish('t'));
  new DataView(bytes.buffer).setUint32(24 + 12, KIND.free | (5 << 8), true);
  expect(() => parseTrace(bytes, 't')).toThrow('t: operation 1 is a free with the alignment 2^5');
});

test('a damaged trace is refused, or played like any other', () => {
  const heap = Recorded.create(tlsf());
  work(heap, 11, 60);
  const bytes = encodeTrace(heap.trace());
  const random = Random.fromSeed(environmentSeed() ?? 5);
  let [refused, played] = [0, 0];
  for (let round = 0; round < 500; round += 1) {
    const damaged = random.below(2) === 0 ? bytes.slice(0, random.below(bytes.length)) : bytes.slice();
    for (let i = random.below(3); i >= 0 && damaged.length > 0; i -= 1) damaged[random.below(damaged.length)] = random.below(256);
    try {
      new Replay(parseTrace(damaged, 'damaged'), tlsf()).run();
      played += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
      refused += 1;
    }
  }
  expect(Math.min(refused, played)).toBeGreaterThan(10);
});
