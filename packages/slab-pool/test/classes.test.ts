import { NULL } from '@allokit/allocator';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASS_SIZES_DEFAULT, CLASS_SIZES_FINE, SLAB_SIZE_DEFAULT, SlabPool, type SlabPoolOptions } from '../src/index.ts';
import { buffer } from './memories.ts';
import { refusal } from './refusal.ts';

/** Which class a request went to, by the figures; -1 for none. */
function classOf(pool: SlabPool, size: number, alignment?: number): number {
  const before = pool.stats().classes.map(({ live }) => live);
  const address = pool.allocate(size, alignment);
  const index = pool.stats().classes.findIndex(({ live }, i) => live !== before[i]);
  expect(address === NULL).toBe(index === -1);
  if (address !== NULL) {
    expect(pool.usableSize(address)).toBe(pool.stats().classes[index]!.size);
    pool.deallocate(address, size);
  }
  return index;
}

test('the fine classes waste at most an eighth, beside the granule', () => {
  expect([CLASS_SIZES_FINE.length, CLASS_SIZES_FINE[0], CLASS_SIZES_FINE.at(-1)]).toEqual([40, 16, 2048]);
  for (let size = 1; size <= 2048; size += 1) {
    const objectSize = CLASS_SIZES_FINE.find((candidate) => candidate >= size)!;
    expect(objectSize - size).toBeLessThanOrEqual(Math.max(15, objectSize / 8));
  }
});

describe('the default classes', () => {
  test('are 16 to 256 bytes in slabs of 64 KiB', () => {
    expect([CLASS_SIZES_DEFAULT, SLAB_SIZE_DEFAULT]).toEqual([[16, 32, 64, 128, 256], 65_536]);
  });

  test.each([[1, 0], [15, 0], [16, 0], [17, 1], [32, 1], [33, 2], [64, 2], [65, 3], [128, 3], [129, 4], [256, 4], [257, -1], [65_536, -1]])(
    'a request of %i bytes goes to class %i',
    (size, expected) => {
      expect(classOf(SlabPool.create(buffer()), size)).toBe(expected);
    },
  );

  test('what is too large is NULL, and counted', () => {
    const pool = SlabPool.create(buffer());
    expect([pool.sizeMax, pool.allocate(257), pool.allocate(2 ** 32 - 1), pool.allocate(0)]).toEqual([256, NULL, NULL, NULL]);
    expect(pool.stats()).toMatchObject({ failureCount: 2, liveBytes: 0, slabCount: 0, capacity: 0 });
  });

  test.each([[16, 4096], [32, 2048], [64, 1024], [128, 512], [256, 256]])('a slab holds exactly its size divided by that of an object: %i bytes, %i objects', (size, count) => {
    const pool = SlabPool.create(buffer());
    const addresses = Array.from({ length: count }, () => pool.allocate(size));
    expect(pool.stats().slabCount).toBe(1);
    expect(addresses.every((address) => address % size === 0)).toBe(true);
    const slab = Math.min(...addresses);
    expect([slab % 65_536, Math.max(...addresses) + size - slab, new Set(addresses).size]).toEqual([0, 65_536, count]);
    pool.allocate(size);
    expect(pool.stats().slabCount).toBe(2);
    pool.checkInvariants();
  });

  test('4097 objects of 16 bytes take two slabs', () => {
    const pool = SlabPool.create(buffer());
    for (let i = 0; i < 4097; i += 1) expect(pool.allocate(16)).not.toBe(NULL);
    expect(pool.stats().classes[0]).toEqual({ size: 16, allocated: 4097, freed: 0, live: 4097, slabs: 2 });
    expect(pool.stats()).toMatchObject({ slabCount: 2, capacity: 2 * 65_536, liveBytes: 4097 * 16 });
  });

  test('an alignment leads to the first class that has it', () => {
    const pool = SlabPool.create(buffer());
    expect([8, 16, 32, 64, 128, 256, 512].map((alignment) => classOf(pool, 10, alignment))).toEqual([0, 0, 1, 2, 3, 4, -1]);
    expect(classOf(pool, 100, 256)).toBe(4);
  });
});

describe('classes of one\'s own', () => {
  test('need not be powers of two, nor divide the slab', () => {
    const pool = SlabPool.create(buffer(), { classes: [48, 80, 2032], slabSize: 4096 });
    expect([1, 48, 49, 80, 81, 2032, 2033].map((size) => classOf(pool, size))).toEqual([0, 0, 1, 1, 2, 2, -1]);
    expect([16, 32, 64].map((alignment) => classOf(pool, 8, alignment))).toEqual([0, -1, -1]);
    const objects = Array.from({ length: 85 }, () => pool.allocate(48));
    expect(pool.stats().classes[0]).toMatchObject({ live: 85, slabs: 1 });
    pool.allocate(48);
    expect(pool.stats().classes[0]).toMatchObject({ live: 86, slabs: 2 });
    // Where no object fits any more, none starts.
    const last = Math.min(...objects) + 85 * 48;
    expect(() => pool.deallocate(last)).toThrow(refusal('invalid-address'));
    pool.checkInvariants();
  });

  test('of a whole slab', () => {
    const pool = SlabPool.create(buffer(), { classes: [4096], slabSize: 4096, spareBytes: 0 });
    const addresses = [1, 4096, 5].map((size) => pool.allocate(size));
    expect(pool.stats()).toMatchObject({ slabCount: 3, liveBytes: 3 * 4096 });
    pool.deallocate(addresses[1]!);
    expect(pool.allocate(100, 4096)).toBe(addresses[1]);
    pool.checkInvariants();
  });

  test('send every request to the smallest class that holds it, aligned as its size allows', () => {
    const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 256 }).map((granules) => granules * 16), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(sizes, fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 12 })), { maxLength: 20 }), (unsorted, requests) => {
        const classes = unsorted.sort((one, other) => one - other);
        const pool = SlabPool.create(buffer(2 ** 19), { classes, slabSize: 4096 });
        for (const [size, alignmentLog2] of requests) {
          const alignment = 2 ** alignmentLog2;
          const expected = classes.findIndex((each) => each >= size && (alignment <= 16 || each % alignment === 0));
          expect(classOf(pool, size, alignment)).toBe(expected);
          const address = pool.allocate(size, alignment);
          expect(address % Math.max(16, alignment)).toBe(0);
        }
        pool.checkInvariants();
      }),
      { numRuns: 60 },
    );
  });

  test('that make no sense are refused, and the parent keeps its memory', () => {
    const memory = buffer();
    const wrong: readonly SlabPoolOptions[] = [
      { classes: [] }, { classes: [8] }, { classes: [24] }, { classes: [0] }, { classes: [32, 16] }, { classes: [16, 16] }, { classes: [131_072] }, { classes: [16.5] },
      { classes: [NaN] }, { classes: Array.from({ length: 1025 }, (_, i) => 16 * (i + 1)) }, { slabSize: 2048 }, { slabSize: 5000 }, { slabSize: 2 ** 21 }, { slabSize: 0 },
      { spareBytes: -1 }, { spareBytes: 0.5 }, { classes: [8192], slabSize: 4096 },
    ];
    for (const options of wrong) expect(() => SlabPool.create(memory, options), JSON.stringify(options)).toThrow(RangeError);
    expect(() => SlabPool.create(memory, { slabSize: '4096' as unknown as number })).toThrow(TypeError);
    expect(memory.stats().liveBytes).toBe(0);
    const full = buffer(2 ** 13);
    while (full.allocate(1) !== NULL);
    expect(() => SlabPool.create(full)).toThrow(refusal('out-of-memory'));
  });
});
