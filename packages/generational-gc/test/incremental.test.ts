/** Marking and sweeping in steps, while the program goes on. */

import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { O1Heap } from '@allokit/o1heap';
import { describe, expect, test } from 'vitest';
import { GenerationalHeap } from '../src/index.ts';
import { smallHeap } from './memories.ts';

/** A list of old objects. */
function oldList(heap: GenerationalHeap, length: number) {
  const type = heap.define('node', { next: 'ref', key: 'i32' });
  const make = type.maker('next', 'key');
  const root = heap.handle(0);
  for (let i = 0; i < length; i += 1) root.ref = make(root.ref, i);
  for (let i = 0; i < 3; i += 1) heap.collect('minor');
  return { type, make, root };
}

test('a marking goes on in steps to the end; each does a little at least', () => {
  const heap = smallHeap({ threshold: 2 ** 30 });
  const { root } = oldList(heap, 20_000);
  heap.startMarking();
  expect(heap.stats().phase).toBe('marking');
  let steps = 0;
  while (!heap.step(-1)) {
    steps += 1;
    if (steps % 50 === 0) heap.verify();
    expect(steps).toBeLessThan(10_000);
  }
  expect(steps).toBeGreaterThan(20);
  expect(heap.stats()).toMatchObject({ phase: 'idle', cycleCount: 1 });
  expect(heap.census()[0]!.count).toBe(20_000);
  root.release();
  heap.startMarking();
  while (!heap.step(-1));
  expect(heap.census()[0]!.count).toBe(0);
});

test('a reference that is moved from where the marking was not yet to where it was, is not lost', () => {
  const heap = smallHeap({ threshold: 2 ** 30 });
  const { type, root } = oldList(heap, 20_000);
  const { next, key } = type.fields;
  const kept = heap.handle(0);
  heap.startMarking();
  heap.step(-1);
  // The far end of the list is cut off, and stays reachable only through a root that was looked at.
  let ref = root.ref;
  for (let i = 0; i < 15_000; i += 1) ref = next.get(ref);
  kept.ref = next.get(ref);
  next.set(ref, 0);
  while (!heap.step(-1));
  heap.verify();
  expect(heap.census()[0]!.count).toBe(20_000);
  let count = 0;
  for (let left = kept.ref; left !== 0; left = next.get(left)) {
    count += 1;
    expect(key.get(left)).toBe(4999 - count);
  }
  expect(count).toBe(4999);
});

test('a weak reference that is read during a marking keeps its object', () => {
  const heap = smallHeap({ threshold: 2 ** 30 });
  const { root, type } = oldList(heap, 20_000);
  // The marking has another list to do first.
  const far = type.fields.next.get(root.ref);
  type.fields.next.set(root.ref, 0);
  const weak = heap.weak(root.ref);
  root.ref = 0;
  const other = heap.handle(far);
  heap.startMarking();
  heap.step(-1);
  root.ref = weak.ref;
  while (!heap.step(-1));
  expect(type.fields.key.get(root.ref)).toBe(19_999);
  expect(heap.census()[0]!.count).toBe(20_000);
  other.release();
  heap.verify();
});

test('a marking starts by itself above the threshold, and the next one at twice what it found', () => {
  // Time stands still: a busy machine must not keep the marking from its end.
  const heap = smallHeap({ threshold: 2 ** 18, limit: 2 ** 23, clock: () => 0 });
  oldList(heap, 40_000);
  expect(heap.stats().cycleCount).toBeGreaterThan(0);
  heap.collect('full');
  const { oldBytes, threshold } = heap.stats();
  expect(threshold).toBe(2 * oldBytes);
});

test('large arrays alone keep the collector going', () => {
  const heap = smallHeap({ threshold: 2 ** 20, limit: 2 ** 22, clock: () => 0 });
  const array = heap.defineArray('array', 'ref');
  for (let i = 0; i < 300; i += 1) array.allocate(20_000);
  expect(heap.stats().cycleCount).toBeGreaterThan(2);
  expect(heap.stats().takenBytesMax).toBeLessThan(2 ** 22);
  heap.verify();
});

describe('memories that grow', () => {
  test('a WebAssembly module that grows the memory is noticed by every accessor', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 25 });
    const heap = GenerationalHeap.create(memory, { limit: 2 ** 20, nurserySize: 2 ** 15 });
    const type = heap.define('all', { ref: 'ref', value: 'value', i32: 'i32', u32: 'u32', f32: 'f32', f64: 'f64', i16: 'i16', u16: 'u16', i8: 'i8', u8: 'u8' });
    const array = heap.defineArray('array', 'ref');
    const make = type.maker('i32');
    const grow = (): unknown => memory.wasm.grow(1);
    const root = heap.handle(make(7));
    const list = heap.handle(array.allocate(3));
    for (const [name, number] of [['i32', -5], ['u32', 2 ** 32 - 5], ['f32', 0.5], ['f64', 1 / 3], ['i16', -300], ['u16', 65_000], ['i8', -3], ['u8', 250]] as const) {
      grow();
      type.fields[name].set(root.ref, number);
      grow();
      expect(type.fields[name].get(root.ref)).toBe(number);
    }
    grow();
    type.fields.ref.set(root.ref, root.ref);
    grow();
    array.elements.set(list.ref, 2, root.ref);
    grow();
    expect(array.elements.get(list.ref, 2)).toBe(root.ref);
    grow();
    expect(array.elements.length(list.ref)).toBe(3);
    grow();
    expect(type.fields.ref.get(make(9))).toBe(0);
    grow();
    heap.stack.push(1);
    grow();
    expect(heap.stack.pop()).toBe(1);
    grow();
    heap.collect('full');
    expect(type.fields.i32.get(root.ref)).toBe(-5);
    heap.verify();
  });

  test.each([
    ['a buffer', () => BufferMemory.create({ reserve: 2 ** 23, pageSize: 4096 })],
    ['a shared memory', () => WasmMemory.create({ reserve: 2 ** 23, shared: true })],
    ['a heap', () => O1Heap.create(WasmMemory.create({ reserve: 2 ** 24 }), { size: 2 ** 23 })],
  ] as const)('on %s', (_name, parent) => {
    const heap = GenerationalHeap.create(parent(), { limit: 2 ** 22, nurserySize: 2 ** 16, threshold: 2 ** 18 });
    const { root, type } = oldList(heap, 30_000);
    heap.verify();
    let count = 0;
    for (let ref = root.ref; ref !== 0; ref = type.fields.next.get(ref)) count += 1;
    expect(count).toBe(30_000);
    heap.release();
  });
});
