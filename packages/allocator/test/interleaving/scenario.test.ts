import { describe, expect, test } from 'vitest';
import { observed, scenario, serve } from '../../src/interleaving/index.ts';
import { Frontier } from '../../src/interleaving/frontier.ts';

describe('a scenario that cannot be is refused', () => {
  const threads = [() => undefined];

  test('for its memory', () => {
    expect(() => scenario({ memory: -1, threads })).toThrow(new RangeError('memory must be a whole number of bytes, got -1'));
    expect(() => scenario({ memory: 1.5, threads })).toThrow(RangeError);
    expect(() => scenario({ memory: '64' as unknown as number, threads })).toThrow(new TypeError('memory must be a number of bytes or a function, got 64'));
  });

  test('for its threads', () => {
    expect(() => scenario({ memory: 64, threads: [] })).toThrow(new RangeError('there must be 1..8 threads, got 0'));
    const many = Array.from({ length: 9 }, () => () => undefined);
    expect(() => scenario({ memory: 64, threads: many })).toThrow(new RangeError('there must be 1..8 threads, got 9'));
    expect(() => scenario({ memory: 64, threads: [7] as unknown as typeof threads })).toThrow(new TypeError('threads must be functions'));
    expect(() => scenario({ memory: 64, threads, mortal: [0, 1] })).toThrow(new RangeError('mortal must name threads in 0..0, got 1'));
  });

  test('and a module that serves one can be loaded by anybody', () => {
    expect(() => serve({ one: scenario({ memory: 64, threads }) })).not.toThrow();
  });
});

describe('what is observed behaves as it did', () => {
  test('typed arrays', () => {
    const words = new Int32Array([1, 2, 3, 4]);
    const seen = observed(words);
    expect(observed(words)).toBe(seen);
    expect(observed(seen)).toBe(seen);
    seen[1]! += 5;
    expect([seen[0], words[1], seen[9], seen.length, seen.byteLength, seen.BYTES_PER_ELEMENT]).toEqual([1, 7, undefined, 4, 16, 4]);
    expect([seen.buffer === words.buffer, seen.constructor, seen instanceof Int32Array]).toEqual([true, Int32Array, true]);
    expect([...seen]).toEqual([1, 7, 3, 4]);
    expect(seen.fill(9, 2)).toBe(seen);
    const part = seen.subarray(2);
    part.set(seen.subarray(0, 2));
    expect([...words]).toEqual([1, 7, 1, 7]);
    expect(observed(part)).toBe(part);
    // A copy is not the memory's.
    const copy = seen.slice();
    copy[0] = 100;
    expect([words[0], observed(copy) === copy]).toEqual([1, false]);
    const big = observed(new BigUint64Array(2));
    big[1] = 2n ** 63n;
    expect(big[1]).toBe(2n ** 63n);
    const halves = observed(new Float64Array(1));
    halves[0] = 0.5;
    expect(halves[0]).toBe(0.5);
  });

  test('objects that have them', () => {
    class Thing {
      readonly #secret = 7;
      i32 = new Int32Array(4);
      readonly buffer = this.i32.buffer;
      get self(): this {
        return this;
      }
      grow(): this {
        this.i32 = new Int32Array(8);
        return this;
      }
      tell(): number {
        return this.#secret;
      }
    }
    const thing = new Thing();
    const seen = observed(thing);
    seen.i32[2] = 5;
    expect([thing.i32[2], seen.i32, seen.self, seen.tell(), seen.buffer]).toEqual([5, observed(thing.i32), seen, 7, thing.buffer]);
    expect(seen.self).toBe(seen);
    expect(seen.grow()).toBe(seen);
    expect([seen.i32.length, seen.i32 === observed(thing.i32)]).toEqual([8, true]);
  });

  test('not what has methods only', () => {
    expect(() => observed(new DataView(new ArrayBuffer(8)))).toThrow(TypeError);
    expect(() => observed(7 as unknown as object)).toThrow(TypeError);
  });
});

test('a frontier that is full keeps a fair choice', () => {
  const frontier = new Frontier(100);
  for (let i = 0; i < 1000; i += 1) frontier.add({ departures: [i], hash: 0 });
  const taken: number[] = [];
  for (let candidate = frontier.take(); candidate !== undefined; candidate = frontier.take()) taken.push(candidate.departures[0]!);
  expect(taken).toHaveLength(100);
  expect(new Set(taken).size).toBe(100);
  // A tenth of each tenth, more or less.
  for (let tenth = 0; tenth < 10; tenth += 1) expect(taken.filter((i) => Math.floor(i / 100) === tenth).length).toBeGreaterThan(2);
});
