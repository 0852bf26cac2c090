import { NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { BufferMemory } from '@allokit/vmem';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARENA_ALIGNMENT_DEFAULT, Arena, CHUNK_SIZE_DEFAULT } from '../src/index.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const CHUNK = 4096;

function arenaOf(chunkSize = CHUNK, memory = buffer()): Arena {
  return Arena.create(memory, { chunkSize });
}

/** A program of allocations that its seed determines. */
function build(arena: Arena, seed: number, count = 300): number[] {
  const random = Random.fromSeed(seed);
  return Array.from({ length: count }, () => arena.allocate(random.logUniform(1, 2 * CHUNK)));
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('reset keeps every chunk and uses it again: cycles for ever take nothing more', () => {
    const memory = create(2 ** 21);
    const arena = Arena.create(memory, { chunkSize: CHUNK });
    const first = build(arena, 1);
    const { capacity, chunkCount, liveBytes } = arena.stats();
    const held = memory.stats().liveBytes;
    expect(chunkCount).toBeGreaterThan(20);
    for (let cycle = 0; cycle < 50; cycle += 1) {
      arena.reset();
      expect(arena.stats()).toMatchObject({ capacity, chunkCount, liveBytes: 0, peakBytes: liveBytes });
      expect(build(arena, 1)).toEqual(first);
      expect(arena.stats()).toMatchObject({ capacity, chunkCount, liveBytes });
      arena.checkInvariants();
    }
    expect(memory.stats().liveBytes).toBe(held);
    arena.release();
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('content survives until the reset, in every chunk', () => {
    const arena = Arena.create(create(2 ** 21), { chunkSize: CHUNK });
    const blocks = build(arena, 2, 200);
    blocks.forEach((block, i) => arena.memory.u8.fill(i, block, block + 1));
    arena.memory.commit(2 ** 21);
    expect(blocks.every((block, i) => arena.memory.u8[block] === (i & 0xff) && arena.owns(block))).toBe(true);
    expect(new Set(blocks).size).toBe(blocks.length);
  });
});

test('programs of different sizes in turn soon need little more', () => {
  const arena = arenaOf(CHUNK, buffer(2 ** 23));
  const capacities: number[] = [];
  for (let cycle = 0; cycle < 40; cycle += 1) {
    build(arena, cycle % 4);
    capacities.push(arena.stats().capacity);
    arena.reset();
  }
  expect(capacities.at(-1)).toBeLessThan(1.25 * capacities[10]!);
  expect(capacities.at(-1)).toBeLessThan(3 * capacities[0]!);
});

test('blocks follow each other, rounded up to the alignment', () => {
  const arena = arenaOf();
  const first = arena.allocate(1);
  expect([ARENA_ALIGNMENT_DEFAULT, arena.alignment, first % 8]).toEqual([8, 8, 0]);
  expect([arena.allocate(8), arena.allocate(9), arena.allocate(1)]).toEqual([first + 8, first + 16, first + 32]);
  expect(arena.stats().liveBytes).toBe(40);
  expect([arena.allocate(0), arena.stats().failureCount]).toEqual([NULL, 0]);
});

test('every alignment is honoured, by the arena and by request', () => {
  const request = fc.record({ size: fc.integer({ min: 1, max: 700 }), log2: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }) });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 256, max: 20_000 }), fc.array(request, { maxLength: 30 }), (alignmentLog2, chunkSize, requests) => {
      const alignment = 2 ** alignmentLog2;
      const arena = Arena.create(buffer(2 ** 22), { alignment, chunkSize: Math.max(chunkSize, 4 * alignment) });
      const taken: { readonly start: number; readonly end: number }[] = [];
      for (const { size, log2 } of requests) {
        const start = arena.allocate(size, log2 === undefined ? undefined : 2 ** log2);
        expect(start).not.toBe(NULL);
        expect(start % Math.max(alignment, log2 === undefined ? 1 : 2 ** log2)).toBe(0);
        expect(taken.every((other) => start >= other.end || start + size <= other.start)).toBe(true);
        taken.push({ start, end: start + size });
        arena.checkInvariants();
      }
    }),
    { numRuns: 100 },
  );
});

describe('a request larger than a chunk', () => {
  test('gets one of its own, and the next small one goes on behind it', () => {
    const arena = arenaOf();
    arena.allocate(100);
    const large = arena.allocate(50_000);
    expect(arena.stats()).toMatchObject({ chunkCount: 2, liveBytes: 104 + 50_000 });
    expect(arena.stats().capacity).toBeLessThan(CHUNK + 50_000 + 64);
    expect(arena.owns(large + 49_999)).toBe(true);
    arena.allocate(3000);
    expect(arena.stats().chunkCount).toBe(3);
    arena.checkInvariants();
  });

  test('finds the chunk of an earlier one after a reset', () => {
    const arena = arenaOf();
    const large = arena.allocate(50_000);
    arena.reset();
    arena.allocate(100);
    expect([arena.allocate(40_000), arena.stats().chunkCount]).toEqual([large, 2]);
  });

  test('leaves nothing changed when there is no room', () => {
    const memory = buffer(2 ** 16);
    const arena = arenaOf(CHUNK, memory);
    const block = arena.allocate(100);
    const before = arena.stats();
    for (const size of [2 ** 16, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 16]) expect(arena.allocate(size)).toBe(NULL);
    expect(arena.stats()).toEqual({ ...before, failureCount: 4 });
    expect(arena.allocate(8)).toBe(block + 104);
  });
});

describe('resize', () => {
  test('moves the end of the latest block, as far as its chunk goes', () => {
    const arena = arenaOf();
    const block = arena.allocate(100);
    expect(arena.resize(block, 100, 1000)).toBe(true);
    expect(arena.stats().liveBytes).toBe(1000);
    expect(arena.resize(block, 1000, 5)).toBe(true);
    expect(arena.stats()).toMatchObject({ liveBytes: 8, peakBytes: 1000 });
    expect(arena.allocate(1)).toBe(block + 8);
    expect(arena.resize(block, 5, 8)).toBe(true);
    expect(arena.resize(block, 8, 9)).toBe(false);
    expect(arena.resize(block, 8, 0)).toBe(false);
    const last = arena.allocate(100);
    expect(arena.resize(last, 100, CHUNK)).toBe(false);
    expect(arena.reallocate(last, 100, 200)).toBe(last);
    arena.checkInvariants();
  });

  test('of another block never grows; reallocate then copies, and leaves the old one until the reset', () => {
    const arena = arenaOf();
    const block = arena.allocate(10);
    arena.memory.u8.set([1, 2, 3], block);
    const next = arena.allocate(10);
    const moved = arena.reallocate(block, 10, 20);
    expect(moved).toBe(next + 16);
    expect([...arena.memory.u8.subarray(moved, moved + 3)]).toEqual([1, 2, 3]);
    expect(arena.stats().liveBytes).toBe(16 + 16 + 24);
    expect(arena.resize(block, 10, 3)).toBe(true);
    expect(arena.stats().liveBytes).toBe(56);
    expect(arena.reallocate(moved, 20, 0)).toBe(NULL);
  });

  test('refuses what cannot be a block of that size', () => {
    const arena = arenaOf();
    const block = arena.allocate(100);
    expect(() => arena.resize(block, 105, 8)).toThrow(refusal('size-mismatch'));
    expect(() => arena.resize(block, 0, 8)).toThrow(refusal('size-mismatch'));
    expect(() => arena.resize(block + 104, 1, 8)).toThrow(refusal('invalid-address'));
    expect(() => arena.resize(block + 1, 1, 8)).toThrow(refusal('invalid-address'));
    expect(() => arena.resize(16, 1, 8)).toThrow(refusal('foreign-address'));
    arena.allocate(2 * CHUNK);
    arena.reset();
    expect(() => arena.resize(block, 100, 8)).toThrow(refusal('invalid-address', /reset/));
  });
});

describe('trim', () => {
  test('gives back the chunks that are not in use, and only those', () => {
    const memory = buffer();
    const arena = arenaOf(CHUNK, memory);
    const before = memory.stats().liveBytes;
    const block = arena.allocate(100);
    for (let i = 0; i < 20; i += 1) arena.allocate(3000);
    expect(arena.trim()).toBe(0);
    const { liveBytes } = arena.stats();
    arena.reset();
    expect([arena.allocate(100), arena.trim()]).toEqual([block, 19 * CHUNK]);
    expect(arena.stats()).toMatchObject({ chunkCount: 1, liveBytes: 104, peakBytes: liveBytes });
    expect(memory.stats().liveBytes).toBe(before);
    arena.checkInvariants();
    expect(arena.allocate(3900)).not.toBe(NULL);
  });

  test('happens when chunks too small for a request stand in its way', () => {
    const memory = buffer(2 ** 16);
    const arena = arenaOf(CHUNK, memory);
    while (arena.allocate(3000) !== NULL);
    expect(arena.stats().chunkCount).toBeGreaterThan(10);
    arena.reset();
    expect(arena.allocate(40_000)).not.toBe(NULL);
    expect(arena.stats().chunkCount).toBe(2);
    arena.checkInvariants();
  });
});

test('the peak is the most there ever was, across resets, rewinds and resizes', () => {
  const arena = arenaOf();
  const mark = arena.mark();
  arena.allocate(1000);
  expect(arena.stats().peakBytes).toBe(1000);
  arena.rewind(mark);
  arena.allocate(400);
  expect(arena.stats()).toMatchObject({ liveBytes: 400, peakBytes: 1000 });
  const block = arena.allocate(800);
  arena.resize(block, 800, 16);
  expect(arena.stats()).toMatchObject({ liveBytes: 416, peakBytes: 1200 });
  arena.reset();
  expect(arena.stats()).toMatchObject({ liveBytes: 0, peakBytes: 1200 });
});

test('addresses above 2 and 3 GiB', () => {
  let memory: BufferMemory;
  try {
    memory = BufferMemory.create({ reserve: 2 ** 32, pageSize: 65_536 });
  } catch (error) {
    expect(() => { throw error as Error; }).toThrow(refusal('out-of-memory', /refuses to reserve/));
    return;
  }
  const low = memory.allocate(2 ** 31);
  const arena = Arena.create(memory, { chunkSize: 2 ** 20 });
  const blocks = build(arena, 6);
  const mark = arena.mark();
  const wide = arena.allocate(2 ** 30, 4096);
  expect([wide > 2 ** 31, arena.allocate(100) > 3 * 2 ** 30]).toEqual([true, true]);
  memory.u8[wide + 2 ** 30 - 1] = 9;
  expect([...blocks, wide, wide + 2 ** 30 - 1].every((block) => block > 2 ** 31 && arena.owns(block))).toBe(true);
  arena.checkInvariants();
  expect(Arena.attach(memory, arena.address).stats()).toEqual(arena.stats());
  expect(arena.resize(wide, 2 ** 30, 2 ** 20)).toBe(true);
  arena.rewind(mark);
  expect(arena.trim()).toBeGreaterThan(2 ** 30);
  arena.checkInvariants();
  arena.release();
  expect(memory.usableSize(low)).toBe(memory.stats().liveBytes);
  memory.release();
});

test('options that make no sense are refused, and the parent keeps its memory', () => {
  const memory = buffer(2 ** 16);
  for (const alignment of [0, 1, 2, 3, 12, 8192, -8, 0.5, NaN]) expect(() => Arena.create(memory, { alignment, chunkSize: CHUNK })).toThrow(RangeError);
  for (const chunkSize of [0, 255, -1, 0.5, NaN, 2 ** 31 + 1]) expect(() => Arena.create(memory, { chunkSize })).toThrow(RangeError);
  expect(() => Arena.create(memory, { chunkSize: 8192, alignment: 4096 })).toThrow(RangeError);
  expect(() => Arena.create(memory, { chunkSize: '4096' as unknown as number })).toThrow(TypeError);
  expect(CHUNK_SIZE_DEFAULT).toBe(2 ** 21);
  expect(() => Arena.create(memory)).toThrow(refusal('out-of-memory', /2097152/));
  expect(memory.stats().liveBytes).toBe(0);
});
