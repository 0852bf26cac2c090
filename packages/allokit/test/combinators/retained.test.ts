import { NULL, Retained } from '@allokit/allocator';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { reads, write } from './assemblies.ts';
import { Bump } from './bump.ts';
import { expectCode } from './expect-error.ts';

function retained(size = 2 ** 16): Retained<Bump> {
  return Retained.create(Bump.create(BufferMemory.create({ reserve: 2 ** 20 }), size));
}

describe('Retained', () => {
  test('keeps freed bytes until the reset, and says so', () => {
    const allocator = retained();
    const a = allocator.allocate(100);
    const b = allocator.allocate(50);
    allocator.deallocate(a, 100);
    expect(allocator.stats()).toMatchObject({ liveCount: 1, liveBytes: 58, retainedCount: 1, retainedBytes: 108 });
    expect(allocator.allocate(100)).toBeGreaterThan(b);
    allocator.checkInvariants();
    allocator.reset();
    expect(allocator.stats()).toMatchObject({ liveCount: 0, liveBytes: 0, retainedCount: 0, retainedBytes: 0 });
    expect(allocator.allocate(100)).toBe(a);
  });

  test('knows the size of every block', () => {
    const allocator = retained();
    for (const [size, alignment] of [[1, 1], [7, 8], [100, 64], [9, 4096]] as const) {
      const address = allocator.allocate(size, alignment);
      expect(address % Math.max(alignment, 8)).toBe(0);
      expect(allocator.usableSize(address)).toBe(size);
      for (const wrong of [0, size - 1, size + 1]) expectCode(() => { allocator.deallocate(address, wrong); }, 'size-mismatch');
      allocator.deallocate(address, size);
    }
  });

  test('refuses double frees, interior, foreign and stale addresses, whatever the bytes there are', () => {
    const allocator = retained();
    const { memory } = allocator;
    const a = allocator.allocate(256);
    const freed = allocator.allocate(32);
    allocator.deallocate(freed);
    for (const fill of [0, 0xff]) {
      memory.u8.fill(fill, a, a + 256);
      for (let i = 1; i < 256; i += 1) expectCode(() => { allocator.deallocate(a + i); }, 'invalid-address');
    }
    for (let i = 8; i < 248; i += 8) {
      memory.u8.copyWithin(a + i, a - 8, a);
      expectCode(() => { allocator.deallocate(a + i + 8); }, 'invalid-address');
    }
    expectCode(() => { allocator.deallocate(freed); }, 'double-free');
    expectCode(() => allocator.usableSize(freed), 'double-free');
    expectCode(() => allocator.reallocate(freed, 32, 8), 'double-free');
    expectCode(() => { allocator.deallocate(64); }, 'foreign-address');
    allocator.reset();
    expectCode(() => { allocator.deallocate(a); }, 'invalid-address');
    expectCode(() => { allocator.deallocate(freed); }, 'invalid-address');
    allocator.release();
    expectCode(() => { allocator.deallocate(a); }, 'released');
    expectCode(() => { allocator.deallocate(NULL); }, 'released');
  });

  test('grows the last block in place, moves any other and retains its bytes', () => {
    const allocator = retained();
    const a = allocator.allocate(100);
    write(allocator.memory, a, 100, 6);
    expect(allocator.reallocate(a, 100, 1000)).toBe(a);
    expect(allocator.stats()).toMatchObject({ liveBytes: 1008, retainedBytes: 0 });
    allocator.allocate(8);
    expect(allocator.resize(a, 1000, 2000)).toBe(false);
    const moved = allocator.reallocate(a, 1000, 2000);
    expect(reads(allocator.memory, moved, 100, 6)).toBe(true);
    expect(allocator.stats()).toMatchObject({ liveCount: 2, liveBytes: 2008 + 16, retainedCount: 1, retainedBytes: 1008 });
    expectCode(() => { allocator.deallocate(a); }, 'double-free');
    const wide = allocator.allocate(10, 256);
    expect(allocator.reallocate(wide, 10, 300, 256)).toBe(wide);
    expect(allocator.reallocate(wide, 300, 0)).toBe(NULL);
    expect(allocator.reallocate(moved, 2000, 10, 512) % 512).toBe(0);
    allocator.checkInvariants();
  });

  test('runs out, and counts it', () => {
    const allocator = retained(1000);
    const a = allocator.allocate(900);
    expect(allocator.allocate(100)).toBe(NULL);
    expect(allocator.allocate(2 ** 32 - 1)).toBe(NULL);
    expect(allocator.reallocate(a, 900, 2000)).toBe(NULL);
    expect(allocator.usableSize(a)).toBe(900);
    expect(allocator.stats().failureCount).toBe(3);
  });
});
