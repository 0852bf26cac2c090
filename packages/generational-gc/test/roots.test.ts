/** Handles, scopes, weak references, finalizers and pins. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import type { GenerationalHeap } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { refusal } from './refusal.ts';

function setUp(options = {}) {
  const heap = smallHeap(options);
  const type = heap.define('node', { next: 'ref', key: 'i32' });
  return { heap, type, make: type.maker('next', 'key'), key: type.fields.key };
}

function live(heap: GenerationalHeap): number {
  heap.collect('full');
  heap.verify();
  return heap.census()[0]!.count;
}

test('the epoch changes whenever objects may have moved, and when the memory grows', () => {
  const { heap, make } = setUp();
  const { epoch } = heap;
  make(0, 1);
  heap.stats();
  let last = heap.epoch;
  make(0, 1);
  expect([epoch, heap.epoch]).toEqual([epoch, last]);
  const changes = (action: () => void): boolean => {
    action();
    const isNew = heap.epoch !== last;
    last = heap.epoch;
    return isNew;
  };
  for (const kind of ['minor', 'full', 'compact'] as const) expect(changes(() => heap.collect(kind))).toBe(true);
  expect(changes(() => void heap.pin(make(0, 2)))).toBe(true);
  const large = heap.defineArray('large', 'u8');
  // The object is not copied, and nothing is collected: but the memory must grow for it.
  expect(changes(() => void large.allocate(2 ** 21))).toBe(true);
});

describe('handles', () => {
  test('keep an object until they are released, and follow it', () => {
    const { heap, make, key } = setUp();
    const handle = heap.handle(make(0, 5));
    const { ref } = handle;
    expect(live(heap)).toBe(1);
    expect(handle.ref).not.toBe(ref);
    expect(key.get(handle.ref)).toBe(5);
    handle.ref = make(handle.ref, 6);
    expect(live(heap)).toBe(2);
    handle.release();
    handle.release();
    expect(handle.isReleased).toBe(true);
    expect(() => handle.ref).toThrow(refusal('released'));
    expect(() => (handle.ref = 0)).toThrow(refusal('released'));
    expect(live(heap)).toBe(0);
    expect(heap.stats().handleCount).toBe(0);
  });

  test('their slots are used again', () => {
    const { heap, make, key } = setUp();
    const handles = Array.from({ length: 200 }, (_, i) => heap.handle(make(0, i)));
    handles.forEach((handle, i) => {
      if (i % 2 === 0) handle.release();
    });
    const others = Array.from({ length: 100 }, (_, i) => heap.handle(make(0, 1000 + i)));
    expect(live(heap)).toBe(200);
    handles.forEach((handle, i) => {
      if (i % 2 === 1) expect(key.get(handle.ref)).toBe(i);
    });
    others.forEach((handle, i) => expect(key.get(handle.ref)).toBe(1000 + i));
  });

  test('`using` releases them', () => {
    const { heap, make } = setUp();
    {
      using handle = heap.handle(make(0, 1));
      expect(handle.ref).toBeGreaterThan(0);
    }
    expect(live(heap)).toBe(0);
  });

  test('those that JavaScript collected release their object', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { heap, make } = setUp();
    for (let i = 0; i < 50; i += 1) heap.handle(make(0, i));
    const kept = heap.handle(make(0, 1));
    await vi.waitFor(() => {
      collect();
      expect(heap.stats().handleCount).toBeLessThan(10);
    });
    expect(live(heap)).toBe(heap.stats().handleCount);
    kept.release();
  });
});

describe('scopes', () => {
  test('release what they hold, from within outwards', () => {
    const { heap, make, key } = setUp();
    const outer = heap.scope();
    const first = outer.handle(make(0, 1));
    const inner = heap.scope();
    const second = inner.handle(make(first.ref, 2));
    expect(live(heap)).toBe(2);
    const ref = inner.end(second);
    const third = outer.handle(ref);
    expect(() => second.ref).toThrow(refusal('released', /scope/));
    expect(() => inner.handle(0)).toThrow(refusal('released'));
    expect(live(heap)).toBe(2);
    expect(key.get(third.ref)).toBe(2);
    third.ref = 0;
    expect(live(heap)).toBe(1);
    outer[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(heap.stack.depth).toBe(0);
    expect(live(heap)).toBe(0);
  });

  test('one that ends takes those within it along', () => {
    const { heap, make } = setUp();
    const outer = heap.scope();
    const inner = heap.scope();
    const local = inner.handle(make(0, 1));
    outer[Symbol.dispose]();
    expect(inner.isEnded).toBe(true);
    expect(() => local.ref).toThrow(refusal('released'));
    const next = heap.scope();
    inner[Symbol.dispose]();
    expect(next.handle(make(0, 2)).ref).toBeGreaterThan(0);
    expect(heap.stack.depth).toBe(1);
  });

  test('a full shadow stack is an error', () => {
    const { heap } = setUp({ stackSize: 64 });
    using scope = heap.scope();
    for (let i = 0; i < 16; i += 1) scope.handle(0);
    expect(() => scope.handle(0)).toThrow(/shadow stack is full: it has 16 slots/);
    heap.stack.truncate(0);
    expect(() => heap.stack.pop()).toThrow(/empty/);
    expect(() => heap.stack.get(0)).toThrow(RangeError);
    expect(() => heap.stack.set(-1, 0)).toThrow(RangeError);
    expect(() => heap.stack.truncate(1)).toThrow(RangeError);
    expect(() => heap.stack.truncate(0.5)).toThrow(RangeError);
  });
});

describe('weak references', () => {
  test('by number: cleared when their objects die, updated when these move', () => {
    const { heap, make, key } = setUp();
    const table = heap.weakTable();
    const root = heap.handle(make(0, 1));
    const kept = table.add(root.ref);
    const lost = table.add(make(0, 2));
    expect(heap.stats().weakCount).toBe(2);
    heap.collect('minor');
    expect(table.get(lost)).toBe(0);
    expect(table.isAlive(lost)).toBe(false);
    expect(table.isAlive(kept)).toBe(true);
    expect(table.get(kept)).toBe(root.ref);
    for (const kind of ['minor', 'minor', 'full', 'compact'] as const) {
      heap.collect(kind);
      expect(table.get(kept)).toBe(root.ref);
    }
    expect(key.get(table.get(kept))).toBe(1);
    root.release();
    heap.collect('full');
    expect(table.get(kept)).toBe(0);
    table.remove(kept);
    table.remove(lost);
    expect(heap.stats().weakCount).toBe(0);
    expect(() => table.get(1000)).toThrow('there is no weak reference 1000');
    expect(() => table.isAlive(0.5)).toThrow('there is no weak reference 0.5');
    expect(() => table.remove(-1)).toThrow('there is no weak reference -1');
    expect(() => table.add(0)).toThrow(refusal('invalid-address'));
    heap.release();
    expect(() => table.get(kept)).toThrow(refusal('released'));
  });

  test('by number: one that is read while a marking is under way keeps its object', () => {
    const { heap, make, key } = setUp();
    const table = heap.weakTable();
    const root = heap.handle(make(0, 7));
    const number = table.add(root.ref);
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const lost = table.add(root.ref);
    heap.startMarking();
    root.release();
    while (!heap.step(0.01));
    // What was reachable when a marking began survives it: the next one finds it dead, unless somebody asks.
    heap.startMarking();
    const holder = heap.handle(table.get(number));
    while (!heap.step(0.01));
    heap.verify();
    expect(key.get(holder.ref)).toBe(7);
    expect(table.get(lost)).toBe(holder.ref);
  });

  test.each(['young', 'old', 'large'])('to %s objects are cleared when these die', (space) => {
    const { heap, make } = setUp();
    const array = heap.defineArray('array', 'ref');
    const root = heap.handle(space === 'large' ? array.allocate(5000) : make(0, 1));
    if (space === 'old') for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const weak = heap.weak(root.ref);
    heap.collect('full');
    expect(weak.ref).toBe(root.ref);
    root.release();
    heap.collect(space === 'young' ? 'minor' : 'full');
    expect(weak.ref).toBe(0);
    weak.release();
    weak.release();
    expect(() => weak.ref).toThrow(refusal('released'));
    expect(heap.stats().weakCount).toBe(0);
  });
});

describe('finalizers', () => {
  test.each(['minor', 'full'] as const)('run after a %s collection, once, when they are told to', (kind) => {
    const { heap, make, key } = setUp();
    const seen: number[] = [];
    const root = heap.handle(make(make(0, 8), 7));
    heap.finalize(root.ref, (ref) => seen.push(key.get(ref)));
    heap.collect(kind);
    expect(heap.runFinalizers()).toBe(0);
    root.release();
    heap.collect(kind);
    expect(seen).toEqual([]);
    heap.verify();
    expect(heap.stats().finalizerCount).toBe(1);
    expect(heap.runFinalizers()).toBe(1);
    expect(seen).toEqual([7]);
    expect(heap.runFinalizers()).toBe(0);
    expect(live(heap)).toBe(0);
  });

  test('must not allocate or collect, and may throw', () => {
    const { heap, make, type } = setUp();
    const array = heap.defineArray('array', 'ref');
    const attempts = [() => make(0, 1), () => type.allocate(), () => array.allocate(5000), () => heap.collect(), () => heap.runFinalizers(), () => heap.release()];
    for (const attempt of attempts) {
      heap.finalize(make(0, 1), () => {
        attempt();
      });
    }
    heap.collect('minor');
    let error: unknown;
    try {
      heap.runFinalizers();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual(attempts.map(() => refusal('busy')));
    heap.finalize(make(0, 1), () => {
      throw new RangeError('mine');
    });
    heap.collect('minor');
    expect(() => heap.runFinalizers()).toThrow('mine');
    make(0, 1);
    heap.verify();
  });

  test('can be scheduled, and can bring their object back', async () => {
    const { heap, make, key } = setUp({ scheduleFinalizers: queueMicrotask });
    const root = heap.handle(0);
    heap.finalize(make(0, 9), (ref) => {
      root.ref = ref;
    });
    heap.collect('minor');
    expect(root.ref).toBe(0);
    await Promise.resolve();
    heap.collect('full');
    expect(key.get(root.ref)).toBe(9);
  });

  test('refuse what is no function or object', () => {
    const { heap, make } = setUp();
    expect(() => heap.finalize(make(0, 1), 'x' as never)).toThrow(TypeError);
    expect(() => heap.finalize(0, () => undefined)).toThrow(refusal('invalid-address'));
  });
});

describe('pins', () => {
  test('keep an object where it is, also when everything around it is compacted', () => {
    const { heap, make, key } = setUp({ tenure: 1 });
    const fillers = Array.from({ length: 500 }, (_, i) => heap.handle(make(0, i)));
    heap.collect('minor');
    const young = heap.handle(make(0, 77));
    const pin = heap.pin(young.ref);
    const again = heap.pin(young.ref);
    expect(young.ref).toBe(pin.address);
    fillers.forEach((handle) => handle.release());
    young.release();
    heap.collect('compact');
    heap.verify();
    expect(key.get(pin.address)).toBe(77);
    again.release();
    heap.collect('compact');
    expect(key.get(pin.address)).toBe(77);
    const other = heap.handle(pin.address);
    pin.release();
    pin.release();
    heap.collect('compact');
    expect(other.ref).not.toBe(pin.address);
    expect(key.get(other.ref)).toBe(77);
    other.release();
    expect(live(heap)).toBe(0);
  });

  test('refuse what is no object', () => {
    const { heap } = setUp();
    expect(() => heap.pin(0)).toThrow(refusal('invalid-address'));
  });
});

test('a constructor holds on to what it is given', () => {
  const { heap, make, type } = setUp({ stress: { action: 'minor', verify: true } });
  const wide = heap.define('wide', { a: 'ref', b: 'ref', c: 'value', d: 'ref', e: 'f64', f: 'u8' });
  const makeWide = wide.maker('a', 'b', 'c', 'd', 'e', 'f');
  const a = heap.stack.push(make(0, 1));
  const b = heap.stack.push(make(0, 2));
  const root = heap.handle(makeWide(heap.stack.get(a), heap.stack.get(b), 7, heap.stack.get(a), 0.1, 200));
  const { fields } = wide;
  expect([type.fields.key.get(fields.a.get(root.ref)), type.fields.key.get(fields.b.get(root.ref)), fields.c.get(root.ref), fields.d.get(root.ref) === fields.a.get(root.ref), fields.e.get(root.ref), fields.f.get(root.ref)]).toEqual([1, 2, 7, true, 0.1, 200]);
  expect(wide.maker()()).toBeGreaterThan(0);
  const box = heap.define('box', { pad: 'ref', value: 'f64' });
  expect(box.fields.value.get(box.maker('value')(0.25))).toBe(0.25);
});
