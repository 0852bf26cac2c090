import { range, unseenDamage } from '@allokit/allocator/testing';
import { describe, expect, test } from 'vitest';
import { Arena } from '../src/index.ts';
import { buffer } from './memories.ts';

/** The state's fields, in words from its start; the first chunk's header follows. */
const STATE = { granuleLog2: 4, chunkSize: 5, current: 6, cursor: 7, limit: 8, capacity: 9, peak: 10, firstChunk: 12 };
/** A chunk's fields. */
const CHUNK = { next: 0, blockSize: 1, usedBefore: 2 };

interface Subject {
  readonly arena: Arena;
  readonly words: Int32Array;
  readonly state: number;
  readonly check: () => void;
}

/** An arena in the middle of its chunks: some used, one current, some left empty by a rewind. */
function inUse(): Subject {
  const arena = Arena.create(buffer(), { chunkSize: 4096 });
  arena.allocate(1000);
  for (const size of [4000, 20_000, 1000]) arena.allocate(size);
  const mark = arena.mark();
  for (const size of [4000, 4000, 4000]) arena.allocate(size);
  arena.rewind(mark);
  arena.allocate(100);
  return { arena, words: arena.memory.i32, state: arena.address / 4, check: () => arena.checkInvariants() };
}

/** The words at which chunks start. */
function chunks({ words, state }: Subject): number[] {
  const found: number[] = [];
  for (let chunk = state + STATE.firstChunk; chunk !== 0; chunk = words[chunk + CHUNK.next]! / 4) found.push(chunk);
  expect(found).toHaveLength(7);
  return found;
}

describe('damage is seen', () => {
  test('in the header and in every field of the state that others can contradict', () => {
    const { words, state, check } = inUse();
    const fields = [STATE.granuleLog2, STATE.current, STATE.limit, STATE.capacity].map((field) => state + field);
    expect(unseenDamage(words, [...range(state, state + 4), ...fields], check)).toEqual([]);
  });

  test('in the cursor, when it leaves its chunk', () => {
    const { words, state, check } = inUse();
    const limit = words[state + STATE.limit]!;
    expect(unseenDamage(words, [state + STATE.cursor], check, [() => limit + 1, () => limit - 4096 / 8, () => 0, () => -1])).toEqual([]);
  });

  test('in the peak and the chunk size, when they are impossible', () => {
    const { words, state, check } = inUse();
    expect(unseenDamage(words, [state + STATE.peak], check, [1, 2, 4].map((bit) => (word: number) => word ^ bit))).toEqual([]);
    expect(unseenDamage(words, [state + STATE.chunkSize], check, [() => 0, () => 255])).toEqual([]);
  });

  test('in the link and the size of every chunk', () => {
    const subject = inUse();
    const fields = chunks(subject).flatMap((chunk) => [chunk + CHUNK.next, chunk + CHUNK.blockSize]);
    expect(unseenDamage(subject.words, fields, subject.check)).toEqual([]);
  });

  test('in what is said to be used before a chunk, when more cannot be', () => {
    const subject = inUse();
    const used = chunks(subject).slice(0, 4).map((chunk) => chunk + CHUNK.usedBefore);
    expect(unseenDamage(subject.words, used, subject.check, [() => -1, (word) => word + 65_536, () => 0x7fff_fff8])).toEqual([]);
  });

  test('when the chunks form a ring', () => {
    const subject = inUse();
    const all = chunks(subject);
    const links = all.map((chunk) => chunk + CHUNK.next);
    expect(unseenDamage(subject.words, links, subject.check, all.map((other) => () => other * 4))).toEqual([]);
  });
});
