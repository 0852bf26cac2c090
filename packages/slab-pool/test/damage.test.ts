import { range, unseenDamage } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { slabsOf } from '../src/layout.ts';
import { SlabPool } from '../src/index.ts';
import {
  ALLOCATED,
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_NEXT,
  CLASSES,
  CLASS_COUNT,
  CLASS_WORDS,
  CURRENT,
  FIRST_BATCH,
  FIRST_SPARE,
  FREE_DESCRIPTOR,
  FREE_OBJECT,
  INDEX,
  INDEX_LENGTH,
  LIVE,
  LIVE_BITS,
  NEXT_SLAB,
  NO_SLAB,
  OBJECT_SIZE,
  PAST_COUNT,
  PREVIOUS_SLAB,
  SLAB_CLASS,
  SLAB_COUNT,
  SLAB_LOG2,
  SLAB_START,
  SPARE_COUNT,
  descriptorWords,
} from '../src/layout.ts';
import { buffer } from './memories.ts';
import { refusal } from './refusal.ts';

const SLAB_SIZE = 4096;
const DESCRIPTOR_WORDS = descriptorWords(Math.log2(SLAB_SIZE));

interface Subject {
  readonly pool: SlabPool;
  readonly words: Int32Array;
  readonly state: number;
  readonly check: () => void;
}

/** A pool in use: full slabs, slabs with room, spare ones, descriptors without a slab, a class without any. */
function inUse(): Subject {
  const pool = SlabPool.create(buffer(), { slabSize: SLAB_SIZE });
  const objects = [16, 64, 256, 64].map((size) => range(0, 40).map(() => pool.allocate(size)));
  range(0, 300).forEach(() => pool.allocate(16));
  for (const object of range(0, 64).map(() => pool.allocate(256))) pool.deallocate(object);
  for (const list of objects.slice(1)) for (const object of list.filter((_, i) => i % 3 === 1)) pool.deallocate(object);
  pool.checkInvariants();
  const { spareCount, classes } = pool.stats();
  expect(spareCount).toBeGreaterThan(1);
  expect(classes.map(({ slabs }) => slabs)).toEqual([2, 0, 2, 0, 3]);
  return { pool, words: pool.memory.i32, state: pool.address / 4, check: () => pool.checkInvariants() };
}

/** The slabs of a pool by what they are. */
function slabs({ words, state }: Subject): { readonly withRoom: number[]; readonly full: number[]; readonly spare: number[]; readonly none: number[] } {
  const all = slabsOf(words, state);
  const classed = all.filter((slab) => words[slab + SLAB_CLASS] !== 0);
  const none: number[] = [];
  for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
    none.push(...range(0, words[batch + BATCH_COUNT]!).map((i) => batch + BATCH_HEADER_WORDS + i * DESCRIPTOR_WORDS));
  }
  const found = {
    withRoom: classed.filter((slab) => words[slab + NEXT_SLAB] !== 0),
    full: classed.filter((slab) => words[slab + NEXT_SLAB] === 0),
    spare: all.filter((slab) => words[slab + SLAB_CLASS] === 0),
    none: none.filter((slab) => !all.includes(slab)),
  };
  for (const list of Object.values(found)) expect(list.length).toBeGreaterThan(0);
  return found;
}

/** The free objects that are linked, each by its first word, which holds the link. */
function freeObjects(subject: Subject): number[] {
  const { words } = subject;
  const found: number[] = [];
  for (const slab of slabs(subject).withRoom) for (let object = words[slab + FREE_OBJECT]!; object !== 0; object = words[object]!) found.push(object);
  return found;
}

describe('damage is seen', () => {
  test('in every field of a descriptor, whatever its slab is', () => {
    const subject = inUse();
    const { words, check } = subject;
    const { withRoom, full, spare, none } = slabs(subject);
    const fields = (slab: number): number[] => range(slab, slab + DESCRIPTOR_WORDS);
    expect(unseenDamage(words, withRoom.flatMap(fields), check)).toEqual([]);
    // A full slab is in no ring: only that it has no next one counts.
    expect(unseenDamage(words, full.flatMap((slab) => fields(slab).filter((field) => field !== slab + PREVIOUS_SLAB)), check)).toEqual([]);
    const bits = range(LIVE_BITS, DESCRIPTOR_WORDS);
    const seen = [SLAB_START, SLAB_CLASS, NEXT_SLAB, LIVE, ...bits];
    expect(unseenDamage(words, spare.flatMap((slab) => seen.map((field) => slab + field)), check)).toEqual([]);
    expect(unseenDamage(words, none.flatMap((slab) => [slab + SLAB_START, slab + NEXT_SLAB]), check)).toEqual([]);
  });

  test('in any single live bit', () => {
    const subject = inUse();
    const { words, check } = subject;
    const { withRoom, full } = slabs(subject);
    const bits = range(0, 32).map((bit) => (word: number) => word ^ (1 << bit));
    const liveBits = [...withRoom, ...full].flatMap((slab) => range(slab + LIVE_BITS, slab + DESCRIPTOR_WORDS));
    expect(unseenDamage(words, liveBits, check, bits)).toEqual([]);
  });

  test('in the link of every free object: somebody wrote to it after the free', () => {
    const subject = inUse();
    const objects = freeObjects(subject);
    expect(objects.length).toBeGreaterThan(50);
    expect(unseenDamage(subject.words, objects.filter((_, i) => i % 5 === 0), subject.check)).toEqual([]);
    const { words, check } = subject;
    words[objects[0]!] = 0x6c6c6548;
    expect(check).toThrow(refusal('corrupt', /a free object was written to/));
  });

  test('in every entry of the index', () => {
    const { words, state, check } = inUse();
    const index = words[state + INDEX]!;
    const entries = range(index, index + Math.min(words[state + INDEX_LENGTH]!, words.length / (SLAB_SIZE / 4)));
    expect(entries.filter((entry) => words[entry] !== 0).length).toBeGreaterThan(5);
    expect(unseenDamage(words, entries, check)).toEqual([]);
  });

  test('in the fields of every class', () => {
    const { words, state, check } = inUse();
    const records = range(0, words[state + CLASS_COUNT]!).map((i) => state + CLASSES + i * CLASS_WORDS);
    expect(unseenDamage(words, records.map((record) => record + SLAB_COUNT), check)).toEqual([]);
    // Any member of the ring may be the current one.
    const currents = records.map((record) => record + CURRENT);
    expect(unseenDamage(words, currents, check, [(slab) => slab + 1, (slab) => slab - DESCRIPTOR_WORDS / 2, () => 0, () => -1])).toEqual([]);
    expect(unseenDamage(words, records.map((record) => record + ALLOCATED), check, [() => -1])).toEqual([]);
    // Fewer than are live. That of a class with none may be any count.
    expect(unseenDamage(words, [records[0]! + ALLOCATED, records[2]! + ALLOCATED], check, [() => 1])).toEqual([]);
    // Of a class without slabs, as long as the sizes do not ascend by whole granules.
    const sizes = records.map((record) => record + OBJECT_SIZE);
    expect(unseenDamage(words, sizes, check, [(size) => size + 1, (size) => size - 4, () => 0, () => -16, () => 2 * SLAB_SIZE])).toEqual([]);
    // What the class remembers of slabs that left is a count, and nothing contradicts a count but what is none.
    expect(unseenDamage(words, records.map((record) => record + PAST_COUNT), check, [(low) => low + 1, () => -1])).toEqual([]);
  });

  test('in the fields of the state', () => {
    const { words, state, check } = inUse();
    const fields = [SLAB_LOG2, CLASS_COUNT, INDEX, FIRST_BATCH, FREE_DESCRIPTOR, FIRST_SPARE, SPARE_COUNT].map((field) => state + field);
    expect(unseenDamage(words, [...range(state, state + 4), ...fields], check)).toEqual([]);
  });

  test('in the length of the index', () => {
    const { words, state, check } = inUse();
    expect(unseenDamage(words, [state + INDEX_LENGTH], check)).toEqual([]);
  });

  test('in the slab that does not exist', () => {
    const { words, state, check } = inUse();
    expect(unseenDamage(words, [state + NO_SLAB + FREE_OBJECT], check)).toEqual([]);
  });

  test('in the batches of descriptors', () => {
    const { words, state, check } = inUse();
    const batch = words[state + FIRST_BATCH]!;
    expect(unseenDamage(words, [batch + BATCH_NEXT, batch + BATCH_COUNT], check)).toEqual([]);
  });
});

test('a bad free is told whatever was written into the objects', () => {
  const pool = SlabPool.create(buffer(), { slabSize: SLAB_SIZE });
  const objects = range(0, 60).map(() => pool.allocate(64));
  for (const filling of [0, -1, objects[1]! / 4, pool.address / 4]) {
    for (const object of objects) pool.memory.i32.fill(filling, object / 4, object / 4 + 16);
    for (const object of objects) {
      for (const offset of [16, 32, 48]) expect(() => pool.deallocate(object + offset)).toThrow(refusal('invalid-address'));
      for (const offset of [1, 4, 8]) expect(() => pool.deallocate(object + offset)).toThrow(refusal('invalid-address'));
    }
    pool.checkInvariants();
  }
});
