/** Whether `verify` sees damage: every kind of state is broken in turn. */

import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { GenerationalHeap } from '../src/index.ts';
import { refusal } from './refusal.ts';

function setUp() {
  const memory = BufferMemory.create({ reserve: 2 ** 22 });
  const heap = GenerationalHeap.create(memory, { limit: 2 ** 21, nurserySize: 2 ** 15, tenure: 2, threshold: 2 ** 30 });
  const type = heap.define('node', { next: 'ref', key: 'i32' });
  const make = type.maker('next', 'key');
  const array = heap.defineArray('array', 'ref');
  const old = heap.handle(make(0, 1));
  const dropped = heap.handle(make(0, 2));
  const third = heap.handle(make(0, 3));
  heap.collect('minor');
  heap.collect('minor');
  const pin = heap.pin(third.ref);
  const survivor = heap.handle(make(0, 4));
  heap.collect('minor');
  const young = heap.handle(make(0, 5));
  const large = heap.handle(array.allocate(5000));
  array.elements.set(large.ref, 4000, young.ref);
  dropped.release();
  heap.collect('full');
  const last = heap.handle(make(0, 6));
  heap.verify();
  const run = heap.cells().find(({ type: name, space }) => name === undefined && space === 'old')!.address;
  return { heap, run, words: memory.i32, bytes: memory.u8, state: heap.address >> 2, old, third, survivor, young: last, large, memory, type, pin };
}

type World = ReturnType<typeof setUp>;
const at = (ref: number): number => ref >> 2;

const DAMAGES: readonly (readonly [string, (world: World) => void])[] = [
  ['magic', ({ words, state }) => (words[state] = 1)],
  ['top below the eden', ({ words, state }) => (words[state + 4] = 8)],
  ['top misaligned', ({ words, state }) => (words[state + 4]! += 4)],
  ['top too far', ({ words, state }) => (words[state + 4]! += 64)],
  ['limit', ({ words, state }) => (words[state + 5]! += 2 ** 20)],
  ['top of the shadow stack', ({ words, state }) => (words[state + 6]! += 2 ** 20)],
  ['limit of the shadow stack', ({ words, state }) => (words[state + 7]! += 4)],
  ['type of a young object', ({ words, young }) => (words[at(young.ref) - 2]! |= 0x7000_0000)],
  ['size of a young object', ({ words, young }) => (words[at(young.ref) - 2]! += 8)],
  ['generation of a young object', ({ words, young }) => (words[at(young.ref) - 1]! |= 1)],
  ['forwarding bit', ({ words, young }) => (words[at(young.ref) - 1]! |= 1 << 9)],
  ['age', ({ words, young }) => (words[at(young.ref) - 1]! |= 3 << 12)],
  ['reference of a young object', ({ words, young }) => (words[at(young.ref)] = 4096)],
  ['reference into an object', ({ words, young, old }) => (words[at(young.ref)] = old.ref + 8)],
  ['type of an old object', ({ words, old }) => (words[at(old.ref) - 2]! |= 0x7000_0000)],
  ['size of an old object', ({ words, old }) => (words[at(old.ref) - 2]! += 64)],
  ['generation of an old object', ({ words, old }) => (words[at(old.ref) - 1] = 2)],
  ['mark of an old object', ({ words, old }) => (words[at(old.ref) - 2]! |= 0x8000_0000)],
  ['reference to a free cell', ({ words, old, run }) => (words[at(old.ref)] = run + 8)],
  ['old reference to a young object that is not remembered', ({ words, old, young }) => (words[at(old.ref)] = young.ref)],
  ['remembered bit', ({ words, large }) => (words[at(large.ref) - 1]! &= ~0x100)],
  ['remembered bit of an object that is not', ({ words, old }) => (words[at(old.ref) - 1]! |= 0x100)],
  ['pinned bit', ({ words, pin }) => (words[at(pin.address) - 1]! &= ~0x400)],
  ['clean card', ({ bytes, large }) => bytes.fill(0, large.ref - 16 - 40, large.ref - 16)],
  ['size of a large object', ({ words, large }) => (words[at(large.ref) - 4]! -= 4)],
  ['index of a large object', ({ words, large }) => (words[at(large.ref) - 3] = 1)],
  ['mark of a large object', ({ words, large }) => (words[at(large.ref) - 2]! |= 0x8000_0000)],
  ['free run, its size', ({ words, run }) => (words[at(run)] = 8)],
  ['free run, its mark', ({ words, run }) => (words[at(run) + 1] = 1)],
  ['free run, the next one', ({ words, run }) => (words[at(run) + 2] = 12)],
  ['free run, a ring', ({ words, run }) => (words[at(run) + 2] = run)],
  ['a handle', ({ third }) => (third.ref = 16)],
  ['a slot of the shadow stack', ({ heap }) => heap.stack.push(32)],
];

describe('damage is seen', () => {
  test.each(DAMAGES)('%s', (_name, damage) => {
    const world = setUp();
    damage(world);
    expect(() => world.heap.verify()).toThrow(expect.objectContaining({ name: 'AllocatorError' }) as Error);
  });
});

test('a weak reference to nothing', () => {
  const { heap } = setUp();
  heap.weak(64);
  expect(() => heap.verify()).toThrow(refusal('corrupt', /weak/));
});

test.each([0, -16, 8, 2 ** 30])('a free run of %i bytes makes no sweep and no compaction endless', (bytes) => {
  const { heap, words, run } = setUp();
  words[at(run)] = bytes;
  expect(() => heap.collect('compact')).toThrow(refusal('corrupt', /free run/));
  expect(() => heap.collect()).toThrow(refusal('corrupt', /damaged/));
  heap.release();
});

test('a collection of a damaged heap fails with an error, and nothing works afterwards', () => {
  const { heap, words, young, type } = setUp();
  words[at(young.ref) - 2] = words[at(young.ref) - 2]! | 0x00ff_ffff;
  expect(() => heap.collect('minor')).toThrow(refusal('corrupt', /no young object/));
  expect(() => heap.collect()).toThrow(refusal('corrupt', /damaged/));
  expect(() => type.allocate()).toThrow(refusal('corrupt'));
  heap.release();
});
