import { describe, expect, test } from 'vitest';
import { BufferMemory, discardPages, preTouch, resident, WasmMemory } from '../src/index.ts';
import { pagesAround } from '../src/residency.ts';
import { refusal } from './refusal.ts';
import { ALL_MEMORIES, DATA, isFilledWith, os, untouched } from './touched-memory.ts';

const MIB = 2 ** 20;

describe.skipIf(os === undefined)('the resident part of', () => {
  const page = os?.pageSize ?? 4096;

  describe.each(ALL_MEMORIES)('$name', (kind) => {
    test('is what was written', () => {
      const memory = untouched(kind, 4 * MIB);
      const before = resident(memory)!;
      expect(resident(memory, DATA)).toBeLessThan(4 * MIB - DATA);
      for (const offset of [MIB, MIB + 5 * page, 3 * MIB]) memory.u8[offset] = 1;
      expect(resident(memory)).toBe(before + 3 * page);
    });

    test('is told to the byte, wherever pages start', () => {
      const memory = untouched(kind, 4 * MIB);
      const start = MIB + 3 * page;
      memory.u8.fill(7, start, start + page);
      const { size } = pagesAround(os!, memory, start, start + page);
      expect(resident(memory, start, start + page)).toBe(page);
      expect(resident(memory, start + 100, start + 101)).toBe(1);
      expect(resident(memory, start, start + 1)).toBe(1);
      expect(resident(memory, start + page - 1, start + page)).toBe(1);
      // A buffer that starts within a page has written to two.
      expect(resident(memory, start - page, start + 2 * page)).toBe(size);
      expect(resident(memory, start - page, start + page - 10)).toBeGreaterThanOrEqual(page - 10);
      expect(resident(memory, start + 3 * page, start + 4 * page)).toBe(0);
      expect([resident(memory, 0, 0), resident(memory, start, start), resident(memory, 4 * MIB, 4 * MIB)]).toEqual([0, 0, 0]);
    });

    test.runIf(process.platform === 'linux' && kind.name !== 'memory in a file')('is nothing after it was discarded, and the pages around it stay', () => {
      const memory = untouched(kind, 4 * MIB);
      memory.u8.fill(7, MIB, 2 * MIB);
      const [from, to] = [MIB + page + 100, 2 * MIB - page - 100];
      expect(discardPages(memory, from, to)).toBe(true);
      expect(resident(memory, MIB + 3 * page, 2 * MIB - 3 * page)).toBe(0);
      expect(isFilledWith(memory.u8.subarray(MIB, from), 7)).toBe(true);
      expect(isFilledWith(memory.u8.subarray(to, 2 * MIB), 7)).toBe(true);
      expect(isFilledWith(memory.u8.subarray(MIB + 3 * page, 2 * MIB - 3 * page), 0)).toBe(true);
      memory.u8[MIB + 4 * page] = 1;
      expect(resident(memory, MIB + 3 * page, 2 * MIB - 3 * page)).toBe(page);
      expect(discardPages(memory, from, from + 10)).toBe(true);
      expect(memory.u8[from]).toBe(7);
      expect(() => discardPages(memory, 5, 4)).toThrow(RangeError);
    });

    test('does not grow by reading, where the system tells pages of zeros from others', () => {
      const memory = untouched(kind, 4 * MIB);
      const before = resident(memory)!;
      expect(isFilledWith(memory.u8.subarray(DATA), 0)).toBe(true);
      // A file has pages of its own, whatever is in them.
      const isFile = kind.name === 'memory in a file';
      expect(resident(memory)).toBe(isFile ? before + 4 * MIB - DATA : os!.tellsZeroPages ? before : 4 * MIB);
    });

    test('reaches up to the reserve', () => {
      const memory = kind.create({ reserve: 4 * MIB });
      expect(resident(memory, 0, 4 * MIB)).toBeGreaterThan(0);
    });

    test('is not to be had of what is no range, or of a released memory', () => {
      const memory = untouched(kind, 4 * MIB);
      expect(() => resident(memory, 0, 4 * MIB + 1)).toThrow(RangeError);
      expect(() => resident(memory, 2, 1)).toThrow(new RangeError('to must be in 2..4194304, got 1'));
      expect(() => resident(memory, -1)).toThrow(RangeError);
      expect(() => resident(memory, '0' as unknown as number)).toThrow(TypeError);
      memory.release();
      expect(() => resident(memory)).toThrow(refusal('released'));
      expect(() => resident(memory, 0, 1)).toThrow(refusal('released'));
    });
  });

  test.runIf(os?.discardReserved !== undefined)('pages behind a memory are discarded, and never those of somebody else', async () => {
    const memory = WasmMemory.create({ reserve: 16 * MIB, commit: MIB });
    await preTouch(memory, { to: 8 * MIB });
    expect(resident(memory, 0, 16 * MIB)).toBe(8 * MIB);
    expect(discardPages(memory, 2 * MIB, 8 * MIB)).toBe(true);
    expect(resident(memory, 0, 16 * MIB)).toBe(2 * MIB);
    memory.u8[MIB - 1] = 1;
    const overstated = WasmMemory.wrap(new WebAssembly.Memory({ initial: 16, maximum: 17 }), { reserve: 2 * MIB, commit: 0 });
    Object.defineProperty(overstated, 'reserved', { value: 2 ** 47 });
    expect(() => discardPages(overstated, 0, 2 ** 47)).toThrow(refusal('unsupported'));
  });

  test('a memory of 4 GiB is counted in no time', async () => {
    const memory = WasmMemory.create({ reserve: 2 ** 32, commit: 2 ** 32 });
    memory.u8[2 ** 32 - 1] = 1;
    expect(resident(memory, 2 ** 31)).toBe(page);
    const buffer = BufferMemory.create({ reserve: 2 ** 32 });
    await preTouch(buffer, { from: 2 ** 32 - 3 * page, to: 2 ** 32 });
    expect(resident(buffer, 2 ** 32 - 3 * page, 2 ** 32)).toBe(3 * page);
  });
});
