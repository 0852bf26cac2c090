/** Memories that change behind a copier's back. */

import { WasmMemory } from '@allokit/vmem';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Copier } from '../src/index.ts';

const PAGE = 65_536;

/** Far more bytes than are committed at first. */
const RESERVE = 2 ** 22;

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each([false, true])('shared: %s', (shared) => {
  test.each(['simd', 'javascript'] as const)('what a module adds by growing the memory itself can be used: %s', (backend) => {
    const memory = WasmMemory.create({ reserve: RESERVE, shared });
    const copier = Copier.create(memory, { backend });
    const known = memory.committed;
    copier.fill(known - 10, 7, 10);
    memory.wasm.grow(3);
    const end = known + 3 * PAGE;
    for (const size of [5, 10]) {
      copier.copy(end - size, known - 10, size);
      expect(memory.u8.subarray(end - size, end)).toEqual(new Uint8Array(size).fill(7));
    }
    expect(copier.findByte(known, end - known, 7)).toBe(end - 10);
    expect(() => copier.zero(end - 1, 2)).toThrow(`end beyond the ${end}`);
  });

  test.each(['simd', 'javascript'] as const)('a batch can reach what another handle has added: %s', (backend) => {
    const memory = WasmMemory.create({ reserve: RESERVE, shared });
    const copier = Copier.create(memory, { backend });
    const other = WasmMemory.attach(memory.wasm);
    const known = memory.committed;
    copier.fill(known - 10, 9, 10);
    expect(other.commit(RESERVE)).toBe(true);
    copier.bulkCopy([
      { to: RESERVE - 4, from: known - 4, size: 4 },
      { to: RESERVE - 8, from: RESERVE - 4, size: 4 },
    ]);
    expect(memory.u8.subarray(RESERVE - 9)).toEqual(Uint8Array.of(0, 9, 9, 9, 9, 9, 9, 9, 9));
  });
});

describe('one instance', () => {
  test('serves all copiers of a memory, and each memory has its own', () => {
    const instantiate = vi.spyOn(WebAssembly, 'Instance');
    const [memory, other] = [WasmMemory.create({ reserve: RESERVE }), WasmMemory.create({ reserve: RESERVE })];
    const copiers = [memory, memory, other, WasmMemory.attach(memory.wasm)].map((each) => Copier.create(each));
    expect(instantiate).toHaveBeenCalledTimes(2);
    const at = memory.committed - 10;
    copiers[0]!.fill(at, 1, 10);
    copiers[2]!.fill(at, 2, 10);
    expect([copiers[1]!.findByte(at, 10, 1), copiers[3]!.findByte(at, 10, 1), copiers[2]!.findByte(at, 10, 1)]).toEqual([at, at, -1]);
  });

  test('of the list of moves, too, when batches are asked for: every memory gets its own moves', () => {
    const memories = [false, true, false].map((shared) => WasmMemory.create({ reserve: RESERVE, shared }));
    const copiers = memories.map((memory) => Copier.create(memory));
    for (const turn of [1, 2]) {
      copiers.forEach((copier, i) => {
        const at = memories[i]!.committed - 10;
        copier.fill(at, turn * 10 + i, 2);
        copier.bulkCopy([{ to: at + 4, from: at, size: 2 }]);
      });
      memories.forEach((memory, i) => expect(memory.u8[memory.committed - 5]).toBe(turn * 10 + i));
    }
  });
});
