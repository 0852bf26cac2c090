import { NULL, Tracked, type TrackedEvent } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { heap } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

describe('Tracked', () => {
  test('counts blocks, bytes, peaks, totals, sizes and failures', () => {
    const parent = heap();
    const tracked = Tracked.create(parent);
    const a = tracked.allocate(100);
    const b = tracked.allocate(1);
    const usable = parent.usableSize(a) + parent.usableSize(b);
    expect(tracked.allocate(2 ** 25)).toBe(NULL);
    expect(tracked.allocate(0)).toBe(NULL);
    tracked.deallocate(a, 100);
    const c = tracked.allocate(64);
    const stats = tracked.stats();
    expect(stats).toMatchObject({
      capacity: parent.stats().capacity,
      failureCount: 1,
      liveCount: 2,
      liveCountPeak: 2,
      requestedBytes: 65,
      liveBytes: parent.usableSize(b) + parent.usableSize(c),
      liveBytesPeak: usable,
      totalCount: 3,
      totalBytes: 165,
    });
    expect(stats.sizeCounts).toHaveLength(33);
    expect([...stats.sizeCounts.entries()].filter(([, count]) => count > 0)).toEqual([[0, 1], [6, 1], [7, 1]]);
    expect(tracked.leaks()).toEqual([{ address: b, size: 1, stack: '' }, { address: c, size: 64, stack: '' }]);
    tracked.checkInvariants();
    tracked.reset();
    expect(tracked.stats()).toMatchObject({ liveCount: 0, liveBytes: 0, requestedBytes: 0, totalCount: 3, failureCount: 1 });
    expect(tracked.leaks()).toEqual([]);
  });

  test('a reallocation counts as a block, a resize does not', () => {
    const tracked = Tracked.create(heap());
    const a = tracked.allocate(100);
    expect(tracked.resize(a, 100, 50)).toBe(true);
    expect(tracked.stats()).toMatchObject({ totalCount: 1, requestedBytes: 50 });
    const b = tracked.reallocate(a, 50, 5000);
    expect(tracked.stats()).toMatchObject({ totalCount: 2, totalBytes: 5100, requestedBytes: 5000, liveCount: 1 });
    expect(tracked.reallocate(b, 5000, 0)).toBe(NULL);
    expect(tracked.stats()).toMatchObject({ liveCount: 0, liveBytes: 0, failureCount: 0 });
  });

  test('knows which sizes a block can have been given', () => {
    const parent = heap();
    const tracked = Tracked.create(parent);
    const a = tracked.allocate(100);
    expectCode(() => { tracked.deallocate(a, 99); }, 'size-mismatch', /100 bytes, not 99/);
    expectCode(() => tracked.reallocate(a, parent.usableSize(a) + 1, 10), 'size-mismatch');
    expect(() => { tracked.deallocate(a, -1); }).toThrow(RangeError);
    expect(() => { tracked.deallocate(a, 'x' as unknown as number); }).toThrow(TypeError);
    tracked.deallocate(a, tracked.usableSize(a));
  });

  test('refuses what it did not hand out, as the parent would or as foreign', () => {
    const parent = heap();
    const early = parent.allocate(64);
    const tracked = Tracked.create(parent);
    expectCode(() => { tracked.deallocate(early); }, 'foreign-address');
    expectCode(() => tracked.usableSize(early), 'foreign-address');
    const a = tracked.allocate(64);
    tracked.deallocate(a);
    expectCode(() => { tracked.deallocate(a); }, 'double-free');
    expectCode(() => tracked.resize(a, 64, 32), 'double-free');
    expect(() => { tracked.deallocate(1.5); }).toThrow(RangeError);
    expect(parent.usableSize(early)).toBeGreaterThanOrEqual(64);
  });

  test('notes the sites that allocate, most live bytes first', () => {
    const tracked = Tracked.create(heap(), { sites: true });
    function few(): number {
      return tracked.allocate(10);
    }
    function many(): number {
      return tracked.reallocate(NULL, 0, 100);
    }
    const kept: number[] = [];
    for (let i = 0; i < 3; i += 1) kept.push(few());
    for (let i = 0; i < 2; i += 1) kept.push(many());
    const [first, second, ...others] = tracked.sites();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ liveCount: 2, liveBytes: 200, totalCount: 2 });
    expect(second).toMatchObject({ liveCount: 3, liveBytes: 30, totalCount: 3 });
    expect(first?.stack.split('\n')[0]).toMatch(/many.*tracked\.test\.ts/);
    expect(second?.stack.split('\n')[0]).toMatch(/few.*tracked\.test\.ts/);
    expect(tracked.leaks().map(({ stack }) => stack)).toEqual([second, second, second, first, first].map((site) => site?.stack));
    for (const address of kept) tracked.deallocate(address);
    expect(tracked.sites().map(({ liveCount, liveBytes }) => liveCount + liveBytes)).toEqual([0, 0]);
    tracked.release();
    expect(tracked.sites()).toHaveLength(2);
  });

  test('keeps as many frames as told, and the engine\'s own limit as it was', () => {
    const limit = Error.stackTraceLimit;
    const tracked = Tracked.create(heap(), { sites: { depth: 2 } });
    tracked.allocate(8);
    expect(tracked.leaks()[0]?.stack.split('\n')).toHaveLength(2);
    expect(Error.stackTraceLimit).toBe(limit);
    expect(() => Tracked.create(heap(), { sites: { depth: 0 } })).toThrow(RangeError);
  });

  test('reports every change, and nothing else', () => {
    const events: TrackedEvent[] = [];
    const tracked = Tracked.create(heap(), { onEvent: (event) => events.push(event) });
    const a = tracked.allocate(100, 32);
    tracked.resize(a, 100, 90);
    tracked.resize(a, 90, 90);
    const b = tracked.reallocate(a, 90, 5000);
    tracked.reallocate(b, 5000, 2 ** 26);
    tracked.allocate(0);
    tracked.deallocate(NULL);
    expect(() => { tracked.deallocate(12345); }).toThrow();
    tracked.deallocate(b);
    tracked.reset();
    tracked.release();
    const none = { alignment: 0, oldAddress: NULL, oldSize: 0 };
    expect(events).toEqual([
      { operation: 'allocate', address: a, size: 100, ...none, alignment: 32 },
      { operation: 'resize', address: a, size: 90, ...none, oldAddress: a, oldSize: 100 },
      { operation: 'reallocate', address: b, size: 5000, ...none, oldAddress: a, oldSize: 90 },
      { operation: 'reallocate', address: NULL, size: 2 ** 26, ...none, oldAddress: b, oldSize: 5000 },
      { operation: 'deallocate', address: b, size: 5000, ...none },
      { operation: 'reset', address: NULL, size: 0, ...none },
      { operation: 'release', address: NULL, size: 0, ...none },
    ]);
    expect(() => Tracked.create(heap(), { onEvent: 1 as unknown as () => void })).toThrow(TypeError);
  });

  test('checkInvariants finds a block freed behind its back', () => {
    const parent = heap();
    const tracked = Tracked.create(parent);
    parent.deallocate(tracked.allocate(10));
    expectCode(() => { tracked.checkInvariants(); }, 'double-free');
  });
});
