import { NULL } from '@allokit/allocator';
import { expect, test } from 'vitest';
import { TIERED_CAPACITY, TIERED_GROWTH, TieredArena, WasmMemory, tiered } from '../src/index.ts';

const MIB = 2 ** 20;

test('has the tiers of the documentation, aligned and sized as it says', () => {
  const arena = tiered();
  const shares = { top: [0.5, 128], middle: [0.3, 64], bottom: [0.2, 8] } as const;
  expect(arena.tiers.map(({ name }) => name)).toEqual(Object.keys(shares));
  for (const [name, [share, alignment]] of Object.entries(shares)) {
    const tier = arena.tier(name);
    expect(tier.stats().capacity / TIERED_CAPACITY).toBeCloseTo(share, 3);
    expect(tier.allocate(1) % alignment).toBe(0);
  }
  arena.checkInvariants();
});

test('lies in memory that another thread can have', () => {
  const memory = WasmMemory.create({ reserve: 64 * MIB, shared: true });
  const arena = tiered({ capacity: MIB }, memory);
  const other = TieredArena.attach(WasmMemory.attach(memory.wasm), arena.address);
  const block = other.allocate('top', 1000);
  other.write(block, Uint8Array.of(1, 2, 3));
  expect([...arena.read(block, 3)]).toEqual([1, 2, 3]);
  arena.deallocate(block);
  expect(other.isLive(block)).toBe(false);
  expect(tiered({ capacity: MIB }).memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(tiered({ capacity: MIB, shared: false }).memory.buffer).toBeInstanceOf(ArrayBuffer);
});

test('a full tier grows, the others stay as they are', () => {
  const arena = tiered({ capacity: MIB });
  const middle = arena.tier('middle').stats().capacity;
  expect(arena.allocate('bottom', MIB)).not.toBe(NULL);
  expect(arena.tier('bottom').stats().capacity).toBeGreaterThanOrEqual(TIERED_GROWTH);
  expect(arena.tier('middle').stats().capacity).toBe(middle);
  const fixed = tiered({ capacity: MIB, tiers: [{ name: 'only', share: 1, alignment: 8 }] });
  expect(fixed.allocate('only', 2 * MIB)).toBe(NULL);
});

test('lies in a parent, whatever that is', () => {
  const memory = WasmMemory.create({ reserve: 64 * MIB });
  expect(tiered({ capacity: MIB }, memory).memory).toBe(memory);
});

test('what makes no sense is refused, and leaves no memory behind', () => {
  expect(() => tiered({ capacity: 0 })).toThrow(RangeError);
  expect(() => tiered({ capacity: 2 ** 32 })).toThrow(RangeError);
  expect(() => tiered({ tiers: [] })).toThrow(RangeError);
  expect(() => tiered({ capacity: '1' as never })).toThrow(TypeError);
  expect(() => tiered({ shared: 3 as never })).toThrow(/shared must be a boolean/);
});
