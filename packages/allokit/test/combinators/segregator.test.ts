import { Bounded, NULL, Null, Scoped, Segregator, Tracked, type Allocator } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { heap, reads, twoHeaps, write } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

function segregator(threshold = 256): Segregator<O1Heap, O1Heap> {
  const [small, large] = twoHeaps();
  return Segregator.create({ threshold, small, large });
}

/** A heap that answers `NULL` to alignments beyond its own. */
function unaligned(heap: O1Heap): Allocator {
  const isTooMuch = (alignment: number | undefined): boolean => alignment !== undefined && alignment > heap.alignment;
  return {
    memory: heap.memory,
    alignment: heap.alignment,
    allocate: (size, alignment) => (isTooMuch(alignment) ? NULL : heap.allocate(size, alignment)),
    reallocate: (address, oldSize, newSize, alignment) => (isTooMuch(alignment) ? NULL : heap.reallocate(address, oldSize, newSize, alignment)),
    deallocate: heap.deallocate.bind(heap),
    resize: heap.resize.bind(heap),
    usableSize: heap.usableSize.bind(heap),
    owns: heap.owns.bind(heap),
    reset: heap.reset.bind(heap),
    release: heap.release.bind(heap),
    stats: heap.stats.bind(heap),
    checkInvariants: heap.checkInvariants.bind(heap),
  };
}

describe('Segregator', () => {
  test('routes by size, the threshold included', () => {
    const both = segregator();
    const { small, large } = both;
    for (const [size, owner] of [[1, small], [255, small], [256, small], [257, large], [100_000, large]] as const) {
      expect(owner.owns(both.allocate(size)), `size ${size}`).toBe(true);
    }
    expect(both.allocate(0)).toBe(NULL);
    expect(both.stats().failureCount).toBe(0);
  });

  test('routes by alignment too', () => {
    const both = segregator();
    expect(both.small.owns(both.allocate(16, 256))).toBe(true);
    const address = both.allocate(16, 512);
    expect(both.large.owns(address)).toBe(true);
    expect(address % 512).toBe(0);
  });

  test('what small cannot align goes to large before it fails', () => {
    const [first, large] = twoHeaps();
    const both = Segregator.create({ threshold: 256, small: unaligned(first), large });
    const address = both.allocate(32, 64);
    expect(large.owns(address)).toBe(true);
    expect(address % 64).toBe(0);
    write(both.memory, address, 32, 1);
    const moved = both.reallocate(address, 32, 48, 64);
    expect(large.owns(moved)).toBe(true);
    expect(reads(both.memory, moved, 32, 1)).toBe(true);
    expect(both.stats().failureCount).toBe(0);
    both.deallocate(moved, 48);
    expect(both.stats().liveBytes).toBe(0);
    const plain = both.allocate(32);
    expect(first.owns(plain)).toBe(true);
    const aligned = both.reallocate(plain, 32, 64, 128);
    expect(large.owns(aligned)).toBe(true);
    expect(aligned % 128).toBe(0);
  });

  test('a full side is a failure; nothing spills over', () => {
    const [, large] = twoHeaps();
    const both = Segregator.create({ threshold: 256, small: Null.create(large.memory), large });
    expect(both.allocate(16)).toBe(NULL);
    expect(both.allocate(256)).toBe(NULL);
    expect(both.allocate(257)).not.toBe(NULL);
    expect(both.stats().failureCount).toBe(2);
  });

  test('reallocation across the threshold moves the contents, both ways', () => {
    const both = segregator();
    let address = both.allocate(200);
    write(both.memory, address, 200, 7);
    address = both.reallocate(address, 200, 5000);
    expect(both.large.owns(address)).toBe(true);
    expect(both.small.stats().liveBytes).toBe(0);
    expect(reads(both.memory, address, 200, 7)).toBe(true);
    write(both.memory, address, 5000, 8);
    address = both.reallocate(address, 5000, 100);
    expect(both.small.owns(address)).toBe(true);
    expect(both.large.stats().liveBytes).toBe(0);
    expect(reads(both.memory, address, 100, 8)).toBe(true);
    expect(both.reallocate(address, 100, 0)).toBe(NULL);
    expect(both.stats().liveBytes).toBe(0);
  });

  test('a block that shrinks stays with large when small is full', () => {
    const [, large] = twoHeaps();
    const both = Segregator.create({ threshold: 256, small: Null.create(large.memory), large });
    const address = both.allocate(1000);
    write(both.memory, address, 1000, 3);
    const shrunk = both.reallocate(address, 1000, 100);
    expect(large.owns(shrunk)).toBe(true);
    expect(reads(both.memory, shrunk, 100, 3)).toBe(true);
    expect(both.stats().failureCount).toBe(0);
    both.deallocate(shrunk, 100);
    expect(both.stats().liveBytes).toBe(0);
  });

  test('resize across the threshold is false, and checks the block all the same', () => {
    const both = segregator();
    const small = both.allocate(200);
    const large = both.allocate(300);
    expect(both.resize(small, 200, 257)).toBe(false);
    expect(both.resize(large, 300, 256)).toBe(false);
    expect(both.resize(small, 200, 100)).toBe(true);
    expect(both.resize(NULL, 0, 10)).toBe(false);
    expectCode(() => both.resize(small, 100_000, 257), 'size-mismatch', /100000/);
    expectCode(() => both.resize(large, 0, 256), 'size-mismatch');
    expect(() => both.resize(large, 300, -1)).toThrow(RangeError);
    both.deallocate(small);
    both.deallocate(large);
    expectCode(() => both.resize(small, 100, 257), 'double-free');
    expectCode(() => both.reallocate(large, 300, 100), 'double-free');
  });

  test('a wrong size found late leaves no second block behind', () => {
    const [small, large] = twoHeaps();
    const both = Segregator.create({ threshold: 256, small: Tracked.create(small), large });
    const address = both.allocate(100);
    expectCode(() => both.reallocate(address, 90, 1000), 'size-mismatch');
    expect(large.stats().liveBytes).toBe(0);
    both.deallocate(address, 100);
  });

  test('both sides of one heap: a scope for the large', () => {
    const shared = heap();
    const own = shared.allocate(1000);
    const both = Segregator.create({ threshold: 128, small: O1Heap.create(shared, { size: 2 ** 14 }), large: Scoped.create(shared) });
    const live = both.allocate(64);
    both.allocate(4096);
    both.reset();
    expect(both.stats().liveBytes).toBe(0);
    expectCode(() => { both.deallocate(own); }, 'foreign-address');
    expect(both.allocate(64)).toBe(live);
    both.release();
    shared.deallocate(own, 1000);
    expect(shared.stats().liveBytes).toBe(0);
    shared.checkInvariants();
  });

  test('keeps the types and the figures of its sides', () => {
    const both = segregator();
    expectTypeOf(both.small).toEqualTypeOf<O1Heap>();
    expectTypeOf(both.stats().large).toEqualTypeOf<ReturnType<O1Heap['stats']>>();
    both.allocate(10);
    both.allocate(1000);
    const stats = both.stats();
    expect(stats.small).toEqual(both.small.stats());
    expect(stats.liveBytes).toBe(stats.small.liveBytes + stats.large.liveBytes);
    expect(stats.capacity).toBe(stats.small.capacity + stats.large.capacity);
  });

  test('refuses sides on different memories, and thresholds that are none', () => {
    const [small, large] = twoHeaps();
    expect(() => Segregator.create({ threshold: 1, small, large: heap() })).toThrow(/same memory/);
    for (const threshold of [-1, 1.5, Number.NaN, 2 ** 32]) expect(() => Segregator.create({ threshold, small, large })).toThrow(RangeError);
    expect(() => Segregator.create({ threshold: 1, small, large: undefined as unknown as Allocator })).toThrow(TypeError);
    expect(() => Segregator.create({ threshold: '1' as unknown as number, small, large })).toThrow(TypeError);
  });

  test('composes with a quota on one side', () => {
    const [small, large] = twoHeaps();
    const both = Segregator.create({ threshold: 64, small: Bounded.create(small, { limit: 1000 }), large });
    let count = 0;
    while (both.allocate(24) !== NULL) count += 1;
    expect(count).toBeGreaterThan(10);
    expect(count * 24).toBeLessThanOrEqual(1000);
    expect(both.allocate(65)).not.toBe(NULL);
  });
});
