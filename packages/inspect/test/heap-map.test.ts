import { AllocatorError, Bounded, Guarded, Retained, Segregator, Tracked, type Allocator } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import { GenerationalHeap } from '@allokit/generational-gc';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { TieredArena } from '@allokit/tiered-arena';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { heapMap, heapMapFigures, heapParts, type HeapMap, type Mappable } from '../src/index.ts';
import { assembly, buffer, tlsf } from './memories.ts';

/** A map in one line: `=` for state, `#` for blocks, `.` for what is free. */
function picture({ extents }: HeapMap): string {
  return extents.map(({ size, use, group }) => `${{ block: '#', free: '.', state: '=' }[use]}${size}${group === '' ? '' : `(${group})`}`).join(' ');
}

/** What must be true of every map. */
function checkMap(map: HeapMap): void {
  for (const [i, { address, size }] of map.extents.entries()) {
    expect(size).toBeGreaterThan(0);
    expect(address + size).toBeLessThanOrEqual(map.extents[i + 1]?.address ?? map.end);
  }
  expect(map.start).toBe(map.extents[0]?.address);
}

/** Allocates and frees at random, and leaves some blocks. */
function churn(heap: Allocator, { seed = 1, sizeMax = 2000, count = 300 } = {}): Map<number, number> {
  const random = Random.fromSeed(seed);
  const live = new Map<number, number>();
  for (let i = 0; i < count; i += 1) {
    const size = 1 + random.below(sizeMax);
    const address = heap.allocate(size);
    if (address !== 0) live.set(address, size);
    if (live.size > 0 && random.below(5) < 2) {
      const victim = [...live.keys()][random.below(live.size)]!;
      heap.deallocate(victim);
      live.delete(victim);
    }
  }
  return live;
}

describe('a known heap', () => {
  test('o1heap: fragments with their headers, in order', () => {
    const heap = O1Heap.create(buffer(), { size: 4096 });
    const blocks = [8, 24, 100, 8].map((size) => heap.allocate(size));
    heap.deallocate(blocks[1]!);
    const map = heapMap(heap);
    checkMap(map);
    const state = map.extents[0]!.size;
    const rest = 4096 - state - 16 - 32 - 128 - 16 - 8;
    expect(map.extents[0]!.address).toBe(heap.address);
    // What is left of a block that is no power of two goes to the bins in pieces as they were cut.
    expect(picture(map).startsWith(`=${state} `)).toBe(true);
    expect(map.extents.filter(({ use }) => use === 'block').map(({ address }) => address + 8)).toEqual([blocks[0], blocks[2], blocks[3]].sort((a, b) => a! - b!));
    expect(heapMapFigures(map)).toMatchObject({ blockBytes: 16 + 128 + 16, blockCount: 3, freeBytes: rest + 32 });
  });

  test('tlsf: freed neighbours are one', () => {
    const heap = tlsf(8192);
    const blocks = [100, 200, 300, 400].map((size) => heap.allocate(size));
    const capacity = heap.stats().capacity;
    const [state, end] = [heapMap(heap).extents[0]!.size, 8];
    expect(picture(heapMap(heap))).toBe(`=${state} #112 #208 #320 #416 .${capacity - 112 - 208 - 320 - 416} =${end}`);
    heap.deallocate(blocks[1]!);
    heap.deallocate(blocks[2]!);
    expect(picture(heapMap(heap))).toBe(`=${state} #112 .528 #416 .${capacity - 112 - 528 - 416} =${end}`);
    expect(state + capacity + end).toBe(8192);
  });

  test('slab pool: objects in groups by class, and what is free between them', () => {
    const pool = SlabPool.create(buffer(), { classes: [48, 1024], slabSize: 4096 });
    const small = Array.from({ length: 4 }, () => pool.allocate(40));
    pool.allocate(1000);
    pool.deallocate(small[1]!);
    const slabs = heapMap(pool).extents.filter(({ group }) => group !== '');
    expect(slabs.map(({ address, size, use, group }) => `${use} ${group} ${size} at ${address % 4096}`)).toEqual([
      'block 48 B 48 at 0',
      'free 48 B 48 at 48',
      'block 48 B 96 at 96',
      'free 48 B 3888 at 192',
      'block 1024 B 1024 at 0',
      'free 1024 B 3072 at 1024',
    ].flatMap((line) => (line === 'block 48 B 96 at 96' ? ['block 48 B 48 at 96', 'block 48 B 48 at 144'] : [line])));
    // 4096 bytes hold 85 objects of 48; 16 bytes are nobody's.
    const last = slabs.find(({ use, size }) => use === 'free' && size > 48 && size < 4000)!;
    expect(heapMap(pool).extents).toContainEqual({ address: last.address + last.size, size: 16, use: 'state', group: '' });
    pool.reset();
    expect(heapMap(pool).extents.filter(({ use }) => use === 'free').map(({ size, group }) => [size, group])).toEqual([[4096, 'spare'], [4096, 'spare']]);
  });

  test('arena: what is in use and what is not, chunk by chunk', () => {
    const arena = Arena.create(buffer(), { chunkSize: 4096 });
    arena.allocate(1000);
    arena.allocate(4000);
    arena.allocate(8);
    expect(picture(heapMap(arena))).toBe('=64 #4032 =16 #4008 .72');
    arena.reset();
    expect(heapMapFigures(heapMap(arena)).blockBytes).toBe(0);
  });

  test('tiered arena: slots and pages by tier', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, shared: true });
    const arena = TieredArena.create(memory, { capacity: 2 ** 20 });
    const slots = Array.from({ length: 40 }, () => arena.allocate('bottom', 60));
    arena.allocate('top', 9000);
    arena.deallocate(slots[7]!);
    const map = heapMap(arena);
    checkMap(map);
    const blocks = map.extents.filter(({ use }) => use === 'block');
    expect(blocks.filter(({ group }) => group === 'bottom 64 B').map(({ address }) => address).sort((a, b) => a - b)).toEqual(slots.filter((_, i) => i !== 7).sort((a, b) => a - b));
    expect(blocks.filter(({ group }) => group === 'top pages').map(({ size }) => size)).toEqual([12_288]);
    expect(heapMapFigures(heapMap(arena.tier('bottom'))).blockBytes).toBe(arena.tier('bottom').stats().liveBytes);
  });

  test('garbage-collected heap: objects by generation', () => {
    const heap = GenerationalHeap.create(WasmMemory.create({ reserve: 2 ** 26 }), { nurserySize: 2 ** 18 });
    const makePair = heap.define('pair', { left: 'ref', right: 'ref' }).maker('left', 'right');
    const bytes = heap.defineArray('bytes', 'u8');
    const old = heap.handle(makePair(0, 0));
    const large = heap.handle(bytes.allocate(100_000));
    for (let i = 0; i < 4; i += 1) heap.collect('minor');
    const young = heap.handle(makePair(0, 0));
    const map = heapMap(heap);
    checkMap(map);
    const groups = map.extents.filter(({ use }) => use === 'block').map(({ group }) => group);
    expect(groups.sort()).toEqual(['eden', 'large', 'old']);
    const cell = map.extents.find(({ group }) => group === 'large')!;
    expect(cell.address).toBeLessThan(large.ref);
    expect(cell.address + cell.size).toBeGreaterThanOrEqual(large.ref + 100_000);
    const groupAt = (ref: number): string | undefined => map.extents.find(({ address, size }) => address <= ref && ref < address + size)?.group;
    expect([old, young].map(({ ref }) => groupAt(ref))).toEqual(['old', 'eden']);
  });
});

describe.each<{ readonly name: string; readonly create: () => Allocator }>([
  { name: 'o1heap', create: () => O1Heap.create(buffer(), { size: 2 ** 17 }) },
  { name: 'tlsf that grew', create: () => Tlsf.create(buffer(), { size: 8192, growth: { step: 4096, limit: 2 ** 18 } }) },
  { name: 'tlsf of several regions', create: () => {
    const memory = buffer();
    const heap = Tlsf.create(memory, { size: 8192, growth: { step: 8192, limit: 2 ** 18 } });
    memory.allocate(1);
    return heap;
  } },
  { name: 'slab pool', create: () => SlabPool.create(buffer(2 ** 22), { classes: [64, 512, 2048], slabSize: 4096 }) },
])('the map of $name says what its figures say', ({ create }) => {
  test.each([1, 2, 3])('seed %i', (seed) => {
    const heap = create();
    const live = churn(heap, { seed });
    const map = heapMap(heap);
    checkMap(map);
    const figures = heapMapFigures(map);
    const { liveBytes, capacity } = heap.stats();
    expect(figures.blockCount).toBe(live.size);
    expect(figures.blockBytes).toBe(liveBytes);
    const tails = heap instanceof SlabPool ? heap.stats().slabCount * 4096 - figures.freeBytes - liveBytes : 0;
    expect(figures.freeBytes + liveBytes + tails).toBe(capacity);
    for (const [address, size] of live) expect(map.extents.some((e) => e.use === 'block' && e.address <= address && e.address + e.size >= address + size)).toBe(true);
  });
});

test('the same is found address by address, for an allocator that says nothing of itself', () => {
  const heap = O1Heap.create(BufferMemory.create({ reserve: 2 ** 16 }), { size: 2 ** 14 });
  const live = churn(heap, { sizeMax: 300, count: 60 });
  const { memory, alignment } = heap;
  // A stranger: no address of its own, and nothing that it is made of.
  const stranger = { memory, alignment, allocate: () => 0, usableSize: (a: number) => heap.usableSize(a), owns: (a: number) => heap.owns(a), stats: () => heap.stats() } as unknown as Allocator;
  const blocks = heapMap(stranger).extents.filter(({ use }) => use === 'block');
  expect(blocks.map(({ address }) => address)).toEqual([...live.keys()].sort((a, b) => a - b));
  const huge = { ...stranger, memory: { ...memory, committed: 2 ** 32 }, alignment: 16 } as unknown as Allocator;
  expect(() => heapMap(huge)).toThrow(AllocatorError);
});

test('a memory of pages is mapped', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 20, pageSize: 4096 });
  const block = memory.allocate(10_000);
  expect(heapMap(memory).extents).toContainEqual({ address: block, size: 12_288, use: 'block', group: '' });
});

describe('an assembly', () => {
  test('is its parts, whatever is put around them', () => {
    const heap = assembly();
    const plain = churn(heap, { sizeMax: 1000, count: 100 }).size;
    const map = heapMap(heap);
    checkMap(map);
    expect(heapMapFigures(map).blockCount).toBe(plain);
    const wrapped: Mappable = Tracked.create(Bounded.create(Guarded.create(heap, { fenceSize: 0, quarantineBytes: 0 }), { limit: 2 ** 20 }));
    expect(heapMap(wrapped)).toEqual(map);
    expect(heapParts(wrapped)).toEqual([
      { kind: 'SLAB', address: heap.small.address },
      { kind: 'TLSF', address: heap.large.address },
    ]);
  });

  test('with an arena', () => {
    const memory = buffer();
    const heap = Segregator.create({ threshold: 64, small: SlabPool.create(memory, { slabSize: 4096 }), large: Retained.create(Arena.create(memory, { chunkSize: 4096 })) });
    heap.allocate(1000);
    expect(heapParts(heap).map(({ kind }) => kind)).toEqual(['SLAB', 'AREN']);
    expect(heapMapFigures(heapMap(heap)).blockBytes).toBeGreaterThanOrEqual(1000);
  });

  test('that was released has no map', () => {
    const heap = tlsf();
    const parts = heapParts(heap);
    expect(parts).toHaveLength(1);
    heap.release();
    expect(() => heapMap(heap)).toThrow(expect.objectContaining({ code: 'released' }));
  });
});

test('damage is told, not followed', () => {
  const heap = tlsf();
  const address = heap.allocate(100);
  heap.memory.i32[address / 4 - 2] = 0x7fff_fff1;
  expect(() => heapMap(heap)).toThrow(AllocatorError);
  heap.memory.i32[address / 4 - 2] = 1;
  expect(() => heapMap(heap)).toThrow(AllocatorError);
});
