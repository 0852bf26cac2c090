import { NULL } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { Tlsf } from '../src/index.ts';
import { FIRST_BLOCK, fragments, picture } from './fragments.ts';
import { buffer } from './memories.ts';
import { refusal } from './refusal.ts';

/** A heap with `capacity` bytes of fragments. */
function heapOf(capacity: number): Tlsf {
  return Tlsf.create(buffer(), { size: capacity + FIRST_BLOCK });
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
    { sizes: [16, 80, 48, 32], capacity: 1024 },
    { sizes: [256, 256, 256, 256], capacity: 1024 },
    { sizes: [112, 16, 32, 32], capacity: 192 },
    { sizes: [1600, 4096, 4112, 5008], capacity: 16_384 },
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

test('the fragment of a request is the request and its header, rounded up to 16', () => {
  const heap = heapOf(2 ** 16);
  for (const [size, fragment] of [[1, 16], [8, 16], [9, 32], [24, 32], [25, 48], [1000, 1008], [1001, 1024], [5000, 5008], [20_480, 20_496]] as const) {
    const address = heap.allocate(size);
    expect([address, heap.usableSize(address), heap.stats().liveBytes]).toEqual([heap.address + FIRST_BLOCK, fragment - 8, fragment]);
    expect(picture(heap)).toBe(`U${fragment} F${2 ** 16 - fragment}`);
    heap.deallocate(address);
  }
});

describe('good fit', () => {
  test('is the best fit below 1 KiB', () => {
    const heap = heapOf(8192);
    const holes = [96, 80, 992, 112, 64].map((size) => {
      const block = heap.allocate(size - 8);
      heap.allocate(1);
      return block;
    });
    for (const block of holes) heap.deallocate(block);
    for (const [size, index] of [[60, 1], [50, 4], [100, 3], [88, 0], [900, 2]] as const) expect(heap.allocate(size)).toBe(holes[index]);
  });

  test('passes over a fragment in whose bin smaller ones may be, and takes it when there is no other', () => {
    // 2048 and 2096 share a bin, the next one begins with 2112.
    const heap = heapOf(8192);
    const [first, wall] = [heap.allocate(2088), heap.allocate(1)];
    heap.deallocate(first);
    expect(picture(heap)).toBe('F2096 U16 F6080');
    const second = heap.allocate(2072);
    expect(picture(heap)).toBe('F2096 U16 U2080 F4000');
    heap.deallocate(second);
    // 2048 is the least of its bin: so there everything suits.
    expect(heap.allocate(2040)).toBe(first);
    heap.deallocate(first);
    const rest = heap.allocate(6072);
    expect(heap.allocate(2089)).toBe(NULL);
    expect(heap.allocate(2088)).toBe(first);
    for (const block of [wall, rest, first]) heap.deallocate(block);
    expect(picture(heap)).toBe('F8192');
  });

  test('takes the latest freed of a bin first', () => {
    const heap = heapOf(16_384);
    for (const size of [50, 1500]) {
      const blocks = Array.from({ length: 8 }, () => heap.allocate(size));
      for (const index of [1, 3, 5]) heap.deallocate(blocks[index]!);
      // Rounded down to where a bin begins, so that the bin itself is searched.
      const least = size === 50 ? 50 : 1464;
      expect([heap.allocate(least), heap.allocate(least), heap.allocate(least)]).toEqual([blocks[5], blocks[3], blocks[1]]);
      heap.reset();
    }
  });
});

describe('resize', () => {
  test('grows into the free neighbour behind, and gives back what it gives up', () => {
    const heap = heapOf(1024);
    const block = heap.allocate(100);
    const wall = heap.allocate(8);
    expect(heap.resize(block, 100, 104)).toBe(true);
    expect(heap.resize(block, 104, 105)).toBe(false);
    expect(picture(heap)).toBe('U112 U16 F896');
    heap.deallocate(wall);
    expect(heap.resize(block, 104, 500)).toBe(true);
    expect(picture(heap)).toBe('U512 F512');
    expect(heap.resize(block, 500, 1016)).toBe(true);
    expect(picture(heap)).toBe('U1024');
    expect([heap.stats().liveBytes, heap.stats().peakBytes, heap.stats().peakRequest]).toEqual([1024, 1024, 1016]);
    expect(heap.resize(block, 1016, 1017)).toBe(false);
    expect(heap.resize(block, 1016, 30)).toBe(true);
    expect(picture(heap)).toBe('U48 F976');
    const behind = heap.allocate(500);
    expect(heap.resize(block, 30, 1)).toBe(true);
    expect(picture(heap)).toBe('U16 F32 U512 F464');
    // What is given up joins what was free already.
    heap.deallocate(behind);
    expect(heap.resize(block, 1, 400)).toBe(true);
    expect(heap.resize(block, 400, 8)).toBe(true);
    expect(picture(heap)).toBe('U16 F1008');
    heap.checkInvariants();
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
    expect(picture(heap)).toBe('F512 U16 U912 F608');
    expect(heap.reallocate(moved, 900, 1600)).toBe(NULL);
    expect(picture(heap)).toBe('F512 U16 U912 F608');
    heap.deallocate(wall, 8);
    expect(heap.reallocate(moved, 900, 10)).toBe(moved);
    expect(heap.reallocate(moved, 10, 0)).toBe(NULL);
    expect(picture(heap)).toBe('F2048');
  });
});

test('what an alignment leaves in front and behind stays free', () => {
  const memory = buffer();
  memory.commit(2 ** 16);
  const heap = Tlsf.createAt(memory, 2 ** 15 - FIRST_BLOCK + 16, 4096 + FIRST_BLOCK);
  const block = heap.allocate(100, 256);
  expect(block).toBe(2 ** 15 + 256);
  expect(picture(heap)).toBe('F240 U112 F3744');
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
  const blocks = Array.from({ length: 4 }, () => heap.allocate(248));
  expect(heap.stats()).toMatchObject({ liveBytes: 1024, peakBytes: 1024, peakRequest: 248, largestFree: 0, externalFragmentation: 0 });
  heap.deallocate(blocks[0]!);
  heap.deallocate(blocks[2]!);
  expect(heap.stats()).toMatchObject({ liveBytes: 512, peakBytes: 1024, largestFree: 248, externalFragmentation: 0.5 });
  expect(heap.allocate(300)).toBe(NULL);
  expect(heap.stats()).toMatchObject({ failureCount: 1, peakRequest: 300 });
  heap.deallocate(blocks[1]!);
  expect(heap.stats()).toMatchObject({ largestFree: 760, externalFragmentation: 0 });
  heap.reset();
  expect(heap.stats()).toMatchObject({ liveBytes: 0, peakBytes: 1024, failureCount: 1, largestFree: 1016 });
});
