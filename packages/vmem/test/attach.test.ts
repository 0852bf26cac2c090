import { AllocatorError, writeHeader } from '@allokit/allocator';
import { fuzzProgram, type Program, range, replay, unseenDamage } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { BufferMemory, PagedMemory, WasmMemory } from '../src/index.ts';
import { MEMORIES, attach } from './memories.ts';
import { refusal } from './refusal.ts';

const RESERVE = 2 ** 18;
const OPTIONS = { capacity: RESERVE, sizeMax: 2 ** 13, alignmentMax: 4096, checkInvariantsEvery: 16 };

/** Words of the state: the header is 0..3, then page size, reserved pages, failures, committed pages; the map follows. */
const HEADER_WORDS = 4;
const PAGE_SIZE_WORD = 4;
const RESERVED_WORD = 5;
const COMMITTED_WORD = 7;

/** Uses both handles in turn: what one allocates the other frees, and both always say the same. */
function expectSame(one: PagedMemory, other: PagedMemory): void {
  for (const size of [1, 5000, 300, 20_000]) {
    const address = one.allocate(size);
    other.refresh();
    expect(other.stats()).toEqual(one.stats());
    expect([...other.runs()]).toEqual([...one.runs()]);
    if (address !== 0) {
      one.u8[address] = size & 0xff;
      expect([other.u8[address], other.usableSize(address)]).toEqual([size & 0xff, one.usableSize(address)]);
      other.deallocate(address, size);
    }
    one.checkInvariants();
  }
}

describe.each(MEMORIES)('$name', ({ create }) => {
  test('after any part of any program, another handle sees the same and goes on', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const program: Program = fuzzProgram(() => create({ reserve: RESERVE, pageSize: 256 }), { ...OPTIONS, seed, operations: 120 });
      replay(
        () => {
          const allocator = create({ reserve: RESERVE, pageSize: 256 });
          const dispose = (): void => {
            expectSame(allocator, attach(allocator));
            allocator.release();
          };
          return { allocator, dispose };
        },
        program.slice(0, seed * 10),
        OPTIONS,
      );
    }
  });

  test('what is not the start of a memory is refused', () => {
    const memory = create({ reserve: RESERVE, pageSize: 4096 });
    const address = memory.allocate(8192);
    const at = (where: number) => () => (memory instanceof WasmMemory ? WasmMemory.attach(memory.wasm, where) : BufferMemory.attach(memory.buffer.slice(where)));
    memory.u8.copyWithin(address, 0, 4096);
    expect(at(address)).toThrow(refusal('bad-header', memory instanceof WasmMemory ? /copied/ : /truncated/));
    memory.u8.fill(0, address, address + 8192);
    expect(at(address)).toThrow(refusal('bad-header', /no allocator lies/));
    expect(at(4096)).toThrow(AllocatorError);
  });

  test('another kind and another version are refused, and so is every damaged header', () => {
    const memory = create({ reserve: RESERVE });
    for (const [header, message] of [[{ kind: 'O1HP', version: 1 }, /O1HP/], [{ kind: 'PAGE', version: 2 }, /version 2, not 1/]] as const) {
      writeHeader(memory, 0, header);
      expect(() => attach(memory)).toThrow(refusal('bad-header', message));
      expect(() => memory.checkInvariants()).toThrow(refusal('bad-header', message));
    }
    writeHeader(memory, 0, { kind: 'PAGE', version: 1 });
    const words = memory.i32;
    const geometry = [...range(0, HEADER_WORDS), PAGE_SIZE_WORD, RESERVED_WORD];
    expect(unseenDamage(words, geometry, () => memory.checkInvariants())).toEqual([]);
    const reserveAside = geometry.filter((word) => word !== RESERVED_WORD);
    expect(unseenDamage(words, reserveAside, () => void attach(memory))).toEqual([]);
  });

  test('a damaged reserve is refused by attach when the page map would not fit in front of the pages', () => {
    const memory = create({ reserve: RESERVE, pageSize: 256 });
    const damages = [(pages: number) => pages * 2, (pages: number) => pages + 4096, () => 0, () => -1, () => 2 ** 30, () => 3];
    expect(unseenDamage(memory.i32, [RESERVED_WORD], () => void attach(memory), damages)).toEqual([]);
  });

  test('a released memory is not lost to those who kept it', () => {
    const memory = create({ reserve: RESERVE });
    const address = memory.allocate(100);
    memory.u8.fill(7, address, address + 100);
    const other = attach(memory);
    const wasm = memory instanceof WasmMemory ? memory.wasm : undefined;
    memory.release();
    // An unshared buffer of ours is dropped with the memory. A WebAssembly memory, and what is shared, live as long as anybody has them.
    if (wasm === undefined && !other.shared) return;
    const heir = wasm === undefined ? attach(other) : WasmMemory.attach(wasm);
    expect([...heir.u8.subarray(address, address + 100)].every((byte) => byte === 7)).toBe(true);
    heir.deallocate(address, 100);
    expect(heir.stats().liveBytes).toBe(0);
  });
});

describe('an image', () => {
  function saved(): { readonly image: ArrayBuffer; readonly address: number; readonly memory: BufferMemory } {
    const memory = BufferMemory.create({ reserve: RESERVE, commit: 2 ** 16 });
    const address = memory.allocate(5000);
    memory.u8.fill(9, address, address + 5000);
    memory.deallocate(memory.allocate(2 ** 15));
    return { image: memory.buffer.slice(0) as ArrayBuffer, address, memory };
  }

  test('of a buffer is a memory again, independent of the first', () => {
    const { image, address, memory } = saved();
    const restored = BufferMemory.attach(image);
    expect(restored.stats()).toEqual(memory.stats());
    expect([...restored.runs()]).toEqual([...memory.runs()]);
    expect(restored.u8.subarray(address, address + 5000).every((byte) => byte === 9)).toBe(true);
    memory.deallocate(address);
    expect(restored.usableSize(address)).toBe(8192);
    expect(restored.commit(RESERVE)).toBe(true);
  });

  test('of a WebAssembly memory is one again', () => {
    const memory = WasmMemory.create({ reserve: RESERVE * 4 });
    const address = memory.allocate(70_000);
    memory.u8.fill(3, address, address + 70_000);
    const image = new Uint8Array(memory.buffer.slice(0) as ArrayBuffer);
    const wasm = new WebAssembly.Memory({ initial: image.length / 65_536, maximum: 16 });
    new Uint8Array(wasm.buffer).set(image);
    const restored = WasmMemory.attach(wasm);
    expect(restored.stats()).toEqual(memory.stats());
    expect(restored.u8.subarray(address, address + 70_000).every((byte) => byte === 3)).toBe(true);
    expect(restored.allocate(65_536)).toBe(memory.allocate(65_536));
  });

  test('that is truncated anywhere is refused', () => {
    const { image } = saved();
    for (const length of [0, 4, 16, 31, 100, 4096, 2 ** 16, RESERVE - 4096, RESERVE - 1]) {
      expect(() => BufferMemory.attach(image.slice(0, length))).toThrow(refusal('bad-header'));
    }
    const wasm = WasmMemory.create({ reserve: RESERVE * 4, commit: RESERVE });
    const bytes = new Uint8Array(wasm.buffer.slice(0) as ArrayBuffer);
    const less = new WebAssembly.Memory({ initial: 2, maximum: 16 });
    new Uint8Array(less.buffer).set(bytes.subarray(0, 2 * 65_536));
    expect(() => WasmMemory.attach(less)).toThrow(refusal('corrupt', /committed/));
  });

  test('with a damaged count of committed pages is refused', () => {
    const { memory } = saved();
    for (const pages of [0, -1, 1, RESERVE / 4096 + 1, 2 ** 30]) {
      const image = memory.buffer.slice(0) as ArrayBuffer;
      new Int32Array(image)[COMMITTED_WORD] = pages;
      expect(() => BufferMemory.attach(image)).toThrow(refusal('corrupt', /committed/));
    }
  });
});
