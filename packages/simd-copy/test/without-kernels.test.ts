/** Where the kernels cannot be loaded. They are compiled once for all, when the first copier is made: here that is in vain. */

import { WasmMemory } from '@allokit/vmem';
import { expect, test, vi } from 'vitest';
import { Copier } from '../src/index.ts';
import { refusal } from './refusal.ts';

test('the copier is one of JavaScript, and says why it cannot be another', () => {
  vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
    throw new WebAssembly.CompileError('no SIMD here');
  });
  const memory = WasmMemory.create({ reserve: 2 ** 20 });
  const copier = Copier.create(memory);
  expect(copier.backend).toBe('javascript');
  const at = memory.committed - 100;
  copier.fill(at, 5, 50);
  copier.copy(at + 50, at, 50);
  expect(copier.equal(at, at + 50, 50)).toBe(true);
  expect(() => Copier.create(memory, { backend: 'simd' })).toThrow(refusal('unsupported', /no SIMD here/));
});
