import { Bounded, NULL, Scoped } from '@allokit/allocator';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { heap, reads, write } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

describe('Bounded', () => {
  test('counts usable sizes and never exceeds the limit', () => {
    const parent = heap();
    const bounded = Bounded.create(parent, { limit: 1000 });
    const addresses: number[] = [];
    for (let address = bounded.allocate(30); address !== NULL; address = bounded.allocate(30)) addresses.push(address);
    const used = addresses.reduce((sum, address) => sum + parent.usableSize(address), 0);
    expect(bounded.stats()).toEqual({ capacity: 1000, liveBytes: used, failureCount: 1, limit: 1000 });
    expect(used).toBeLessThanOrEqual(1000);
    expect(used + parent.usableSize(addresses[0]!)).toBeGreaterThan(1000);
    for (const address of addresses) bounded.deallocate(address);
    expect(bounded.stats().liveBytes).toBe(0);
  });

  test('a block that is too large only for being rounded up is given back', () => {
    const parent = BufferMemory.create({ reserve: 2 ** 20, commit: 2 ** 19 });
    const bounded = Bounded.create(parent, { limit: 6000 });
    expect(bounded.allocate(5000)).toBe(NULL);
    const page = bounded.allocate(10);
    expect(bounded.resize(page, 10, 5000)).toBe(false);
    expect(bounded.reallocate(page, 10, 5000)).toBe(NULL);
    expect(bounded.stats()).toMatchObject({ liveBytes: 4096, failureCount: 2 });
    expect(parent.stats().liveBytes).toBe(4096);
    bounded.deallocate(page, 10);
    expect(parent.stats().liveBytes).toBe(0);
  });

  test('a moving reallocation needs room for the new block only', () => {
    const bounded = Bounded.create(heap(), { limit: 3000 });
    const address = bounded.allocate(1000);
    const wall = bounded.allocate(8);
    write(bounded.memory, address, 1000, 9);
    const moved = bounded.reallocate(address, 1000, 2000);
    expect(moved).not.toBe(NULL);
    expect(moved).not.toBe(address);
    expect(reads(bounded.memory, moved, 1000, 9)).toBe(true);
    expect(bounded.reallocate(moved, 2000, 3000)).toBe(NULL);
    expect(reads(bounded.memory, moved, 1000, 9)).toBe(true);
    bounded.deallocate(moved, 2000);
    bounded.deallocate(wall, 8);
    expect(bounded.stats().liveBytes).toBe(0);
  });

  test('misuse changes nothing, even beyond the quota', () => {
    const bounded = Bounded.create(heap(), { limit: 1000 });
    const address = bounded.allocate(100);
    const before = bounded.stats();
    expect(() => bounded.allocate(2 ** 33)).toThrow(RangeError);
    expect(() => bounded.allocate(Infinity)).toThrow(RangeError);
    expect(() => bounded.allocate(5000, 3)).toThrow(RangeError);
    expect(() => bounded.allocate('5000' as unknown as number)).toThrow(TypeError);
    expect(() => bounded.resize(address, 100, 2 ** 33)).toThrow(RangeError);
    expect(() => bounded.reallocate(address, 100, 5000, 3)).toThrow(RangeError);
    expectCode(() => bounded.reallocate(address, 5000, 6000), 'size-mismatch');
    expectCode(() => bounded.resize(address, 5000, 6000), 'size-mismatch');
    expectCode(() => { bounded.deallocate(address, 5000); }, 'size-mismatch');
    expect(bounded.stats()).toEqual(before);
    bounded.deallocate(address);
    expectCode(() => { bounded.deallocate(address); }, 'double-free');
    bounded.release();
    expectCode(() => bounded.allocate(5000), 'released');
    expectCode(() => bounded.allocate(0), 'released');
  });

  test('a limit of 0 refuses everything but nothing', () => {
    const bounded = Bounded.create(heap(), { limit: 0 });
    expect(bounded.allocate(1)).toBe(NULL);
    expect(bounded.allocate(0)).toBe(NULL);
    expect(bounded.stats().failureCount).toBe(1);
  });

  test('two quotas on one heap, a scope each', () => {
    const shared = heap();
    const first = Bounded.create(Scoped.create(shared), { limit: 1000 });
    const second = Bounded.create(Scoped.create(shared), { limit: 2000 });
    const mine = first.allocate(500);
    expect(second.allocate(1000)).not.toBe(NULL);
    expectCode(() => { second.deallocate(mine); }, 'foreign-address');
    second.reset();
    expect(second.stats().liveBytes).toBe(0);
    first.deallocate(mine, 500);
    expect(shared.stats().liveBytes).toBe(0);
  });

  test('refuses limits that are none', () => {
    for (const limit of [-1, 0.5, Number.NaN, 2 ** 32 + 1]) expect(() => Bounded.create(heap(), { limit })).toThrow(RangeError);
    expect(() => Bounded.create(heap(), { limit: '1' as unknown as number })).toThrow(TypeError);
  });
});
