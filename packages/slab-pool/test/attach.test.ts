import { writeHeader, type Allocator } from '@allokit/allocator';
import { fuzzProgram, range, replay, unseenDamage } from '@allokit/allocator/testing';
import { BufferMemory, type PagedMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { SlabPool } from '../src/index.ts';
import { CLASSES, CLASS_COUNT, OBJECT_SIZE, SLAB_LOG2, STATE_BLOCK_SIZE } from '../src/layout.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const OPTIONS = { capacity: 2 ** 16, sizeMax: 256, alignmentMax: 256, checkInvariantsEvery: 32, volatileStats: ['capacity', 'slabCount', 'spareCount'] };

function make(memory: PagedMemory): SlabPool {
  return SlabPool.create(memory, { slabSize: 4096, spareBytes: 8192 });
}

/** Uses two handles in turn: what one allocates the other frees, and both always say the same. */
function expectSame(one: SlabPool, other: SlabPool): void {
  for (const size of [1, 100, 24, 256, 8]) {
    const address = one.allocate(size);
    expect(other.stats()).toEqual(one.stats());
    if (address === 0) continue;
    expect(other.usableSize(address)).toBe(one.usableSize(address));
    other.deallocate(address, size);
    expect(one.allocate(size)).toBe(address);
    one.deallocate(address);
    other.checkInvariants();
  }
  expect(one.trim()).toBeGreaterThanOrEqual(0);
  expect(other.stats()).toEqual(one.stats());
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('after any part of any program, another handle sees the same and goes on', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const program = fuzzProgram(() => make(create(2 ** 16)), { ...OPTIONS, seed, operations: 200 });
      const created = (): { allocator: Allocator; dispose: () => void } => {
        const memory = create(2 ** 16);
        const pool = make(memory);
        return { allocator: pool, dispose: () => expectSame(pool, SlabPool.attach(memory, pool.address)) };
      };
      replay(created, program.slice(0, seed * 24), OPTIONS);
    }
  });
});

describe('attach refuses', () => {
  function inUse(): { readonly memory: BufferMemory; readonly pool: SlabPool; readonly object: number } {
    const memory = buffer();
    const pool = make(memory);
    return { memory, pool, object: range(0, 50).map(() => pool.allocate(200))[7]! };
  }

  test('where nothing lies, and what is no address', () => {
    const { memory, pool, object } = inUse();
    memory.u8.fill(0, object, object + 64);
    expect(() => SlabPool.attach(memory, object)).toThrow(refusal('bad-header', /no allocator lies/));
    expect(() => SlabPool.attach(memory, pool.address + 4)).toThrow(refusal('bad-header', /aligned/));
    expect(() => SlabPool.attach(memory, 2 ** 20)).toThrow(refusal('bad-header', /outside/));
    for (const address of [-16, 0.5, NaN, 2 ** 32]) expect(() => SlabPool.attach(memory, address)).toThrow(RangeError);
  });

  test('another kind, another version, and a copy', () => {
    const { memory, pool, object } = inUse();
    expect(() => SlabPool.attach(memory, 0)).toThrow(refusal('bad-header', /PAGE/));
    memory.u8.copyWithin(object, pool.address, pool.address + 200);
    const aligned = object + (object % 16 === 0 ? 0 : 16 - (object % 16));
    expect(() => SlabPool.attach(memory, aligned)).toThrow(refusal('bad-header', /copied/));
    for (const [header, message] of [[{ kind: 'SLAB', version: 2 ** 20 }, /version/], [{ kind: 'O1HP', version: 1 }, /O1HP/]] as const) {
      writeHeader(memory, pool.address, header);
      expect(() => SlabPool.attach(memory, pool.address)).toThrow(refusal('bad-header', message));
    }
  });

  test('a pool whose header, geometry or classes were damaged in any word', () => {
    const { memory, pool } = inUse();
    const state = pool.address / 4;
    const classCount = memory.i32[state + CLASS_COUNT]!;
    const sizes = range(0, classCount).map((i) => state + CLASSES + i * 8 + OBJECT_SIZE);
    const attach = (): void => void SlabPool.attach(memory, pool.address);
    expect(unseenDamage(memory.i32, [...range(state, state + 4), state + SLAB_LOG2, state + CLASS_COUNT], attach)).toEqual([]);
    // A class in use is seen by its slabs, any other when the sizes no longer ascend by whole granules.
    expect(unseenDamage(memory.i32, sizes, attach, [(size) => size + 1, (size) => size - 4, () => 0, () => -16, () => 8192])).toEqual([]);
    expect(unseenDamage(memory.i32, [state + STATE_BLOCK_SIZE], attach, [(size) => size * 2, () => -1])).toEqual([]);
  });

  test('a released pool, and a parent that does not have it', () => {
    const { memory, pool } = inUse();
    const other = SlabPool.create(memory);
    expect(() => SlabPool.attach(other, pool.address)).toThrow(refusal('foreign-address'));
    pool.release();
    expect(() => SlabPool.attach(memory, pool.address)).toThrow(refusal('bad-header', /no allocator lies/));
  });
});

test('an image is attached, independent of the first; a truncated one is refused', () => {
  const memory = buffer(2 ** 18);
  const pool = SlabPool.create(memory, { slabSize: 16_384 });
  const objects = [10, 200, 64].map((size) => pool.allocate(size));
  memory.u8.fill(8, objects[1], objects[1]! + 200);
  const image = memory.buffer.slice(0) as ArrayBuffer;
  const restored = SlabPool.attach(BufferMemory.attach(image), pool.address);
  expect([restored.stats(), restored.sizeMax]).toEqual([pool.stats(), pool.sizeMax]);
  pool.deallocate(objects[1]!);
  expect([restored.usableSize(objects[1]!), restored.memory.u8[objects[1]! + 199]]).toEqual([256, 8]);
  expect(restored.allocate(200)).toBe(pool.allocate(200) === objects[1] ? objects[1] + 256 : -1);
  const truncated = BufferMemory.wrap(new ArrayBuffer(2 ** 15), { commit: 2 ** 15 });
  expect(truncated.allocate(4096)).toBe(pool.address);
  truncated.u8.set(new Uint8Array(image, 4096, 2 ** 15 - 4096), 4096);
  expect(() => SlabPool.attach(truncated, pool.address)).toThrow(refusal('corrupt'));
});

test('a handle of a pool that another handle released says so, and a released memory too', () => {
  const memory = buffer();
  const pool = make(memory);
  const object = pool.allocate(100);
  SlabPool.attach(memory, pool.address).release();
  memory.commit(memory.committed + 1);
  for (const use of [() => pool.stats(), () => pool.deallocate(object, 100), () => pool.reset()]) expect(use).toThrow(refusal('released'));
  const other = make(memory);
  const kept = other.allocate(16);
  memory.release();
  for (const use of [() => other.stats(), () => other.deallocate(kept), () => other.allocate(16), () => other.usableSize(kept), () => other.trim()]) {
    expect(use).toThrow(refusal('released'));
  }
});
