import { ADDRESS_SPACE_SIZE, AllocatorError, NULL, type Address } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { HEAP_SIZE_MIN, O1Heap } from '@allokit/o1heap';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { FileMemory, NativeMemory } from '@allokit/vmem/native';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { GAME_HEAP_SIZE, GAME_HEAP_STEP, gameHeap, type CommitPolicy, type GameHeap } from '../src/index.ts';
import { expectCode } from './combinators/expect-error.ts';

const MIB = 2 ** 20;
/** Bytes of a heap, and of its only region, that are not fragments. */
const OVERHEAD = 352;

const POLICIES: readonly CommitPolicy[] = ['all', 'steps'];

interface Kind {
  readonly name: string;
  readonly create: (reserve: number) => PagedMemory;
}

const KINDS: readonly Kind[] = [
  { name: 'native memory', create: (reserve) => NativeMemory.create({ reserve }) },
  { name: 'WebAssembly memory', create: (reserve) => WasmMemory.create({ reserve }) },
];

const MORE_KINDS: readonly Kind[] = [
  ...KINDS,
  { name: 'native memory that doubles', create: (reserve) => NativeMemory.create({ reserve, doubling: true }) },
  { name: 'shared WebAssembly memory', create: (reserve) => WasmMemory.create({ reserve, shared: true }) },
  { name: 'buffer', create: (reserve) => BufferMemory.create({ reserve }) },
];

const memories: PagedMemory[] = [];
afterEach(() => {
  for (const memory of memories.splice(0)) memory.release();
});

function kept<M extends PagedMemory>(memory: M): M {
  memories.push(memory);
  return memory;
}

/** Every call that a released heap must refuse. */
function uses(game: GameHeap): (() => unknown)[] {
  return [
    () => game.allocate(8),
    () => game.allocate(0, 32),
    () => game.allocateZeroed(2, 8),
    () => game.reallocate(NULL, 8),
    () => game.deallocate(NULL),
    () => game.stats(),
    () => game.heap.checkInvariants(),
  ];
}

describe.each(MORE_KINDS)('on a $name', ({ create }) => {
  describe.each(POLICIES)('committed %s', (commit) => {
    test('a heap is as large as it is told, or as there is room for', () => {
      for (const size of [HEAP_SIZE_MIN, HEAP_SIZE_MIN + 1, 4096, 65_535, 65_536, MIB - 16, MIB]) {
        const game = gameHeap(kept(create(2 * MIB)), { size, commit });
        expect(game.stats().capacity).toBe(size - (size % 16) - OVERHEAD);
        game.heap.checkInvariants();
        game.release();
      }
      const memory = kept(create(2 * MIB));
      const all = 2 * MIB - firstFree(memory);
      const game = gameHeap(memory, { commit });
      expect(game.stats()).toMatchObject({ reserved: 2 * MIB, capacity: all - OVERHEAD, allocated: 0, outOfMemoryCount: 0 });
      if (commit === 'all') expect(game.stats().committed).toBe(2 * MIB);
      expect(game.memory.stats().liveBytes).toBe(all);
    });

    test('what is no size is refused, and what does not fit, with nothing left behind', () => {
      const memory = kept(create(2 * MIB));
      const runs = [...memory.runs()];
      for (const size of [0, -1, HEAP_SIZE_MIN - 1, 1.5, NaN, Infinity, 2 ** 32 + 1]) expect(() => gameHeap(memory, { size, commit })).toThrow(RangeError);
      expect(() => gameHeap(memory, { size: '4096' as unknown as number, commit })).toThrow(TypeError);
      for (const size of [2 * MIB, 2 * MIB + 1, 2 ** 32]) expectCode(() => gameHeap(memory, { size, commit }), 'out-of-memory', /bytes left in one piece/);
      expect([...memory.runs()]).toEqual(runs);
      expect(memory.stats()).toMatchObject({ liveBytes: 0, failureCount: 0 });
      const filler = memory.allocate(2 * MIB - firstFree(memory));
      expectCode(() => gameHeap(memory, { commit }), 'out-of-memory', /has 0 bytes left/);
      memory.deallocate(filler);
      gameHeap(memory, { commit }).release();
    });

    test('a second heap is refused until the first is released, from any handle', () => {
      const memory = kept(create(4 * MIB));
      const first = gameHeap(memory, { commit });
      const block = first.allocate(100);
      memory.u8.fill(7, block, block + 100);
      for (const size of [undefined, MIB]) {
        expectCode(() => gameHeap(memory, size === undefined ? { commit } : { size, commit }), 'already-initialised', new RegExp(`${first.heap.address}`));
      }
      expect([memory.u8[block + 99], first.stats().allocated]).toEqual([7, 128]);
      first.release();
      first.release();
      for (const use of uses(first)) expectCode(use, 'released');
      expect(memory.stats().liveBytes).toBe(0);
      const second = gameHeap(memory, { commit });
      expect(second.stats()).toMatchObject({ allocated: 0, peak: 0 });
      // Releasing the first once more must not disturb the second.
      const live = second.allocate(100);
      memory.u8.fill(9, live, live + 100);
      first.release();
      expect(memory.u8[live + 99]).toBe(9);
      second.heap.checkInvariants();
    });

    test('a heap beside other blocks takes the largest piece that is left', () => {
      const memory = kept(create(4 * MIB));
      const front = memory.allocate(MIB);
      const wall = memory.allocate(1);
      const tail = gameHeap(memory, { commit });
      expect(tail.heap.address).toBeGreaterThan(wall);
      tail.release();
      memory.allocate(2 * MIB);
      memory.deallocate(front);
      const hole = gameHeap(memory, { commit });
      expect([hole.heap.address, hole.stats().capacity]).toEqual([front, MIB - OVERHEAD]);
    });

    test("when the memory goes first, every use is 'released', and release does nothing", () => {
      const memory = create(2 * MIB);
      const game = gameHeap(memory, { commit });
      memory.release();
      expectCode(() => game.stats(), 'released');
      game.release();
      for (const use of uses(game)) expectCode(use, 'released');
      expectCode(() => gameHeap(memory, { commit }), 'released');
    });
  });
});

/** Where the memory's own state ends. */
function firstFree(memory: PagedMemory): number {
  const address = memory.allocate(1);
  memory.deallocate(address);
  return address;
}

describe("what is C's", () => {
  test('zero, null, and memory that is not there', () => {
    const game = gameHeap(undefined, { size: MIB });
    expect([game.allocate(0), game.allocateZeroed(0, 8), game.allocateZeroed(8, 0), game.reallocate(NULL, 0)]).toEqual([NULL, NULL, NULL, NULL]);
    game.deallocate(NULL);
    expect(game.stats()).toMatchObject({ outOfMemoryCount: 0, peakRequest: 0, allocated: 0 });
    const block = game.reallocate(NULL, 100);
    game.memory.u8.fill(5, block, block + 100);
    expect([game.allocate(MIB), game.allocateZeroed(1000, 1000), game.reallocate(block, MIB)]).toEqual([NULL, NULL, NULL]);
    expect(game.stats()).toMatchObject({ outOfMemoryCount: 3, peakRequest: MIB, allocated: 128, peak: 128 });
    expect([game.memory.u8[block], game.memory.u8[block + 99]]).toEqual([5, 5]);
    expect(game.reallocate(block, 0)).toBe(NULL);
    expect(game.stats().allocated).toBe(0);
  });

  test('calloc clears, and refuses a product beyond 32 bits', () => {
    const game = gameHeap(undefined, { size: MIB });
    const dirty = game.allocate(4000);
    game.memory.u8.fill(0xff, dirty, dirty + 4000);
    game.deallocate(dirty);
    const block = game.allocateZeroed(40, 100);
    expect(block).toBe(dirty);
    expect(game.memory.u8.subarray(block, block + 4000).every((byte) => byte === 0)).toBe(true);
    for (const [count, size] of [
      [2 ** 16, 2 ** 16],
      [2 ** 31, 2],
      [2 ** 32 - 1, 2 ** 32 - 1],
    ] as const)
      expect(() => game.allocateZeroed(count, size)).toThrow(RangeError);
    expect(game.stats().outOfMemoryCount).toBe(0);
  });

  test('realloc keeps the content, in place where the neighbour is free', () => {
    const game = gameHeap(undefined, { size: MIB });
    let block = game.allocate(100);
    game.memory.u8.fill(3, block, block + 100);
    expect(game.reallocate(block, 5000)).toBe(block);
    const wall = game.allocate(5000);
    block = game.reallocate(block, 50_000);
    expect(block).toBeGreaterThan(wall);
    expect(game.memory.u8.subarray(block, block + 100).every((byte) => byte === 3)).toBe(true);
    expect(game.reallocate(block, 50)).toBe(block);
    expect([game.memory.u8[block + 49], game.stats().allocated]).toEqual([3, 64 + 8192]);
  });

  test('what is no live block is refused loudly', () => {
    const game = gameHeap(undefined, { size: MIB });
    const [block, other] = [game.allocate(100), game.allocate(100)];
    const refused: readonly (readonly [Address, AllocatorError['code']])[] = [
      [game.heap.address - 16, 'foreign-address'],
      [2 ** 31, 'foreign-address'],
      [block + 8, 'invalid-address'],
      [block + 16, 'invalid-address'],
      [block + 1, 'invalid-address'],
    ];
    for (const [address, code] of refused) {
      expectCode(() => game.deallocate(address), code);
      expectCode(() => game.reallocate(address, 200), code);
    }
    game.deallocate(block);
    expectCode(() => game.deallocate(block), 'double-free');
    expectCode(() => game.reallocate(block, 10), 'double-free');
    for (const address of [-16, 0.5, NaN]) expect(() => game.deallocate(address)).toThrow(RangeError);
    expect(() => game.deallocate('16' as unknown as number)).toThrow(TypeError);
    expect(game.allocate(100, 4096) % 4096).toBe(0);
    game.deallocate(other);
    game.heap.checkInvariants();
  });
});

describe('a memory of its own', () => {
  test.each(POLICIES)('holds 1 GiB unless told, committed %s', (commit) => {
    const game = gameHeap(undefined, { commit });
    const { reserved, committed, capacity, largestFree } = game.stats();
    expect(reserved - GAME_HEAP_SIZE).toBeLessThanOrEqual(MIB);
    const size = commit === 'all' ? GAME_HEAP_SIZE : GAME_HEAP_STEP;
    expect(capacity).toBe(size - OVERHEAD);
    expect(committed - size).toBeGreaterThan(0);
    expect(committed - size).toBeLessThan(MIB);
    // Of 1 GiB the state takes a little, so that the largest power of two is 512 MiB.
    expect(largestFree).toBe(size / 2 - 8);
    expect(game.allocate(2 ** 29 - 7)).toBe(NULL);
    if (commit === 'all') expect(game.allocate(2 ** 29 - 8)).not.toBe(NULL);
    game.release();
    expect(game.memory.released).toBe(true);
    game.release();
    for (const use of uses(game)) expectCode(use, 'released');
  });

  test('goes up to nearly 4 GiB', () => {
    for (const size of [ADDRESS_SPACE_SIZE, ADDRESS_SPACE_SIZE - 4 * 65_536, 0, 1.5]) expect(() => gameHeap(undefined, { size })).toThrow(RangeError);
    const game = gameHeap(undefined, { size: ADDRESS_SPACE_SIZE - 5 * 65_536 });
    expect(game.stats().largestFree).toBe(2 ** 31 - 8);
    const block = game.allocate(2 ** 31 - 8);
    expect(game.heap.owns(block)).toBe(true);
    game.release();
  });

  test('is released when the heap cannot be made in it', () => {
    const allocate = vi.spyOn(WasmMemory.prototype, 'allocate').mockReturnValue(NULL);
    try {
      expectCode(() => gameHeap(undefined, { size: MIB }), 'out-of-memory');
      expect((allocate.mock.contexts[0] as WasmMemory).released).toBe(true);
    } finally {
      allocate.mockRestore();
    }
  });
});

test('options that are none are refused', () => {
  expect(() => gameHeap(undefined, { commit: 'some' as CommitPolicy })).toThrow(RangeError);
  expect(() => gameHeap(undefined, { commit: 1 as unknown as CommitPolicy })).toThrow(TypeError);
  expect(() => gameHeap(O1Heap.create(WasmMemory.create({ reserve: MIB }), { size: 65_536 }) as unknown as PagedMemory)).toThrow(TypeError);
  expect(() => gameHeap(null as unknown as PagedMemory)).toThrow(TypeError);
});

test("a refused commitment is out of memory, with the system's reason", () => {
  const memory = kept(NativeMemory.create({ reserve: 4 * MIB }));
  const reason = new AllocatorError('out-of-memory', 'mprotect refused 4194304 bytes: ENOMEM');
  let refusal: AllocatorError | undefined;
  Object.defineProperty(memory, 'lastRefusal', { get: () => refusal });
  memory.allocate = () => {
    refusal = reason;
    return NULL;
  };
  for (const commit of POLICIES) {
    refusal = undefined;
    expectCode(() => gameHeap(memory, { commit }), 'out-of-memory', /system refused to commit a heap of \d+ bytes: mprotect .* ENOMEM/);
  }
  // One from before is not to blame.
  expectCode(() => gameHeap(memory), 'out-of-memory', /the parent has no block/);
});

describe('in a file', () => {
  test('the heap is there for the next process, and refuses a second one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'allokit-game-heap-'));
    try {
      const path = join(folder, 'heap');
      const memory = FileMemory.create(path, { reserve: 4 * MIB });
      const game = gameHeap(memory, { commit: 'steps' });
      const block = game.allocate(100);
      memory.u8.fill(6, block, block + 100);
      const { address } = game.heap;
      memory.release();
      const again = kept(FileMemory.attach(path));
      expectCode(() => gameHeap(again), 'already-initialised', new RegExp(`${address}`));
      const heap = O1Heap.attach(again, address);
      expect([again.u8[block + 99], heap.usableSize(block)]).toEqual([6, 120]);
      heap.release();
      gameHeap(again).release();
    } finally {
      for (const memory of memories.splice(0)) memory.release();
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(KINDS)('scenarios on $name', ({ name, create }) => {
  /** Room for a heap of exactly `size` bytes. */
  const memoryFor = (size: number): PagedMemory => kept(create(size + MIB));

  test.each(POLICIES)('100,000 blocks of 20 KiB in 1 GiB, committed %s: 32,767 fit', (commit) => {
    const game = gameHeap(memoryFor(GAME_HEAP_SIZE), { size: GAME_HEAP_SIZE, commit });
    const blocks: Address[] = [];
    while (blocks.length < 100_000) {
      const block = game.allocate(20_480);
      if (block === NULL) break;
      blocks.push(block);
    }
    expect(blocks).toHaveLength(32_767);
    expect(game.stats()).toMatchObject({
      outOfMemoryCount: 1,
      allocated: 32_767 * 32_768,
      peak: 32_767 * 32_768,
      peakRequest: 20_480,
      capacity: GAME_HEAP_SIZE - OVERHEAD,
    });
    expect(game.stats().allocatedRatio).toBeGreaterThan(0.9999);
    expect(game.stats().peakRatio).toBe(game.stats().allocatedRatio);
    game.heap.checkInvariants();
    for (const block of blocks) game.deallocate(block);
    game.heap.checkInvariants();
    // One fragment remains: no memory is free outside of it.
    expect(game.stats()).toMatchObject({ allocated: 0, allocatedRatio: 0, externalFragmentation: 0, largestFree: 2 ** 29 - 8 });
    game.release();
  });

  test('a heap of its own memory of 1 GiB holds as many', () => {
    if (name === 'native memory') return;
    const game = gameHeap();
    let count = 0;
    while (game.allocate(20_480) !== NULL) count += 1;
    expect(count).toBe(32_767);
    game.release();
  });

  test('memory follows use: nothing after init, then 10, 100, 500 MiB as they are touched', () => {
    const memory = memoryFor(GAME_HEAP_SIZE);
    const before = gameHeap(memory, { size: GAME_HEAP_SIZE });
    const after = before.stats().resident;
    if (after === undefined) return;
    expect(after).toBeLessThan(MIB);
    let touched = 0;
    for (const total of [10, 100, 500]) {
      while (touched < total) {
        const block = before.allocate(2 ** 19 - 8);
        before.memory.u8.fill(1, block, block + 2 ** 19 - 8);
        touched += 0.5;
      }
      const grown = (before.stats().resident! - after) / MIB;
      expect(grown).toBeGreaterThan(total * 0.95);
      expect(grown).toBeLessThan(total * 1.05);
    }
    before.release();
    // What was given can be given back: a system's memory does, the engine's cannot.
    if (memory instanceof NativeMemory) expect(memory.resident()).toBeLessThan(MIB);
  });

  test.each(POLICIES)('1,000,000 pairs of 100 bytes, committed %s, leave the heap as it was', (commit) => {
    const game = gameHeap(memoryFor(64 * MIB), { size: 64 * MIB, commit });
    const before = game.stats();
    for (let i = 0; i < 1_000_000; i += 1) game.deallocate(game.allocate(100));
    game.heap.checkInvariants();
    expect(game.stats()).toEqual({ ...before, peak: 128, peakRatio: 128 / before.capacity, peakRequest: 100, resident: expect.anything() as unknown });
  });

  test('in steps the heap doubles: 64, 128, 256 MiB, and stays in one piece', () => {
    const size = 400 * MIB;
    const game = gameHeap(memoryFor(size), { size, commit: 'steps' });
    const capacities = [game.stats().capacity];
    const blocks: Address[] = [];
    for (let block = game.allocate(MIB - 8); block !== NULL; block = game.allocate(MIB - 8)) {
      blocks.push(block);
      if (game.heap.stats().capacity !== capacities.at(-1)) capacities.push(game.heap.stats().capacity);
      expect(game.memory.committed).toBeLessThan((capacities.at(-1)! + MIB) * (1 + 1 / 16));
    }
    expect(capacities).toEqual([64, 128, 256, 400].map((mib) => mib * MIB - OVERHEAD));
    expect(blocks).toHaveLength(399);
    for (const block of blocks) game.deallocate(block);
    expect(game.stats()).toMatchObject({ externalFragmentation: 0, largestFree: 256 * MIB - 8, outOfMemoryCount: 1 });
    game.heap.checkInvariants();
  });

  describe.each([
    { commit: 'all', size: MIB, sizeMax: 2 ** 16 },
    { commit: 'steps', size: MIB, sizeMax: 2 ** 16 },
    { commit: 'all', size: 256 * MIB, sizeMax: 2 ** 24 },
    { commit: 'steps', size: 256 * MIB, sizeMax: 2 ** 24 },
  ] as const)('random programs in $size bytes, committed $commit', ({ commit, size, sizeMax }) => {
    test.each([1, 2])('until 1,000 requests failed: no overlap, contents intact, invariants after each step, seed %i', (seed) => {
      const game = gameHeap(memoryFor(size), { size, commit });
      runUntilFull(game, seed, sizeMax);
      expect(game.stats()).toMatchObject({ allocated: 0, externalFragmentation: 0, outOfMemoryCount: 1000 });
      // A heap that grows gives back what it holds empty before a request fails, and takes it again when it needs it.
      if (commit === 'all') expect(game.stats().capacity).toBe(size - OVERHEAD);
      else expect(game.stats().capacity).toBeLessThanOrEqual(size - OVERHEAD);
    });
  });
});

interface Live {
  address: Address;
  size: number;
  readonly id: number;
}

/** Bytes at both ends of a large block that carry its pattern; a small one does all through. */
const EDGE = 4096;

function forEdges({ address, size }: Live, visit: (from: number, to: number) => void): void {
  if (size <= 2 * EDGE) visit(address, address + size);
  else {
    visit(address, address + EDGE);
    visit(address + size - EDGE, address + size);
  }
}

function fill(game: GameHeap, live: Live): void {
  const { u8 } = game.memory;
  forEdges(live, (from, to) => u8.fill(live.id & 0xff, from, to));
}

function isIntact(game: GameHeap, live: Live): boolean {
  const { u8 } = game.memory;
  let isGood = true;
  forEdges(live, (from, to) => {
    for (let i = from; i < to; i += 1) if (u8[i] !== (live.id & 0xff)) isGood = false;
  });
  return isGood;
}

/**
 * Allocates, frees and reallocates at random until 1,000 requests failed; then frees everything. Bins are checked after each step, all fragments after
 * every 16th.
 */
function runUntilFull(game: GameHeap, seed: number, sizeMax: number): void {
  const random = Random.fromSeed(seed);
  const blocks: Live[] = [];
  for (let step = 0; game.heap.stats().failureCount < 1000; step += 1) {
    // Waves: mostly allocations until the heap is full, then as many frees.
    const isFilling = game.heap.stats().failureCount % 2 === 0 || random.chance(1, 2);
    const size = random.logUniform(1, sizeMax);
    const choice = random.below(10);
    if (choice < (isFilling ? 6 : 3)) {
      const address = game.allocate(size);
      if (address !== NULL) {
        const live = { address, size, id: step };
        fill(game, live);
        blocks.push(live);
      }
    } else if (blocks.length > 0) {
      const i = random.below(blocks.length);
      const live = blocks[i]!;
      expect(isIntact(game, live), `step ${step}`).toBe(true);
      if (choice < 9) {
        game.deallocate(live.address);
        blocks[i] = blocks.at(-1)!;
        blocks.pop();
      } else {
        const address = game.reallocate(live.address, size);
        if (address !== NULL) {
          const kept = { ...live, address, size: Math.min(live.size, EDGE, size) };
          expect(isIntact(game, kept), `step ${step}`).toBe(true);
          Object.assign(live, { address, size });
          fill(game, live);
        }
      }
    }
    game.heap.checkDiagnostics();
    if (step % 16 === 0) game.heap.checkInvariants();
  }
  const inOrder = [...blocks].sort((one, other) => one.address - other.address);
  expect(inOrder.every(({ address, size }, i) => i + 1 === inOrder.length || address + size <= inOrder[i + 1]!.address)).toBe(true);
  for (const live of random.shuffle(blocks)) {
    expect(isIntact(game, live)).toBe(true);
    game.deallocate(live.address);
  }
  game.heap.checkInvariants();
}
