import { Bounded, NULL, type Allocator } from '@allokit/allocator';
import { Random, fuzz } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Tlsf, type TlsfGrowth } from '../src/index.ts';
import { FIRST_BLOCK, picture, regions } from './fragments.ts';
import { MEMORIES, buffer } from './memories.ts';

/** What the smallest heaps here are made of: more than a state. */
const PAGE = 8192;
const VOLATILE = ['capacity', 'peakRequest', 'largestFree', 'externalFragmentation'];

function growing(parent: Allocator = buffer(), size = PAGE, growth: TlsfGrowth = { step: PAGE }): Tlsf {
  return Tlsf.create(parent, { size, growth });
}

/** Bytes that the heap holds of its parent, its state included. */
function held(heap: Tlsf): number {
  const all = regions(heap);
  return all.reduce((sum, { length }) => sum + length * 4, all[0]!.start * 4 - heap.address);
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('grows where it stands while nobody is behind', () => {
    const memory = create(2 ** 20);
    const heap = growing(memory);
    const blocks = Array.from({ length: 100 }, (_, i) => heap.allocate(1000 + i));
    expect(blocks.every((block) => block !== NULL)).toBe(true);
    expect(regions(heap)).toHaveLength(1);
    expect(memory.usableSize(heap.address)).toBe(Math.ceil(held(heap) / memory.pageSize) * memory.pageSize);
    heap.checkInvariants();
    for (const block of blocks) heap.deallocate(block);
    expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
    heap.release();
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('adds a region when somebody is, and every region is one piece again when empty', () => {
    const memory = create(2 ** 20);
    const heap = growing(memory);
    const walls: number[] = [];
    const blocks: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      blocks.push(heap.allocate(1500));
      if (i % 8 === 7) walls.push(memory.allocate(1));
      heap.checkInvariants();
    }
    expect(regions(heap).length).toBeGreaterThan(3);
    for (const block of Random.fromSeed(3).shuffle(blocks)) {
      expect(heap.owns(block)).toBe(true);
      heap.deallocate(block, 1500);
    }
    expect(picture(heap).split(' ')).toHaveLength(regions(heap).length);
    expect(walls.every((wall) => !heap.owns(wall))).toBe(true);
    for (const wall of walls) memory.deallocate(wall);
    expect(heap.trim()).toBeGreaterThan(0);
    expect([regions(heap).length, heap.trim()]).toEqual([1, 0]);
    heap.checkInvariants();
    heap.release();
    expect(memory.stats().liveBytes).toBe(0);
  });
});

test('a request larger than the step gets what it needs', () => {
  const heap = growing();
  const block = heap.allocate(100_000);
  expect(heap.usableSize(block)).toBe(100_008);
  expect(heap.stats().capacity).toBeLessThan(100_008 + PAGE);
  expect(heap.allocate(5000, 2 ** 15) % 2 ** 15).toBe(0);
  heap.checkInvariants();
});

test('a reallocation grows the heap too', () => {
  const heap = growing();
  let block = heap.allocate(10);
  heap.memory.u8.fill(4, block, block + 10);
  block = heap.reallocate(block, 10, 50_000);
  expect([...heap.memory.u8.subarray(block, block + 10)].every((byte) => byte === 4)).toBe(true);
  expect(heap.stats()).toMatchObject({ liveBytes: 50_016, failureCount: 0 });
});

test('the last of the memory is used in one piece: growth takes what is left when that is less than a step', () => {
  // What the parent has is no multiple of the step, and the request lies between.
  const memory = buffer(2 ** 16);
  const heap = growing(memory, PAGE, { step: 5 * PAGE });
  const blocks: number[] = [];
  for (let block = heap.allocate(3000); block !== NULL; block = heap.allocate(3000)) blocks.push(block);
  expect(regions(heap)).toHaveLength(1);
  for (const block of blocks) heap.deallocate(block);
  expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
});

describe('the share of itself that a heap adds', () => {
  /** The sizes that a heap has while it fills up, in units of its first. */
  function sizes(heap: Tlsf): number[] {
    const seen = [held(heap)];
    while (heap.allocate(1000) !== NULL) if (held(heap) !== seen.at(-1)) seen.push(held(heap));
    heap.checkInvariants();
    return seen.map((size) => size / seen[0]!);
  }

  test.each([
    [1, [1, 2, 4, 8, 16, 32, 64]],
    [0.5, [...Array.from({ length: 11 }, (_, i) => 1.5 ** i), 64]],
    [0, [1, ...Array.from({ length: 63 * 4 }, (_, i) => 1 + (i + 1) / 4)]],
  ])('is %f: the sizes follow from it, and the last growth ends at the limit', (share, expected) => {
    const size = 2 ** 14;
    expect(sizes(growing(buffer(2 ** 21), size, { step: size / 4, share, limit: 64 * size }))).toEqual(expected);
  });

  test('is an eighth unless told, and the step where that is more', () => {
    const size = 2 ** 14;
    const growth = { step: size, limit: 2 ** 20 };
    const defaults = sizes(growing(buffer(2 ** 21), size, growth));
    expect(defaults).toEqual(sizes(growing(buffer(2 ** 21), size, { ...growth, share: 0.125 })));
    expect(defaults.slice(0, 11)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10.125, 11_664 / 1024]);
  });

  test('counts every region where growth in place is barred', () => {
    const memory = buffer(2 ** 22);
    const heap = growing(memory, PAGE, { step: 16, share: 1, limit: 2 ** 19 });
    const seen = new Set([held(heap)]);
    do {
      memory.allocate(1);
      seen.add(held(heap));
    } while (heap.allocate(1000) !== NULL);
    expect([...seen].map((size) => size / PAGE)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    heap.checkInvariants();
  });

  test('is kept with the heap: an attached one grows alike', () => {
    const memory = buffer(2 ** 21);
    const heap = growing(memory, PAGE, { step: 16, share: 0.75, limit: 2 ** 20 });
    heap.allocate(1000);
    const attached = Tlsf.attach(memory, heap.address);
    const alone = growing(buffer(2 ** 21), PAGE, { step: 16, share: 0.75, limit: 2 ** 20 });
    alone.allocate(1000);
    expect(sizes(attached)).toEqual(sizes(alone));
  });

  test('that the parent does not have is no reason to refuse what it has', () => {
    const memory = buffer(2 ** 16);
    const heap = growing(memory, 40_000, { step: 16, share: 1 });
    while (heap.stats().failureCount === 0) heap.allocate(100);
    expect(held(heap)).toBeGreaterThan(2 ** 16 - 2 * PAGE);
    heap.checkInvariants();
  });
});

describe('the limit', () => {
  test.each([PAGE, 3 * PAGE, 2 ** 16, 2 ** 16 + 48])('of %i bytes counts everything taken from the parent, in one region or many', (limit) => {
    for (const isWalled of [false, true]) {
      const memory = buffer();
      const heap = growing(memory, PAGE, { step: PAGE, limit });
      if (isWalled) memory.allocate(1);
      const before = heap.stats().failureCount;
      while (heap.allocate(100) !== NULL) if (isWalled) memory.allocate(1);
      expect(held(heap)).toBeLessThanOrEqual(limit);
      if (!isWalled) expect(held(heap)).toBeGreaterThan(limit - 256);
      expect(heap.stats().failureCount).toBe(before + 1);
      heap.checkInvariants();
      heap.reset();
      expect(heap.allocate(100)).not.toBe(NULL);
    }
  });

  test('refuses at once what no growth can serve', () => {
    const heap = growing(buffer(), PAGE, { step: PAGE, limit: 2 ** 15 });
    for (const size of [2 ** 15, 2 ** 20, 2 ** 31 - 8, 2 ** 31 - 7, 2 ** 32 - 1]) expect(heap.allocate(size)).toBe(NULL);
    expect(heap.stats()).toMatchObject({ failureCount: 5, peakRequest: 2 ** 32 - 1, liveBytes: 0 });
    heap.checkInvariants();
  });
});

describe('trim', () => {
  test('keeps what is live, wherever it lies', () => {
    const memory = buffer();
    const heap = growing(memory);
    const created = heap.stats().capacity;
    const random = Random.fromSeed(5);
    const blocks = Array.from({ length: 60 }, () => {
      if (random.chance(1, 10)) memory.allocate(1);
      return heap.allocate(random.between(500, 3000));
    });
    for (const block of blocks) heap.memory.u8.fill(block >>> 8, block, block + 500);
    while (blocks.length > 0) {
      heap.deallocate(blocks.splice(random.below(blocks.length), 1)[0]!);
      const before = [held(heap), heap.stats().liveBytes] as const;
      const returned = heap.trim();
      expect(returned).toBe(before[0] - held(heap));
      expect(heap.stats().liveBytes).toBe(before[1]);
      heap.checkInvariants();
      for (const block of blocks) {
        expect(heap.usableSize(block)).toBeGreaterThanOrEqual(500);
        expect(heap.memory.u8.subarray(block, block + 500).every((byte) => byte === ((block >>> 8) & 0xff))).toBe(true);
      }
    }
    // What the heap was created with remains, give or take a page of the parent's, and can grow again.
    expect(regions(heap)).toHaveLength(1);
    expect(heap.stats().capacity).toBeGreaterThanOrEqual(created);
    expect(heap.stats().capacity).toBeLessThan(created + PAGE);
    expect(heap.allocate(20_000)).not.toBe(NULL);
    heap.checkInvariants();
  });

  test('reads nothing of what it gave back: a parent that is a heap writes there at once', () => {
    const outer = Tlsf.create(buffer(), { size: 2 ** 17 });
    // It fills the parent's block to the last granule, so that it adds a region, at whose end the parent will write the header of the rest.
    const heap = growing(outer, 2 * PAGE - 16, { step: 2 * PAGE });
    outer.allocate(8);
    const blocks = [heap.allocate(6000), heap.allocate(6000)];
    expect(regions(heap)[1]!.length * 4).toBe(2 * PAGE);
    expect(heap.trim()).toBeGreaterThan(0);
    heap.checkInvariants();
    outer.checkInvariants();
    for (const block of blocks) heap.deallocate(block, 6000);
    heap.release();
    expect(outer.stats().liveBytes).toBe(16);
  });

  test.each([1, 2, 3, 4, 5, 6])('between any two steps on a heap in a heap does no harm, seed %i', (seed) => {
    const random = Random.fromSeed(seed);
    const outer = Tlsf.create(buffer(2 ** 19), { size: 2 ** 14, growth: { step: 2 ** 14 } });
    const heap = growing(outer, PAGE, { step: 2 ** random.between(8, 13) });
    const live: { readonly block: number; readonly size: number }[] = [];
    for (let i = 0; i < 600; i += 1) {
      const size = random.logUniform(8, 4000);
      const block = random.chance(5, 9) ? heap.allocate(size) : NULL;
      if (block !== NULL) {
        heap.memory.u8.fill(block >>> 4, block, block + size);
        live.push({ block, size });
      } else if (live.length > 0) {
        const [freed] = live.splice(random.below(live.length), 1);
        heap.deallocate(freed!.block, freed!.size);
      }
      if (random.chance(1, 20)) outer.allocate(random.between(1, 100));
      if (random.chance(1, 3)) heap.trim();
      heap.checkInvariants();
      outer.checkInvariants();
      const { u8 } = heap.memory;
      const holds = (address: number, value: number): boolean => u8[address] === (value & 0xff);
      const intact = live.every((each) => holds(each.block, each.block >>> 4) && holds(each.block + each.size - 1, each.block >>> 4));
      expect(intact, `step ${i}`).toBe(true);
    }
  });

  test('does nothing for a heap that cannot grow, and makes freed regions foreign', () => {
    const fixed = Tlsf.create(buffer(), { size: 2 ** 16 });
    expect([fixed.trim(), fixed.stats().largestFree]).toEqual([0, 2 ** 16 - FIRST_BLOCK - 8]);
    const memory = buffer();
    const heap = growing(memory);
    memory.allocate(1);
    const block = heap.allocate(10_000);
    heap.deallocate(block);
    heap.trim();
    expect(heap.owns(block)).toBe(false);
    expect(() => heap.deallocate(block)).toThrow('does not lie in this heap');
  });
});

test('growth of the memory by others in between does no harm', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const heap = Tlsf.create(memory, { size: 65_536, growth: { step: 65_536 } });
  const blocks: number[] = [];
  for (let i = 0; i < 60; i += 1) {
    const block = heap.allocate(10_000);
    heap.memory.u8.fill(i, block, block + 10_000);
    blocks.push(block);
    if (i % 7 === 0) memory.wasm.grow(1);
    if (i % 11 === 0) memory.commit(memory.committed + 1);
    if (i % 3 === 0) heap.deallocate(heap.allocate(3));
  }
  // What others took is noted when our side grows next.
  memory.commit(memory.committed + 1);
  expect(memory.stats().foreignBytes).toBe(9 * 65_536);
  heap.checkInvariants();
  memory.checkInvariants();
  blocks.forEach((block, i) => {
    expect(memory.u8.subarray(block, block + 10_000).every((byte) => byte === i)).toBe(true);
    heap.deallocate(block);
  });
  heap.trim();
  heap.release();
  expect(memory.stats().liveBytes).toBe(0);
});

test('a parent that takes nothing back keeps the regions', () => {
  const memory = buffer();
  const taken: number[] = [];
  const parent = {
    memory, alignment: memory.alignment, monotonic: true,
    allocate: (size: number, alignment?: number) => {
      const address = memory.allocate(size, alignment);
      taken.push(address);
      return address;
    },
    resize: () => false, reallocate: () => NULL, owns: (address: number) => memory.owns(address), reset: () => undefined, release: () => undefined,
    stats: () => memory.stats(), checkInvariants: () => memory.checkInvariants(),
  } as const;
  const heap = Tlsf.create(parent, { size: PAGE, growth: { step: PAGE } });
  const blocks = Array.from({ length: 20 }, () => heap.allocate(1500));
  expect(regions(heap).length).toBe(taken.length);
  for (const block of blocks) heap.deallocate(block);
  expect([heap.trim(), regions(heap).length]).toEqual([0, taken.length]);
  expect(Tlsf.attach(parent, heap.address).stats()).toEqual(heap.stats());
  heap.release();
  expect(memory.stats().liveBytes).toBeGreaterThan(0);
});

test('a parent that grows the memory in vain does not hang the heap', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const heap = Tlsf.create(Bounded.create(memory, { limit: 160_000 }), { size: 65_536, growth: { step: 16 } });
  let count = 0;
  while (heap.allocate(1000) !== NULL) count += 1;
  expect(count).toBeGreaterThan(60);
  heap.checkInvariants();
});

test('what is trimmed may be overwritten at once by the parent', () => {
  for (const seed of [38, 39, 40]) {
    const create = (): Tlsf => growing(Tlsf.create(buffer(2 ** 18), { size: 2 ** 14, growth: { step: 2 ** 14 } }), PAGE, { step: PAGE, limit: 2 ** 17 });
    const options = { capacity: 2 ** 17, sizeMax: 2 ** 13, alignmentMax: 1024, coalesces: false, volatileStats: VOLATILE };
    fuzz(create, { ...options, operations: 150, checkInvariantsEvery: 32, seed });
  }
});
