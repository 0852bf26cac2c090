import { AllocatorError, NULL } from '@allokit/allocator';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAGMENT_SIZE_MIN, HEAP_SIZE_DEFAULT } from '@allokit/boundary-tags';
import { TLSF_SIZE_MIN, Tlsf } from '../src/index.ts';
import { FIRST_BLOCK, picture } from './fragments.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

describe('the grid of bases and sizes', () => {
  const SIZES = [0, 1, 16, TLSF_SIZE_MIN - 16, TLSF_SIZE_MIN - 1, TLSF_SIZE_MIN, TLSF_SIZE_MIN + 1, TLSF_SIZE_MIN + 15, TLSF_SIZE_MIN + 16, 1024, 4096, 65_537];
  const OFFSETS = [0, 1, 2, 4, 8, 12, 15, 16, 32, 48, 64, 4080];

  test('the smallest heap is a state and one fragment', () => {
    expect(TLSF_SIZE_MIN).toBe(FIRST_BLOCK + FRAGMENT_SIZE_MIN);
    const heap = Tlsf.create(buffer(), { size: TLSF_SIZE_MIN });
    expect(picture(heap)).toBe('F16');
    const address = heap.allocate(8);
    expect([address, heap.allocate(1), heap.usableSize(address)]).toEqual([heap.address + FIRST_BLOCK, NULL, 8]);
    heap.deallocate(address);
    expect([heap.allocate(9), heap.stats().failureCount]).toEqual([NULL, 2]);
    heap.checkInvariants();
  });

  test.each(OFFSETS)('createAt %i bytes into a block', (offset) => {
    for (const size of SIZES) {
      const memory = buffer();
      const address = memory.allocate(2 ** 17) + offset;
      const create = (): Tlsf => Tlsf.createAt(memory, address, size);
      if (offset % 16 !== 0 || size < TLSF_SIZE_MIN) {
        expect(create, `size ${size}`).toThrow(RangeError);
        expect(memory.u8.subarray(address, address + 64).every((byte) => byte === 0)).toBe(true);
        continue;
      }
      const heap = create();
      heap.checkInvariants();
      expect([heap.address, heap.stats().capacity]).toEqual([address, size - (size % 16) - FIRST_BLOCK]);
      expect(heap.allocate(heap.stats().capacity - 8)).not.toBe(NULL);
      // Nothing is written behind the heap.
      expect(memory.u8.subarray(address + size, 2 ** 17 + address - offset).every((byte) => byte === 0)).toBe(true);
    }
  });

  test.each(SIZES)('create with %i bytes', (size) => {
    const create = (): Tlsf => Tlsf.create(buffer(), { size });
    if (size < TLSF_SIZE_MIN) expect(create).toThrow(RangeError);
    else expect(create().stats().capacity).toBe(size - (size % 16) - FIRST_BLOCK);
  });

  test('what is no size, address or growth is refused, and the parent keeps its memory', () => {
    const memory = buffer();
    for (const size of [-1, 0.5, NaN, 2 ** 32, Infinity]) expect(() => Tlsf.create(memory, { size })).toThrow(RangeError);
    expect(() => Tlsf.create(memory, { size: '4096' as unknown as number })).toThrow(TypeError);
    for (const growth of [{ step: 0 }, { step: -16 }, { step: 1.5 }, { step: 16, limit: 8191 }, { step: 16, limit: 2 ** 33 }]) {
      expect(() => Tlsf.create(memory, { size: 8192, growth })).toThrow(RangeError);
    }
    for (const share of [-0.1, 1.01, NaN, Infinity]) {
      const create = (): Tlsf => Tlsf.create(memory, { size: 8192, growth: { step: 16, share } });
      expect(create).toThrow(RangeError);
      expect(create).toThrow(`growth.share must be within 0..1, got ${share}`);
    }
    expect(() => Tlsf.create(memory, { size: 8192, growth: { step: 16, share: '1' as unknown as number } })).toThrow(TypeError);
    for (const address of [0, -16, 0.5, 2 ** 32, NaN]) expect(() => Tlsf.createAt(memory, address, 4096)).toThrow(RangeError);
    expect(() => Tlsf.createAt(memory, 16, 2 ** 32 - 15)).toThrow(RangeError);
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('a memory that is too small is out of memory, and nothing leaks', () => {
    const memory = buffer(2 ** 16);
    expect(() => Tlsf.create(memory, { size: 2 ** 16 })).toThrow(refusal('out-of-memory'));
    expect(() => Tlsf.create(memory)).toThrow(refusal('out-of-memory', new RegExp(`${HEAP_SIZE_DEFAULT}`)));
    expect(() => Tlsf.createAt(memory, 2 ** 15, 2 ** 16)).toThrow(RangeError);
    expect(memory.stats().liveBytes).toBe(0);
  });
});

describe.each(MEMORIES)('on a $name', ({ create: createMemory }) => {
  test('a heap cannot be placed where one lies, until it is released', () => {
    const memory = createMemory(2 ** 20);
    const address = memory.allocate(2 ** 16);
    const heap = Tlsf.createAt(memory, address, 2 ** 16);
    const block = heap.allocate(100);
    memory.u8.fill(1, block, block + 100);
    expect(() => Tlsf.createAt(memory, address, 2 ** 15)).toThrow(refusal('already-initialised', new RegExp(`${address}`)));
    expect([memory.u8[block], heap.usableSize(block)]).toEqual([1, 104]);
    heap.release();
    const again = Tlsf.createAt(memory, address, 2 ** 15);
    expect(picture(again)).toBe(`F${2 ** 15 - FIRST_BLOCK}`);
    again.release();
    expect(memory.usableSize(address)).toBe(2 ** 16);
  });

  test('liesAt tells where a heap lies, and changes nothing', () => {
    const memory = createMemory(2 ** 20);
    const address = memory.allocate(2 ** 16);
    const seen = (): boolean[] => [address, address + 16, address + 4, 0, 2 ** 32 - 1].map((each) => Tlsf.liesAt(memory, each));
    expect(seen()).toEqual([false, false, false, false, false]);
    const heap = Tlsf.createAt(memory, address, 2 ** 16);
    expect(seen()).toEqual([true, false, false, false, false]);
    expect(() => Tlsf.liesAt(memory, -1)).toThrow(RangeError);
    heap.release();
    expect(seen()).toEqual([false, false, false, false, false]);
    memory.release();
    expect(() => Tlsf.liesAt(memory, address)).toThrow(refusal('released'));
  });

  test('createAt takes committed bytes only', () => {
    const memory = createMemory(2 ** 20);
    const address = memory.committed + 4096;
    expect(() => Tlsf.createAt(memory, address, 2 ** 18)).toThrow(RangeError);
    expect(memory.commit(address + 2 ** 18)).toBe(true);
    const heap = Tlsf.createAt(memory, address, 2 ** 18);
    expect(heap.owns(heap.allocate(2 ** 17 - 8))).toBe(true);
    heap.checkInvariants();
  });

  test('blocks of a heap that lay here before are refused', () => {
    const memory = createMemory(2 ** 20);
    const first = Tlsf.create(memory, { size: 2 ** 16 });
    const stale = Array.from({ length: 5 }, () => first.allocate(100));
    first.release();
    const second = Tlsf.create(memory, { size: 2 ** 16 });
    expect(second.address).toBe(first.address);
    for (const address of stale) {
      expect(() => {
        second.deallocate(address);
      }).toThrow(AllocatorError);
    }
    expect(second.stats().liveBytes).toBe(0);
    second.checkInvariants();
  });

  test('release gives the block back, and a second release nothing', () => {
    const memory = createMemory(2 ** 20);
    const heap = Tlsf.create(memory, { size: 2 ** 16 });
    heap.allocate(1000);
    const second = Tlsf.attach(memory, heap.address);
    heap.release();
    expect(memory.stats().liveBytes).toBe(0);
    heap.release();
    const { address } = Tlsf.create(memory, { size: 2 ** 16 });
    expect(address).toBe(heap.address);
    expect(() => heap.allocate(1)).toThrow(refusal('released'));
    expect(second.address).toBe(address);
  });

  test('a released memory makes every call of the heap throw', () => {
    const memory = createMemory(2 ** 20);
    const heap = Tlsf.create(memory, { size: 2 ** 16 });
    const block = heap.allocate(100);
    memory.release();
    for (const use of [() => heap.stats(), () => heap.checkInvariants(), () => heap.allocate(0), () => heap.reset(), () => heap.resize(block, 100, 200)]) {
      expect(use).toThrow(refusal('released'));
    }
    if (memory.shared) return;
    for (const use of [() => heap.allocate(8), () => heap.deallocate(block), () => heap.deallocate(block, 100), () => heap.usableSize(block)]) {
      expect(use).toThrow(refusal('released'));
    }
  });
});

test('every alignment is honoured wherever the parent puts the heap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 3000 }), alignmentLog2: fc.integer({ min: 0, max: 14 }), frees: fc.boolean() }), { maxLength: 25 }),
      (offset, requests) => {
        const memory = buffer();
        const heap = Tlsf.createAt(memory, memory.allocate(2 ** 19) + offset * 16, 2 ** 18);
        for (const { size, alignmentLog2, frees } of requests) {
          const alignment = 2 ** alignmentLog2;
          const address = heap.allocate(size, alignment);
          if (address === NULL) continue;
          expect([address % alignment, address % 16]).toEqual([0, 0]);
          // A fragment is as long as its size needs, whatever the alignment.
          expect(heap.usableSize(address)).toBe(Math.ceil((size + 8) / 16) * 16 - 8);
          heap.checkInvariants();
          if (frees) heap.deallocate(address, size);
        }
        heap.reset();
        expect(picture(heap)).toBe(`F${2 ** 18 - FIRST_BLOCK}`);
      },
    ),
    { numRuns: 100 },
  );
});
