import { writeHeader, type MonotonicAllocator } from '@allokit/allocator';
import { fuzzProgram, range, replay, unseenDamage } from '@allokit/allocator/testing';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Arena } from '../src/index.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const OPTIONS = { capacity: 2 ** 17, sizeMax: 2 ** 13, checkInvariantsEvery: 16, volatileStats: ['capacity', 'chunkCount'] };
const CHUNK = { chunkSize: 4096, alignment: 16 };

/** Uses two handles in turn: both always say the same, and each goes on where the other stopped. */
function expectSame(one: Arena, other: Arena): void {
  expect(other.stats()).toEqual(one.stats());
  expect([other.alignment, other.mark()]).toEqual([one.alignment, one.mark()]);
  for (const size of [1, 300, 5000]) {
    const mark = one.mark();
    const address = other.allocate(size);
    expect(one.stats()).toEqual(other.stats());
    if (address === 0) continue;
    expect(one.owns(address)).toBe(true);
    expect(one.resize(address, size, Math.ceil(size / 2))).toBe(true);
    one.rewind(mark);
    expect(other.mark()).toEqual(mark);
    other.checkInvariants();
  }
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test('after any part of any program, another handle sees the same and goes on', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const program = fuzzProgram(() => Arena.create(create(2 ** 17), CHUNK), { ...OPTIONS, seed, operations: 120 });
      const created = (): { allocator: MonotonicAllocator; dispose: () => void } => {
        const memory = create(2 ** 17);
        const arena = Arena.create(memory, CHUNK);
        return { allocator: arena, dispose: () => expectSame(arena, Arena.attach(memory, arena.address)) };
      };
      replay(created, program.slice(0, seed * 12), OPTIONS);
    }
  });
});

describe('attach refuses', () => {
  test('where nothing lies, and what is no address', () => {
    const memory = buffer();
    const arena = Arena.create(memory, CHUNK);
    const block = arena.allocate(200);
    expect(() => Arena.attach(memory, block)).toThrow(refusal('bad-header', /no allocator lies/));
    expect(() => Arena.attach(memory, arena.address + 8)).toThrow(refusal('bad-header', /aligned/));
    expect(() => Arena.attach(memory, 2 ** 20)).toThrow(refusal('bad-header', /outside/));
    for (const address of [-16, 0.5, NaN, 2 ** 32]) expect(() => Arena.attach(memory, address)).toThrow(RangeError);
  });

  test('another kind, another version, a copy, and an arena that is not the parent\'s', () => {
    const memory = buffer();
    const arena = Arena.create(memory, CHUNK);
    const block = arena.allocate(200);
    memory.u8.copyWithin(block, arena.address, arena.address + 64);
    expect(() => Arena.attach(memory, block)).toThrow(refusal('bad-header', /copied/));
    const other = Arena.create(memory, CHUNK);
    expect(() => Arena.attach(other, arena.address)).toThrow(refusal('bad-header', /own/));
    for (const [header, message] of [[{ kind: 'AREN', version: 77 }, /version 77/], [{ kind: 'SLAB', version: 1 }, /SLAB/]] as const) {
      writeHeader(memory, arena.address, header);
      expect(() => Arena.attach(memory, arena.address)).toThrow(refusal('bad-header', message));
    }
  });

  test('an arena whose header or alignment was damaged in any word, and a released one', () => {
    const memory = buffer();
    const arena = Arena.create(memory, CHUNK);
    arena.allocate(5000);
    const state = arena.address / 4;
    const attach = (): void => void Arena.attach(memory, arena.address);
    expect(unseenDamage(memory.i32, range(state, state + 5), attach)).toEqual([]);
    arena.release();
    expect(attach).toThrow(refusal('bad-header', /no allocator lies/));
  });
});

test('an image is attached, independent of the first; a truncated one is refused', () => {
  const memory = buffer(2 ** 17);
  const arena = Arena.create(memory, CHUNK);
  const blocks = Array.from({ length: 10 }, () => arena.allocate(3000));
  memory.u8.fill(8, blocks[9], blocks[9]! + 3000);
  const image = memory.buffer.slice(0) as ArrayBuffer;
  const restored = Arena.attach(BufferMemory.attach(image), arena.address);
  expect(restored.stats()).toEqual(arena.stats());
  arena.reset();
  expect([restored.stats().liveBytes, restored.memory.u8[blocks[9]! + 2999]]).toEqual([10 * 3008, 8]);
  const truncated = BufferMemory.wrap(new ArrayBuffer(2 ** 14), { commit: 2 ** 14 });
  expect(truncated.allocate(4096)).toBe(arena.address);
  truncated.u8.set(new Uint8Array(image, 4096, 2 ** 14 - 4096), 4096);
  expect(() => Arena.attach(truncated, arena.address)).toThrow(refusal('corrupt', /chunk/));
});

test('a handle of an arena that another handle released says so, and a released memory too', () => {
  const memory = buffer();
  const arena = Arena.create(memory, CHUNK);
  const mark = arena.mark();
  Arena.attach(memory, arena.address).release();
  memory.commit(memory.committed + 1);
  for (const use of [() => arena.stats(), () => arena.mark(), () => arena.rewind(mark), () => arena.reset(), () => arena.scope(), () => arena.trim()]) {
    expect(use).toThrow(refusal('released'));
  }
  const other = Arena.create(memory, CHUNK);
  memory.release();
  for (const use of [() => other.stats(), () => other.allocate(16), () => other.reset(), () => other.checkInvariants()]) expect(use).toThrow(refusal('released'));
});
