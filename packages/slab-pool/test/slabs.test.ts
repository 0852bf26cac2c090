import { Reclaiming, NULL } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { SlabPool, SPARE_BYTES_DEFAULT } from '../src/index.ts';
import { ALLOCATED, CLASSES, INDEX, INDEX_BLOCK_SIZE, SLAB_LOG2 } from '../src/layout.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const SLAB = 4096;

function fill(pool: SlabPool, size: number, count: number): number[] {
  return Array.from({ length: count }, () => pool.allocate(size));
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('release gives everything back, whatever is live', () => {
    const memory = create(2 ** 20);
    const pool = SlabPool.create(memory, { slabSize: SLAB });
    for (const size of [16, 32, 64, 128, 256]) fill(pool, size, 200);
    pool.deallocate(pool.allocate(16));
    expect(memory.stats().liveBytes).toBeGreaterThan(pool.stats().capacity);
    pool.release();
    expect(memory.stats().liveBytes).toBe(0);
    pool.release();
  });

  test('empty slabs go back at once when none are to be kept', () => {
    const memory = create(2 ** 20);
    const pool = SlabPool.create(memory, { slabSize: SLAB, spareBytes: 0 });
    const objects = fill(pool, 64, 640);
    const held = memory.stats().liveBytes;
    expect(pool.stats()).toMatchObject({ slabCount: 10, spareCount: 0 });
    for (const object of objects) pool.deallocate(object);
    // The last slab of a class stays, so that one that comes and goes does not take and return a slab each time.
    expect(pool.stats()).toMatchObject({ slabCount: 1, spareCount: 0, liveBytes: 0, capacity: SLAB });
    expect(memory.stats().liveBytes).toBe(held - 9 * SLAB);
    for (const object of objects.filter((each) => !pool.owns(each))) expect(() => pool.deallocate(object)).toThrow(refusal('foreign-address'));
    // The slab, and the descriptors that then describe nothing.
    expect(pool.trim()).toBeGreaterThan(SLAB);
    expect([pool.stats().slabCount, pool.trim()]).toEqual([0, 0]);
    pool.checkInvariants();
  });

  test('empty slabs are kept for any class, as many as were asked for', () => {
    const memory = create(2 ** 20);
    const pool = SlabPool.create(memory, { slabSize: SLAB, spareBytes: 3 * SLAB + 100 });
    const objects = fill(pool, 64, 640);
    for (const object of objects) pool.deallocate(object);
    expect(pool.stats()).toMatchObject({ slabCount: 4, spareCount: 3 });
    for (const object of objects) expect(() => pool.deallocate(object)).toThrow(refusal(pool.owns(object) ? 'double-free' : 'foreign-address'));
    const held = memory.stats().liveBytes;
    fill(pool, 256, 3 * 16);
    expect(pool.stats()).toMatchObject({ slabCount: 4, spareCount: 0 });
    expect(pool.stats().classes.map(({ slabs }) => slabs)).toEqual([0, 0, 1, 0, 3]);
    expect(memory.stats().liveBytes).toBe(held);
    pool.checkInvariants();
  });
});

test('by default 4 MiB of empty slabs are kept', () => {
  const memory = buffer(2 ** 24);
  const pool = SlabPool.create(memory);
  const objects = fill(pool, 256, 256 * 80);
  for (const object of objects) pool.deallocate(object);
  expect([SPARE_BYTES_DEFAULT, pool.stats().spareCount, pool.stats().slabCount]).toEqual([2 ** 22, 64, 65]);
  const held = memory.stats().liveBytes;
  const returned = pool.trim();
  expect(returned).toBeGreaterThan(65 * 65_536);
  expect(held - memory.stats().liveBytes).toBe(returned);
  pool.checkInvariants();
});

test('reset keeps all slabs, for any class', () => {
  const memory = buffer();
  const pool = SlabPool.create(memory, { slabSize: SLAB, spareBytes: 0 });
  const objects = [...fill(pool, 16, 1000), ...fill(pool, 128, 100)];
  const held = memory.stats().liveBytes;
  const { slabCount } = pool.stats();
  pool.reset();
  expect(pool.stats()).toMatchObject({ slabCount, spareCount: slabCount, liveBytes: 0 });
  for (const object of objects) expect(() => pool.deallocate(object)).toThrow(refusal('double-free'));
  fill(pool, 256, 16 * slabCount);
  expect(memory.stats().liveBytes).toBe(held);
  pool.checkInvariants();
});

test('a class finds the empty slabs that other classes hold on to when the parent has no more', () => {
  const memory = buffer(2 ** 16);
  const pool = SlabPool.create(memory, { slabSize: SLAB });
  for (const size of [16, 32, 64, 128]) pool.deallocate(pool.allocate(size));
  let count = 0;
  while (pool.allocate(256) !== NULL) count += 1;
  expect(pool.stats().classes.map(({ slabs }) => slabs)).toEqual([0, 0, 0, 0, count / 16]);
  expect(pool.stats()).toMatchObject({ slabCount: count / 16, failureCount: 1 });
  pool.checkInvariants();
});

test('a slab is touched only as far as it is used', () => {
  const pool = SlabPool.create(buffer());
  const first = pool.allocate(16);
  const { i32 } = pool.memory;
  // A page of free objects is linked; behind it everything is as the parent gave it.
  expect(i32.subarray((first + 4096) / 4, (first + 65_536) / 4).every((word) => word === 0)).toBe(true);
});

test('memory that other tenants leave in between is found by the index', () => {
  const memory = buffer(2 ** 21);
  const pool = SlabPool.create(memory, { slabSize: SLAB });
  const random = Random.fromSeed(4);
  const objects: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    memory.allocate(random.between(1, 5) * 4096);
    objects.push(...fill(pool, 256, 16));
  }
  expect(pool.stats().slabCount).toBe(100);
  for (const object of random.shuffle(objects)) pool.deallocate(object, 256);
  expect(pool.stats().liveBytes).toBe(0);
  pool.checkInvariants();
});

describe('the index', () => {
  test('grows with the addresses, and its blocks go back', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 29 });
    const pool = SlabPool.create(memory, { slabSize: SLAB });
    const objects: number[] = [];
    const walls: number[] = [];
    const indexes = new Set<number>();
    for (let skipped = 2 ** 16; skipped <= 2 ** 27; skipped *= 2) {
      walls.push(memory.allocate(skipped));
      objects.push(...fill(pool, 256, 17));
      pool.checkInvariants();
      indexes.add(memory.i32[pool.address / 4 + INDEX]!);
    }
    expect(indexes.size).toBeGreaterThan(3);
    expect(memory.i32[pool.address / 4 + INDEX_BLOCK_SIZE]).toBeGreaterThan((Math.max(...objects) / SLAB) * 4);
    expect(SlabPool.attach(memory, pool.address).stats()).toEqual(pool.stats());
    for (const object of objects) pool.deallocate(object);
    expect([pool.stats().liveBytes, Math.max(...objects) > 2 ** 26]).toEqual([0, true]);
    pool.release();
    for (const wall of walls) memory.deallocate(wall);
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('reaches above 2 and 3 GiB', () => {
    let memory: BufferMemory;
    try {
      memory = BufferMemory.create({ reserve: 2 ** 32, pageSize: 65_536 });
    } catch (error) {
      expect(() => { throw error as Error; }).toThrow(refusal('out-of-memory', /refuses to reserve/));
      return;
    }
    memory.allocate(2 ** 31);
    const pool = SlabPool.create(memory);
    const low = fill(pool, 32, 3000);
    memory.allocate(2 ** 30);
    const high = fill(pool, 32, 3000);
    const objects = [...low, ...high];
    expect([Math.min(...low) > 2 ** 31, Math.max(...high) > 3 * 2 ** 30]).toEqual([true, true]);
    objects.forEach((object, i) => memory.i32.fill(i, object / 4, object / 4 + 8));
    pool.checkInvariants();
    expect(objects.every((object, i) => pool.owns(object) && memory.i32[object / 4 + 7] === i)).toBe(true);
    for (const object of objects) pool.deallocate(object, 20);
    expect(() => pool.deallocate(high[0]!)).toThrow(refusal('double-free', new RegExp(high[0]!.toString(16))));
    pool.release();
    expect(memory.stats().liveBytes).toBe(2 ** 31 + 2 ** 30);
    memory.release();
  });
});

test('counts are exact beyond 2^31 and 2^32', () => {
  const pool = SlabPool.create(buffer(), { slabSize: SLAB });
  const keeper = pool.allocate(16);
  const words = pool.memory.i32;
  const record = pool.address / 4 + CLASSES;
  // As after so many allocations, of which all but one were freed.
  words[record + ALLOCATED] = 2 ** 31 - 4;
  expect(pool.stats().classes[0]).toMatchObject({ allocated: 2 ** 31 - 4, freed: 2 ** 31 - 5, live: 1 });
  for (let i = 0; i < 10; i += 1) pool.deallocate(pool.allocate(16));
  pool.checkInvariants();
  expect(pool.stats().classes[0]).toMatchObject({ allocated: 2 ** 31 + 6, freed: 2 ** 31 + 5, live: 1 });
  words[record + ALLOCATED] = 2 ** 31 - 1;
  pool.deallocate(pool.allocate(16));
  // They outlive the slabs.
  pool.deallocate(keeper);
  pool.trim();
  expect(pool.stats().classes[0]).toMatchObject({ allocated: 2 ** 32, freed: 2 ** 32, live: 0, slabs: 0 });
  for (let round = 0; round < 3; round += 1) {
    const objects = fill(pool, 16, 1000);
    for (const object of objects) pool.deallocate(object);
    pool.trim();
  }
  expect(pool.stats().classes[0]).toMatchObject({ allocated: 2 ** 32 + 3000, freed: 2 ** 32 + 3000 });
});

test('a parent that has the pool itself trimmed to find room changes nothing but the pool', () => {
  const memory = buffer();
  const pools: SlabPool[] = [];
  const parent = Reclaiming.create(memory, () => pools[0]?.trim() ?? 0);
  const pool = SlabPool.create(parent, { classes: [4096], slabSize: 4096, spareBytes: 0 });
  pools.push(pool);
  const objects: number[] = [];
  for (let object = pool.allocate(4096); object !== 0; object = pool.allocate(4096)) {
    objects.push(object);
    memory.i32.fill(objects.length, object / 4, object / 4 + 1024);
  }
  memory.checkInvariants();
  pool.checkInvariants();
  expect(objects.length).toBeGreaterThan(50);
  expect(objects.every((object, i) => memory.i32[object / 4] === i + 1 && memory.i32[object / 4 + 1023] === i + 1)).toBe(true);
  for (const object of objects) pool.deallocate(object);
  pool.checkInvariants();
});

test('a parent that can take nothing back keeps the slabs, which are reused', () => {
  const memory = buffer();
  const parent = {
    memory, alignment: memory.alignment, monotonic: true,
    allocate: (size: number, alignment?: number) => memory.allocate(size, alignment),
    resize: () => false, reallocate: () => NULL, owns: (address: number) => memory.owns(address), reset: () => undefined, release: () => undefined,
    stats: () => memory.stats(), checkInvariants: () => memory.checkInvariants(),
  } as const;
  const pool = SlabPool.create(parent, { slabSize: SLAB, spareBytes: 0 });
  for (const object of fill(pool, 64, 640)) pool.deallocate(object);
  expect(pool.stats()).toMatchObject({ slabCount: 10, spareCount: 9 });
  const held = memory.stats().liveBytes;
  fill(pool, 256, 9 * 16);
  const before = pool.stats();
  expect([pool.trim(), memory.stats().liveBytes]).toEqual([0, held]);
  expect(pool.stats()).toEqual(before);
  expect(SlabPool.attach(parent, pool.address).stats()).toEqual(pool.stats());
  pool.release();
  expect(memory.stats().liveBytes).toBe(held);
});

test('a parent that has the pool trimmed before it fails does not make it fail with a slab to spare', () => {
  const memory = buffer();
  let isFull = false;
  const parent = new Proxy(memory, {
    get: (target, name) => {
      if (name === 'allocate' && isFull) return () => (pool.trim(), NULL);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : name === 'monotonic' ? true : value;
    },
    has: (target, name) => name === 'monotonic' || Reflect.has(target, name),
  });
  const pool = SlabPool.create(parent, { slabSize: SLAB, classes: [16, SLAB] });
  pool.deallocate(pool.allocate(16));
  isFull = true;
  expect(pool.allocate(SLAB)).not.toBe(NULL);
  expect(pool.stats()).toMatchObject({ spareCount: 0, failureCount: 0 });
});

test('a damaged slab size in the state does not make it hand out what others have', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 22, pageSize: SLAB });
  const pool = SlabPool.create(memory, { slabSize: SLAB, classes: [16, SLAB] });
  pool.allocate(16);
  const hole = memory.allocate(SLAB);
  const others = new Set(Array.from({ length: 50 }, () => memory.allocate(SLAB)));
  memory.deallocate(hole, SLAB);
  memory.i32[pool.address / 4 + SLAB_LOG2] = 18;
  expect(fill(pool, SLAB, 6).filter((object) => others.has(object))).toEqual([]);
});
