import { FENCE_BYTE, FREED_BYTE, Guarded, NEW_BYTE, NULL, type GuardedOptions } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { describe, expect, test } from 'vitest';
import { heap, reads, write } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

function guarded(options?: GuardedOptions): Guarded<O1Heap> {
  return Guarded.create(heap(), options);
}

describe('Guarded', () => {
  test('lays fences around what it hands out', () => {
    const guard = guarded({ fenceSize: 24 });
    const address = guard.allocate(10, 64);
    const bytes = guard.memory.u8;
    expect(address % 64).toBe(0);
    expect([...bytes.subarray(address - 24, address)]).toEqual(Array(24).fill(FENCE_BYTE));
    expect([...bytes.subarray(address, address + 10)]).toEqual(Array(10).fill(NEW_BYTE));
    expect([...bytes.subarray(address + 10, address + 34)]).toEqual(Array(24).fill(FENCE_BYTE));
    expect(guard.usableSize(address)).toBe(10);
  });

  for (const fenceSize of [1, 16, 33]) {
    test(`notices every byte that is written to fences of ${fenceSize}`, () => {
      const guard = guarded({ fenceSize });
      const size = 13;
      const address = guard.allocate(size);
      const fences = [...Array(fenceSize).keys()].flatMap((i) => [-1 - i, size + i]);
      for (const offset of fences) {
        guard.memory.u8[address + offset]! ^= 0x40;
        const which = offset < 0 ? 'before its start' : 'beyond its end';
        const message = new RegExp(`${address.toString(16)}.*13 bytes.*${which}: byte ${offset} is 0xbd, not 0xfd`);
        expectCode(() => { guard.checkInvariants(); }, 'corrupt', message);
        expectCode(() => { guard.deallocate(address); }, 'corrupt', message);
        expectCode(() => guard.resize(address, size, 10), 'corrupt', message);
        expectCode(() => guard.reallocate(address, size, 100), 'corrupt', message);
        expect(guard.stats().liveCount).toBe(1);
        guard.memory.u8[address + offset]! ^= 0x40;
      }
      guard.deallocate(address, size);
      guard.checkInvariants();
    });
  }

  test('notices every byte that is written after the free', () => {
    const guard = guarded({ quarantineBytes: 4096 });
    const address = guard.allocate(20);
    write(guard.memory, address, 20, 1);
    guard.deallocate(address);
    expect([...guard.memory.u8.subarray(address, address + 20)]).toEqual(Array(20).fill(FREED_BYTE));
    for (let i = -16; i < 36; i += 1) {
      guard.memory.u8[address + i]! ^= 1;
      expectCode(() => { guard.checkInvariants(); }, 'corrupt');
      expectCode(() => { guard.flush(); }, 'corrupt');
      guard.memory.u8[address + i]! ^= 1;
    }
    guard.memory.u8[address + 3] = 7;
    expectCode(() => { guard.flush(); }, 'corrupt', /after it was freed: byte 3 is 0x7/);
    guard.memory.u8[address + 3] = FREED_BYTE;
    guard.flush();
    expect(guard.stats()).toMatchObject({ quarantinedCount: 0, quarantinedBytes: 0 });
    expect(guard.parent.stats().liveBytes).toBe(0);
  });

  test('a damaged block in quarantine stops the free that would evict it, and changes nothing', () => {
    const guard = guarded({ quarantineBytes: 200 });
    const first = guard.allocate(100);
    const second = guard.allocate(100);
    guard.deallocate(first);
    guard.memory.u8[first] = 0;
    const before = guard.stats();
    expectCode(() => { guard.deallocate(second); }, 'corrupt');
    expect(guard.stats()).toEqual(before);
    guard.memory.u8[first] = FREED_BYTE;
    guard.deallocate(second);
    expect(guard.stats()).toMatchObject({ liveCount: 0, quarantinedCount: 1 });
  });

  test('the quarantine keeps blocks from being reused, first in first out, up to its size', () => {
    const guard = guarded({ quarantineBytes: 1000, fenceSize: 16 });
    const total = 16 + 100 + 16;
    const order: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      const address = guard.allocate(100);
      expect(order.slice(-Math.floor(1000 / total))).not.toContain(address);
      order.push(address);
      guard.deallocate(address);
      expect(guard.stats().quarantinedBytes).toBeLessThanOrEqual(1000);
    }
    expect(guard.stats().quarantinedCount).toBe(Math.floor(1000 / total));
    const large = guard.allocate(2000);
    guard.deallocate(large);
    expect(guard.stats().quarantinedCount).toBe(Math.floor(1000 / total));
  });

  test('the quarantine gives way before an allocation fails', () => {
    const guard = guarded({ quarantineBytes: 2 ** 20 });
    const first = guard.allocate(100_000);
    guard.deallocate(first);
    expect(guard.allocate(100_000)).toBe(first);
    expect(guard.allocate(100_000)).toBe(NULL);
    expect(guard.stats()).toMatchObject({ failureCount: 1, quarantinedCount: 0 });
  });

  test('tells double frees, strangers and interior addresses apart', () => {
    const guard = guarded({ quarantineBytes: 300 });
    const parent = guard.parent;
    const address = guard.allocate(100);
    for (let i = 1; i < 100; i += 1) {
      expectCode(() => { guard.deallocate(address + i); }, 'invalid-address', new RegExp(`lies ${i} bytes inside the block at 0x${address.toString(16)}`));
    }
    expectCode(() => { guard.deallocate(address - 16); }, 'invalid-address');
    expectCode(() => { guard.deallocate(parent.allocate(64)); }, 'invalid-address');
    expectCode(() => { guard.deallocate(8); }, 'foreign-address');
    guard.deallocate(address);
    expectCode(() => { guard.deallocate(address); }, 'double-free');
    guard.flush();
    expectCode(() => { guard.deallocate(address); }, 'double-free');
    expectCode(() => guard.usableSize(address), 'double-free');
    expectCode(() => guard.reallocate(address, 100, 50), 'double-free');
    expect(guard.allocate(100)).toBe(address);
    guard.deallocate(address);
  });

  test('refuses any size but the one asked for', () => {
    const guard = guarded();
    const address = guard.allocate(100);
    for (const size of [0, 99, 101, 2 ** 32 - 1]) {
      expectCode(() => { guard.deallocate(address, size); }, 'size-mismatch', new RegExp(`100 bytes, not ${size}`));
      expectCode(() => guard.resize(address, size, 50), 'size-mismatch');
      expectCode(() => guard.reallocate(address, size, 5000), 'size-mismatch');
    }
    expect(() => { guard.deallocate(address, 1.5); }).toThrow(RangeError);
    expect(guard.resize(address, 100, 60)).toBe(true);
    expectCode(() => { guard.deallocate(address, 100); }, 'size-mismatch');
    guard.deallocate(address, 60);
  });

  test('reallocation keeps contents and fences', () => {
    const guard = guarded();
    let address = guard.allocate(50);
    let size = 50;
    write(guard.memory, address, size, 4);
    for (const newSize of [20, 21, 40, 500, 10, 5000]) {
      address = guard.reallocate(address, size, newSize);
      const kept = Math.min(size, newSize);
      expect(reads(guard.memory, address, kept, 4)).toBe(true);
      if (newSize > size) expect(guard.memory.u8[address + size]).toBe(NEW_BYTE);
      write(guard.memory, address, newSize, 4);
      size = newSize;
      guard.checkInvariants();
    }
    const aligned = guard.reallocate(address, size, size, 1024);
    expect(aligned % 1024).toBe(0);
    guard.checkInvariants();
  });

  test('lists the leaks', () => {
    const guard = guarded();
    const a = guard.allocate(10);
    const b = guard.allocate(20);
    const c = guard.allocate(30);
    guard.deallocate(b);
    expect(guard.leaks()).toEqual([{ address: a, size: 10 }, { address: c, size: 30 }]);
    expect(guard.stats()).toMatchObject({ liveCount: 2, liveBytes: 10 + 30 + 4 * 16 });
    guard.reset();
    expect(guard.leaks()).toEqual([]);
    expectCode(() => { guard.deallocate(a); }, 'invalid-address');
  });

  test('without poison, bytes stay as they are and the quarantine watches the fences only', () => {
    const guard = guarded({ poison: false });
    const address = guard.allocate(20);
    write(guard.memory, address, 20, 3);
    guard.deallocate(address);
    expect(reads(guard.memory, address, 20, 3)).toBe(true);
    guard.memory.u8[address] = 99;
    guard.checkInvariants();
    guard.flush();
  });

  test('sizes at the edge of the address space fail, they do not wrap', () => {
    const guard = guarded();
    expect(guard.allocate(2 ** 32 - 1)).toBe(NULL);
    expect(guard.allocate(2 ** 32 - 1, 2 ** 30)).toBe(NULL);
    const address = guard.allocate(8);
    expect(guard.resize(address, 8, 2 ** 32 - 1)).toBe(false);
    expect(guard.reallocate(address, 8, 2 ** 32 - 1)).toBe(NULL);
    expect(guard.stats().failureCount).toBe(3);
    guard.deallocate(address, 8);
  });

  test('refuses options that are none', () => {
    for (const options of [{ fenceSize: -1 }, { fenceSize: 65_537 }, { fenceSize: 0.5 }, { quarantineBytes: -1 }]) {
      expect(() => guarded(options)).toThrow(RangeError);
    }
    expect(() => guarded({ fenceSize: '16' as unknown as number })).toThrow(TypeError);
  });
});
