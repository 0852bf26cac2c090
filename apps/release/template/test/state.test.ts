import { range, unseenDamage } from '@allokit/allocator/testing';
import { BufferMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';
import { FixedPool, SLOT_COUNT_MAX, SLOT_SIZE_MAX } from '../src/index.ts';

const SLOT_COUNT = 20;

/** The words of the state, without the count of failures, which nothing contradicts. */
const FIELDS = [...range(0, 8), ...range(9, 9 + SLOT_COUNT)];

function inUse(memory: BufferMemory = BufferMemory.create({ reserve: 2 ** 16 })): FixedPool {
  const pool = FixedPool.create(memory, { slotSize: 40, slotCount: SLOT_COUNT });
  const blocks = range(0, 12).map(() => pool.allocate(40));
  for (const block of blocks.filter((_, i) => i % 3 === 0)) pool.deallocate(block, 40);
  return pool;
}

test('another thread finds the pool by its address', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 16, shared: true });
  const pool = inUse(memory);
  const samePool = FixedPool.attach(BufferMemory.attach(memory.buffer), pool.address);
  expect(samePool.stats()).toEqual(pool.stats());
  const block = samePool.allocate(40);
  expect(pool.usableSize(block)).toBe(48);
  expect(pool.stats().liveBytes).toBe(9 * 48);
});

test('damage is seen in every word of the state', () => {
  const pool = inUse();
  const words = FIELDS.map((field) => pool.address / 4 + field);
  expect(unseenDamage(pool.memory.i32, words, () => pool.checkInvariants())).toEqual([]);
});

test('a pool that cannot be is refused, and one that is not there', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 16 });
  expect(() => FixedPool.create(memory, { slotSize: 0, slotCount: 1 })).toThrow('slotSize must be in 1..65536, got 0');
  expect(() => FixedPool.create(memory, { slotSize: SLOT_SIZE_MAX, slotCount: SLOT_COUNT_MAX })).toThrow(RangeError);
  expect(() => FixedPool.create(memory, { slotSize: 2 ** 12, slotCount: 100 })).toThrow('the parent has no block');
  const block = memory.allocate(256);
  expect(() => FixedPool.attach(memory, block)).toThrow('no allocator lies at');
});
