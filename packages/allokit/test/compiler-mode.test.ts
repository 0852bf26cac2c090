import { NULL } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';
import { PRESETS, compilerMode, detectPreset } from '../src/index.ts';

const MIB = 2 ** 20;

test('takes what the preset allows, and has all of it again after a reset', () => {
  const pool = compilerMode({ preset: detectPreset(64 * MIB) });
  expect(pool.memory.buffer.byteLength).toBe(16 * MIB);
  const fill = (): number => {
    let count = 0;
    while (pool.allocate(count % 2 === 0 ? 40 : 4000) !== NULL) count += 1;
    return count;
  };
  const first = fill();
  expect(first).toBeGreaterThan((10 * MIB) / 2020);
  pool.reset();
  expect(pool.stats().liveBytes).toBe(0);
  expect(fill()).toBe(first);
});

test('small records are used again, large ones not before a reset', () => {
  const pool = compilerMode({ limit: 4 * MIB });
  const small = pool.allocate(256);
  const large = pool.allocate(257);
  pool.deallocate(small);
  pool.deallocate(large);
  expect(pool.allocate(256)).toBe(small);
  expect(pool.allocate(257)).not.toBe(large);
});

test('lies in a parent', () => {
  const memory = WasmMemory.create({ reserve: 8 * MIB });
  expect(compilerMode({}, memory).memory).toBe(memory);
});

test('what makes no sense is refused', () => {
  expect(() => compilerMode({ preset: PRESETS.server })).toThrow('the preset server is collected: use runtimeMode');
  expect(() => compilerMode({ limit: 4 * MIB - 1 })).toThrow(RangeError);
  expect(() => compilerMode({ limit: 2 ** 32 + 1 })).toThrow(RangeError);
  expect(() => compilerMode({ limit: NaN })).toThrow(RangeError);
  expect(() => compilerMode({ limit: '8' as never })).toThrow(TypeError);
});
