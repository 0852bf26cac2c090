/** What the design asks of tiers, on shared WebAssembly memory and on native memory. */

import { AllocatorError, NULL, Scoped, Tracked } from '@allokit/allocator';
import { WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { afterEach, describe, expect, test } from 'vitest';
import { TieredArena, sizeClass, type TieredArenaOptions } from '../src/index.ts';

const MIB = 2 ** 20;
const PLACES = [
  { name: 'shared WebAssembly memory', create: (reserve: number): PagedMemory => WasmMemory.create({ reserve, shared: true }) },
  { name: 'native memory', create: (reserve: number): PagedMemory => NativeMemory.create({ reserve }) },
];

test('the class of a size is the same formula for allocating and freeing', () => {
  const sizes = [1, 32, 33, 64, 65, 128, 129, 2048, 2049, 4096, 10_000_000];
  expect(sizes.map((size) => sizeClass(size))).toEqual([0, 0, 1, 1, 2, 2, 3, 6, 7, 7, 7]);
  for (let size = 1; size < 10_000; size += 1) expect(sizeClass(size)).toBe(Math.min(7, Math.max(0, Math.ceil(Math.log2(Math.max(size, 32) / 32)))));
});

describe.each(PLACES)('$name', ({ create }) => {
  const memories: PagedMemory[] = [];
  afterEach(() => {
    for (const memory of memories.splice(0)) memory.release();
  });
  const memoryOf = (reserve = 2 ** 26): PagedMemory => {
    const memory = create(reserve);
    memories.push(memory);
    return memory;
  };
  const arenaOf = (options: TieredArenaOptions, reserve?: number): TieredArena => TieredArena.create(memoryOf(reserve), options);

  test('blocks in three tiers, a string written and read back', () => {
    const arena = arenaOf({ capacity: 8 * MIB });
    const handles = [arena.allocate('top', 1024), arena.allocate('middle', 2048), arena.allocate('bottom', 512)];
    expect(handles).not.toContain(NULL);
    expect(handles.map((handle, i) => handle % [128, 64, 8][i]!)).toEqual([0, 0, 0]);
    const text = new TextEncoder().encode('Zoë and the tiers');
    for (const handle of handles) arena.write(handle, text);
    for (const handle of handles) expect(arena.read(handle, text.length)).toEqual(text);
    expect(arena.tiers.map((tier) => tier.memory.u8.length)).toHaveLength(3);
    const [top, middle, bottom] = arena.tiers.map((tier) => tier.stats().capacity);
    expect([top, middle, bottom].map((bytes) => Math.round((bytes! / (8 * MIB)) * 10))).toEqual([5, 3, 2]);
    arena.checkInvariants();
  });

  test('owners in a scope give their bytes back', () => {
    const arena = arenaOf({ capacity: MIB });
    const before = arena.tier('bottom').stats().liveBytes;
    {
      using first = arena.own('bottom', 1024)!;
      using second = arena.own('bottom', 2048)!;
      expect(first.isOwner && second.isOwner).toBe(true);
      expect(arena.tier('bottom').stats().liveBytes).toBe(before + 3072);
    }
    expect(arena.tier('bottom').stats().liveBytes).toBe(before);
    const kept = arena.own('bottom', 100)!;
    arena.deallocate(kept.disown());
    kept[Symbol.dispose]();
    const scope = Scoped.create(arena.tier('middle'));
    scope.allocate(1024);
    scope.release();
    expect(arena.tier('middle').stats().liveBytes).toBe(0);
  });

  test('compaction keeps what is below the boundary and refuses one above what is used', () => {
    const arena = arenaOf({ capacity: 16 * MIB });
    const kept = arena.allocate('top', MIB);
    arena.write(kept, new Uint8Array(MIB).fill(7));
    const current = arena.allocate('top', 2 * MIB);
    const { used } = arena.tier('top').stats();
    arena.fastCompact('top', MIB + 64);
    expect(arena.tier('top').stats().used).toBeLessThanOrEqual(used);
    expect(arena.tier('top').stats().liveBytes).toBe(3 * MIB);
    arena.fastCompact('top', MIB);
    expect(arena.tier('top').stats()).toMatchObject({ used: MIB, liveBytes: MIB, peak: 3 * MIB });
    expect(arena.isLive(current)).toBe(false);
    expect(() => arena.fastCompact('top', Number.MAX_SAFE_INTEGER)).toThrow(RangeError);
    expect(() => arena.fastCompact('top', MIB + 4096)).toThrow(/must not lie above what the tier "top" uses, 1048576 bytes, got 1052672/);
    expect(arena.allocate('top', 3 * MIB)).toBe(current);
    expect(arena.read(kept, MIB).every((byte) => byte === 7)).toBe(true);
    arena.resetTier('top');
    expect(arena.tier('top').stats()).toMatchObject({ used: 0, liveBytes: 0 });
    arena.checkInvariants();
  });

  test.each([8, 32, 128, 1024, 4096, 65_536])('%i bytes are copied from block to block', (size) => {
    const arena = arenaOf({ capacity: 4 * MIB });
    const from = arena.allocate('top', size);
    const to = arena.allocate('bottom', size);
    arena.write(from, Uint8Array.from({ length: size }, (_, i) => i * 7));
    arena.bulkCopy([{ to, from, size }]);
    expect(arena.read(to, size)).toEqual(arena.read(from, size));
    const before = arena.read(to, size);
    arena.view(from, 'u8', 1)[0] = 99;
    expect(() => arena.bulkCopy([{ to, from, size }, { to, from, size: 10 * MIB }])).toThrow(/do not lie in the block/);
    expect(arena.read(to, size)).toEqual(before);
  });

  test('a request that nobody can serve is NULL, and the memory does not grow for it', () => {
    const arena = arenaOf({ capacity: MIB, tiers: [{ name: 'only', share: 1, alignment: 8, growth: MIB }] });
    const before = arena.memory.committed;
    expect(arena.allocate('only', 1e9)).toBe(NULL);
    expect(arena.memory.committed).toBe(before);
    expect(arena.tier('only').stats()).toMatchObject({ failureCount: 1, segmentCount: 1 });
    expect(arena.allocate('only', 2 * MIB)).not.toBe(NULL);
    expect(arena.tier('only').stats().segmentCount).toBe(2);
    expect(() => arena.write(NULL, new Uint8Array(1))).toThrow(/NULL is no block/);
    arena.checkInvariants();
  });

  test('frames: a scene that stays, a render target each frame, temporary blocks, and textures', { timeout: 120_000 }, () => {
    const tiers = [
      { name: 'top', share: 0.1, alignment: 128, growth: 16 * MIB },
      { name: 'middle', share: 0.85, alignment: 64, growth: 64 * MIB },
      { name: 'bottom', share: 0.05, alignment: 8 },
    ];
    const arena = arenaOf({ capacity: 256 * MIB, tiers }, 2 ** 29);
    const scene = arena.allocate('middle', 74 * MIB);
    const marks = [0, 10_000_000, 74 * MIB - 1];
    for (const at of marks) arena.write(scene, Uint8Array.of(at % 251), at);
    const textures = [4, 16, 64];
    let held: { handle: number; mark: number }[] = [];
    for (let frame = 1; frame <= 120; frame += 1) {
      arena.resetTier('top');
      const render = arena.allocate('top', 3 * MIB);
      arena.write(render, new Uint8Array(3 * MIB).fill(frame));
      if (frame % 10 === 0) arena.resetTier('bottom');
      const temporary = arena.allocateBatch(Array.from({ length: 5 }, () => ({ tier: 'bottom', size: 10_240 })));
      for (const handle of temporary) arena.write(handle, Uint8Array.of(frame), 10_239);
      for (let i = 0; i < 2; i += 1) {
        const handle = arena.allocate('middle', 51_200);
        arena.write(handle, new Uint8Array(51_200).fill(frame + i));
        held.push({ handle, mark: frame + i });
      }
      for (const { handle, mark } of held) expect([arena.read(handle, 1)[0], arena.read(handle, 1, 51_199)[0]]).toEqual([mark, mark]);
      for (const handle of temporary) expect(arena.read(handle, 1, 10_239)[0]).toBe(frame);
      expect(arena.read(render, 1, 3 * MIB - 1)[0]).toBe(frame);
      if (frame % 60 !== 0) continue;
      arena.fastCompact('middle', 74 * MIB);
      expect(arena.tier('middle').stats()).toMatchObject({ used: 74 * MIB, liveBytes: 74 * MIB });
      held = [];
      for (const size of textures) {
        const handle = arena.allocate('middle', size * MIB);
        arena.write(handle, Uint8Array.of(size), size * MIB - 1);
        expect(arena.read(handle, 1, size * MIB - 1)[0]).toBe(size);
        arena.deallocate(handle);
      }
      arena.checkInvariants();
    }
    for (const at of marks) expect(arena.read(scene, 1, at)[0]).toBe(at % 251);
    expect(Object.values(arena.stats()).map(({ failureCount }) => failureCount)).toEqual([0, 0, 0]);
  });

  test('a checked arena refuses stale handles, even when the bytes are in use again', () => {
    const arena = arenaOf({ capacity: MIB, checked: true });
    const first = arena.allocate('bottom', 100);
    arena.deallocate(first);
    const second = arena.allocate('bottom', 100);
    expect(arena.addressOf(second)).toBe(first % 2 ** 32);
    expect(() => arena.deallocate(first)).toThrow(/is stale/);
    expect(() => arena.read(first, 1)).toThrow(/is stale/);
    expect(arena.isLive(first)).toBe(false);
    const large = arena.allocate('top', 100_000);
    arena.resetTier('top');
    arena.resetTier('bottom');
    const again = [arena.allocate('top', 100_000), arena.allocate('bottom', 100)];
    for (const stale of [large, second]) expect(() => arena.usableSize(stale)).toThrow(AllocatorError);
    for (const live of again) arena.deallocate(live);
    expect(() => arena.deallocate(2 ** 60)).toThrow(RangeError);
    arena.checkInvariants();
  });

  test('an allocation profile says which places a tier serves', () => {
    const arena = arenaOf({ capacity: MIB });
    const tracked = Tracked.create(arena.tier('bottom'), { sites: true });
    const block = tracked.allocate(100);
    expect(tracked.stats().liveBytes).toBeGreaterThanOrEqual(100);
    expect(tracked.leaks()).toHaveLength(1);
    tracked.deallocate(block);
  });

  test('attach finds the arena, and refuses what is none', () => {
    const memory = memoryOf();
    const arena = TieredArena.create(memory, { capacity: MIB, threads: 3 });
    const handle = arena.allocate('middle', 100);
    arena.write(handle, Uint8Array.of(5));
    const other = TieredArena.attach(memory, arena.address);
    expect(other.read(handle, 1)[0]).toBe(5);
    other.deallocate(handle);
    expect(() => arena.deallocate(handle)).toThrow(/is not live/);
    expect(() => TieredArena.attach(memory, arena.address + 16)).toThrow(/no allocator lies/);
    const third = TieredArena.attach(memory, arena.address);
    expect(() => TieredArena.attach(memory, arena.address)).toThrow(/all 3 places for threads are taken/);
    third.detach();
    expect(() => third.allocate('top', 1)).toThrow(/released/);
    expect(() => arena.reclaim(arena.threadId)).toThrow(/this one, and alive/);
    expect(() => arena.reclaim(12_345)).toThrow(/no thread 12345/);
    arena.release();
    expect(() => other.allocate('top', 1)).toThrow(/gone|released/);
    expect(other.tier('top').owns(handle)).toBe(false);
  });
});
