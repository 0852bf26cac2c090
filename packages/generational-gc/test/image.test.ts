/** Images of heaps. */

import { Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { GenerationalHeap, smallInteger } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { refusal } from './refusal.ts';

function graph() {
  const heap = smallHeap();
  const node = heap.define('node', { left: 'ref', right: 'value', weight: 'f64', key: 'i32' });
  const list = heap.defineArray('list', 'ref', { name: 'u16' });
  const text = heap.defineArray('text', 'u8');
  const root = heap.handle(list.allocate(3000));
  list.fields.name.set(root.ref, 77);
  const random = Random.fromSeed(1);
  for (let i = 0; i < 3000; i += 1) {
    const ref = node.allocate();
    node.fields.key.set(ref, i);
    node.fields.weight.set(ref, i / 7);
    node.fields.left.set(ref, i === 0 ? 0 : list.elements.get(root.ref, random.below(i)));
    node.fields.right.set(ref, smallInteger(i - 1500));
    list.elements.set(root.ref, i, ref);
  }
  const letters = heap.handle(text.allocate(5));
  text.bytes(letters.ref).set(new TextEncoder().encode('hello'));
  return { heap, root, letters, node, list, text };
}

test('an image is the same again, in another heap', () => {
  const { heap, root, letters } = graph();
  const image = heap.save([root.ref, letters.ref, 0, smallInteger(5), root.ref]);
  const { heap: other, roots } = GenerationalHeap.attach(WasmMemory.create({ reserve: 2 ** 24 }), image, { limit: 2 ** 23, nurserySize: 2 ** 16, nurserySizeMax: 2 ** 16 });
  other.verify();
  expect(roots.map(({ ref }) => ref).slice(2)).toEqual([0, smallInteger(5), roots[0]!.ref]);
  expect(other.save(roots.map(({ ref }) => ref))).toEqual(image);
  expect(other.census().map(({ name, count }) => [name, count])).toEqual([['node', 3000], ['list', 1], ['text', 1]]);
  other.collect('compact');
  other.verify();
  expect(other.save(roots.map(({ ref }) => ref))).toEqual(image);
  roots.forEach((handle) => handle.release());
  other.collect('full');
  expect(other.census().every(({ count }) => count === 0)).toBe(true);
});

test('an image can be loaded beside what is there, also while a marking is under way', () => {
  const { heap, root, letters, text } = graph();
  const image = heap.save([letters.ref]);
  for (let i = 0; i < 3; i += 1) heap.collect('minor');
  heap.startMarking();
  heap.step(-1);
  const [copy] = heap.load(image);
  while (!heap.step(-1));
  expect(copy!.ref).not.toBe(letters.ref);
  expect(new TextDecoder().decode(text.bytes(copy!.ref).slice())).toBe('hello');
  expect(root.ref).toBeGreaterThan(0);
  heap.verify();
});

test('what is dropped is left out', () => {
  const { heap, root, list, node } = graph();
  const image = heap.save([root.ref], { drops: (ref) => heap.typeOf(ref) === node });
  const { heap: other, roots } = GenerationalHeap.attach(WasmMemory.create({ reserve: 2 ** 24 }), image, { limit: 2 ** 23 });
  expect(other.census().map(({ count }) => count)).toEqual([0, 1, 0]);
  expect(other.typeOf(roots[0]!.ref).name).toBe(list.name);
});

describe('refused', () => {
  test('what is no image, or a damaged one, and nothing is left of it', () => {
    const { heap, root, letters } = graph();
    const image = heap.save([root.ref, letters.ref]);
    const other = smallHeap();
    expect(() => other.load(new Uint8Array(100))).toThrow(refusal('bad-header'));
    expect(() => other.load(new Uint8Array(0))).toThrow(refusal('bad-header'));
    const version = image.slice();
    version[4] = 9;
    expect(() => other.load(version)).toThrow(refusal('bad-header', /version/));
    for (const length of [24, 100, image.length - 8, image.length - 1]) expect(() => smallHeap().load(image.subarray(0, length))).toThrow(refusal('corrupt'));
    const random = Random.fromSeed(2);
    const words = image.length >> 2;
    for (let i = 0; i < 300; i += 1) {
      const broken = image.slice();
      new Int32Array(broken.buffer, 0, words)[random.below(words)]! ^= 1 << random.below(32);
      const target = smallHeap({ nurserySize: 2 ** 14 });
      try {
        target.load(broken);
      } catch (error) {
        expect(error).toSatisfy((e: unknown) => e instanceof Error && ['AllocatorError', 'RangeError', 'TypeError'].includes(e.name));
        target.collect('full');
        expect(target.census().every(({ count }) => count === 0)).toBe(true);
      }
      target.verify();
      target.release();
    }
  });

  test.each(['5', 'null', '{}', '[null]', '[5]', '[{}]', '[{"name":1,"fields":{}}]', '[{"name":"a","fields":null}]', '[{'])('types that are none: %s', (text) => {
    const { heap } = graph();
    const image = heap.save([]);
    const words = new Int32Array(image.buffer);
    const bytes = new TextEncoder().encode(text);
    expect(bytes.length).toBeLessThanOrEqual(words[2]!);
    image.fill(0x20, 24, 24 + words[2]!);
    image.set(bytes, 24);
    expect(() => smallHeap().load(image)).toThrow(refusal('corrupt', /its types/));
  });

  test('types that differ, and a heap that is too small', () => {
    const { heap, root } = graph();
    const image = heap.save([root.ref]);
    const other = smallHeap();
    other.define('node', { left: 'ref' });
    expect(() => other.load(image)).toThrow(/"node" differs/);
    const tiny = smallHeap({ limit: 2 ** 16, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 14 });
    expect(() => tiny.load(image)).toThrow(refusal('out-of-memory'));
    tiny.collect('full');
    tiny.verify();
    expect(tiny.census().every(({ count }) => count === 0)).toBe(true);
  });

  test('but not for garbage: that is collected first', () => {
    const { heap, root } = graph();
    const image = heap.save([root.ref]);
    const full = smallHeap({ limit: 2 ** 19, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 14, threshold: 2 ** 30 });
    full.defineArray('garbage', 'u8').allocate(2 ** 18 + 2 ** 17);
    const [loaded] = full.load(image);
    expect(full.save([loaded!.ref])).toEqual(full.save([full.load(image)[0]!.ref]));
    full.verify();
  });

  test('references to nothing', () => {
    const { heap } = graph();
    expect(() => heap.save([2 ** 23 - 8])).toThrow(refusal('invalid-address'));
  });
});
