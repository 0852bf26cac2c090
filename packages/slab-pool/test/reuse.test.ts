import { Random } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { SlabPool } from '../src/index.ts';
import { MEMORIES, buffer } from './memories.ts';

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('the next allocation of a class returns the object last freed', () => {
    const pool = SlabPool.create(create(2 ** 20));
    for (const size of [1, 16, 17, 64, 100, 256]) {
      const first = pool.allocate(size);
      pool.deallocate(first);
      expect(pool.allocate(size)).toBe(first);
    }
    const stack = Array.from({ length: 100 }, () => pool.allocate(48));
    for (const address of stack) pool.deallocate(address);
    expect(Array.from({ length: 100 }, () => pool.allocate(48))).toEqual(stack.reverse());
    pool.checkInvariants();
  });

  test('the object last freed comes back whichever slab it lies in', () => {
    const pool = SlabPool.create(create(2 ** 20), { slabSize: 4096 });
    const objects = Array.from({ length: 100 }, () => pool.allocate(200));
    expect(pool.stats().classes[4]!.slabs).toBe(7);
    const random = Random.fromSeed(2);
    for (let i = 0; i < 1000; i += 1) {
      const index = random.below(objects.length);
      pool.deallocate(objects[index]!);
      expect(pool.allocate(200)).toBe(objects[index]);
    }
    pool.checkInvariants();
  });
});

test('64 allocated, 32 freed: 32 live, and every figure says so', () => {
  const pool = SlabPool.create(buffer());
  const objects = Array.from({ length: 64 }, () => pool.allocate(64));
  for (const object of objects.slice(0, 32)) pool.deallocate(object);
  expect(pool.stats().classes[2]).toEqual({ size: 64, allocated: 64, freed: 32, live: 32, slabs: 1 });
  expect(pool.stats()).toMatchObject({ liveBytes: 32 * 64, capacity: 65_536, slabCount: 1, spareCount: 0, failureCount: 0 });
  for (const object of objects.slice(32)) pool.deallocate(object);
  expect(pool.stats().classes[2]).toMatchObject({ allocated: 64, freed: 64, live: 0 });
  expect(pool.stats().liveBytes).toBe(0);
});

test('the figures of every class are exact after any program', () => {
  const pool = SlabPool.create(buffer(), { slabSize: 4096 });
  const random = Random.fromSeed(9);
  const sizes = [16, 32, 64, 128, 256];
  const expected = sizes.map((size) => ({ size, allocated: 0, freed: 0, live: 0 }));
  const live: { readonly address: number; readonly index: number }[] = [];
  for (let i = 0; i < 20_000; i += 1) {
    if (live.length === 0 || random.chance(Math.floor(i / 4000) % 2 === 0 ? 6 : 4, 10)) {
      const index = random.below(sizes.length);
      const address = pool.allocate(sizes[index]!);
      if (address === 0) continue;
      live.push({ address, index });
      expected[index]!.allocated += 1;
    } else {
      const [{ address, index }] = live.splice(random.below(live.length), 1) as [(typeof live)[0]];
      pool.deallocate(address);
      expected[index]!.freed += 1;
    }
    if (i % 3000 === 2999) pool.trim();
  }
  for (const figures of expected) figures.live = figures.allocated - figures.freed;
  expect(pool.stats().classes).toMatchObject(expected);
  pool.reset();
  expect(pool.stats().classes).toMatchObject(expected.map(({ size, allocated }) => ({ size, allocated, freed: allocated, live: 0, slabs: 0 })));
  pool.checkInvariants();
});

/** A chess move as an engine stores it, behind an object header of the given size. */
describe.each([{ header: 8, slot: 32 }, { header: 16, slot: 32 }, { header: 0, slot: 16 }])('moves of 12 bytes behind a header of $header', ({ header, slot }) => {
  const MOVE_SIZE = 12;
  const MOVE_COUNT = 30;

  /** from, to, piece, captured, flags, score. */
  function fields(i: number): number[] {
    return [i, 63 - i, i % 12, (i * 7) % 13, i % 5, i * 1000 - 15_000];
  }

  function write(pool: SlabPool, address: number, i: number): void {
    const { u8, i32 } = pool.memory;
    const [from, to, piece, captured, flags, score] = fields(i) as [number, number, number, number, number, number];
    for (let word = 0; word < header / 4; word += 1) i32[address / 4 + word] = 0x1000 * word + i;
    u8.set([from, to, piece, captured, flags], address + header);
    i32[(address + header + 8) / 4] = score;
  }

  function read(pool: SlabPool, address: number): number[] {
    const { u8, i32 } = pool.memory;
    return [...u8.subarray(address + header, address + header + 5), i32[(address + header + 8) / 4]!];
  }

  test('made, undone in reverse and made again are reused without exception, every field intact', () => {
    const pool = SlabPool.create(buffer());
    const make = (): number[] => Array.from({ length: MOVE_COUNT }, (_, i) => {
      const address = pool.allocate(MOVE_SIZE + header);
      write(pool, address, i);
      return address;
    });
    const moves = make();
    expect(moves.map((move) => read(pool, move))).toEqual(moves.map((_, i) => fields(i)));
    expect(pool.usableSize(moves[0]!)).toBe(slot);
    for (const move of moves.toReversed()) pool.deallocate(move, MOVE_SIZE + header);
    expect(pool.stats().liveBytes).toBe(0);
    const again = make();
    expect(again).toEqual(moves);
    expect(again.map((move) => read(pool, move))).toEqual(moves.map((_, i) => fields(i)));
    expect(pool.stats().slabCount).toBe(1);
    for (const figures of pool.stats().classes) expect([0, 60]).toContain(figures.allocated);
    pool.checkInvariants();
  });
});
