/** What is refused, and that it changes nothing. */

import type { Memory } from '@allokit/allocator';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { describe, expect, test } from 'vitest';
import { Copier } from '../src/index.ts';
import { Model, randomBytes } from './model.ts';
import { refusal } from './refusal.ts';
import { SUBJECTS, WINDOW_SIZE } from './subjects.ts';

type Call = (copier: Copier, first: number, second: number, size: number) => unknown;

/** Each operation on two ranges, or on one and some value. */
const CALLS: readonly (readonly [name: string, isPair: boolean, call: Call])[] = [
  ['copy', true, (copier, to, from, size) => copier.copy(to, from, size)],
  ['move', true, (copier, to, from, size) => copier.move(to, from, size)],
  ['compare', true, (copier, a, b, size) => copier.compare(a, b, size)],
  ['equal', true, (copier, a, b, size) => copier.equal(a, b, size)],
  ['fill', false, (copier, address, _, size) => copier.fill(address, 7, size)],
  ['zero', false, (copier, address, _, size) => copier.zero(address, size)],
  ['findByte', false, (copier, address, _, size) => copier.findByte(address, size, 7)],
];

describe.each(SUBJECTS)('$name', ({ create }) => {
  const subject = create();
  const { copier, memory, start } = subject;
  const model = new Model(subject);
  model.set(randomBytes(WINDOW_SIZE, 3));

  test.each(CALLS)('%s refuses bad addresses and sizes', (_name, isPair, call) => {
    const end = memory.committed;
    const refused: [first: unknown, second: unknown, size: unknown, kind: typeof RangeError | TypeError, message: string][] = [
      [end - 3, start, 4, RangeError, `(${end - 3}) end beyond the ${end} that are committed`],
      [start, start, 2 ** 32 - 1, RangeError, '4294967295 bytes'],
      [-1, start, 4, RangeError, 'got -1'],
      [start + 0.5, start, 4, RangeError, `got ${start + 0.5}`],
      [NaN, start, 4, RangeError, 'got NaN'],
      [2 ** 32, start, 4, RangeError, 'got 4294967296'],
      [start, start, -1, RangeError, 'size must be in 0..4294967295, got -1'],
      [start, start, 1.5, RangeError, 'size must be a whole number, got 1.5'],
      [start, start, 2 ** 32, RangeError, 'got 4294967296'],
      [start, start, '4', TypeError, 'size must be a number, got "4"'],
      [undefined, start, 4, TypeError, 'got undefined'],
      [null, start, 0, TypeError, 'got null'],
    ];
    if (end < 2 ** 32) refused.push([end, start, 1, RangeError, `1 bytes from`]);
    if (end < 2 ** 32) refused.push([2 ** 32 - 1, start, 2, RangeError, `end beyond the ${end}`]);
    for (const [first, second, size, kind, message] of refused) {
      const once = (): unknown => call(copier, first as number, second as number, size as number);
      expect(once).toThrow(kind);
      expect(once).toThrow(message);
      if (!isPair) continue;
      const turned = (): unknown => call(copier, second as number, first as number, size as number);
      expect(turned).toThrow(kind);
      expect(turned).toThrow(message);
    }
    expect(model.holds()).toBe(true);
  });

  test.each(CALLS)('%s of nothing does nothing, at any address', (name, _isPair, call) => {
    for (const address of [0, start, memory.committed - 1, 2 ** 32 - 1]) {
      expect(call(copier, address, address, 0)).toBe({ compare: 0, equal: true, findByte: -1 }[name]);
    }
    expect(model.holds()).toBe(true);
  });

  test('a value that is no byte is refused', () => {
    for (const value of [-1, 256, 1.5, NaN, 2 ** 32]) {
      expect(() => copier.fill(start, value, 10)).toThrow(RangeError);
      expect(() => copier.fill(start, value, 10)).toThrow(`got ${value}`);
      expect(() => copier.findByte(start, 10, value)).toThrow(`got ${value}`);
    }
    expect(() => copier.fill(start, '1' as unknown as number, 10)).toThrow(TypeError);
    expect(model.holds()).toBe(true);
  });
});

test.each(SUBJECTS.filter(({ name }) => !name.includes('4 GiB')))('released: $name', ({ create }) => {
  const { copier, memory, start } = create();
  memory.release();
  for (const [, , call] of CALLS) {
    expect(() => call(copier, start, start + 100, 16)).toThrow(refusal('released'));
    expect(() => call(copier, start, start + 100, 300)).toThrow(refusal('released'));
  }
  expect(() => copier.bulkCopy([{ to: start, from: start, size: 1 }])).toThrow(refusal('released'));
  expect(() => Copier.create(memory)).toThrow(refusal('released'));
});

describe('creation', () => {
  test('what is no memory is refused', () => {
    for (const nothing of [undefined, null, 7, 'memory', {}, new ArrayBuffer(8)]) {
      expect(() => Copier.create(nothing as Memory)).toThrow(TypeError);
      expect(() => Copier.create(nothing as Memory)).toThrow(/memory must be a memory/);
    }
  });

  test('what is no backend is refused', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 16 });
    expect(() => Copier.create(memory, { backend: 'avx' as 'simd' })).toThrow(RangeError);
    expect(() => Copier.create(memory, { backend: 'native' as 'simd' })).toThrow(/backend must be one of auto, simd, javascript, got "native"/);
    expect(() => Copier.create(memory, { backend: 7 as unknown as 'simd' })).toThrow(TypeError);
  });

  test('simd is refused where it cannot be had', () => {
    expect(() => Copier.create(BufferMemory.create({ reserve: 2 ** 16 }), { backend: 'simd' })).toThrow(refusal('unsupported', /WebAssembly memory/));
    expect(() => Copier.create(NativeMemory.create({ reserve: 2 ** 18 }), { backend: 'simd' })).toThrow(refusal('unsupported', /WebAssembly memory/));
  });

  test('simd is had where it is insisted on', () => {
    expect(Copier.create(WasmMemory.create({ reserve: 2 ** 20 }), { backend: 'simd' }).backend).toBe('simd');
  });

  test('javascript is had anywhere', () => {
    const memory = NativeMemory.create({ reserve: 2 ** 18, commit: 'all' });
    const copier = Copier.create(memory, { backend: 'javascript' });
    expect(copier.backend).toBe('javascript');
    expect(copier.memory).toBe(memory);
  });

  test('a memory whose addresses are not those of its WebAssembly memory is no WebAssembly memory', () => {
    const memory = Object.assign(BufferMemory.create({ reserve: 2 ** 16 }), { wasm: new WebAssembly.Memory({ initial: 1 }) });
    expect(Copier.create(memory).backend).toBe('javascript');
  });
});
