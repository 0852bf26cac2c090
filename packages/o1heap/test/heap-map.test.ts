import { NULL } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { O1Heap } from '../src/index.ts';
import { FIRST_BLOCK, fragments, picture } from './fragments.ts';
import { buffer } from './memories.ts';
import { refusal } from './refusal.ts';

/** A heap with `capacity` bytes of fragments. */
function heapOf(capacity: number): O1Heap {
  return O1Heap.create(buffer(), { size: capacity + FIRST_BLOCK });
}

/** Every order of the numbers 0..count - 1. */
function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((order) => Array.from({ length: count }, (_, at) => [...order.slice(0, at), count - 1, ...order.slice(at)]));
}

/** What must be free after some of the blocks were freed: neighbours joined, all else as it was. */
function merged(sizes: readonly number[], freed: ReadonlySet<number>, capacity: number): string {
  const parts: { size: number; used: boolean }[] = [];
  const push = (size: number, used: boolean): void => {
    const last = parts.at(-1);
    if (!used && last?.used === false) last.size += size;
    else parts.push({ size, used });
  };
  sizes.forEach((size, i) => push(size, !freed.has(i)));
  const rest = capacity - sizes.reduce((sum, size) => sum + size, 0);
  if (rest > 0) push(rest, false);
  return parts.map(({ size, used }) => `${used ? 'U' : 'F'}${size}`).join(' ');
}

describe('freed in every order', () => {
  test.each([
    { sizes: [16, 16, 16], capacity: 1024 },
    { sizes: [16, 64, 32, 16], capacity: 1024 },
    { sizes: [256, 256, 256, 256], capacity: 1024 },
    { sizes: [128, 16, 16, 32], capacity: 192 },
    { sizes: [16, 32, 64, 128], capacity: 512 },
  ])('$sizes of $capacity bytes', ({ sizes, capacity }) => {
    for (const order of permutations(sizes.length)) {
      const heap = heapOf(capacity);
      const blocks = sizes.map((size) => heap.allocate(size - 8));
      expect(picture(heap)).toBe(merged(sizes, new Set(), capacity));
      const freed = new Set<number>();
      for (const index of order) {
        heap.deallocate(blocks[index]!);
        freed.add(index);
        expect(picture(heap), `order ${order.join()}`).toBe(merged(sizes, freed, capacity));
        heap.checkInvariants();
        // None of those freed can be freed again, be their header still there or joined to another.
        for (const gone of freed) expect(() => heap.deallocate(blocks[gone]!)).toThrow(refusal('double-free'));
      }
    }
  });
});

test('the fragment of a request is the power of two that holds it and its header', () => {
  const heap = heapOf(2 ** 16);
  for (const [size, fragment] of [[1, 16], [8, 16], [9, 32], [24, 32], [25, 64], [56, 64], [57, 128], [1016, 1024], [1017, 2048]] as const) {
    const address = heap.allocate(size);
    expect([address, heap.usableSize(address), heap.stats().liveBytes]).toEqual([heap.address + FIRST_BLOCK, fragment - 8, fragment]);
    expect(picture(heap)).toBe(`U${fragment} F${2 ** 16 - fragment}`);
    heap.deallocate(address);
  }
});

test('half-fit looks no further than the bin that surely fits', () => {
  // [16 * 2 ^ b, 32 * 2 ^ b) share a bin: a free fragment of 96 bytes lies with those of 64, so a request for 128 must not find it, and one for 64 does.
  const heap = heapOf(1024);
  const [first, second, third] = [heap.allocate(56), heap.allocate(24), heap.allocate(24)] as const;
  heap.deallocate(first);
  heap.deallocate(second);
  expect(picture(heap)).toBe('F96 U32 F896');
  const large = heap.allocate(100);
  expect(picture(heap)).toBe('F96 U32 U128 F768');
  expect(heap.allocate(40)).toBe(first);
  expect(picture(heap)).toBe('U64 F32 U32 U128 F768');
  for (const block of [first, third, large]) heap.deallocate(block);
  expect(picture(heap)).toBe('F1024');
});

test('the latest freed of a bin is the first reused', () => {
  const heap = heapOf(1024);
  const blocks = Array.from({ length: 8 }, () => heap.allocate(50));
  for (const index of [1, 3, 5]) heap.deallocate(blocks[index]!);
  expect([heap.allocate(50), heap.allocate(50), heap.allocate(50)]).toEqual([blocks[5], blocks[3], blocks[1]]);
});

describe('resize', () => {
  test('grows into the free neighbour behind, and gives back what it gives up', () => {
    const heap = heapOf(1024);
    const block = heap.allocate(100);
    const wall = heap.allocate(8);
    expect(heap.resize(block, 100, 120)).toBe(true);
    expect(heap.resize(block, 120, 121)).toBe(false);
    expect(picture(heap)).toBe('U128 U16 F880');
    heap.deallocate(wall);
    expect(heap.resize(block, 120, 500)).toBe(true);
    expect(picture(heap)).toBe('U512 F512');
    expect(heap.resize(block, 500, 1016)).toBe(true);
    expect(picture(heap)).toBe('U1024');
    expect([heap.stats().liveBytes, heap.stats().peakBytes, heap.stats().peakRequest]).toEqual([1024, 1024, 1016]);
    expect(heap.resize(block, 1016, 1017)).toBe(false);
    expect(heap.resize(block, 1016, 30)).toBe(true);
    expect(picture(heap)).toBe('U64 F960');
    const behind = heap.allocate(500);
    expect(heap.resize(block, 30, 1)).toBe(true);
    expect(picture(heap)).toBe('U16 F48 U512 F448');
    // What is given up joins what was free already.
    heap.deallocate(behind);
    expect(heap.resize(block, 1, 400)).toBe(true);
    expect(heap.resize(block, 400, 8)).toBe(true);
    expect(picture(heap)).toBe('U16 F1008');
    heap.checkInvariants();
  });

  test('needs the whole power of two: a neighbour that nearly suffices does not', () => {
    const heap = heapOf(240);
    const block = heap.allocate(120);
    expect(picture(heap)).toBe('U128 F112');
    expect(heap.resize(block, 120, 121)).toBe(false);
    expect(heap.reallocate(block, 120, 121)).toBe(NULL);
    expect(picture(heap)).toBe('U128 F112');
    expect(heap.stats().failureCount).toBe(1);
  });

  test('reallocate moves only when it must', () => {
    const heap = heapOf(2048);
    const block = heap.allocate(100);
    heap.memory.u8.fill(6, block, block + 100);
    expect(heap.reallocate(block, 100, 500)).toBe(block);
    const wall = heap.allocate(8);
    const moved = heap.reallocate(block, 500, 900);
    expect(moved).toBe(heap.address + FIRST_BLOCK + 528);
    expect([...heap.memory.u8.subarray(moved, moved + 100)].every((byte) => byte === 6)).toBe(true);
    expect(picture(heap)).toBe('F512 U16 U1024 F496');
    heap.deallocate(wall, 8);
    expect(heap.reallocate(moved, 900, 10)).toBe(moved);
    expect(heap.reallocate(moved, 10, 0)).toBe(NULL);
    expect(picture(heap)).toBe('F2048');
  });
});

test('what an alignment leaves in front and behind stays free', () => {
  const memory = buffer();
  memory.commit(2 ** 16);
  const heap = O1Heap.createAt(memory, 2 ** 15 - FIRST_BLOCK + 16, 4096 + FIRST_BLOCK);
  const block = heap.allocate(100, 256);
  expect(block).toBe(2 ** 15 + 256);
  expect(picture(heap)).toBe('F240 U128 F3728');
  heap.deallocate(block);
  expect(picture(heap)).toBe('F4096');
  expect(heap.allocate(1000, 2048)).toBe(2 ** 15 + 2048);
  expect(fragments(heap).map(({ used }) => used)).toEqual([false, true, false]);
  expect(heap.allocate(1000, 4096)).toBe(NULL);
});

test('stats describe the fragments', () => {
  const heap = heapOf(1024);
  expect(heap.stats()).toEqual({
    capacity: 1024, liveBytes: 0, failureCount: 0, peakBytes: 0, peakRequest: 0, largestFree: 1016, externalFragmentation: 0,
  });
  const blocks = Array.from({ length: 4 }, () => heap.allocate(200));
  expect(heap.stats()).toMatchObject({ liveBytes: 1024, peakBytes: 1024, peakRequest: 200, largestFree: 0, externalFragmentation: 0 });
  heap.deallocate(blocks[0]!);
  heap.deallocate(blocks[2]!);
  expect(heap.stats()).toMatchObject({ liveBytes: 512, peakBytes: 1024, largestFree: 248, externalFragmentation: 0.5 });
  expect(heap.allocate(300)).toBe(NULL);
  expect(heap.stats()).toMatchObject({ failureCount: 1, peakRequest: 300 });
  heap.deallocate(blocks[1]!);
  expect(heap.stats()).toMatchObject({ largestFree: 504, externalFragmentation: 0 });
  heap.reset();
  expect(heap.stats()).toMatchObject({ liveBytes: 0, peakBytes: 1024, failureCount: 1, largestFree: 1016 });
});
