import { AllocatorError, NULL, type Address, type Allocator } from '@allokit/allocator';
import { environmentSeed, Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { Tlsf } from 'allokit';
import { describe, expect, onTestFailed, test } from 'vitest';

import { V1_HEADER_SIZE, V1_PAGE_SIZE, V1Heap, type V1HeapOptions } from '../src/v1/v1-heap.ts';

const KIND = 7;
/** Words of a node of kind `KIND` that are references: as many as its first word says, from the second on. */
const COUNT = 0;

interface Ground {
  readonly heap: V1Heap;
  readonly parent: Allocator;
  readonly roots: Set<Address>;
}

function makeGround(options: Omit<V1HeapOptions, 'tracer'> = {}, reserve = 2 ** 26): Ground {
  const parent = Tlsf.create(WasmMemory.create({ reserve }), { size: 2 ** 16, growth: { step: 2 ** 18, share: 0 } });
  const roots = new Set<Address>();
  const heap = V1Heap.create(parent, {
    ...options,
    tracer: {
      roots: (visited) => {
        for (const root of roots) visited.mark(root);
      },
      references: (visited, address) => {
        const { u32 } = visited.memory;
        const count = u32[(address >>> 2) + COUNT]!;
        for (let i = 1; i <= count; i += 1) visited.mark(u32[(address >>> 2) + i]!);
      },
    },
  });
  return { heap, parent, roots };
}

describe('sizes are the documented ones', () => {
  test.each([
    ['a string of 5 bytes and its NUL', 6, 80],
    ['a node of 32 bytes', 32, 104],
    ['the smallest object', 1, 80],
  ])('%s', (_, size, expected) => {
    const { heap } = makeGround();
    heap.allocate(KIND, size);
    expect(heap.stats().liveBytes).toBe(expected);
  });

  test('10,000 objects of 32 bytes: 1.04 MB, in pages of 39', () => {
    const { heap } = makeGround();
    for (let i = 0; i < 10_000; i += 1) heap.allocate(KIND, 32);
    expect(heap.stats()).toMatchObject({ liveBytes: 1_040_000, liveCount: 10_000, takenBytes: Math.ceil(10_000 / 39) * V1_PAGE_SIZE });
    heap.checkInvariants();
  });

  test('what no page has room for stands alone, and takes what it needs', () => {
    const { heap } = makeGround();
    heap.allocate(KIND, V1_PAGE_SIZE - 8 - V1_HEADER_SIZE);
    expect(heap.stats().takenBytes).toBe(V1_PAGE_SIZE);
    heap.allocate(KIND, V1_PAGE_SIZE - V1_HEADER_SIZE);
    expect(heap.stats().takenBytes).toBe(2 * V1_PAGE_SIZE);
    heap.allocate(KIND, 100_000);
    expect(heap.stats().takenBytes).toBe(2 * V1_PAGE_SIZE + 100_000 + V1_HEADER_SIZE);
    heap.checkInvariants();
  });
});

describe('the free list', () => {
  test('hands out exact sizes only, the latest swept first, and is searched from its head', () => {
    const { heap } = makeGround();
    const [small, large, other] = [heap.allocate(KIND, 16), heap.allocate(KIND, 24), heap.allocate(KIND, 16)];
    heap.collect();
    expect(heap.stats()).toMatchObject({ freeCount: 3, liveCount: 0, liveBytes: 0 });
    expect([heap.allocate(KIND, 32)]).not.toContain(large);
    expect(heap.stats().searchCount).toBe(3);
    expect(heap.allocate(KIND, 20)).toBe(large);
    expect(heap.stats().searchCount).toBe(5);
    expect(heap.allocate(KIND, 16)).toBe(other);
    expect(heap.allocate(KIND, 9)).toBe(small);
    expect(heap.stats()).toMatchObject({ freeCount: 0, searchCount: 7, takenBytes: V1_PAGE_SIZE });
    heap.checkInvariants();
  });

  test('payloads are zeroed, whoever had them before', () => {
    const { heap, roots } = makeGround();
    for (const size of [8, 40, 248, 256, 2000, 5000]) {
      const first = heap.allocate(KIND, size);
      heap.memory.u8.fill(0xff, first, first + size);
      heap.memory.u32[first >>> 2] = 0;
      heap.collect();
      const second = heap.allocate(KIND, size);
      if (size < 4000) expect(second).toBe(first);
      expect(heap.memory.u8.subarray(second, second + size).every((byte) => byte === 0)).toBe(true);
      roots.add(second);
    }
  });
});

describe('collections', () => {
  test('come when a threshold was allocated, and keep what roots lead to', () => {
    const { heap, roots } = makeGround({ threshold: 104 * 100 });
    const head = heap.allocate(KIND, 32);
    const tail = heap.allocate(KIND, 32);
    heap.memory.u32.set([1, tail], head >>> 2);
    roots.add(head);
    for (let i = 2; i < 100; i += 1) heap.allocate(KIND, 32);
    expect(heap.stats().collectionCount).toBe(0);
    heap.allocate(KIND, 32);
    expect(heap.stats()).toMatchObject({ collectionCount: 1, liveCount: 3, freeCount: 97, allocationCount: 101 });
    expect([heap.kindOf(head), heap.sizeOf(tail)]).toEqual([KIND, 32]);
  });

  test('objects alone go back to the parent', () => {
    const { heap, parent, roots } = makeGround();
    const before = parent.stats().liveBytes;
    const large = heap.allocate(KIND, 10_000);
    roots.add(heap.allocate(KIND, 20_000));
    heap.collect();
    expect(heap.stats()).toMatchObject({ takenBytes: 20_000 + V1_HEADER_SIZE, takenBytesMax: 30_000 + 2 * V1_HEADER_SIZE });
    expect(() => heap.sizeOf(large)).toThrow(AllocatorError);
    heap.checkInvariants();
    heap.reset();
    expect(parent.stats().liveBytes).toBe(before);
    expect(heap.stats()).toMatchObject({ takenBytes: 0, liveCount: 0, collectionCount: 0 });
  });

  test('out of memory is NULL, after one more collection, and leaves the heap usable', () => {
    const { heap, roots } = makeGround({ threshold: 2 ** 30 }, 2 ** 20);
    const kept: Address[] = [];
    for (let address = heap.allocate(KIND, 1000); address !== NULL; address = heap.allocate(KIND, 1000)) {
      kept.push(address);
      roots.add(address);
    }
    expect(heap.allocate(KIND, 1000)).toBe(NULL);
    expect(heap.stats().liveCount).toBe(kept.length);
    for (const address of kept.slice(10)) roots.delete(address);
    expect(heap.allocate(KIND, 1000)).not.toBe(NULL);
    expect(heap.stats().liveCount).toBe(11);
    heap.checkInvariants();
  });

  test('random graphs live as long as a model of them does', () => {
    const seed = environmentSeed() ?? 20_264;
    onTestFailed(() => {
      console.error(`ALLOKIT_SEED=${seed}`);
    });
    const random = Random.fromSeed(seed);
    const { heap, roots } = makeGround({ threshold: 40_000 });
    const model = new Map<Address, { readonly size: number; readonly stamp: number; readonly references: Address[] }>();
    const reachable = (): Set<Address> => {
      const seen = new Set<Address>(roots);
      for (const address of seen) for (const reference of model.get(address)!.references) seen.add(reference);
      return seen;
    };
    for (let step = 0; step < 4000; step += 1) {
      const before = heap.stats().collectionCount;
      const size = random.chance(1, 50) ? random.between(4000, 9000) : random.between(8, 200);
      const address = heap.allocate(step, size);
      if (heap.stats().collectionCount > before) {
        const seen = reachable();
        for (const old of model.keys()) if (!seen.has(old)) model.delete(old);
        expect(heap.stats().liveCount).toBe(model.size + 1);
        heap.checkInvariants();
      }
      const targets = [...roots];
      const room = Math.min(targets.length, Math.floor(size / 4) - 2, random.below(4));
      const references = Array.from({ length: Math.max(0, room) }, () => random.choice(targets));
      expect(model.has(address)).toBe(false);
      model.set(address, { size, stamp: step, references });
      heap.memory.u32.set([references.length, ...references], address >>> 2);
      roots.add(address);
      while (roots.size > 30) roots.delete(random.choice([...roots]));
      for (const known of roots) {
        const { stamp, references: links } = model.get(known)!;
        const words = heap.memory.u32.subarray(known >>> 2, (known >>> 2) + 1 + links.length);
        const isIntact = words[COUNT] === links.length && links.every((link, i) => words[i + 1] === link);
        if (heap.kindOf(known) !== stamp || !isIntact)
          throw new Error(`step ${step}: the object of step ${stamp} holds ${words.join(' ')}, not ${links.length} ${links.join(' ')}`);
      }
    }
    expect(heap.stats().collectionCount).toBeGreaterThan(10);
  });
});

test('misuse is refused', () => {
  const { heap, parent } = makeGround();
  expect(() => heap.allocate(KIND, -1)).toThrow(RangeError);
  expect(() => heap.allocate(KIND, 1.5)).toThrow(RangeError);
  expect(heap.allocate(KIND, 0)).toBe(NULL);
  expect(() => heap.kindOf(12)).toThrow(AllocatorError);
  expect(() => V1Heap.create(parent, { threshold: 1, tracer: { roots: () => undefined, references: () => undefined } })).toThrow(RangeError);
});

test('the checker sees damage', () => {
  const { heap } = makeGround();
  const address = heap.allocate(KIND, 16);
  heap.allocate(KIND, 16);
  heap.checkInvariants();
  const header = (address - V1_HEADER_SIZE) >>> 2;
  for (let word = 0; word < 4; word += 1) {
    if (word === 1) continue;
    const { i32 } = heap.memory;
    const before = i32[header + word]!;
    i32[header + word] = before + 4;
    expect(() => heap.checkInvariants(), `word ${word}`).toThrow(AllocatorError);
    i32[header + word] = before;
  }
  heap.checkInvariants();
});
