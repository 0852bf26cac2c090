import { Random } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { Arena, type ArenaMark } from '../src/index.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const CHUNK = 4096;

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('rewind frees what came after the mark, in any chunk, and nothing else', () => {
    const arena = Arena.create(create(2 ** 20), { chunkSize: CHUNK });
    const { u8 } = arena.memory;
    const kept = arena.allocate(100);
    u8.fill(5, kept, kept + 100);
    const mark = arena.mark();
    const { liveBytes } = arena.stats();
    for (let round = 0; round < 20; round += 1) {
      const blocks = Array.from({ length: 30 }, () => arena.allocate(1000));
      for (const block of blocks) arena.memory.u8.fill(round, block, block + 1000);
      arena.rewind(mark);
      expect(arena.stats().liveBytes).toBe(liveBytes);
      arena.checkInvariants();
    }
    expect(arena.stats().chunkCount).toBeLessThan(16);
    expect(arena.memory.u8.subarray(kept, kept + 100).every((byte) => byte === 5)).toBe(true);
    expect(arena.allocate(8)).toBe(kept + 104);
  });
});

test('a scope ends with its block, even when that is left by an error', () => {
  const arena = Arena.create(buffer(), { chunkSize: CHUNK });
  const outer = arena.allocate(10);
  const use = (): void => {
    using _scope = arena.scope();
    arena.allocate(10_000);
    throw new Error('left early');
  };
  expect(use).toThrow('left early');
  expect(arena.stats().liveBytes).toBe(16);
  {
    using _scope = arena.scope();
    expect(arena.allocate(10)).toBe(outer + 16);
  }
  expect(arena.allocate(10)).toBe(outer + 16);
});

test('scopes nest', () => {
  const arena = Arena.create(buffer(), { chunkSize: CHUNK });
  const sizes: number[] = [];
  const descend = (depth: number): void => {
    using _scope = arena.scope();
    arena.allocate(700);
    sizes.push(arena.stats().liveBytes);
    if (depth > 0) descend(depth - 1);
    expect(arena.stats().liveBytes).toBe(sizes[sizes.length - 1]);
    sizes.pop();
  };
  descend(20);
  expect([sizes, arena.stats().liveBytes]).toEqual([[], 0]);
  expect(arena.stats().peakBytes).toBe(21 * 704);
  arena.checkInvariants();
});

test('marks nest: rewinding to an outer one frees the inner ones too, in any program', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = Random.fromSeed(seed);
    const arena = Arena.create(buffer(), { chunkSize: CHUNK });
    const marks: { readonly mark: ArenaMark; readonly liveBytes: number; readonly next: number }[] = [];
    for (let i = 0; i < 200; i += 1) {
      if (random.chance(1, 4)) {
        // Where the next block will lie is known by allocating it and going back.
        const mark = arena.mark();
        const { liveBytes } = arena.stats();
        const next = arena.allocate(8);
        arena.rewind(mark);
        marks.push({ mark, liveBytes, next });
      } else if (marks.length > 0 && random.chance(1, 5)) {
        const at = random.below(marks.length);
        const { mark, liveBytes, next } = marks[at]!;
        arena.rewind(mark);
        marks.length = at;
        expect(arena.stats().liveBytes).toBe(liveBytes);
        const again = arena.allocate(8);
        expect(again).toBe(next);
        arena.rewind(mark);
      } else arena.allocate(random.logUniform(1, 3000));
      arena.checkInvariants();
    }
  }
});

describe('a stale mark is refused', () => {
  function filled(): { readonly arena: Arena; readonly early: ArenaMark; readonly late: ArenaMark } {
    const arena = Arena.create(buffer(), { chunkSize: CHUNK });
    arena.allocate(100);
    const early = arena.mark();
    for (let i = 0; i < 10; i += 1) arena.allocate(3000);
    return { arena, early, late: arena.mark() };
  }

  test('after a reset, and after a rewind to an earlier one', () => {
    for (const back of [(arena: Arena) => arena.reset(), (arena: Arena, early: ArenaMark) => arena.rewind(early)]) {
      const { arena, early, late } = filled();
      back(arena, early);
      const before = arena.stats();
      expect(() => arena.rewind(late)).toThrow(refusal('invalid-address', /stale/));
      expect(arena.stats()).toEqual(before);
      arena.checkInvariants();
    }
    const { arena, early } = filled();
    arena.reset();
    expect(() => arena.rewind(early)).toThrow(refusal('invalid-address', /stale/));
  });

  test('of a chunk that went back, of another arena, or made up', () => {
    const { arena, late, early } = filled();
    arena.reset();
    arena.trim();
    expect(() => arena.rewind(late)).toThrow(refusal('invalid-address'));
    const other = filled();
    for (const mark of [{ chunk: 0, cursor: 0 }, { chunk: 4096, cursor: 1 }, { ...other.early, cursor: 0 }, { ...early, cursor: early.cursor + 2 ** 20 }]) {
      expect(() => other.arena.rewind(mark)).toThrow(refusal('invalid-address'));
    }
    for (const mark of [{ chunk: -1, cursor: 0 }, { chunk: 0.5, cursor: 0 }, { chunk: early.chunk, cursor: NaN }]) expect(() => arena.rewind(mark)).toThrow(RangeError);
    other.arena.checkInvariants();
  });

  test('when an inner scope is left after the outer one', () => {
    const { arena } = filled();
    const outer = arena.scope();
    arena.allocate(2000);
    arena.allocate(2000);
    arena.allocate(2000);
    const inner = arena.scope();
    outer[Symbol.dispose]();
    expect(() => inner[Symbol.dispose]()).toThrow(refusal('invalid-address', /stale/));
  });
});
