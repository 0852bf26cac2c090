import { ADDRESS_SPACE_SIZE, NULL } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { BufferMemory, PAGE_SIZE_MIN, WASM_PAGE_SIZE, WasmMemory } from '../src/index.ts';
import { MEMORIES } from './memories.ts';
import { refusal } from './refusal.ts';

const VIEWS = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'] as const;
const RESERVE = 2 ** 21;

describe.each(MEMORIES)('$name', ({ create, shared, unit }) => {
  test('reserves in whole pages and commits no more than asked for', () => {
    const memory = create({ reserve: RESERVE - 1, commit: 3 * 65_536 - 1 });
    const { reserved, committed, pageSize } = memory;
    expect({ reserved, committed, shared: memory.shared }).toEqual({ reserved: RESERVE, committed: 3 * 65_536, shared });
    expect([reserved % pageSize, committed % pageSize]).toEqual([0, 0]);
    expect(memory.stats()).toMatchObject({ reserved, committed, liveBytes: 0, foreignBytes: 0, failureCount: 0 });
    expect(memory.buffer instanceof SharedArrayBuffer).toBe(shared);
  });

  test('commits without being told at least its own state', () => {
    const memory = create({ reserve: RESERVE });
    expect(memory.committed).toBeLessThanOrEqual(Math.max(unit, memory.pageSize));
    expect(memory.committed).toBeGreaterThan(32 + (4 * RESERVE) / memory.pageSize);
    memory.checkInvariants();
  });

  test('commit grows in steps, never shrinks, and stops at the reserve', () => {
    const memory = create({ reserve: RESERVE });
    for (const size of [1, 2 ** 17, 2 ** 17 + 1, 2 ** 16, 2 ** 20 - 5, 0, RESERVE]) {
      const before = memory.committed;
      expect(memory.commit(size)).toBe(true);
      expect(memory.committed).toBeGreaterThanOrEqual(Math.max(size, before));
      expect(memory.committed % memory.pageSize).toBe(0);
      memory.checkInvariants();
    }
    expect(memory.committed).toBe(RESERVE);
    for (const size of [RESERVE + 1, ADDRESS_SPACE_SIZE - 1, ADDRESS_SPACE_SIZE]) expect(memory.commit(size)).toBe(false);
    expect([memory.committed, memory.i32.length]).toEqual([RESERVE, RESERVE / 4]);
    for (const size of [-1, 0.5, NaN, ADDRESS_SPACE_SIZE + 1]) expect(() => memory.commit(size)).toThrow(RangeError);
    expect(() => memory.commit('64' as unknown as number)).toThrow(TypeError);
    expect(memory.stats().failureCount).toBe(0);
  });

  test('what is committed reads as zero, and keeps what was written through any growth', () => {
    const memory = create({ reserve: RESERVE });
    const address = memory.allocate(1000);
    memory.u8.fill(0xa5, address, address + 1000);
    const before = memory.committed;
    expect(memory.commit(RESERVE)).toBe(true);
    expect(memory.u8.subarray(before).every((byte) => byte === 0)).toBe(true);
    expect(memory.u8.subarray(address, address + 1000).every((byte) => byte === 0xa5)).toBe(true);
  });

  test('every view covers exactly what is committed, before and after growth', () => {
    const memory = create({ reserve: RESERVE });
    for (const size of [0, 2 ** 18, 2 ** 19, RESERVE]) {
      memory.commit(size);
      for (const name of VIEWS) {
        const view = memory[name];
        expect([view.buffer === memory.buffer, view.byteOffset, view.byteLength]).toEqual([true, 0, memory.committed]);
        expect(memory[name]).toBe(view);
      }
    }
    memory.i32[RESERVE / 4 - 1] = -2;
    expect([memory.u32[RESERVE / 4 - 1], memory.i16[RESERVE / 2 - 1], memory.u8[RESERVE - 4]]).toEqual([0xffff_fffe, -1, 0xfe]);
  });

  test('allocation commits by itself, up to the reserve', () => {
    const memory = create({ reserve: RESERVE });
    const state = memory.allocate(1);
    const address = memory.allocate(2 ** 20);
    expect(memory.committed).toBeGreaterThanOrEqual(address + 2 ** 20);
    const rest = RESERVE - address - 2 ** 20;
    expect(memory.allocate(rest + 1)).toBe(NULL);
    expect(memory.stats().failureCount).toBe(1);
    expect(memory.allocate(rest)).toBe(address + 2 ** 20);
    expect(memory.committed).toBe(RESERVE);
    expect(memory.allocate(1)).toBe(NULL);
    for (const block of [state, address, address + 2 ** 20]) memory.deallocate(block);
    memory.checkInvariants();
    expect([...memory.runs()].map((run) => run.state)).toEqual(['free']);
    // What was committed stays.
    expect([memory.committed, memory.stats().capacity]).toEqual([RESERVE, RESERVE - state]);
  });

  test('the last block grows where it stands, into memory that was not committed', () => {
    const memory = create({ reserve: RESERVE });
    const address = memory.allocate(100);
    memory.u8[address] = 42;
    expect(memory.resize(address, 100, 2 ** 20)).toBe(true);
    expect(memory.usableSize(address)).toBe(2 ** 20);
    expect(memory.resize(address, 2 ** 20, RESERVE)).toBe(false);
    const wall = memory.allocate(1);
    expect(memory.resize(address, 2 ** 20, 2 ** 20 + 1)).toBe(false);
    memory.deallocate(wall);
    expect(memory.resize(address, 2 ** 20, 2 ** 20 + 1)).toBe(true);
    expect(memory.u8[address]).toBe(42);
    memory.checkInvariants();
  });

  test.each([PAGE_SIZE_MIN, 256, 4096, 16_384, 65_536])('pages of %i bytes', (pageSize) => {
    const memory = create({ reserve: RESERVE, pageSize });
    expect([memory.pageSize, memory.alignment]).toEqual([pageSize, pageSize]);
    const addresses = [1, pageSize, pageSize + 1, 3 * pageSize].map((size) => memory.allocate(size));
    const first = addresses[0]!;
    expect(addresses).toEqual([first, first + pageSize, first + 2 * pageSize, first + 4 * pageSize]);
    expect(addresses.map((address) => memory.usableSize(address))).toEqual([1, 1, 2, 3].map((pages) => pages * pageSize));
    expect(memory.stats().liveBytes).toBe(7 * pageSize);
    memory.checkInvariants();
  });

  test('sizes that make no sense are refused', () => {
    for (const reserve of [0, -1, 1.5, NaN, ADDRESS_SPACE_SIZE + 1]) expect(() => create({ reserve })).toThrow(RangeError);
    for (const pageSize of [0, 32, 96, 4097, 2 ** 31]) expect(() => create({ reserve: RESERVE, pageSize })).toThrow(RangeError);
    for (const commit of [-1, RESERVE + 1, 0.5]) expect(() => create({ reserve: RESERVE, commit })).toThrow(RangeError);
    expect(() => create({ reserve: undefined as unknown as number })).toThrow(TypeError);
    // One page is needed for the state: nothing would be left.
    expect(() => create({ reserve: 1 })).toThrow(RangeError);
  });
});

test('a WebAssembly memory grows by the pages of WebAssembly, whatever its own', () => {
  const memory = WasmMemory.create({ reserve: RESERVE, pageSize: 64 });
  expect(memory.committed % WASM_PAGE_SIZE).toBe(0);
  memory.commit(memory.committed + 1);
  expect(memory.committed % WASM_PAGE_SIZE).toBe(0);
  expect(memory.wasm.buffer.byteLength).toBe(memory.committed);
  expect(() => WasmMemory.create({ reserve: RESERVE, pageSize: 2 * WASM_PAGE_SIZE })).toThrow(RangeError);
});

test('an engine that refuses to grow makes NULL and false of it', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 22 });
  const { committed } = memory;
  // A memory whose real maximum is less than what its owner says, as after a module was linked with a smaller one.
  const wasm = new WebAssembly.Memory({ initial: 0, maximum: 4 });
  const wrapped = WasmMemory.wrap(wasm, { reserve: 2 ** 22 });
  expect(wrapped.commit(2 ** 22)).toBe(false);
  expect(wrapped.allocate(2 ** 19)).toBe(NULL);
  expect(wrapped.allocate(2 ** 17)).not.toBe(NULL);
  expect(wrapped.stats().failureCount).toBe(1);
  wrapped.checkInvariants();
  expect(memory.committed).toBe(committed);
  expect(() => WasmMemory.wrap(new WebAssembly.Memory({ initial: 1, maximum: 1 }), { reserve: 2 ** 20 })).toThrow(refusal('out-of-memory'));
});

describe('a buffer of somebody else', () => {
  test('is wiped, used from its start, and left alone by release', () => {
    const buffer = new ArrayBuffer(2 ** 16 + 100);
    new Uint8Array(buffer).fill(0xff);
    const memory = BufferMemory.wrap(buffer, { commit: 8192 });
    expect([memory.reserved, memory.committed, memory.shared]).toEqual([2 ** 16, 8192, false]);
    expect(memory.buffer).toBe(buffer);
    const address = memory.allocate(4096);
    expect(memory.u8.subarray(address, address + 4096).every((byte) => byte === 0)).toBe(true);
    expect(() => BufferMemory.wrap(buffer)).toThrow(refusal('already-initialised'));
    memory.release();
    expect(buffer.byteLength).toBe(2 ** 16 + 100);
    expect(BufferMemory.attach(buffer).usableSize(address)).toBe(4096);
  });

  test('must have a fixed length and hold a page', () => {
    expect(() => BufferMemory.wrap(new ArrayBuffer(8192, { maxByteLength: 16_384 }))).toThrow(TypeError);
    expect(() => BufferMemory.wrap(new SharedArrayBuffer(8192, { maxByteLength: 16_384 }))).toThrow(TypeError);
    expect(() => BufferMemory.attach(new ArrayBuffer(8192, { maxByteLength: 16_384 }))).toThrow(TypeError);
    expect(() => BufferMemory.wrap(new ArrayBuffer(4095))).toThrow(RangeError);
    expect(() => BufferMemory.wrap(new ArrayBuffer(4096))).toThrow(RangeError);
  });
});
