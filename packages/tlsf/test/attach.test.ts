import { writeHeader, type Allocator } from '@allokit/allocator';
import { fuzzProgram, range, replay, unseenDamage } from '@allokit/allocator/testing';
import { BLOCK_WORDS } from '@allokit/boundary-tags';
import { BufferMemory, type PagedMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Tlsf } from '../src/index.ts';
import { picture } from './fragments.ts';
import { MEMORIES, buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const SIZE = 2 ** 16;
const OPTIONS = {
  capacity: SIZE, sizeMax: 4096, checkInvariantsEvery: 16, detects: { stale: false },
  volatileStats: ['capacity', 'peakRequest', 'largestFree', 'externalFragmentation'],
};

/** Uses two handles in turn: what one allocates the other frees, and both always say the same. */
function expectSame(one: Tlsf, other: Tlsf): void {
  for (const size of [1, 100, 24, 3000, 8]) {
    const address = one.allocate(size);
    expect([other.stats(), picture(other)]).toEqual([one.stats(), picture(one)]);
    if (address === 0) continue;
    expect(other.usableSize(address)).toBe(one.usableSize(address));
    other.deallocate(address, size);
    one.checkInvariants();
  }
  const next = one.allocate(50);
  if (next !== 0) one.deallocate(next);
  expect(other.allocate(50)).toBe(next);
}

describe.each(MEMORIES)('on a $name', ({ create }) => {
  test.each(['fixed', 'growing'])('after any part of any program, another handle on a %s heap sees the same and goes on', (kind) => {
    const make = (memory: PagedMemory): Tlsf =>
      kind === 'fixed' ? Tlsf.create(memory, { size: SIZE }) : Tlsf.create(memory, { size: 8192, growth: { step: 4096, limit: SIZE } });
    for (let seed = 1; seed <= 8; seed += 1) {
      const program = fuzzProgram(() => make(create(2 ** 18)), { ...OPTIONS, seed, operations: 150 });
      const created = (): { allocator: Allocator; dispose: () => void } => {
        const memory = create(2 ** 18);
        const heap = make(memory);
        return { allocator: heap, dispose: () => expectSame(heap, Tlsf.attach(memory, heap.address)) };
      };
      replay(created, program.slice(0, seed * 18), OPTIONS);
    }
  });
});

describe('attach refuses', () => {
  function inUse(): { readonly memory: BufferMemory; readonly heap: Tlsf; readonly block: number } {
    const memory = buffer();
    const heap = Tlsf.create(memory, { size: SIZE });
    const block = heap.allocate(1000);
    heap.deallocate(heap.allocate(100));
    return { memory, heap, block };
  }

  test('where nothing lies, and what is no address', () => {
    const { memory, heap, block } = inUse();
    expect(() => Tlsf.attach(memory, block)).toThrow(refusal('bad-header', /no allocator lies/));
    expect(() => Tlsf.attach(memory, heap.address + 8)).toThrow(refusal('bad-header', /aligned/));
    expect(() => Tlsf.attach(memory, 2 ** 20)).toThrow(refusal('bad-header', /outside/));
    expect(() => Tlsf.attach(memory, memory.committed - 16)).toThrow(refusal('bad-header', /outside/));
    for (const address of [-16, 0.5, NaN, 2 ** 32]) expect(() => Tlsf.attach(memory, address)).toThrow(RangeError);
    expect(() => Tlsf.attach(memory, '16' as unknown as number)).toThrow(TypeError);
  });

  test('another kind, another version, and a copy', () => {
    const { memory, heap, block } = inUse();
    const { address } = heap;
    expect(() => Tlsf.attach(memory, 0)).toThrow(refusal('bad-header', /PAGE/));
    const copy = memory.allocate(SIZE);
    memory.u8.copyWithin(copy, address, address + SIZE);
    expect(() => Tlsf.attach(memory, copy)).toThrow(refusal('bad-header', /copied/));
    memory.u8.copyWithin(block, address, address + 16);
    expect(() => Tlsf.attach(memory, block)).toThrow(refusal('bad-header', /copied/));
    writeHeader(memory, address, { kind: 'TLSF', version: 99 });
    expect(() => Tlsf.attach(memory, address)).toThrow(refusal('bad-header', /version 99/));
    writeHeader(memory, address, { kind: 'SLAB', version: 1 });
    expect(() => Tlsf.attach(memory, address)).toThrow(refusal('bad-header', /SLAB/));
    expect(() => heap.checkInvariants()).toThrow(refusal('released', /overwritten/));
  });

  test('a heap whose header was damaged in any word', () => {
    const { memory, heap } = inUse();
    const state = heap.address / 4;
    const attach = (): void => void Tlsf.attach(memory, heap.address);
    expect(unseenDamage(memory.i32, range(state, state + 4), attach)).toEqual([]);
    expect(unseenDamage(memory.i32, [state + BLOCK_WORDS], attach, [(word) => word + 4, (word) => word - 4, () => -1, () => 2 ** 28])).toEqual([]);
  });

  test('a released heap', () => {
    const { memory, heap } = inUse();
    heap.release();
    expect(() => Tlsf.attach(memory, heap.address)).toThrow(refusal('bad-header', /no allocator lies/));
  });

  test('a parent that does not have the block, and a mere memory for a heap that has a parent', () => {
    const { memory, heap } = inUse();
    const other = Tlsf.create(memory, { size: SIZE });
    expect(() => Tlsf.attach(other, heap.address)).toThrow(refusal('foreign-address'));
    const { i32, u8, committed } = memory;
    const bare = { i32, u8, committed, refresh: () => undefined } as unknown as BufferMemory;
    expect(() => Tlsf.attach(bare, heap.address)).toThrow(TypeError);
    memory.resize(heap.address, SIZE, SIZE / 2);
    expect(() => Tlsf.attach(memory, heap.address)).toThrow(refusal('bad-header', /65536/));
  });
});

test('an image is attached, independent of the first; a truncated one is refused', () => {
  const memory = buffer(2 ** 18);
  const heap = Tlsf.create(memory, { size: 2 ** 17 });
  const blocks = [10, 2000, 300].map((size) => heap.allocate(size));
  memory.u8.fill(8, blocks[1], blocks[1]! + 2000);
  const image = memory.buffer.slice(0) as ArrayBuffer;
  const restored = Tlsf.attach(BufferMemory.attach(image), heap.address);
  expect([restored.stats(), picture(restored)]).toEqual([heap.stats(), picture(heap)]);
  heap.deallocate(blocks[1]!);
  expect(restored.usableSize(blocks[1]!)).toBe(2008);
  expect(restored.memory.u8[blocks[1]! + 1999]).toBe(8);
  expect(restored.allocate(5000)).not.toBe(0);
  // Without the tail, as a memory of its own.
  const truncated = BufferMemory.wrap(new ArrayBuffer(2 ** 16), { commit: 2 ** 16 });
  truncated.u8.set(new Uint8Array(image, 4096, 2 ** 16 - 4096), 4096);
  expect(() => Tlsf.attach(truncated, heap.address)).toThrow();
});

test('a handle of a heap that another handle released says so', () => {
  const memory = buffer();
  const heap = Tlsf.create(memory, { size: SIZE });
  const block = heap.allocate(100);
  const other = Tlsf.attach(memory, heap.address);
  other.release();
  memory.commit(memory.committed + 1);
  expect(() => heap.stats()).toThrow(refusal('released'));
  expect(() => heap.deallocate(block, 100)).toThrow(refusal('released'));
});
