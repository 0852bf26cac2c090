/** Random calls with random arguments, most of them wrong: a checked heap refuses them, and is sound after each. Another seed is given by ALLOKIT_SEED. */

import { environmentSeed, Random } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';
import { GenerationalHeap, smallInteger, type Field, type Handle, type Local, type Pin, type Scope, type WeakReference } from '../src/index.ts';

/** Calls a heap in every way, and says how many of the calls were refused. */
function pester(heap: GenerationalHeap, foreign: readonly number[], random: Random, count: number): number {
  const node = heap.define('node', { n: 'ref', v: 'value', k: 'i32', f: 'f64', b: 'u8', h: 'u16' });
  const list = heap.defineArray('list', 'ref', { k: 'i32' });
  const bytes = heap.defineArray('bytes', 'u8');
  const makers = [node.maker('n', 'v', 'k'), node.maker('n', 'f', 'b', 'h', 'v'), (length: number) => list.allocate(length), (length: number) => bytes.allocate(length)];
  const fields: readonly Field[] = [...Object.values(node.fields), ...Object.values(list.fields)];
  const junk: readonly unknown[] = [0, -1, 1, 8, 16, 64, 4096, NaN, Infinity, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, undefined, null, 'x', {}, [], true, smallInteger(5), smallInteger(-5), -8, ...foreign];
  const refs: number[] = [0];
  const handles: Handle[] = [heap.handle(0)];
  const scopes: Scope[] = [heap.scope()];
  const locals: Local[] = [];
  const weak: WeakReference[] = [];
  const pins: Pin[] = [];
  const images: Uint8Array[] = [heap.save([])];
  /** A good reference, one that was good once, one that is beside one, or none at all. */
  const any = (): number => {
    const draw = random.below(10);
    if (draw < 6) return random.choice(refs);
    if (draw < 8) return random.choice(refs) + random.choice([-8, 8, 4, 16]);
    return random.choice(junk) as number;
  };
  const keep = (ref: number): void => {
    refs.push(ref);
    if (refs.length > 12) refs.shift();
  };
  const index = (): number => (random.chance(1, 6) ? any() : random.below(40));
  const calls: readonly (() => void)[] = [
    () => keep(random.choice(makers)(random.chance(1, 3) ? any() : random.below(random.chance(1, 4) ? 12_000 : 30), any(), any(), any(), any())),
    () => keep(random.choice(makers)(random.below(30), 0, 0, 0, 0)),
    () => random.choice(fields).get(any()),
    () => random.choice(fields).set(any(), any()),
    () => list.elements.get(any(), index()),
    () => list.elements.set(any(), index(), any()),
    () => bytes.elements.set(any(), index(), any()),
    () => bytes.bytes(any()),
    () => handles.push(heap.handle(any())),
    () => (random.choice(handles).ref = any()),
    () => keep(random.choice(handles).ref),
    () => handles[random.below(handles.length)]!.release(),
    () => scopes.push(heap.scope()),
    () => locals.push(random.choice(scopes).handle(any())),
    () => (random.choice(locals).ref = any()),
    () => keep(random.choice(scopes).end(random.choice([...locals, ...handles]))),
    () => heap.stack.push(any()),
    () => keep(heap.stack.pop()),
    () => heap.stack.set(index(), any()),
    () => heap.stack.truncate(index()),
    () => weak.push(heap.weak(any())),
    () => keep(random.choice(weak).ref),
    () => pins.push(heap.pin(any())),
    () => random.choice(pins).release(),
    () => heap.finalize(any(), (ref) => {
      if (random.chance(1, 3)) handles.push(heap.handle(ref));
      if (random.chance(1, 9)) node.allocate();
    }),
    () => heap.runFinalizers(),
    () => heap.collect(random.chance(1, 5) ? (any() as never) : random.choice(['minor', 'minor', 'full', 'compact'])),
    () => heap.startMarking(),
    () => heap.step(random.chance(1, 3) ? any() : -1),
    () => heap.typeOf(any()),
    () => images.push(heap.save([any()], { drops: () => random.chance(1, 5) })),
    () => {
      const image = random.choice(images).slice();
      if (random.chance(1, 2)) image[random.below(image.length)]! ^= 1 << random.below(8);
      handles.push(...heap.load(image));
    },
  ];
  let refused = 0;
  for (let i = 0; i < count; i += 1) {
    try {
      random.choice(calls)();
    } catch (error) {
      refused += 1;
      expect(['AllocatorError', 'RangeError', 'TypeError', 'AggregateError']).toContain((error as Error).name);
    }
    if (i % 10 === 0) heap.verify();
    if (handles.length > 60) for (const handle of handles.splice(1, 40)) handle.release();
  }
  return refused;
}

const seed = environmentSeed();

test.each(seed === undefined ? [1, 2, 3, 4, 5, 6, 7, 8] : [seed])('seed %i', (given) => {
  const random = Random.fromSeed(given);
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const other = GenerationalHeap.create(memory, { limit: 2 ** 18, nurserySize: 2 ** 14, tenure: 1 });
  const strangers = other.defineArray('node', 'ref');
  const foreign = [1, 5000].map((length) => other.handle(strangers.allocate(length)));
  other.collect('minor');
  const heap = GenerationalHeap.create(memory, { limit: 2 ** 20, nurserySize: 2 ** 14, threshold: 2 ** 16, blockSize: 8192, stackSize: 256, checked: true, tenure: random.between(1, 4), compaction: random.chance(1, 2) });
  const refused = pester(heap, foreign.flatMap(({ ref }) => [ref, ref + 8]), random, 1500);
  expect(refused).toBeGreaterThan(100);
  heap.collect('full');
  heap.verify();
  other.collect('compact');
  other.verify();
  heap.release();
  other.release();
  expect(memory.stats().liveBytes).toBe(0);
});
