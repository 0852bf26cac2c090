/** What becomes of an arena's handles in one JavaScript thread when another handle detaches, releases, grows, compacts or damages what both see. */

import { AllocatorError, Locked, NULL } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { GROWER } from '../src/layout.ts';
import { TieredArena, type Tier, type TieredArenaOptions } from '../src/index.ts';

const KIB = 1024;
const MIB = 2 ** 20;

function memoryOf(reserve = 2 ** 26): WasmMemory {
  return WasmMemory.create({ reserve, shared: true });
}

function single(options: Partial<TieredArenaOptions & { growth: number; limit: number; alignment: number }> = {}): TieredArenaOptions {
  const { growth = 0, limit = 2 ** 32 - 1, alignment = 8, ...rest } = options;
  return { capacity: MIB, tiers: [{ name: 'only', share: 1, alignment, growth, limit }], ...rest };
}

/** A handle as another thread would have it: on a memory handle of its own. */
function another(arena: TieredArena, memory: WasmMemory): TieredArena {
  return TieredArena.attach(WasmMemory.attach(memory.wasm), arena.address);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof AllocatorError ? error.code : String(error);
  }
  return 'nothing was thrown';
}

describe('a handle that was detached', () => {
  test('gets and frees nothing, not even by the shortest path, when another one has its place', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single({ threads: 2 }));
    const gone = another(arena, memory);
    const tier = gone.tier(0);
    tier.deallocate(tier.allocate(64));
    gone.detach();
    const successor = another(arena, memory);
    const block = successor.allocate(0, 64);
    expect(codeOf(() => tier.allocate(64))).toBe('released');
    expect(codeOf(() => tier.deallocate(block))).toBe('released');
    expect(successor.isLive(block)).toBe(true);
  });

  test('nor after a release, when the bytes are somebody else’s', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single());
    const tier = arena.tier(0);
    tier.deallocate(tier.allocate(64));
    const { address } = arena;
    arena.release();
    memory.u8.fill(0xff, address, address + MIB);
    expect(codeOf(() => tier.allocate(64))).toBe('released');
    expect(memory.u8.subarray(address, address + MIB).every((byte) => byte === 0xff)).toBe(true);
  });

  test('nor in an arena that came to lie where its own did', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single());
    const stale = another(arena, memory);
    arena.release();
    const successor = TieredArena.create(memory, single());
    expect(successor.address).toBe(arena.address);
    expect(codeOf(() => stale.allocate(0, 64))).toBe('released');
    expect(successor.threadIds).toEqual([successor.threadId]);
  });
});

describe('growth', () => {
  test.each([{ checked: false }, { checked: true }])('of one is seen by the other, at its next call: $checked', ({ checked }) => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single({ capacity: 64 * KIB, growth: 256 * KIB, checked }));
    const other = another(arena, memory);
    other.allocate(0, 32);
    while (arena.stats()['only']!.segmentCount < 2) expect(arena.allocate(0, 4096)).not.toBe(NULL);
    const block = arena.allocate(0, 20_000);
    expect(other.usableSize(block)).toBe(20_480);
    other.deallocate(block);
    for (const handle of [arena, other]) handle.checkInvariants();
  });

  test('goes on from what others made of the parent', () => {
    const memory = memoryOf();
    const growth = { growth: 256 * KIB, alignment: 8, share: 0.5 };
    const arena = TieredArena.create(memory, { capacity: 128 * KIB, tiers: [{ ...growth, name: 'one' }, { ...growth, name: 'two' }] });
    const other = another(arena, memory);
    for (let round = 0; round < 10; round += 1) {
      for (const [handle, tier] of [[arena, 'one'], [other, 'two']] as const) {
        const { segmentCount } = handle.tier(tier).stats();
        while (handle.tier(tier).stats().segmentCount === segmentCount) expect(handle.allocate(tier, 60_000)).not.toBe(NULL);
      }
    }
    for (const handle of [arena, other]) handle.checkInvariants();
    another(arena, memory).checkInvariants();
  });

  test('reaches the limit, however small its steps', () => {
    const arena = TieredArena.create(memoryOf(2 ** 28), single({ capacity: 64 * KIB, growth: 64 * KIB, limit: 16 * MIB }));
    let bytes = 0;
    while (arena.allocate(0, 64 * KIB) !== NULL) bytes += 64 * KIB;
    expect(bytes).toBeGreaterThan(14 * MIB);
    expect(arena.stats()['only']!.capacity).toBeLessThanOrEqual(16 * MIB);
  });

  test('is taken from a dead thread only when the parent can be looked at', () => {
    const memory = memoryOf();
    const parent = Locked.create(memory, { mayWait: false, spinCount: 10 });
    const others = Locked.attach(memory, parent.address, () => WasmMemory.attach(memory.wasm));
    const arena = TieredArena.create(parent, single({ capacity: 64 * KIB, growth: 256 * KIB }));
    const dead = TieredArena.attach(others, arena.address);
    memory.i32[arena.address / 4 + GROWER] = dead.threadId;
    others.exclusively(() => {
      expect(codeOf(() => arena.reclaim(dead.threadId))).toBe('unsupported');
    });
    expect(arena.threadIds).toContain(dead.threadId);
    arena.reclaim(dead.threadId);
    for (let i = 0; i < 4; i += 1) expect(arena.allocate(0, 60_000)).not.toBe(NULL);
  });
});

describe('compaction', () => {
  test('what an idle thread held empty is had by others after its next call', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single());
    const idle = another(arena, memory);
    arena.allocate(0, 400 * KIB);
    idle.allocate(0, 2048);
    arena.resetTier(0);
    idle.tier(0).stats();
    expect(arena.tier(0).stats()).toMatchObject({ liveBytes: 0, freeBytes: 0 });
    expect(arena.allocate(0, MIB)).not.toBe(NULL);
  });

  test('counts through segments as offsets do, also where a block is aligned to more than a page', () => {
    const arena = TieredArena.create(memoryOf(), single({ capacity: 128 * KIB, growth: 128 * KIB, alignment: 16 * KIB }));
    const blocks: number[] = [];
    while (arena.stats()['only']!.segmentCount < 3) blocks.push(arena.allocate(0, 40 * KIB));
    const kept = blocks.at(-2)!;
    for (const block of blocks) expect(arena.offsetOf(block) % (16 * KIB)).toBe(0);
    arena.fastCompact(0, arena.offsetOf(kept) + 40 * KIB);
    expect(blocks.map((block) => arena.isLive(block))).toEqual(blocks.map((_, i) => i < blocks.length - 1));
    arena.checkInvariants();
  });
});

describe('a tier that was released', () => {
  test('serves nobody, and the others go on', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, { capacity: MIB });
    const other = another(arena, memory);
    other.allocate('bottom', 64);
    arena.tier('bottom').release();
    other.detach();
    const successor = another(arena, memory);
    for (const handle of [arena, successor]) expect(codeOf(() => handle.allocate('bottom', 64))).toBe('released');
    expect(Object.keys(arena.stats())).toEqual(['top', 'middle']);
    arena.checkInvariants();
    expect(codeOf(() => arena.allocateBatch([{ tier: 'middle', size: 10 }, { tier: 'bottom', size: 10 }]))).toBe('released');
    expect(arena.tier('middle').stats().liveBytes).toBe(0);
  });
});

describe('bad input', () => {
  test.each<readonly [string, (tier: Tier, block: number) => unknown, typeof TypeError]>([
    ['an address as a string', (tier, block) => { tier.deallocate(String(block) as never); }, TypeError],
    ['an address in an array', (tier, block) => { tier.deallocate([block] as never); }, TypeError],
    ['a fraction', (tier, block) => { tier.deallocate(block + 0.5); }, RangeError],
  ])('%s frees nothing', (_, free, expected) => {
    const arena = TieredArena.create(memoryOf(), single());
    const block = arena.allocate(0, 64);
    expect(() => free(arena.tier(0), block)).toThrow(expected);
    expect(arena.isLive(block)).toBe(true);
  });

  test('a plain address is no handle of a checked arena, whatever the generation', () => {
    const arena = TieredArena.create(memoryOf(), single({ checked: true }));
    let handle = arena.allocate(0, 32);
    for (let i = 0; i < 2 ** 16 - 1; i += 1) {
      arena.deallocate(handle);
      handle = arena.allocate(0, 32);
    }
    const address = arena.addressOf(handle);
    expect(codeOf(() => arena.deallocate(address))).toBe('double-free');
    expect(arena.isLive(handle)).toBe(true);
    arena.deallocate(handle);
  });

  test('lists that are none, and names that cannot be kept', () => {
    const arena = TieredArena.create(memoryOf(), single());
    const blocks = arena.allocateBatch([{ tier: 0, size: 10, alignment: 256 }, { tier: 'only', size: 20 }]);
    expect(blocks[0]! % 256).toBe(0);
    expect(() => arena.deallocateBatch(new Set(blocks) as never)).toThrow(/handles must be an array/);
    expect(() => arena.allocateBatch('tier' as never)).toThrow(/requests must be an array/);
    expect(() => TieredArena.create(memoryOf(), { capacity: MIB, tiers: [{ name: '\uD800', share: 1, alignment: 8 }] })).toThrow(/whole Unicode/);
    const named = TieredArena.create(memoryOf(), { capacity: MIB, tiers: [{ name: '\uFEFFa', share: 0.5, alignment: 8 }, { name: 'a', share: 0.5, alignment: 8 }] });
    expect(named.tiers.map(({ name }) => name)).toEqual(['\uFEFFa', 'a']);
  });

  test.each([3, 7, -8, 0x7fff_fff2, 0x5002])('a page table that says %i is refused, and nothing walks in circles', (entry) => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, single());
    const [segment] = arena.tier(0).segments();
    memory.i32[segment!.entries + 5] = entry;
    expect(codeOf(() => TieredArena.attach(memory, arena.address))).toBe('corrupt');
    expect(codeOf(() => { arena.checkInvariants(); })).toBe('corrupt');
    expect(codeOf(() => arena.stats())).toBeTypeOf('string');
  });
});

describe('a block by its handle', () => {
  test.each([{ checked: false }, { checked: true }])('is resized in place, or moved with what it holds: checked $checked', ({ checked }) => {
    const arena = TieredArena.create(memoryOf(), single({ checked }));
    const block = arena.allocate(0, 5000);
    expect(arena.resize(block, 8192)).toBe(true);
    arena.write(block, Uint8Array.of(1, 2, 3), 4997);
    expect(arena.view(block, 'u8').length).toBe(8192);
    expect(arena.view(block, 'f64', undefined, 16).length).toBe(1022);
    arena.allocate(0, 5000);
    const moved = arena.reallocate(block, 100_000);
    expect(moved).not.toBe(block);
    expect(arena.isLive(block)).toBe(false);
    expect(arena.read(moved, 3, 4997)).toEqual(Uint8Array.of(1, 2, 3));
    expect(arena.reallocate(moved, 1e9)).toBe(NULL);
    expect(arena.isLive(moved)).toBe(true);
    expect(arena.reallocate(moved, 0)).toBe(NULL);
    expect(arena.isLive(moved)).toBe(false);
    expect(() => arena.reallocate(NULL, 10)).toThrow(/NULL is no block/);
  });
});

test('a thread that was reclaimed although it lives is told', () => {
  const memory = memoryOf();
  const arena = TieredArena.create(memory, single());
  const other = another(arena, memory);
  arena.reclaim(other.threadId);
  expect(codeOf(() => other.tier(0).stats())).toBe('released');
  expect(memory.i32.subarray(arena.address / 4).includes(other.threadId)).toBe(false);
});
