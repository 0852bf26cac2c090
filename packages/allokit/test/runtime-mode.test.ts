import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';
import { PRESETS, runtimeMode } from '../src/index.ts';

test('needs nothing but a call', () => {
  const heap = runtimeMode();
  const node = heap.define('node', { next: 'ref', key: 'i32' });
  const make = node.maker('next', 'key');
  using list = heap.handle(0);
  for (let i = 0; i < 300_000; i += 1) list.ref = make(i % 3 === 0 ? list.ref : 0, i);
  const array = heap.defineArray('array', 'f64');
  using large = heap.handle(array.allocate(100_000));
  array.elements.set(large.ref, 99_999, 0.5);
  heap.collect('compact');
  heap.verify();
  expect(array.elements.get(large.ref, 99_999)).toBe(0.5);
});

test('a million objects of 32 bytes take at most 44 MB', { timeout: 30_000 }, () => {
  const memory = WasmMemory.create({ reserve: 2 ** 28, commit: 2 ** 27 });
  const heap = runtimeMode({ limit: 2 ** 27 }, memory);
  const node = heap.define('node', { next: 'ref', a: 'i32', b: 'i32', c: 'i32', d: 'i32', e: 'i32', f: 'i32', g: 'i32' });
  expect(node.size).toBe(32);
  const make = node.maker('next', 'a');
  const list = heap.handle(0);
  for (let i = 0; i < 1_000_000; i += 1) list.ref = make(list.ref, i);
  for (let i = 0; i < 4; i += 1) heap.collect('full');
  const { takenBytes, tableBytes } = heap.stats();
  expect(heap.census()).toMatchObject([{ count: 1_000_000 }]);
  expect(takenBytes + tableBytes).toBeLessThan(44e6);
});

test('gives everything back to a parent that is another\'s', () => {
  const parent = WasmMemory.create({ reserve: 2 ** 25 });
  const { liveBytes } = parent.stats();
  const heap = runtimeMode({ limit: 2 ** 24 }, parent);
  const make = heap.define('node', { next: 'ref', key: 'i32' }).maker('next', 'key');
  const array = heap.defineArray('array', 'u8');
  using list = heap.handle(0);
  for (let i = 0; i < 300_000; i += 1) list.ref = make(list.ref, i);
  heap.stack.push(array.allocate(2 ** 20));
  heap.release();
  expect(parent.stats().liveBytes).toBe(liveBytes);
  expect(parent.allocate(2 ** 24)).toBeGreaterThan(0);
});

test('what its blocks no longer need, large objects can have', () => {
  const heap = runtimeMode({ limit: 2 ** 24 }, WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 24 }));
  const array = heap.defineArray('array', 'u8');
  const fillWith = (length: number) => (): void => {
    for (;;) heap.stack.push(array.allocate(length));
  };
  for (let round = 0; round < 2; round += 1) {
    expect(fillWith(4000)).toThrow(expect.objectContaining({ code: 'out-of-memory' }) as Error);
    expect(heap.stats().oldBytes).toBeGreaterThan(2 ** 23);
    heap.stack.truncate(0);
    expect(fillWith(2 ** 19)).toThrow(expect.objectContaining({ code: 'out-of-memory' }) as Error);
    expect(heap.stats().largeBytes).toBeGreaterThan(2 ** 22);
    heap.stack.truncate(0);
  }
  heap.verify();
});

test('gives everything back, and refuses a preset that is not collected', () => {
  expect(() => runtimeMode({ preset: PRESETS.compiler })).toThrow(/compiler is not collected/);
  const parent = BufferMemory.create({ reserve: 2 ** 20 });
  const { liveBytes } = parent.stats();
  expect(() => runtimeMode({}, parent)).toThrow(expect.objectContaining({ code: 'out-of-memory' }) as Error);
  expect(parent.stats().liveBytes).toBe(liveBytes);
});
