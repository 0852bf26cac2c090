/** What is refused, and that it changes nothing. */

import type { Allocator } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { detectPreset, GenerationalHeap, presetOptions, PRESETS, smallInteger, type HeapOptions } from '../src/index.ts';
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
    ['stress', { stress: null as never }, TypeError],
    ['clock', { clock: 5 as never }, TypeError],
    ['scheduleFinalizers', { scheduleFinalizers: 'later' as never }, TypeError],
    ['incremental', { incremental: 'no' as never }, TypeError],
    ['compaction', { compaction: 1 as never }, TypeError],
    ['checked', { checked: null as never }, TypeError],
    ['verify', { stress: { action: 'full', verify: 1 as never } }, TypeError],
  ])('%s: %o', (name, options, kind) => {
    expect(() => smallHeap({ nurserySize: 2 ** 20, nurserySizeMax: 2 ** 20, ...options })).toThrow(kind);
    expect(() => smallHeap({ nurserySize: 2 ** 20, nurserySizeMax: 2 ** 20, ...options })).toThrow(name);
  });

  test('a parent that is none, and one without room', () => {
    expect(() => GenerationalHeap.create(null as never)).toThrow(TypeError);
    expect(() => GenerationalHeap.create(BufferMemory.create({ reserve: 2 ** 18 }), null as never)).toThrow(/options must be an object, got null/);
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
    expect(() => heap.define('b', { x: ['ref'] as never })).toThrow(RangeError);
    expect(() => heap.define('b', { x: 'i64' as 'i32' })).toThrow(/x must be one of .*, got i64/);
    expect(() => heap.defineArray('b', 'object' as 'ref')).toThrow(RangeError);
    expect(() => heap.defineArray('b', 'i32', { element: 'object' as 'ref' })).toThrow(/element must be one of/);
    expect(() => heap.define('b', null as never)).toThrow(/fields must be an object, got null/);
    expect(() => heap.define('b', 'fields' as never)).toThrow(/fields must be an object, got string/);
    expect(() => heap.defineArray('b', undefined as never)).toThrow(/element must be one of .*, got undefined/);
    expect(() => heap.define('b', { x: 'i32' }).maker('y' as 'x')).toThrow(/no field "y"/);
    expect(heap.type('b')?.name).toBe('b');
    expect(heap.type('c')).toBeUndefined();
  });

  test('are what they were when they were defined', () => {
    const heap = smallHeap();
    const fields: Record<string, 'ref' | 'f64'> = { a: 'ref' };
    const type = heap.define('changing', fields);
    fields['b'] = 'f64';
    fields['a'] = 'f64';
    expect(type.descriptor.fields).toEqual({ a: 'ref' });
    const root = heap.handle(type.allocate());
    const [copy] = heap.load(heap.save([root.ref]));
    expect(heap.typeOf(copy!.ref)).toBe(type);
    // What is asked twice may not answer twice the same.
    let asked = 0;
    const fickle = Object.defineProperty({}, 'x', { enumerable: true, get: () => (asked++ === 0 ? 'i32' : 'nothing') }) as { x: 'i32' };
    expect(heap.define('fickle', fickle).size).toBe(4);
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

  test('the same where a root is made or changed', () => {
    const { heap, point } = setUp();
    const stale = point.allocate();
    const root = heap.handle(stale);
    heap.stack.push(stale);
    heap.collect('minor');
    using scope = heap.scope();
    const local = scope.handle(root.ref);
    const uses = [() => heap.handle(stale), () => (root.ref = stale), () => heap.stack.push(stale), () => heap.stack.set(0, stale), () => scope.handle(stale), () => (local.ref = stale), () => heap.weak(stale), () => heap.pin(stale),
      () => heap.finalize(stale, () => undefined), () => heap.typeOf(stale)];
    for (const use of uses) expect(use).toThrow(refusal('invalid-address'));
    expect(() => (root.ref = 'x' as never)).toThrow(TypeError);
    root.ref = 0;
    root.ref = smallInteger(-5);
    expect(root.ref).toBe(smallInteger(-5));
    heap.verify();
  });

  test.each(['young', 'old', 'large'])('an object of another heap in the same memory: %s', (space) => {
    const memory = WasmMemory.create({ reserve: 2 ** 25 });
    const [one, other] = [0, 1].map(() => GenerationalHeap.create(memory, { limit: 2 ** 22, nurserySize: 2 ** 15, tenure: 1, checked: true })) as [GenerationalHeap, GenerationalHeap];
    const [mine, theirs] = [one.defineArray('list', 'ref'), other.defineArray('list', 'ref')];
    const length = space === 'large' ? 5000 : 3;
    const own = one.handle(mine.allocate(length));
    const foreign = other.handle(theirs.allocate(length));
    if (space !== 'young') [one, other].forEach((heap) => heap.collect('minor'));
    expect(() => mine.elements.set(own.ref, 0, foreign.ref)).toThrow(refusal('invalid-address'));
    expect(() => mine.elements.get(foreign.ref, 0)).toThrow(refusal('invalid-address'));
    mine.elements.set(own.ref, 0, own.ref);
    theirs.elements.set(foreign.ref, 0, foreign.ref);
    for (const heap of [one, other]) {
      heap.collect('compact');
      heap.verify();
    }
    expect(mine.elements.get(own.ref, 0)).toBe(own.ref);
    expect(theirs.elements.get(foreign.ref, 0)).toBe(foreign.ref);
  });

  test('an object that is found dead, but not swept yet', () => {
    const { heap, point } = setUp();
    const array = heap.defineArray('array', 'ref');
    const root = heap.handle(point.allocate());
    const large = heap.handle(array.allocate(5000));
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const refs = [root.ref, large.ref];
    root.release();
    large.release();
    heap.startMarking();
    while (heap.stats().phase === 'marking') heap.step(-1);
    expect(heap.stats().phase).toBe('sweeping');
    for (const ref of refs) expect(() => heap.handle(ref)).toThrow(refusal('invalid-address'));
    heap.verify();
  });

  test('the inside of an object, however like a header it looks', () => {
    const { heap } = setUp();
    const trap = heap.define('trap', { a: 'i32', b: 'i32', c: 'i32', d: 'i32', e: 'i32', f: 'i32' });
    const { a, b } = trap.fields;
    const root = heap.handle(trap.allocate());
    // The type of `trap` at the size of one; young, then old.
    for (const generation of [0, 1]) {
      a.set(root.ref, (trap.id << 24) | trap.size);
      b.set(root.ref, generation);
      expect(() => heap.handle(root.ref + 8)).toThrow(refusal('invalid-address'));
      for (let i = 0; i < 3; i += 1) heap.collect('minor');
    }
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
    // Not the first call of a step, but one in its middle.
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

test('nothing is read from NULL, or written there, where the memory has its own state', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const heap = GenerationalHeap.create(memory, { limit: 2 ** 22, nurserySize: 2 ** 15 });
  const type = heap.define('all', { ref: 'ref', value: 'value', i32: 'i32', u32: 'u32', f32: 'f32', f64: 'f64', i16: 'i16', u16: 'u16', i8: 'i8', u8: 'u8' });
  const arrays = (['ref', 'i32', 'f64', 'u8'] as const).map((kind) => heap.defineArray(kind, kind, { before: 'i32' }));
  const before = memory.u8.slice();
  // The second time right after the views died.
  for (const grow of [() => 0, () => memory.wasm.grow(1)]) {
    for (const bad of [0, -8, NaN]) {
      for (const field of Object.values(type.fields)) {
        grow();
        expect(() => field.get(bad)).toThrow(refusal('invalid-address'));
        grow();
        expect(() => field.set(bad, 1)).toThrow(refusal('invalid-address'));
      }
      for (const { elements, fields } of arrays) {
        for (const use of [() => elements.length(bad), () => elements.get(bad, 0), () => elements.set(bad, 0, 1), () => fields.before.get(bad), () => fields.before.set(bad, 1)]) {
          grow();
          expect(use).toThrow(refusal('invalid-address'));
        }
      }
    }
  }
  expect(memory.u8.subarray(0, before.length)).toEqual(before);
  memory.checkInvariants();
});

test('what is no kind of collection, no budget and no slot is refused', () => {
  const heap = smallHeap();
  for (const kind of ['all', '', null, 1]) expect(() => heap.collect(kind as 'full')).toThrow(/must be one of minor, full, compact/);
  expect(heap.stats().cycleCount).toBe(0);
  expect(() => heap.step('1' as never)).toThrow(TypeError);
  expect(() => heap.step(NaN)).toThrow(RangeError);
  expect(heap.step(Infinity)).toBe(true);
  heap.stack.push(smallInteger(1));
  for (const slot of [0.5, -1, 1, NaN, Infinity, 2 ** 32]) {
    expect(() => heap.stack.get(slot)).toThrow(RangeError);
    expect(() => heap.stack.set(slot, 0)).toThrow(RangeError);
  }
});

test('special references to what is certainly no object are refused, and nothing is written there', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const heap = GenerationalHeap.create(memory, { limit: 2 ** 22, nurserySize: 2 ** 15 });
  heap.define('node', { next: 'ref' });
  const before = memory.u8.slice();
  for (const ref of [smallInteger(5), -8, 4, 2 ** 31, 2 ** 33 + 8, NaN, 0.5, 2 ** 23]) {
    for (const use of [() => heap.pin(ref), () => heap.weak(ref), () => heap.finalize(ref, () => undefined), () => heap.typeOf(ref)]) expect(use).toThrow(refusal('invalid-address'));
  }
  for (const ref of [undefined, null, 'x', {}] as never[]) {
    for (const use of [() => heap.pin(ref), () => heap.weak(ref), () => heap.finalize(ref, () => undefined), () => heap.typeOf(ref)]) expect(use).toThrow(/must be a number/);
  }
  expect(() => heap.load('x' as never)).toThrow(/must be a Uint8Array/);
  expect(memory.u8).toEqual(before);
  expect(heap.stats()).toMatchObject({ weakCount: 0, finalizerCount: 0, handleCount: 0 });
});

test('the bytes of references are not handed out: writing them would go past the barrier', () => {
  const heap = smallHeap();
  for (const kind of ['ref', 'value'] as const) {
    const array = heap.defineArray(kind, kind);
    expect(() => array.bytes(array.allocate(3))).toThrow(TypeError);
  }
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
      () => root.ref, () => (root.ref = 0), () => heap.typeOf(ref), () => heap.step(), () => heap.startMarking(), () => heap.runFinalizers(), () => heap.finalize(ref, () => undefined), () => heap.pin(ref), () => heap.load(new Uint8Array(8)), () => scope.handle(0)];
    for (const call of calls) expect(call).toThrow(refusal('released'));
    pin.release();
    root.release();
    weak.release();
    scope[Symbol.dispose]();
  });
});

describe('a heap whose ground is gone', () => {
  const setUp = (parent: Allocator) => {
    const heap = GenerationalHeap.create(parent, { limit: 2 ** 22, nurserySize: 2 ** 15, tenure: 1 });
    const make = heap.define('node', { next: 'ref', key: 'i32' }).maker('next', 'key');
    heap.stack.push(make(0, 1));
    heap.stack.push(heap.defineArray('array', 'u8').allocate(10_000));
    heap.collect('minor');
    return { heap, make };
  };
  const wasm = (): WasmMemory => WasmMemory.create({ reserve: 2 ** 24 });

  test.each([['WebAssembly memory', wasm], ['buffer', () => BufferMemory.create({ reserve: 2 ** 24 })]] as const)('%s released: it can be released still', (_name, create) => {
    const memory = create();
    const { heap, make } = setUp(memory);
    memory.release();
    for (const use of [() => make(0, 1), () => heap.collect(), () => heap.stats(), () => heap.stack.push(0)]) expect(use).toThrow(refusal('released'));
    heap.release();
    heap.release();
    expect(() => heap.stats()).toThrow(refusal('released'));
  });

  test('a parent released, or reset and used by another: nothing is given back to it', () => {
    const memory = wasm();
    const released = O1Heap.create(memory, { size: 2 ** 22 });
    const { heap } = setUp(released);
    released.release();
    heap.release();
    heap.release();
    const reset = O1Heap.create(memory, { size: 2 ** 22 });
    const { heap: other } = setUp(reset);
    reset.reset();
    const block = reset.allocate(2 ** 16);
    memory.u8.fill(1, block, block + 2 ** 16);
    const { liveBytes } = reset.stats();
    other.release();
    expect(memory.u8.subarray(block, block + 2 ** 16).every((byte) => byte === 1)).toBe(true);
    expect(reset.stats().liveBytes).toBe(liveBytes);
    reset.checkInvariants();
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
