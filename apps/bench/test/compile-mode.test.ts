import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environmentSeed } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { compile, readBytecode, type FunctionBytecode } from 'lox/compiler';
import { Machine } from 'lox/machine';
import { ArenaSpace, HybridSpace, RecordKind, type RecordSpace } from 'lox/records';
import { V1_PAGE_SIZE, V1Space } from 'lox/v1';
import { describe, expect, onTestFailed, test } from 'vitest';

import { checksumOf } from '../src/compile-mode/bytecode.ts';
import { allocatorClaims, mixClaims, programClaims } from '../src/compile-mode/claims.ts';
import type { CompileResult } from '../src/compile-mode/compile-measurement.ts';
import { CountingSpace } from '../src/compile-mode/kind-costs.ts';
import type { MixResult } from '../src/compile-mode/mix-measurement.ts';
import { MIX, MIX_BYTES, MIX_COUNT, mixSizes } from '../src/compile-mode/mix.ts';
import { compileToObjects } from '../src/compile-mode/object-compiler.ts';
import { ObjectSyntaxError } from '../src/compile-mode/object-scanner.ts';
import { generateProgram, PROGRAM_LINES_MAX } from '../src/compile-mode/program-generator.ts';
import { writtenPrograms } from '../src/compile-mode/programs.ts';
import type { CompileSubject } from '../src/compile-mode/subjects.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

function arena(): ArenaSpace {
  return ArenaSpace.create(WasmMemory.create({ reserve: 2 ** 26 }));
}

function bytecodeIn(space: RecordSpace, source: string): FunctionBytecode {
  const compilation = compile(new TextEncoder().encode(source), space);
  expect(compilation.errors).toBe('');
  return readBytecode(compilation)!;
}

describe('generated programs', () => {
  test.each([1, 23, 24, 100, 500, 1000, 10_000])('of %i lines have as many, and are the same for the same seed', (lineCount) => {
    const source = generateProgram(lineCount, 7);
    expect(source.split('\n')).toHaveLength(lineCount + 1);
    expect(generateProgram(lineCount, 7)).toBe(source);
  });

  test('differ from seed to seed', () => {
    expect(new Set([1, 2, 3, 4].map((seed) => generateProgram(100, seed))).size).toBe(4);
  });

  test('of no length, or of too many lines, are refused', () => {
    for (const lineCount of [0, 1.5, PROGRAM_LINES_MAX + 1, NaN]) expect(() => generateProgram(lineCount, 1)).toThrow(RangeError);
  });

  test('have something of everything', () => {
    const source = generateProgram(2000, 1);
    for (const feature of [
      /class \w+ \{/,
      /class \w+ < \w+/,
      /super\.init\(/,
      /return super\.\w+\(/,
      /this\.\w+ = /,
      /\bfor \(var/,
      /\bwhile \(/,
      /\} else \{/,
      / and /,
      / or /,
      /!\w/,
      /return \w+;/,
      /\/\/ \w/,
      /"[^"]+" \+/,
    ]) {
      expect(source).toMatch(feature);
    }
  });

  test('run without an error, and print', () => {
    for (const seed of [1, 2, 3]) {
      let printed = 0;
      const machine = Machine.create({
        limit: 2 ** 26,
        write: (bytes) => {
          printed += bytes.length;
        },
      });
      const compilation = compile(new TextEncoder().encode(generateProgram(1000, seed)), arena());
      machine.load(compilation);
      expect(machine.run()).toBeUndefined();
      expect(printed).toBeGreaterThan(1000);
    }
  });

  test('come to the same bytecode in every place, and from objects', { timeout: 60_000 }, () => {
    const first = environmentSeed() ?? 1000;
    const lasting = V1Space.create({ threshold: 2 ** 16 });
    const hybrid = HybridSpace.create();
    for (let seed = first; seed < first + 8; seed += 1) {
      onTestFailed(() => {
        console.error(`ALLOKIT_SEED=${seed}`);
      });
      const source = generateProgram(40 + (seed % 4) * 80, seed);
      const expected = bytecodeIn(arena(), source);
      expect(compileToObjects(source).script).toEqual(expected);
      expect(bytecodeIn(hybrid, source)).toEqual(expected);
      hybrid.reset();
      expect(bytecodeIn(lasting, source)).toEqual(expected);
      lasting.popRoots(1);
      expect(bytecodeIn(V1Space.create({ threshold: 4 * V1_PAGE_SIZE }), source)).toEqual(expected);
    }
    lasting.checkInvariants();
  });

  test('are within the limits of the language however long they are', { timeout: 60_000 }, () => {
    for (const [lineCount, seed] of [
      [PROGRAM_LINES_MAX, 1],
      [3000, 2],
    ] as const) {
      const source = generateProgram(lineCount, seed);
      expect(checksumOf(compileToObjects(source).script)).toBe(checksumOf(bytecodeIn(arena(), source)));
    }
  });
});

describe('the compiler of objects', () => {
  test('comes to the same bytecode for programs that people wrote', async () => {
    const programs = await writtenPrograms();
    expect(programs.length).toBeGreaterThan(3);
    for (const { source, name } of programs) expect(compileToObjects(source).script, name).toEqual(bytecodeIn(arena(), source));
  });

  test.each([
    '',
    '// nothing',
    'var a; var b = a; { var a = 1; { var c = a; fun f() { return c + a; } print f(); } }',
    'class A { init() { return; } m(x) { this.x = x; return this; } }',
    'class A {} class B < A { m(x) { super.m(x); var s = super.m; return s; } init() { super.init(); } } print B().m(1);',
    'for (;;) { print 1; } while (true) {} if (nil) print 1; else if (!true) print 2;',
    'var s = "two\nlines"; print s == "two" or s != nil and -1 <= 2 / 3 * 4 - (5 + 6); s = s = "x";',
    'fun a() { fun b() { fun c() { x = y; } return c; } var x; var y; return b; } a()()();',
    'a.b.c = d.e(f).g(h, i)(j);',
    '{ var a; fun f() { print a; } class C {} var g = C; }\n\n print\n 1\n +\n 2;',
  ])('comes to the same bytecode for %j', (source) => {
    expect(compileToObjects(source).script).toEqual(bytecodeIn(arena(), source));
  });

  test.each([
    'print 1',
    '1 = 2;',
    '(a) = 1;',
    'a + b = c;',
    'var 1;',
    '"open',
    '@',
    'return 1;',
    'print this;',
    'class A { m() { super.m(); } }',
    'class A < A {}',
    'class A { init() { return 1; } }',
    '{ var a; var a; }',
    '{ var a = a; }',
    'fun f(a, a) {}',
    'if true',
    'for (;;',
    '{',
    'fun',
    'class A { 1 }',
    'super.x;',
    'a.1;',
    `fun f() { ${'1;'.repeat(257)} }`,
    `{ ${Array.from({ length: 256 }, (_, i) => `var v${i};`).join('')} }`,
    `f(${'1,'.repeat(255)}1);`,
  ])('refuses %.60j, as the other one does', (source) => {
    expect(() => compileToObjects(source)).toThrow(ObjectSyntaxError);
    expect(compile(new TextEncoder().encode(source), arena()).errors).not.toBe('');
  });

  test('a checksum tells every difference', () => {
    const source = 'fun f(a) { return a + 1; } print f("x");';
    const { script } = compileToObjects(source);
    const sums = [
      script,
      { ...script, code: script.code.map((byte, i) => (i === 3 ? byte + 1 : byte)) },
      { ...script, lines: [1, 1] },
      { ...script, arity: 1 },
      { ...script, constants: [1, ...script.constants.slice(1)] },
    ];
    expect(new Set(sums.map(checksumOf)).size).toBe(sums.length);
    expect(checksumOf(bytecodeIn(arena(), source))).toBe(checksumOf(script));
    expect(checksumOf(compileToObjects(source.replace('"x"', '"y"')).script)).not.toBe(checksumOf(script));
    expect(checksumOf(compileToObjects(source.replace('+ 1', '+ 2')).script)).not.toBe(checksumOf(script));
  });
});

test('the mix is the documented one, in random order', () => {
  expect([MIX_COUNT, MIX_BYTES]).toEqual([100_000, 3_946_040]);
  const sizes = mixSizes(3);
  for (const [count, size] of MIX) expect(sizes.filter((one) => one === size)).toHaveLength(count);
  expect(mixSizes(3)).toEqual(sizes);
  expect(mixSizes(4)).not.toEqual(sizes);
  expect(new Set(sizes.subarray(0, 50)).size).toBeGreaterThan(3);
});

test('what records cost is counted by kind', () => {
  const space = new CountingSpace(arena());
  const token = space.allocate(RecordKind.Token, 20);
  space.free(RecordKind.Token, token, 20);
  space.allocate(RecordKind.Token, 16);
  space.free(RecordKind.Lines, space.allocate(RecordKind.Lines, 300), 300);
  expect(space.costs).toEqual([
    { name: 'token', count: 2, bytes: 36, v1Bytes: 72 + 24 + 72 + 16, arenaBytes: 24 + 16, poolBytes: 32 + 16, freedBytes: 32 },
    { name: 'lines', count: 1, bytes: 300, v1Bytes: 72 + 304, arenaBytes: 304, poolBytes: 304 + 8, freedBytes: 0 },
  ]);
});

describe('claims', () => {
  const result = (subject: CompileSubject, bytes: number, medianMs: number, lineCount = 1000): CompileResult => ({
    program: '',
    origin: 'generated',
    lineCount,
    sourceBytes: 1,
    subject,
    status: 'ok',
    medianMs,
    bestMs: medianMs,
    ratio: 1,
    collectionShare: 0,
    searchesPerRecord: 0,
    roundCount: 1,
    recordCount: 1,
    requestedBytes: 1,
    peakBytes: bytes,
    takenBytes: bytes,
    residentBytes: bytes,
    kinds: [],
  });
  const row = (bytes: number, ms: number): CompileResult[] => [
    ...(['v1', 'v1-fresh', 'v1-fresh-64'] as const).map((subject) => result(subject, 100, 100)),
    ...(['arena', 'arena-fresh'] as const).map((subject) => result(subject, 40, 50)),
    ...(['pool+arena', 'pool+arena-fresh'] as const).map((subject) => result(subject, bytes, ms)),
  ];

  test('are met at their limit, and not beyond', () => {
    expect(programClaims(row(40, 50)).every(({ isMet }) => isMet)).toBe(true);
    expect(
      programClaims(row(41, 51))
        .filter(({ isMet }) => !isMet)
        .map(({ text }) => text),
    ).toEqual([
      '1,000 lines, memory: pool+arena-fresh below v1-fresh',
      '1,000 lines, time: pool+arena below v1',
      '1,000 lines, time: pool+arena-fresh below v1-fresh',
      '1,000 lines, time: pool+arena-fresh below v1-fresh-64',
      '1,000 lines, bytes in records: pool+arena below arena',
      '1,000 lines, resident: pool+arena below arena',
    ]);
  });

  test('say nothing of what was not measured, or came out wrong', () => {
    expect(programClaims(row(1, 1).map((one) => ({ ...one, lineCount: 500 })))).toEqual([]);
    expect(programClaims(row(1, 1).slice(1))).toEqual([]);
    expect(programClaims(row(1, 1).map((one) => ({ ...one, status: 'failed' as const })))).toEqual([]);
    expect(mixClaims([])).toEqual([]);
    expect(allocatorClaims([])).toEqual([]);
  });

  test('of the mix compare with V1', () => {
    const mixed = (subject: MixResult['subject'], medianNs: number, objectBytes: number): MixResult => ({
      subject,
      status: 'ok',
      medianNs,
      bestNs: medianNs,
      objectBytes,
      heldBytes: objectBytes,
      roundCount: 1,
    });
    const claims = mixClaims([mixed('v1', 50, 100), mixed('arena-16', 5, 50), mixed('arena-8', 5, 45), mixed('arena', 5, 40)]);
    expect(claims.map(({ measured, isMet }) => [Math.round(measured), isMet])).toEqual([
      [10, true],
      [50, false],
      [55, true],
      [60, true],
    ]);
  });

  test('of allocators are operations a millisecond, and ratios', () => {
    const operation = { kind: 'allokit', status: 'ok', roundCount: 1, operationCount: 1, peakLive: 1 } as const;
    const claims = allocatorClaims([
      { ...operation, workload: 'pool', subject: 'slab-pool', medianNs: 10 },
      { ...operation, workload: 'pool', subject: 'native-malloc', medianNs: 9 },
      { ...operation, workload: 'reuse', subject: 'slab-pool', medianNs: 1e6 / 1111 },
      { ...operation, workload: 'hybrid', subject: 'hybridPool', medianNs: 1e6 / 849 },
    ]);
    expect(claims.map(({ measured, isMet }) => [Number(measured.toFixed(1)), isMet])).toEqual([
      [0.9, false],
      [1111, true],
      [849, false],
    ]);
  });
});

test('the command measures, and writes tables, CSV, JSON and plots', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-compile-'));
  try {
    const csv = join(folder, 'out.csv');
    const parameters = [
      'compile-mode',
      '--lines',
      '100',
      '--experiment',
      'programs',
      '--experiment',
      'mix',
      '--rounds',
      '1',
      '--warm',
      '1',
      '--json',
      '--csv',
      csv,
      '--svg',
      folder,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, ...parameters], { maxBuffer: 2 ** 24 });
    const report = JSON.parse(stdout) as { command: string; programs: CompileResult[]; mix: MixResult[]; claims: { text: string }[] };
    expect(report.command).toBe('compile-mode');
    expect(report.programs).toHaveLength(8);
    expect([...report.programs, ...report.mix].map(({ status }) => status)).toEqual(new Array(8 + 8).fill('ok'));
    for (const { medianMs, peakBytes, takenBytes } of report.programs) {
      expect(medianMs).toBeGreaterThan(0);
      expect(peakBytes).toBeGreaterThan(10_000);
      expect(takenBytes).toBeGreaterThan(10_000);
    }
    const mixed = Object.fromEntries(report.mix.map(({ subject, objectBytes }) => [subject, objectBytes]));
    expect(mixed).toMatchObject({ v1: 11_146_040, 'arena-16': 5_546_040, 'arena-8': 4_746_040, arena: 3_946_040 });
    expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(1 + 8 + 8);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['compile-mode-memory.svg', 'compile-mode-time.svg']));
    expect(await readFile(join(folder, 'compile-mode-time.svg'), 'utf8')).toMatch(/^<svg.*pool\+arena-fresh/s);
  } finally {
    await rm(folder, { recursive: true });
  }
});
