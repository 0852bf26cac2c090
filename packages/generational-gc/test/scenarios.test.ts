/** What the design promises, one by one. */

import { describe, expect, test } from 'vitest';
import type { GenerationalHeap, RecordType } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { refusal } from './refusal.ts';

const FIELDS = { next: 'ref', key: 'i32', a: 'f64', b: 'f64', c: 'f64', d: 'f64', e: 'f64', f: 'f64' } as const;
type Item = RecordType<typeof FIELDS>;

/** Objects of 64 bytes, header included. */
function itemType(heap: GenerationalHeap): Item {
  const type = heap.define('item', FIELDS);
  expect(type.size + 8).toBe(64);
  return type;
}

/** Where the object of a root is. */
function spaceOf(heap: GenerationalHeap, ref: number): string {
  return heap.cells().find(({ address }) => address === ref)!.space;
}

describe('the nursery', () => {
  test('of 100 objects, 10 of them reachable, a minor collection keeps 10', () => {
    const heap = smallHeap();
    const make = itemType(heap).maker('next', 'key');
    for (let i = 0; i < 100; i += 1) {
      const ref = make(0, i);
      if (i % 10 === 0) heap.stack.push(ref);
    }
    expect(heap.stats().youngBytes).toBe(6400);
    heap.collect('minor');
    expect(heap.stats().youngBytes).toBe(640);
    expect(heap.stats().survivalRate).toBeCloseTo(0.1);
    expect(heap.census()).toEqual([{ name: 'item', count: 10, bytes: 640 }]);
  });

  test('fills up, is collected, and goes on: what was dropped is reclaimed', () => {
    const heap = smallHeap();
    const { fields, maker } = bound(itemType(heap));
    const make = maker('next', 'key');
    const kept = heap.stack.push(0);
    for (let i = 0; i < 20_000; i += 1) if (i % 1000 === 0) heap.stack.set(kept, make(heap.stack.get(kept), i));
    else make(0, i);
    const keys: number[] = [];
    for (let ref = heap.stack.get(kept); ref !== 0; ref = fields.next.get(ref)) keys.push(fields.key.get(ref));
    expect(keys).toEqual(Array.from({ length: 20 }, (_, i) => (19 - i) * 1000));
    expect(heap.stats().pauses.minor.count).toBeGreaterThan(30);
    heap.verify();
  });

  test.each([1, 2, 3, 4])('objects become old with collection %i', (tenure) => {
    const heap = smallHeap({ tenure });
    const root = heap.handle(itemType(heap).allocate());
    for (let survived = 0; survived < tenure; survived += 1) {
      expect(spaceOf(heap, root.ref)).toBe(survived === 0 ? 'eden' : 'survivors');
      heap.collect('minor');
      heap.verify();
    }
    expect(spaceOf(heap, root.ref)).toBe('old');
    const old = root.ref;
    heap.collect('minor');
    expect(root.ref).toBe(old);
  });

  test('grows where many objects survive, and shrinks again', () => {
    const heap = smallHeap({ nurserySize: 2 ** 15, nurserySizeMax: 2 ** 17, pauseTargetMs: 1e6 });
    const make = itemType(heap).maker('next', 'key');
    const list = heap.stack.push(0);
    for (let i = 0; i < 20_000; i += 1) heap.stack.set(list, make(heap.stack.get(list), i));
    expect(heap.stats().nurserySize).toBe(2 ** 17);
    heap.verify();
    heap.stack.set(list, 0);
    for (let i = 0; i < 20_000; i += 1) make(0, i);
    expect(heap.stats().nurserySize).toBe(2 ** 15);
    heap.verify();
  });

  test('shrinks when its collections take longer than they should', () => {
    let now = 0;
    const heap = smallHeap({ nurserySize: 2 ** 15, nurserySizeMax: 2 ** 17, pauseTargetMs: 5, clock: () => (now += 1) });
    const make = itemType(heap).maker('next', 'key');
    const list = heap.stack.push(0);
    for (let i = 0; i < 5000; i += 1) heap.stack.set(list, make(heap.stack.get(list), i));
    // One millisecond each by this clock: twice of it is still within the target.
    expect(heap.stats().nurserySize).toBe(2 ** 17);
    now = 0;
    const slow = smallHeap({ nurserySize: 2 ** 15, nurserySizeMax: 2 ** 17, pauseTargetMs: 1, clock: () => (now += 1) });
    const makeSlowly = itemType(slow).maker('next', 'key');
    const other = slow.stack.push(0);
    for (let i = 0; i < 5000; i += 1) slow.stack.set(other, makeSlowly(slow.stack.get(other), i));
    expect(slow.stats().nurserySize).toBe(2 ** 15);
  });
});

test('a nursery whose greatest size cannot be halved for long stays aligned', () => {
  // 64 x 8191: the fifth half is no multiple of 8.
  const heap = smallHeap({ nurserySize: 2 ** 14, nurserySizeMax: 2 ** 19 - 64, threshold: 2 ** 30, limit: 2 ** 25, tenure: 4, clock: () => 0 });
  const { fields, maker } = bound(itemType(heap));
  const make = maker('next', 'key');
  const list = heap.stack.push(0);
  let count = 0;
  while (heap.stats().nurserySize < 2 ** 19 - 64) {
    heap.stack.set(list, make(heap.stack.get(list), count));
    count += 1;
  }
  const sizes = new Set<number>();
  for (let i = 0; i < 40; i += 1) {
    heap.collect('minor');
    sizes.add(heap.stats().nurserySize);
    heap.stack.set(list, make(heap.stack.get(list), count));
    count += 1;
    heap.verify();
  }
  expect(sizes.size).toBeGreaterThan(4);
  expect(heap.stats().nurserySize).toBe(2 ** 14);
  for (const size of sizes) expect(size % 64).toBe(0);
  let found = 0;
  for (let ref = heap.stack.get(list); ref !== 0; ref = fields.next.get(ref)) {
    found += 1;
    expect(fields.key.get(ref)).toBe(count - found);
  }
  expect(found).toBe(count);
});

describe('references from old to young', () => {
  test('keep their object alive, and are forgotten when they are gone', () => {
    const heap = smallHeap({ tenure: 1 });
    const type = itemType(heap);
    const { next, key } = type.fields;
    const root = heap.handle(type.allocate());
    heap.collect('minor');
    expect(spaceOf(heap, root.ref)).toBe('old');
    const young = type.allocate();
    key.set(young, 42);
    next.set(root.ref, young);
    next.set(root.ref, young);
    expect(heap.stats()).toMatchObject({ rememberedCount: 1, barrierHitCount: 1 });
    heap.collect('minor');
    expect(key.get(next.get(root.ref))).toBe(42);
    expect(heap.stats().rememberedCount).toBe(0);
    heap.verify();
  });

  test('stay remembered as long as the object stays young', () => {
    const heap = smallHeap({ tenure: 3 });
    const type = itemType(heap);
    const { next } = type.fields;
    const root = heap.handle(type.allocate());
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    next.set(root.ref, type.allocate());
    for (const remembered of [1, 1, 0]) {
      heap.collect('minor');
      expect(heap.stats().rememberedCount).toBe(remembered);
      heap.verify();
    }
  });

  test('of a large array are found by their cards', () => {
    const heap = smallHeap();
    const type = itemType(heap);
    const array = heap.defineArray('array', 'ref');
    const root = heap.handle(array.allocate(10_000));
    expect(spaceOf(heap, root.ref)).toBe('large');
    const where = root.ref;
    for (const index of [0, 127, 128, 5000, 9999]) {
      const item = type.allocate();
      type.fields.key.set(item, index);
      array.elements.set(root.ref, index, item);
    }
    for (let i = 0; i < 4; i += 1) {
      heap.collect('minor');
      heap.verify();
    }
    expect(root.ref).toBe(where);
    for (const index of [0, 127, 128, 5000, 9999]) expect(type.fields.key.get(array.elements.get(root.ref, index))).toBe(index);
    expect(heap.stats()).toMatchObject({ rememberedCount: 0 });
  });
});

describe('the old space', () => {
  test('dead objects are swept, empty blocks go back to the parent', () => {
    const heap = smallHeap({ tenure: 1 });
    const make = itemType(heap).maker('next', 'key');
    const before = heap.stats().takenBytes;
    const list = heap.stack.push(0);
    for (let i = 0; i < 3000; i += 1) heap.stack.set(list, make(heap.stack.get(list), i));
    heap.collect('minor');
    expect(heap.stats().oldBytes).toBe(192_000);
    heap.stack.set(list, 0);
    heap.collect('full');
    expect(heap.stats()).toMatchObject({ oldBytes: 0, takenBytes: before });
    heap.verify();
  });

  test('rings of old and young objects are collected', () => {
    const heap = smallHeap();
    const type = itemType(heap);
    const { next } = type.fields;
    const old = heap.handle(type.allocate());
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    const young = type.allocate();
    next.set(old.ref, young);
    next.set(young, old.ref);
    old.release();
    heap.collect('full');
    expect(heap.census()[0]!.count).toBe(0);
  });

  test('[ L D L D L ] is compacted to [ L L L ]', () => {
    const heap = smallHeap({ tenure: 1 });
    const type = itemType(heap);
    const make = type.maker('next', 'key');
    const roots = [0, 1, 2, 3, 4].map((i) => heap.handle(make(0, i)));
    heap.collect('minor');
    const start = roots[0]!.ref;
    expect(roots.map(({ ref }) => (ref - start) / 64)).toEqual([0, 1, 2, 3, 4]);
    roots[1]!.release();
    roots[3]!.release();
    heap.collect('full');
    expect([0, 2, 4].map((i) => (roots[i]!.ref - start) / 64)).toEqual([0, 2, 4]);
    heap.collect('compact');
    expect([0, 2, 4].map((i) => (roots[i]!.ref - start) / 64)).toEqual([0, 2, 1]);
    expect([0, 2, 4].map((i) => type.fields.key.get(roots[i]!.ref))).toEqual([0, 2, 4]);
    heap.verify();
  });

  test('a compaction gives memory back, and every reference is right', () => {
    const heap = smallHeap({ tenure: 1, limit: 2 ** 22 });
    const type = itemType(heap);
    const make = type.maker('next', 'key');
    const array = heap.defineArray('array', 'ref');
    const root = heap.handle(array.allocate(8000));
    for (let i = 0; i < 8000; i += 1) array.elements.set(root.ref, i, make(i === 0 ? 0 : array.elements.get(root.ref, i - 1), i));
    heap.collect('minor');
    for (let i = 0; i < 8000; i += 1) {
      const item = array.elements.get(root.ref, i);
      if (i % 8 === 0) type.fields.next.set(item, 0);
      else array.elements.set(root.ref, i, 0);
    }
    heap.collect('full');
    const sparse = heap.stats().takenBytes;
    heap.collect('compact');
    expect(heap.stats().takenBytes).toBeLessThan(sparse - 300_000);
    for (let i = 0; i < 8000; i += 8) expect(type.fields.key.get(array.elements.get(root.ref, i))).toBe(i);
    heap.verify();
  });
});

describe('records of more than 8 KiB', () => {
  const wide = (count: number): Record<string, 'f64'> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`number ${i}`, 'f64']));

  // One that would fit into the eden, and one that is larger than all of it.
  test.each([1100, 10_000])('of %i numbers are large objects: they survive, stay, and die as others do', (count) => {
    const heap = smallHeap();
    const small = heap.define('small', { key: 'i32' });
    const type = heap.define('wide', { ...wide(count), first: 'ref', key: 'i32', second: 'value' });
    const { first, key, second } = type.fields;
    const makeSmall = small.maker('key');
    heap.stack.push(makeSmall(1));
    heap.stack.push(makeSmall(2));
    const root = heap.handle(type.maker('second', 'key', 'first')(heap.stack.get(1), 77, heap.stack.get(0)));
    heap.stack.truncate(0);
    expect(spaceOf(heap, root.ref)).toBe('large');
    heap.verify();
    const { ref } = root;
    for (let i = 0; i < 4; i += 1) heap.collect('minor');
    heap.collect('compact');
    heap.verify();
    expect(root.ref).toBe(ref);
    expect([small.fields.key.get(first.get(ref)), small.fields.key.get(second.get(ref)), key.get(ref)]).toEqual([1, 2, 77]);
    expect(heap.census().map((entry) => entry.count)).toEqual([2, 1]);
    expect(first.get(type.allocate())).toBe(0);
    root.release();
    heap.collect('full');
    expect(heap.census().every((entry) => entry.count === 0)).toBe(true);
    expect(heap.stats().largeBytes).toBe(0);
  });

  test('keep what they are given, should there have to be a collection for them', () => {
    const heap = smallHeap({ stress: { action: 'step', verify: true } });
    const small = heap.define('small', { key: 'i32' });
    const type = heap.define('wide', { ...wide(1100), child: 'ref' });
    const makeSmall = small.maker('key');
    const make = type.maker('child');
    for (let i = 0; i < 20; i += 1) heap.stack.push(make(makeSmall(i)));
    heap.verify();
    for (let i = 0; i < 20; i += 1) expect(small.fields.key.get(type.fields.child.get(heap.stack.get(i)))).toBe(i);
  });
});

describe('out of memory', () => {
  test('is an error that leaves the heap usable', () => {
    const heap = smallHeap({ limit: 2 ** 18, nurserySize: 2 ** 15, nurserySizeMax: 2 ** 15 });
    const type = itemType(heap);
    const make = type.maker('next', 'key');
    const list = heap.stack.push(0);
    let count = 0;
    const fill = (): void => {
      for (;;) {
        heap.stack.set(list, make(heap.stack.get(list), count));
        count += 1;
      }
    };
    expect(fill).toThrow(refusal('out-of-memory', /reachable/));
    expect(count * 64).toBeGreaterThan(2 ** 17);
    heap.verify();
    expect(() => make(0, 0)).toThrow(refusal('out-of-memory'));
    expect(() => heap.pin(heap.stack.get(list))).toThrow(refusal('out-of-memory'));
    heap.verify();
    let found = 0;
    for (let ref = heap.stack.get(list); ref !== 0; ref = type.fields.next.get(ref)) {
      found += 1;
      expect(type.fields.key.get(ref)).toBe(count - found);
    }
    expect(found).toBe(count);
    heap.stack.set(list, 0);
    for (let i = 0; i < 10_000; i += 1) make(0, i);
    heap.verify();
    expect(heap.stats().oldBytes).toBe(0);
  });

  test.each(['large objects', 'objects of another size'])('is not had while there is garbage: %s', (garbage) => {
    const heap = smallHeap({ limit: 2 ** 18, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 14, threshold: 2 ** 30, tenure: 1 });
    const bytes = heap.defineArray('bytes', 'u8');
    const make = itemType(heap).maker('next', 'key');
    const piece = garbage === 'large objects' ? 20_000 : 2000;
    {
      // All there is, for as long as this scope lasts.
      using scope = heap.scope();
      expect(() => {
        for (;;) scope.handle(bytes.allocate(piece));
      }).toThrow(refusal('out-of-memory'));
    }
    const list = heap.stack.push(0);
    for (let i = 0; i < 1000; i += 1) heap.stack.set(list, make(heap.stack.get(list), i));
    heap.verify();
    heap.stack.set(list, 0);
  });

  test('of a large array, likewise', () => {
    const heap = smallHeap({ limit: 2 ** 18 });
    const array = heap.defineArray('array', 'u8');
    const root = heap.handle(array.allocate(100_000));
    expect(() => array.allocate(150_000)).toThrow(refusal('out-of-memory'));
    expect(() => array.allocate(2 ** 31 - 1)).toThrow(RangeError);
    expect(() => array.allocate(2 ** 30)).toThrow(refusal('out-of-memory', /more than all/));
    root.ref = 0;
    expect(array.elements.length(array.allocate(150_000))).toBe(150_000);
    heap.verify();
  });
});

/** A type's methods, to be used on their own. */
function bound(type: Item): Pick<Item, 'fields' | 'maker'> {
  return { fields: type.fields, maker: type.maker.bind(type) };
}
