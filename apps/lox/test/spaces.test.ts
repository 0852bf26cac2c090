/** The compiler makes the same of a program wherever its records lie. */

import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { compile, OutOfRecords, SOURCE_SIZE_MAX } from '../src/compiler/index.ts';
import { FUNCTION_CODE, FUNCTION_CODE_SIZE, FUNCTION_CONSTANTS, FUNCTION_CONSTANT_COUNT, FUNCTION_LINES, FUNCTION_LINE_COUNT, FUNCTION_STACK_SIZE } from '../src/compiler/layout.ts';
import { ArenaSpace, HybridSpace, RECORD_KINDS, RecordKind, type RecordSpace } from '../src/records/index.ts';
import { CollectingSpace } from './collecting-space.ts';
import { PROGRAMS } from './programs.ts';
import { run } from './run.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The code of a program, those of its functions included, as one can compare it. */
function dump(space: RecordSpace, script: number): unknown {
  const { i32: words, u8: bytes } = space.memory;
  const field = (number: number): number => words[(script >>> 2) + number]!;
  const pairs = (start: number, count: number): number[] => Array.from(words.subarray(start >>> 2, (start >>> 2) + count * 2));
  const constants = pairs(field(FUNCTION_CONSTANTS), field(FUNCTION_CONSTANT_COUNT));
  return {
    code: Buffer.from(bytes.subarray(field(FUNCTION_CODE), field(FUNCTION_CODE) + field(FUNCTION_CODE_SIZE))).toString('hex'),
    lines: pairs(field(FUNCTION_LINES), field(FUNCTION_LINE_COUNT)),
    stackSize: field(FUNCTION_STACK_SIZE),
    tags: constants.filter((_, i) => i % 2 === 0),
    functions: constants.flatMap((tag, i) => (i % 2 === 0 && tag === 7 ? [dump(space, constants[i + 1]!)] : [])),
  };
}

describe.each(PROGRAMS)('$name', ({ source }) => {
  test('is the same in an arena, in a pool with an arena, and where everything is collected that can be', () => {
    const [hybrid, ...others] = [HybridSpace.create(), ArenaSpace.create(WasmMemory.create({ reserve: 2 ** 26 })), new CollectingSpace()].map((space) => {
      const { script, errors } = compile(encode(source), space);
      expect(errors).toBe('');
      return { space, code: dump(space, script) };
    });
    for (const { code } of others) expect(code).toEqual(hybrid!.code);
    const [arena, collecting] = others;
    // Everything is asked for in the same order, whatever comes back.
    expect(arena!.space.stats().kinds).toEqual(hybrid!.space.stats().kinds);
    expect((collecting!.space as CollectingSpace).deadCount).toBeGreaterThan(0);
    expect((collecting!.space as CollectingSpace).rootCount).toBe(1);
  });

  test('takes less where what is dead is used again', () => {
    const hybrid = HybridSpace.create();
    const arena = ArenaSpace.create(WasmMemory.create({ reserve: 2 ** 26 }));
    for (const space of [hybrid, arena]) compile(encode(source), space);
    expect(hybrid.stats().peakBytes).toBeLessThan(arena.stats().peakBytes);
  });
});

test('an error leaves no more roots than a program without one', () => {
  const sources = ['{ var a = 1; { fun f(x, y { return; } print 1 + ; } class A < B { m() { super.x( } }', 'class A < A { init() { return 1; } } for (var i = ; ; ) { if (1 print 2; }', 'f(1, 2, (3; var var'];
  for (const source of sources) {
    const space = new CollectingSpace();
    const { script, errors } = compile(encode(source), space);
    expect(script).toBe(0);
    expect(errors).toBe(run(source).errors);
    expect(space.rootCount).toBe(1);
  }
});

test('a reset frees everything', () => {
  const space = HybridSpace.create();
  const source = encode(PROGRAMS[0]!.source);
  compile(source, space);
  const { takenBytes, ...first } = space.stats();
  expect(first.requestedBytes).toBeGreaterThan(1000);
  space.reset();
  expect(space.stats()).toMatchObject({ count: 0, requestedBytes: 0, peakBytes: 0 });
  for (let i = 0; i < 50; i += 1) {
    space.reset();
    compile(source, space);
  }
  expect(space.stats()).toEqual({ ...first, takenBytes });
});

test('no memory is an error, and so is a source that is too long', () => {
  const space = ArenaSpace.create(WasmMemory.create({ reserve: 2 ** 22 }));
  expect(() => compile(encode('print 1;'.repeat(100_000)), space)).toThrow(OutOfRecords);
  expect(() => compile(new Uint8Array(SOURCE_SIZE_MAX + 1), space)).toThrow(RangeError);
  expect(run('print 1;'.repeat(10), { makeSpace: () => ({ ...stub(), allocate: () => 0 }) })).toEqual({ code: 70, output: '', errors: 'Out of memory.\n' });
});

function stub(): RecordSpace {
  const space = new CollectingSpace();
  return { memory: space.memory, allocate: () => 0, pushRoot: () => undefined, popRoots: () => undefined, stats: () => space.stats(), reset: () => undefined };
}

test('every kind of record has a descriptor', () => {
  expect(Object.values(RecordKind)).toEqual(RECORD_KINDS.map((_, i) => i));
});
