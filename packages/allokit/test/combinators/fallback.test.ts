import { Bounded, Fallback, NULL, Null, Tracked } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { heap, reads, twoHeaps, write } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

describe('Fallback', () => {
  test('asks the secondary only when the primary has no room', () => {
    const [first, second] = twoHeaps();
    const either = Fallback.create(Bounded.create(first, { limit: 1000 }), second);
    const addresses: number[] = [];
    for (let i = 0; i < 100; i += 1) addresses.push(either.allocate(40));
    const inFirst = addresses.filter((address) => first.owns(address)).length;
    expect(inFirst).toBeGreaterThan(5);
    expect(addresses.every((address, i) => first.owns(address) === i < inFirst && second.owns(address) === i >= inFirst)).toBe(true);
    expect(either.stats().failureCount).toBe(0);
    expect(either.stats().primary.failureCount).toBe(100 - inFirst);
    for (const address of addresses) either.deallocate(address, 40);
    expect(either.stats().liveBytes).toBe(0);
    expect(first.owns(either.allocate(40))).toBe(true);
  });

  test('fails when both do, and counts that once', () => {
    const [first, second] = twoHeaps();
    const either = Fallback.create(first, second);
    expect(either.allocate(2 ** 20)).toBe(NULL);
    expect(either.allocate(0)).toBe(NULL);
    const address = either.allocate(100);
    write(either.memory, address, 100, 5);
    expect(either.reallocate(address, 100, 2 ** 20)).toBe(NULL);
    expect(either.stats().failureCount).toBe(2);
    expect(reads(either.memory, address, 100, 5)).toBe(true);
    either.deallocate(address, 100);
  });

  test('reallocation moves from one to the other, in both directions', () => {
    const [first, second] = twoHeaps();
    const either = Fallback.create(Bounded.create(first, { limit: 500 }), Bounded.create(second, { limit: 2000 }));
    let address = either.allocate(200);
    write(either.memory, address, 200, 1);
    address = either.reallocate(address, 200, 1000);
    expect(second.owns(address)).toBe(true);
    expect(first.stats().liveBytes).toBe(0);
    expect(reads(either.memory, address, 200, 1)).toBe(true);
    either.deallocate(address, 1000);

    const back = Fallback.create(Bounded.create(first, { limit: 4096 }), Bounded.create(second, { limit: 500 }));
    const filler = back.allocate(4000);
    address = back.allocate(200);
    expect(second.owns(address)).toBe(true);
    write(back.memory, address, 200, 2);
    back.deallocate(filler);
    address = back.reallocate(address, 200, 1000);
    expect(first.owns(address)).toBe(true);
    expect(reads(back.memory, address, 200, 2)).toBe(true);
    expect(second.stats().liveBytes).toBe(0);
  });

  test('a bad address is refused by the secondary, a bad size by the first that is asked', () => {
    const [first, second] = twoHeaps();
    const either = Fallback.create(first, second);
    expectCode(() => { either.deallocate(16); }, 'foreign-address');
    expect(() => { either.deallocate('x' as unknown as number); }).toThrow(TypeError);
    expect(() => either.allocate(-1)).toThrow(RangeError);
    expect(() => either.allocate(1, 3)).toThrow(/3/);
  });

  test('chains end with Null', () => {
    const [first, second] = twoHeaps();
    const chain = Fallback.create(first, Fallback.create(second, Null.create(first.memory)));
    expect(chain.alignment).toBe(first.alignment);
    let count = 0;
    while (chain.allocate(2 ** 14) !== NULL) count += 1;
    expect(count).toBeGreaterThan(1);
    expect(chain.stats().failureCount).toBe(1);
    expect(chain.secondary.secondary.stats().failureCount).toBe(1);
  });

  test('a size found wrong late leaves no second block behind', () => {
    const [first, second] = twoHeaps();
    const either = Fallback.create(Tracked.create(first), second);
    const address = either.allocate(100);
    expectCode(() => either.reallocate(address, 90, 2 ** 17), 'size-mismatch');
    expect(second.stats().liveBytes).toBe(0);
  });

  test('refuses parts on different memories', () => {
    expect(() => Fallback.create(heap(), heap())).toThrow(/same memory/);
  });
});

describe('Null', () => {
  test('has nothing, owns nothing and takes nothing', () => {
    const { memory } = heap();
    const nothing = Null.create(memory);
    expect(nothing.allocate(1)).toBe(NULL);
    expect(nothing.allocate(0)).toBe(NULL);
    expect(nothing.reallocate(NULL, 0, 10, 16)).toBe(NULL);
    expect(nothing.resize(NULL, 0, 10)).toBe(false);
    expect(nothing.usableSize(NULL)).toBe(0);
    nothing.deallocate(NULL);
    expect(nothing.owns(16)).toBe(false);
    expect(nothing.stats()).toEqual({ capacity: 0, liveBytes: 0, failureCount: 2 });
    expect(() => nothing.allocate(-1)).toThrow(RangeError);
    expect(() => nothing.allocate(1, 3)).toThrow(RangeError);
    expect(() => nothing.allocate('1' as unknown as number)).toThrow(TypeError);
    for (const misuse of [
      () => { nothing.deallocate(16); },
      () => nothing.usableSize(16),
      () => nothing.resize(16, 8, 16),
      () => nothing.reallocate(16, 8, 16),
    ]) {
      expectCode(misuse, 'foreign-address', /0x10/);
    }
    nothing.reset();
    nothing.checkInvariants();
    nothing.release();
    nothing.release();
    expectCode(() => nothing.allocate(0), 'released');
    expectCode(() => { nothing.reset(); }, 'released');
  });
});
