/** What is refused, and that it changes nothing. */

import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { detectPreset, GenerationalHeap, presetOptions, PRESETS, type HeapOptions } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { refusal } from './refusal.ts';

const MIB = 2 ** 20;

describe('options', () => {
  test.each<[string, HeapOptions, unknown]>([
    ['limit', { limit: -1 }, RangeError],
    ['limit', { limit: 2 ** 32 }, RangeError],
    ['limit', { limit: '1' as unknown as number }, TypeError],
    ['nurserySize', { nurserySize: 100 }, RangeError],
    ['multiples of 64', { nurserySize: 2 ** 20 + 8, nurserySizeMax: 2 ** 21 }, RangeError],
    ['nurserySizeMax', { nurserySizeMax: 2 ** 16 }, RangeError],
    ['tenure', { tenure: 0 }, RangeError],
    ['tenure', { tenure: 5 }, RangeError],
    ['blockSize', { blockSize: 4096 }, RangeError],
    ['blockSize', { blockSize: 65_540 }, RangeError],
    ['stackSize', { stackSize: 100 }, RangeError],
    ['pauseTargetMs', { pauseTargetMs: NaN }, RangeError],
    ['pauseTargetMs', { pauseTargetMs: '1' as unknown as number }, TypeError],
    ['growth', { growth: 1 }, RangeError],
    ['growth', { growth: '2' as unknown as number }, TypeError],
    ['stress.action', { stress: { action: 'all' as 'full' } }, RangeError],
    ['everyBytes', { stress: { action: 'full', everyBytes: -1 } }, RangeError],
  ])('%s: %o', (name, options, kind) => {
    expect(() => smallHeap({ nurserySize: 2 ** 20, nurserySizeMax: 2 ** 20, ...options })).toThrow(kind);
    expect(() => smallHeap({ nurserySize: 2 ** 20, nurserySizeMax: 2 ** 20, ...options })).toThrow(name);
  });

  test('a parent that is none, and one without room', () => {
    expect(() => GenerationalHeap.create(null as never)).toThrow(TypeError);
    const parent = BufferMemory.create({ reserve: 2 ** 18 });
    const { liveBytes } = parent.stats();
    expect(() => GenerationalHeap.create(parent)).toThrow(refusal('out-of-memory', /nursery/));
    expect(parent.stats().liveBytes).toBe(liveBytes);
  });
});

describe('types', () => {
  test('names and kinds that are none', () => {
    const heap = smallHeap();
    heap.define('a', {});
    expect(() => heap.define('a', {})).toThrow(/already/);
    expect(() => heap.define(1 as never, {})).toThrow(TypeError);
    expect(() => heap.define('b', { x: 'i64' as 'i32' })).toThrow(/x must be one of .*, got i64/);
    expect(() => heap.defineArray('b', 'object' as 'ref')).toThrow(RangeError);
    expect(() => heap.define('b', { x: 'i32' }).maker('y' as 'x')).toThrow(/no field "y"/);
    expect(heap.type('b')?.name).toBe('b');
    expect(heap.type('c')).toBeUndefined();
  });

  test('there are at most 65,536', () => {
    const heap = smallHeap();
    for (let i = 0; i < 65_536; i += 1) heap.define(`type ${i}`, { x: 'i32' });
    expect(() => heap.define('another', {})).toThrow(refusal('unsupported', /one too many/));
    const last = heap.type('type 65535')!;
    expect(heap.typeOf((last as ReturnType<typeof heap.define>).allocate())).toBe(last);
    heap.verify();
  });
});

describe('a checked heap refuses', () => {
  const setUp = () => {
    const heap = smallHeap({ checked: true });
    const point = heap.define('point', { x: 'f64', next: 'ref' });
    const list = heap.defineArray('list', 'value');
    return { heap, point, list };
  };

  test('objects of another type', () => {
    const { point, list } = setUp();
    const ref = point.allocate();
    expect(() => list.elements.length(ref)).toThrow(/is a point, not a list/);
    expect(() => list.elements.get(ref, 0)).toThrow(TypeError);
    expect(() => list.elements.set(ref, 0, 0)).toThrow(TypeError);
    expect(() => point.fields.x.get(list.allocate(3))).toThrow(TypeError);
  });

  test('stale references, and what was never one', () => {
    const { heap, point } = setUp();
    const ref = point.allocate();
    const root = heap.handle(ref);
    heap.collect('minor');
    expect(() => point.fields.x.get(ref)).toThrow(refusal('invalid-address', /no object/));
    for (const bad of [0, -8, 4, root.ref + 4, NaN, 0.5, 2 ** 31, 2 ** 40]) {
      expect(() => point.fields.x.get(bad)).toThrow(refusal('invalid-address'));
      expect(() => point.fields.next.set(root.ref, bad === 0 ? -8 : bad)).toThrow(refusal('invalid-address'));
    }
    expect(() => point.fields.x.get('1' as never)).toThrow(TypeError);
    expect(() => point.fields.next.set(root.ref, undefined as never)).toThrow(TypeError);
    expect(() => point.maker('next')(ref)).toThrow(refusal('invalid-address'));
    expect(point.fields.next.get(root.ref)).toBe(0);
    heap.verify();
  });

  test('an object that was swept', () => {
    const { heap, point } = setUp();
    const root = heap.handle(point.allocate());
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const { ref } = root;
    root.release();
    const keeps = heap.handle(point.allocate());
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    heap.collect('full');
    expect(() => point.fields.x.get(ref)).toThrow(refusal('invalid-address'));
    keeps.release();
  });

  test('any use from within a collection, by way of its clock', () => {
    // The first calls of a step are before it begins.
    let callsBefore = Infinity;
    const errors: unknown[] = [];
    let trespass = (): void => undefined;
    const heap = smallHeap({
      checked: true,
      clock: () => {
        callsBefore -= 1;
        if (callsBefore === 0) {
          try {
            trespass();
          } catch (error) {
            errors.push(error);
          }
        }
        return performance.now();
      },
    });
    const type = heap.define('node', { next: 'ref' });
    const make = type.maker('next');
    const root = heap.handle(0);
    for (let i = 0; i < 5000; i += 1) root.ref = make(root.ref);
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const uses = [() => type.allocate(), () => type.fields.next.set(root.ref, 0), () => heap.collect(), () => heap.step(), () => heap.release(), () => heap.save([]), () => heap.runFinalizers()];
    for (const use of uses) {
      errors.length = 0;
      trespass = () => {
        use();
      };
      heap.startMarking();
      callsBefore = 3;
      heap.step(-1);
      while (!heap.step());
      expect(errors).toEqual([refusal('busy')]);
    }
    heap.verify();
    expect(heap.census()[0]!.count).toBe(5000);
  });
});

test('an index that an array does not have is refused everywhere', () => {
  const heap = smallHeap();
  for (const kind of ['ref', 'i32', 'f64', 'u8'] as const) {
    const array = heap.defineArray(kind, kind, { before: 'i32' });
    const ref = array.allocate(3);
    expect(array.elements.length(ref)).toBe(3);
    for (const index of [-1, 3, 0.5, NaN, 2 ** 31, 2 ** 32, Infinity]) {
      expect(() => array.elements.get(ref, index)).toThrow(RangeError);
      expect(() => array.elements.set(ref, index, 0)).toThrow(RangeError);
    }
    for (const length of [-1, 0.5, NaN, 2 ** 31]) expect(() => array.allocate(length)).toThrow(RangeError);
  }
});

describe('a released heap', () => {
  test('has given everything back, and can only throw', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24 });
    const before = memory.stats().liveBytes;
    const heap = GenerationalHeap.create(memory, { limit: 2 ** 23, nurserySize: 2 ** 15, tenure: 1 });
    const type = heap.define('node', { next: 'ref', key: 'i32' });
    const make = type.maker('next', 'key');
    const array = heap.defineArray('array', 'ref');
    const root = heap.handle(make(0, 1));
    for (let i = 0; i < 5000; i += 1) root.ref = make(root.ref, i);
    heap.stack.push(array.allocate(10_000));
    const { ref } = root;
    const weak = heap.weak(ref);
    const pin = heap.pin(ref);
    const scope = heap.scope();
    heap.release();
    heap.release();
    expect(memory.stats().liveBytes).toBe(before);
    const calls = [() => make(0, 1), () => type.allocate(), () => array.allocate(5), () => array.allocate(10_000), () => type.fields.next.get(ref), () => type.fields.next.set(ref, 0), () => heap.collect(), () => heap.stats(),
      () => heap.verify(), () => heap.handle(0), () => heap.scope(), () => heap.weak(0), () => weak.ref, () => heap.stack.push(0), () => heap.stack.depth, () => heap.define('x', {}), () => heap.save([]), () => heap.census(), () => heap.cells(),
      () => heap.typeOf(ref), () => heap.step(), () => heap.startMarking(), () => heap.runFinalizers(), () => heap.finalize(ref, () => undefined), () => heap.pin(ref), () => heap.load(new Uint8Array(8)), () => scope.handle(0)];
    for (const call of calls) expect(call).toThrow(refusal('released'));
    pin.release();
    root.release();
    weak.release();
    scope[Symbol.dispose]();
  });
});

test('presets are as documented, and one is found for every machine', () => {
  expect(PRESETS).toEqual({
    compiler: { name: 'compiler', limit: 256 * MIB, generational: false, compaction: false, metrics: false },
    runtime: { name: 'runtime', limit: 512 * MIB, threshold: 64 * MIB, pauseTargetMs: 10, generational: true, compaction: false, metrics: true },
    vm: { name: 'vm', limit: 2048 * MIB, threshold: 128 * MIB, pauseTargetMs: 5, generational: true, compaction: true, metrics: true },
    server: { name: 'server', limit: 1024 * MIB, threshold: 128 * MIB, pauseTargetMs: 5, generational: true, compaction: true, metrics: true },
  });
  expect(detectPreset(400 * MIB)).toMatchObject({ name: 'compiler', limit: 100 * MIB });
  expect(detectPreset(512 * MIB)).toMatchObject({ name: 'runtime', limit: 256 * MIB, threshold: 64 * MIB });
  expect(detectPreset(4096 * MIB - 1)).toMatchObject({ name: 'runtime', limit: 2048 * MIB - 1 });
  expect(detectPreset(4096 * MIB)).toMatchObject({ name: 'runtime', limit: 2048 * MIB, threshold: 256 * MIB });
  expect(() => detectPreset(-1)).toThrow(RangeError);
  for (const preset of Object.values(PRESETS)) {
    const heap = GenerationalHeap.create(WasmMemory.create({ reserve: 2 ** 24 }), presetOptions(preset));
    heap.define('x', {}).allocate();
    heap.verify();
  }
});
