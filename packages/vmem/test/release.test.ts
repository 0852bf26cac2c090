import type { Memory } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { BufferMemory, WasmMemory, type PagedMemory } from '../src/index.ts';
import { MEMORIES } from './memories.ts';
import { refusal } from './refusal.ts';

const VIEWS = ['buffer', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'] as const satisfies readonly (keyof Memory)[];

/** Everything that can be done with a memory. */
function uses(memory: PagedMemory, address: number): readonly (() => unknown)[] {
  return [
    ...VIEWS.map((name) => () => memory[name]),
    () => memory.committed,
    () => memory.commit(1),
    () => memory.commit(memory.reserved),
    () => memory.refresh(),
    () => memory.allocate(1),
    () => memory.allocate(0),
    () => memory.deallocate(address),
    () => memory.deallocate(address, 1),
    () => memory.deallocate(0),
    () => memory.resize(address, 1, 2),
    () => memory.reallocate(address, 1, 2),
    () => memory.usableSize(address),
    () => memory.reset(),
    () => memory.stats(),
    () => memory.runs().next(),
    () => memory.checkInvariants(),
  ];
}

describe.each(MEMORIES)('$name', ({ create, shared }) => {
  test('after release everything throws, twice released or once', () => {
    const memory = create({ reserve: 2 ** 20 });
    const address = memory.allocate(10);
    expect(memory.released).toBe(false);
    memory.release();
    for (let round = 0; round < 2; round += 1) {
      for (const use of uses(memory, address)) expect(use).toThrow(refusal('released'));
      expect([memory.released, memory.owns(address)]).toEqual([true, false]);
      memory.release();
    }
    // What never changes can still be read.
    expect([memory.reserved, memory.shared, memory.memory === memory]).toEqual([2 ** 20, shared, true]);
  });

  test('views taken before die when the buffer was ours and nobody else has it', () => {
    const memory = create({ reserve: 2 ** 20 });
    const { i32, u8 } = memory;
    memory.release();
    expect([i32.length === 0, u8.length === 0]).toEqual([!shared, !shared]);
  });

  test('views survive a failed growth, or are renewed', () => {
    const memory = create({ reserve: 2 ** 18 });
    memory.u8[memory.committed - 1] = 77;
    expect(memory.commit(2 ** 18 + 1)).toBe(false);
    expect(memory.u8[memory.committed - 1]).toBe(77);
  });
});

test('a memory of somebody else outlives its allocator, views included', () => {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 16 });
  const memory = WasmMemory.wrap(wasm, { reserve: 2 ** 20 });
  const buffer = new ArrayBuffer(2 ** 16);
  const wrapped = BufferMemory.wrap(buffer);
  const { u8 } = memory;
  const bytes = wrapped.u8;
  memory.release();
  wrapped.release();
  expect([u8.length, bytes.length]).toEqual([2 ** 17, 4096]);
  expect([wasm.buffer.byteLength, buffer.byteLength]).toEqual([2 ** 17, 2 ** 16]);
});

test('a WebAssembly memory that grew by another hand is seen, here at once, when shared after refresh', () => {
  for (const shared of [false, true]) {
    const memory = WasmMemory.create({ reserve: 2 ** 20, shared });
    const before = memory.committed;
    memory.u8[before - 1] = 1;
    memory.wasm.grow(2);
    if (shared) memory.refresh();
    expect(memory.committed).toBe(before + 2 * 65_536);
    expect([memory.u8.byteLength, memory.f64.byteLength, memory.u8[before - 1]]).toEqual([before + 2 * 65_536, before + 2 * 65_536, 1]);
    memory.checkInvariants();
  }
});
