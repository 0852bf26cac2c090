import { NULL, Scoped } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { heap } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

describe('Scoped', () => {
  test('frees everything at the end of a using block, and only that', () => {
    const parent = heap();
    const own = parent.allocate(100);
    const before = parent.stats().liveBytes;
    let outside: Scoped;
    {
      using scope = Scoped.create(parent);
      outside = scope;
      for (let i = 1; i <= 100; i += 1) scope.allocate(i);
      scope.deallocate(scope.allocate(5000), 5000);
      const moved = scope.reallocate(scope.allocate(10), 10, 1000);
      expect(scope.resize(moved, 1000, 900)).toBe(true);
      expect(scope.stats().liveCount).toBe(101);
      scope.checkInvariants();
    }
    expect(parent.stats().liveBytes).toBe(before);
    parent.checkInvariants();
    expectCode(() => outside.allocate(1), 'released');
    expectCode(() => { outside.deallocate(NULL); }, 'released');
    expectCode(() => outside.usableSize(NULL), 'released');
    expectCode(() => { outside.reset(); }, 'released');
    expect(outside.owns(own)).toBe(false);
    outside.release();
    expect(parent.usableSize(own)).toBeGreaterThanOrEqual(100);
  });

  test('frees when the block is left by an exception', () => {
    const parent = heap();
    expect(() => {
      using scope = Scoped.create(parent);
      scope.allocate(1000);
      throw new Error('left early');
    }).toThrow('left early');
    expect(parent.stats().liveBytes).toBe(0);
  });

  test('refuses blocks that others allocated', () => {
    const parent = heap();
    using first = Scoped.create(parent);
    using second = Scoped.create(parent);
    const address = first.allocate(64);
    for (const misuse of [
      () => { second.deallocate(address); },
      () => second.usableSize(address),
      () => second.resize(address, 64, 32),
      () => second.reallocate(address, 64, 128),
    ]) {
      expectCode(misuse, 'foreign-address');
    }
    first.deallocate(address, 64);
    expectCode(() => { first.deallocate(address); }, 'double-free');
    expectCode(() => { first.deallocate(address + 1); }, 'invalid-address');
  });

  test('scopes nest', () => {
    const parent = heap();
    {
      using outer = Scoped.create(parent);
      outer.allocate(10);
      {
        using inner = Scoped.create(outer);
        inner.allocate(20);
        expect(outer.stats().liveCount).toBe(2);
      }
      expect(outer.stats().liveCount).toBe(1);
    }
    expect(parent.stats().liveBytes).toBe(0);
  });

  test('a block freed behind its back is reported, the others are freed all the same', () => {
    const parent = heap();
    const scope = Scoped.create(parent);
    scope.allocate(10);
    const stolen = scope.allocate(20);
    scope.allocate(30);
    parent.deallocate(stolen);
    expectCode(() => { scope.checkInvariants(); }, 'double-free');
    expectCode(() => { scope.reset(); }, 'double-free');
    expect(parent.stats().liveBytes).toBe(0);
    expect(scope.stats().liveBytes).toBe(0);
    scope.allocate(10);
    scope.release();
    expect(parent.stats().liveBytes).toBe(0);
  });
});
