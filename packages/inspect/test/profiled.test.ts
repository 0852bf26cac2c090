import { NULL, Retained, Tracked, compile, type Allocator } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import pprof from 'pprof/proto/profile.js';
import { describe, expect, test } from 'vitest';
import { Profiled, heapProfileOf, leakReport, leakSites, parseStack, pprofOf, type HeapProfileNode } from '../src/index.ts';
import { buffer, tlsf } from './memories.ts';

/** Hands out a new address for whatever size. */
function endless(): Allocator {
  const heap = tlsf();
  let address = 0;
  const allocate = (): number => (address += 16);
  return new Proxy<Allocator>(heap, { get: (_, key) => (key === 'allocate' ? allocate : (Reflect.get(heap, key) as unknown)) });
}

/** Numbers in 0..1 from a seed. */
function seeded(seed: number): () => number {
  const random = Random.fromSeed(seed);
  return () => random.below(2 ** 30) / 2 ** 30;
}

/** The line that the caller of this stands in. */
function lineHere(): number {
  return parseStack(new Error().stack!.split('\n').slice(2, 3).join('\n'))[0]!.line;
}

describe('every block', () => {
  test('is known by where it came from', () => {
    const heap = Profiled.create(tlsf());
    const first = (): number => heap.allocate(100);
    const second = (): number => heap.reallocate(NULL, 0, 200);
    const lines = [lineHere() - 2, lineHere() - 1];
    const blocks = [first(), first(), second()];
    heap.deallocate(blocks[0]!);
    const sites = heap.sites();
    const figures = sites.map(({ stack, ...rest }) => ({ line: parseStack(stack)[0]!.line, functionName: parseStack(stack)[0]!.functionName, ...rest }));
    // Both calls of `first` stand in one line, at two columns: so they are two sites.
    expect(figures).toEqual([
      { line: lines[1], functionName: 'second', liveCount: 1, liveBytes: 200, totalCount: 1, totalBytes: 200 },
      { line: lines[0], functionName: 'first', liveCount: 1, liveBytes: 100, totalCount: 1, totalBytes: 100 },
      { line: lines[0], functionName: 'first', liveCount: 0, liveBytes: 0, totalCount: 1, totalBytes: 100 },
    ]);
    expect(parseStack(sites[0]!.stack)[0]!.file).toBe(import.meta.url);
    expect(heap.leaks().map(({ address, size }) => [address, size])).toEqual([[blocks[1], 100], [blocks[2], 200]]);
  });

  test('is followed when it is resized, moved, reset', () => {
    const heap = Profiled.create(tlsf());
    const a = heap.allocate(100);
    heap.resize(a, 100, 60);
    expect(heap.sites()[0]).toMatchObject({ liveCount: 1, liveBytes: 60 });
    heap.allocate(1);
    const b = heap.reallocate(a, 60, 5000);
    expect(heap.leaks().map(({ size }) => size)).toEqual([1, 5000]);
    expect(heap.reallocate(b, 5000, 2 ** 24)).toBe(NULL);
    expect(heap.leaks().map(({ size }) => size)).toEqual([1, 5000]);
    heap.reset();
    expect(heap.leaks()).toEqual([]);
    expect(heap.sites().reduce((sum, { totalBytes }) => sum + totalBytes, 0)).toBe(60 + 1 + 5000);
    const c = heap.allocate(10);
    heap.reallocate(c, 10, 0);
    heap.release();
    expect(heap.leaks()).toEqual([]);
  });

  test('is forgotten when it is freed, where no totals are wanted', () => {
    const heap = Profiled.create(tlsf(), { totals: false });
    const blocks = Array.from({ length: 10 }, () => heap.allocate(100));
    for (const block of blocks.slice(1)) heap.deallocate(block);
    expect(heap.sites()).toMatchObject([{ liveCount: 1, liveBytes: 100, totalCount: 1, totalBytes: 100 }]);
    heap.deallocate(blocks[0]!);
    expect(heap.sites()).toEqual([]);
  });

  test('compiled functions are no part of a stack', () => {
    const heap = Profiled.create(tlsf());
    const compiled = compile(heap);
    const allocate = (): number => compiled.allocate(100);
    for (let i = 0; i < 10; i += 1) allocate();
    expect(heap.sites().map(({ stack, liveCount }) => [parseStack(stack)[0]!.functionName, liveCount])).toEqual([['allocate', 10]]);
    expect(parseStack(heap.sites()[0]!.stack)[0]!.file).toBe(import.meta.url);
  });
});

test('a block that is handed out again was freed, even if by somebody else', () => {
  const arena = Arena.create(buffer(), { chunkSize: 4096 });
  const heap = Profiled.create(Retained.create(arena));
  const mark = arena.mark();
  const block = heap.allocate(32);
  arena.rewind(mark);
  expect(heap.allocate(48)).toBe(block);
  expect(heap.leaks().map(({ size }) => size)).toEqual([48]);
  expect(heap.sites().reduce((sum, { totalBytes }) => sum + totalBytes, 0)).toBe(80);
});

describe('a sample', () => {
  test('is as far away as it was drawn, beyond what a word holds as well', () => {
    const gibibyte = 2 ** 30;
    const heap = Profiled.create(endless(), { interval: gibibyte, random: () => 1 - Math.exp(-4.5) });
    const counts = Array.from({ length: 10 }, () => {
      heap.allocate(gibibyte / 4);
      return heap.leaks().length;
    });
    // The first lies 4.5 GiB away: beyond 18 blocks.
    expect(counts).toEqual(new Array(10).fill(0));
    for (let i = 10; i < 17; i += 1) heap.allocate(gibibyte / 4);
    expect(heap.leaks()).toHaveLength(0);
    heap.allocate(gibibyte / 2);
    expect(heap.leaks()).toHaveLength(1);
  });

  test.each([{ compiled: false }, { compiled: true }])('stands for all blocks, compiled: $compiled', ({ compiled }) => {
    const size = 2 ** 20;
    const profiled = Profiled.create(tlsf(size), { interval: 2000, depth: 2, random: seeded(1) });
    const heap = compiled ? compile(profiled) : profiled;
    const small = (): number => heap.allocate(24);
    const medium = (): number => heap.allocate(300);
    const large = (): number => heap.allocate(5000);
    const plan = [{ make: small, size: 24, count: 8000 }, { make: medium, size: 300, count: 1000 }, { make: large, size: 5000, count: 80 }];
    const blocks = plan.map(({ make, count }) => Array.from({ length: count }, make));
    // Half of each goes again.
    for (const all of blocks) for (const address of all.filter((_, i) => i % 2 === 0)) heap.deallocate(address);
    const sites = profiled.sites();
    for (const { make, size, count } of plan) {
      const named = sites.filter(({ stack }) => parseStack(stack)[0]!.functionName === make.name);
      const sum = (field: 'liveCount' | 'liveBytes' | 'totalCount' | 'totalBytes'): number => named.reduce((all, site) => all + site[field], 0);
      const close = (actual: number, expected: number): void => {
        expect(Math.abs(actual / expected - 1), `${make.name}: ${actual} for ${expected}`).toBeLessThan(0.35);
      };
      close(sum('liveBytes'), (size * count) / 2);
      close(sum('liveCount'), count / 2);
      close(sum('totalBytes'), size * count);
      close(sum('totalCount'), count);
    }
    for (const all of blocks) for (const address of all.filter((_, i) => i % 2 === 1)) heap.deallocate(address);
    expect(profiled.leaks()).toEqual([]);
    expect(profiled.sites().every(({ liveBytes, liveCount }) => liveBytes === 0 && liveCount === 0)).toBe(true);
  });

  test('of far more freed blocks than are kept stays right', () => {
    const heap = Profiled.create(tlsf(), { interval: 16, depth: 1, random: seeded(2) });
    const count = 60_000;
    for (let i = 0; i < count; i += 1) heap.deallocate(heap.allocate(16));
    const total = heap.sites().reduce((sum, { totalBytes }) => sum + totalBytes, 0);
    expect(Math.abs(total / (count * 16) - 1)).toBeLessThan(0.1);
  });

  test('is taken more seldom where it takes too long, and stands for more', () => {
    const count = 20_000;
    const totalOf = (timeShareMax: number): { readonly bytes: number; readonly samples: number } => {
      const heap = Profiled.create(tlsf(2 ** 20), { interval: 100, depth: 1, random: seeded(3), timeShareMax });
      for (let i = 0; i < count; i += 1) heap.allocate(16);
      return { bytes: heap.sites().reduce((sum, { totalBytes }) => sum + totalBytes, 0), samples: heap.leaks().length };
    };
    const [all, few] = [totalOf(1e9), totalOf(0.01)];
    expect(few.samples).toBeLessThan(all.samples / 2);
    for (const { bytes, samples } of [all, few]) expect(Math.abs(bytes / (16 * count) - 1)).toBeLessThan(5 / Math.sqrt(samples));
  });

  test('options out of range are refused', () => {
    for (const options of [{ interval: -1 }, { interval: 2 ** 31 }, { depth: 0 }, { depth: 1.5 }, { timeShareMax: 0 }]) expect(() => Profiled.create(tlsf(), options)).toThrow(RangeError);
    expect(() => Profiled.create(tlsf(), { random: 1 as unknown as () => number })).toThrow(TypeError);
  });
});

/** Two functions that call one another, and leave blocks behind. */
function leave(heap: Profiled | Tracked): void {
  const inner = (size: number): number => heap.allocate(size);
  const outer = (): void => {
    for (let i = 1; i <= 5; i += 1) inner(i * 100);
  };
  outer();
  heap.deallocate(inner(1000));
}

describe('a pprof file', () => {
  test('sums up to the live bytes, in another reader', () => {
    const heap = Profiled.create(Tracked.create(tlsf()));
    leave(heap);
    const live = heap.parent.stats().requestedBytes;
    expect(live).toBe(1500);
    const profile = pprof.perftools.profiles.Profile.decode(pprofOf(heap.sites(), { timeMs: 1000 }));
    const text = (index: unknown): string => profile.stringTable[Number(index)]!;
    expect(profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`)).toEqual(['alloc_objects/count', 'alloc_space/bytes', 'inuse_objects/count', 'inuse_space/bytes']);
    const sum = (value: number): number => profile.sample.reduce((all, sample) => all + Number(sample.value![value]), 0);
    expect([0, 1, 2, 3].map(sum)).toEqual([6, 2500, 5, live]);
    expect(text(profile.defaultSampleType)).toBe('inuse_space');
    expect(Number(profile.timeNanos)).toBe(1e9);
    const functionOf = (location: unknown): string => {
      const { line } = profile.location.find(({ id }) => Number(id) === Number(location))!;
      const { name, filename } = profile.function.find(({ id }) => Number(id) === Number(line![0]!.functionId))!;
      return `${text(name)} ${text(filename).split('/').at(-1)!}:${Number(line![0]!.line) > 0}`;
    };
    const largest = profile.sample.find(({ value }) => Number(value![3]) === live)!;
    expect(largest.locationId!.slice(0, 3).map(functionOf)).toEqual(['inner profiled.test.ts:true', 'outer profiled.test.ts:true', 'leave profiled.test.ts:true']);
  });

  test('without stacks has one place', () => {
    const heap = Tracked.create(tlsf(), { sites: true });
    leave(heap);
    const [site] = heap.sites();
    const profile = pprof.perftools.profiles.Profile.decode(pprofOf([{ ...site!, stack: '' }]));
    expect(profile.stringTable).toContain('(unknown)');
  });
});

test('a Chrome heap profile sums up to the live bytes', () => {
  const heap = Tracked.create(tlsf(), { sites: true });
  leave(heap);
  const { head, samples } = heapProfileOf(heap.sites());
  const nodes = new Map<number, HeapProfileNode>();
  const collect = (node: HeapProfileNode): number => {
    expect(nodes.has(node.id)).toBe(false);
    nodes.set(node.id, node);
    return node.children.reduce((sum, child) => sum + collect(child), node.selfSize);
  };
  expect(collect(head)).toBe(heap.stats().requestedBytes);
  expect(samples.reduce((sum, { size }) => sum + size, 0)).toBe(heap.stats().requestedBytes);
  for (const { nodeId, size } of samples) expect(nodes.get(nodeId)!.selfSize).toBeGreaterThanOrEqual(size);
  const inner = [...nodes.values()].find(({ selfSize }) => selfSize > 0)!.callFrame;
  expect(inner).toMatchObject({ functionName: 'inner', url: import.meta.url, scriptId: '0' });
  // Lines count from 0 there.
  expect(inner.lineNumber).toBe(parseStack(heap.leaks()[0]!.stack)[0]!.line - 1);
});

test('a Chrome heap profile has a call once, where it has no line as well', () => {
  const figures = { liveCount: 1, liveBytes: 10, totalCount: 1, totalBytes: 10 };
  const stackOf = (line: number): string => `at f (a.js:${line}:1)\nat Array.map (<anonymous>)\nat g (a.js:9:9)`;
  const { head } = heapProfileOf([1, 2, 2].map((line) => ({ stack: stackOf(line), ...figures })));
  const names = ({ callFrame, selfSize, children }: HeapProfileNode): unknown => [callFrame.functionName, selfSize, ...children.map(names)];
  expect(names(head)).toEqual(['(root)', 0, ['g', 0, ['Array.map', 0, ['f', 10], ['f', 20]]]]);
});

test('a pprof file has paths, and what is no URL as it is', () => {
  const figures = { liveCount: 1, liveBytes: 10, totalCount: 1, totalBytes: 10 };
  const stack = ['at f (file:///a%20b/c.ts:1:1)', 'at g (file:///%zz.ts:1:1)', 'at h (file://[/x.ts:1:1)'].join('\n');
  const { stringTable } = pprof.perftools.profiles.Profile.decode(pprofOf([{ stack, ...figures }]));
  expect(stringTable).toEqual(expect.arrayContaining(['/a b/c.ts', 'file:///%zz.ts', 'file://[/x.ts']));
});

describe('a leak report', () => {
  test('sums up by place', () => {
    const leaks = [
      { address: 16, size: 100, stack: 'at a (f.ts:1:2)\nat b (f.ts:3:4)' },
      { address: 32, size: 50, stack: '' },
      { address: 48, size: 3000, stack: 'at a (f.ts:1:2)\nat b (f.ts:3:4)' },
    ];
    expect(leakReport(leakSites(leaks), { name: 'textures' }).split('\n')).toEqual([
      'textures: 3 blocks of 3,150 B still live, from 2 places',
      '',
      '3,100 B in 2 blocks, allocated',
      '  at a (f.ts:1:2)',
      '  at b (f.ts:3:4)',
      '',
      '50 B in 1 block, allocated',
      '  at an unknown place',
    ]);
    expect(leakReport(leakSites(leaks), { siteCountMax: 1 }).split('\n').at(-1)).toBe('and 1 more place');
    expect(leakReport([])).toBe('heap: no leaks');
  });
});

test('stacks of all engines are read', () => {
  const frames = parseStack([
    'at make (file:///a/b.ts:12:5)', 'at file:///a/b.ts:20:1', 'at async Loader.run (/a/c.js:7:3)', 'at new Thing (https://x.org/t.js?v=1:1:2)',
    'at run (/My App (2)/c.js:1:2)', 'at eval (eval at run (file:///a.js:5:6), <anonymous>:1:3)', 'at T.get [as size] (/a.js:1:1)',
    'make@https://x.org/a.js:3:9', '@https://x.org/a.js:4:1', 'at Array.map (<anonymous>)', 'whatever',
  ].join('\n'));
  expect(frames).toEqual([
    { functionName: 'make', file: 'file:///a/b.ts', line: 12, column: 5 },
    { functionName: '(anonymous)', file: 'file:///a/b.ts', line: 20, column: 1 },
    { functionName: 'Loader.run', file: '/a/c.js', line: 7, column: 3 },
    { functionName: 'Thing', file: 'https://x.org/t.js?v=1', line: 1, column: 2 },
    { functionName: 'run', file: '/My App (2)/c.js', line: 1, column: 2 },
    { functionName: 'eval', file: 'eval at run (file:///a.js:5:6), <anonymous>', line: 1, column: 3 },
    { functionName: 'T.get [as size]', file: '/a.js', line: 1, column: 1 },
    { functionName: 'make', file: 'https://x.org/a.js', line: 3, column: 9 },
    { functionName: '(anonymous)', file: 'https://x.org/a.js', line: 4, column: 1 },
    { functionName: 'Array.map', file: '<anonymous>', line: 0, column: 0 },
    { functionName: 'whatever', file: '', line: 0, column: 0 },
  ]);
});
