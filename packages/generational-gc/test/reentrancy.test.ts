/** Callbacks that use the heap: its clock, its scheduler, its finalizers, what chooses what an image leaves out. */

import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { GenerationalHeap, type HeapOptions } from '../src/index.ts';
import { smallHeap } from './memories.ts';
import { refusal } from './refusal.ts';

function setUp(options: HeapOptions = {}) {
  const heap = smallHeap(options);
  const type = heap.define('node', { next: 'ref', key: 'i32' });
  return { heap, type, make: type.maker('next', 'key') };
}

describe('a clock', () => {
  test('is asked with the doors closed: nothing is allocated between a minor collection and the marking that it precedes', () => {
    const refused: unknown[] = [];
    let attempts = 0;
    let isHostile = false;
    let trespass = (): void => undefined;
    const { heap, make, type } = setUp({
      threshold: 2 ** 30,
      clock: () => {
        if (isHostile) {
          isHostile = false;
          attempts += 1;
          try {
            trespass();
          } catch (error) {
            refused.push(error);
          }
          isHostile = true;
        }
        return performance.now();
      },
    });
    const root = heap.handle(0);
    for (let i = 0; i < 100; i += 1) root.ref = make(root.ref, i);
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    trespass = () => {
      make(root.ref, 7);
    };
    isHostile = true;
    heap.startMarking();
    while (!heap.step(-1));
    for (let i = 0; i < 5000; i += 1) make(0, i);
    heap.collect('compact');
    heap.pin(make(0, 1)).release();
    isHostile = false;
    expect(attempts).toBeGreaterThan(10);
    expect(refused.length).toBe(attempts);
    for (const error of refused) expect(error).toEqual(refusal('busy'));
    heap.verify();
    let count = 0;
    for (let { ref } = root; ref !== 0; ref = type.fields.next.get(ref)) count += 1;
    expect(count).toBe(100);
  });

  test('does not verify a heap in the middle of a collection', () => {
    let error: unknown;
    let heap: GenerationalHeap | undefined = undefined as GenerationalHeap | undefined;
    const { heap: made } = setUp({
      clock: () => {
        try {
          heap?.verify();
        } catch (caught) {
          error = caught;
        }
        return 0;
      },
    });
    heap = made;
    made.collect();
    expect(error).toEqual(refusal('busy'));
  });
});

describe('a scheduler of finalizers', () => {
  /** A heap whose scheduler is set later; the oldest object of its list is dead and has a finalizer. */
  function withScheduler() {
    let schedule: (run: () => void) => void = () => undefined;
    const world = setUp({ threshold: 2 ** 30, scheduleFinalizers: (run) => schedule(run) });
    const doom = (): void => world.heap.finalize(world.make(0, -1), () => undefined);
    return { ...world, doom, on: (to: typeof schedule) => (schedule = to) };
  }

  test('may allocate before a marking begins: what it makes keeps what it refers to', () => {
    const { heap, make, type, doom, on } = withScheduler();
    const old = heap.handle(make(0, 1));
    for (let i = 0; i < 3; i += 1) heap.collect('minor');
    // The only way to the old object leads through an object that was made after the collection.
    const made = heap.handle(0);
    on(() => {
      made.ref = make(old.ref, 2);
      old.ref = 0;
    });
    doom();
    heap.startMarking();
    while (!heap.step(-1));
    heap.verify();
    expect(type.fields.key.get(type.fields.next.get(made.ref))).toBe(1);
  });

  test('may collect while an object is pinned', () => {
    const { heap, make, type, doom, on } = withScheduler();
    on(() => {
      heap.collect('compact');
    });
    const ref = make(0, 5);
    doom();
    const pin = heap.pin(ref);
    heap.verify();
    expect(type.fields.key.get(pin.address)).toBe(5);
    expect(heap.census()[0]!.count).toBe(2);
  });

  test('may release the heap: the allocation that it interrupts is refused', () => {
    const { heap, make, doom, on } = withScheduler();
    on(() => {
      heap.release();
    });
    doom();
    expect(() => {
      for (let i = 0; i < 10_000; i += 1) expect(make(0, i)).toBeGreaterThan(0);
    }).toThrow(refusal('released'));
  });

  test('that throws is asked again', () => {
    const { heap, doom, on } = withScheduler();
    on(() => {
      throw new RangeError('not now');
    });
    doom();
    expect(() => heap.collect('minor')).toThrow('not now');
    let runs = 0;
    on((run) => {
      runs += 1;
      run();
    });
    heap.collect('minor');
    expect(runs).toBe(1);
    expect(heap.stats().finalizerCount).toBe(0);
    heap.verify();
  });
});

describe('what chooses what an image leaves out', () => {
  test('must not allocate or collect, and may throw', () => {
    const { heap, make } = setUp();
    const root = heap.handle(0);
    for (let i = 0; i < 10; i += 1) root.ref = make(root.ref, i);
    for (const use of [() => make(0, 1), () => heap.collect(), () => heap.release()]) {
      const drops = (): boolean => {
        use();
        return false;
      };
      expect(() => heap.save([root.ref], { drops })).toThrow(refusal('busy'));
    }
    heap.collect();
    expect(heap.census()[0]!.count).toBe(10);
  });

  test('may change its mind, write into objects, and make the memory grow', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 25 });
    const heap = GenerationalHeap.create(memory, { limit: 2 ** 20, nurserySize: 2 ** 15 });
    const type = heap.define('node', { next: 'ref', key: 'i32' });
    const make = type.maker('next', 'key');
    const root = heap.handle(0);
    for (let i = 0; i < 10; i += 1) root.ref = make(root.ref, i);
    const stranger = heap.handle(make(0, 99));
    let calls = 0;
    const image = heap.save([root.ref, root.ref], {
      drops: (ref) => {
        calls += 1;
        memory.wasm.grow(1);
        if (calls === 5) type.fields.next.set(root.ref, stranger.ref);
        return ref !== root.ref && calls % 4 === 0;
      },
    });
    const { heap: other, roots } = GenerationalHeap.attach(WasmMemory.create({ reserve: 2 ** 24 }), image, { limit: 2 ** 23 });
    expect(roots[0]!.ref).toBe(roots[1]!.ref);
    expect(other.census()[0]!.count).toBe(3);
    other.verify();
  });
});
