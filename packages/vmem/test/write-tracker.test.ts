/** Written pages are told exactly, whoever wrote; where the system cannot tell, there is no tracker. */

import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { NativeMemory } from '../src/native/index.ts';
import { preTouch, WasmMemory, WriteTracker, type PagedMemory } from '../src/index.ts';
import { refusal } from './refusal.ts';

const PAGE = 4096;
const probe = WriteTracker.start(WasmMemory.create({ reserve: 2 ** 20 }));
const isSupported = probe !== undefined;
probe?.stop();
const folder = mkdtempSync(join(tmpdir(), 'allokit-writes-'));
afterAll(() => rmSync(folder, { recursive: true }));

function pagesOf(tracker: WriteTracker, to?: number): number[] {
  const pages: number[] = [];
  tracker.take((from, end) => {
    for (let at = from; at < end; at += PAGE) pages.push(at / PAGE);
  }, to);
  return pages;
}

describe.runIf(isSupported)('written pages', () => {
  const kinds: Record<string, () => PagedMemory> = {
    'WebAssembly memory': () => WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 }),
    'shared WebAssembly memory': () => WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20, shared: true }),
    'native memory': () => NativeMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 }),
  };

  test.each(Object.keys(kinds))('%s: pages that were written, once', async (name) => {
    const memory = kinds[name]!();
    await preTouch(memory, { strategy: 'write' });
    using tracker = WriteTracker.start(memory)!;
    expect(pagesOf(tracker)).toEqual([]);
    memory.u8[20 * PAGE] = 1;
    memory.u8[21 * PAGE + PAGE - 1] = 1;
    memory.u8[200 * PAGE + 5] = 0;
    expect(memory.u8[100 * PAGE]).toBe(0);
    expect(pagesOf(tracker)).toEqual([20, 21, 200]);
    expect(pagesOf(tracker)).toEqual([]);
    memory.u8[21 * PAGE] = 2;
    expect(pagesOf(tracker, 21 * PAGE)).toEqual([]);
    expect(pagesOf(tracker)).toEqual([21]);
  });

  test('what the memory grows over later is watched, resident or not', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 });
    using tracker = WriteTracker.start(memory)!;
    pagesOf(tracker);
    expect(memory.commit(2 ** 21)).toBe(true);
    memory.u8[300 * PAGE] = 1;
    expect(pagesOf(tracker)).toContain(300);
    memory.u8[301 * PAGE] = 1;
    memory.u8[300 * PAGE] = 2;
    expect(pagesOf(tracker)).toEqual([300, 301]);
  });

  test('what is written to a run while it is told is not told again', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 24 });
    using tracker = WriteTracker.start(memory)!;
    for (const pages of [[50, 51, 52], [50, 2000, 4000], [51]]) {
      for (const page of pages) memory.u8[page * PAGE] = 1;
      expect(tracker.take((from, to) => memory.u8.fill(0, from, to))).toBe(pages.length * PAGE);
      expect(pagesOf(tracker)).toEqual([]);
    }
  });

  test('what the system writes counts too', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 });
    memory.u8.fill(1);
    using tracker = WriteTracker.start(memory)!;
    pagesOf(tracker);
    const file = join(folder, 'data');
    writeFileSync(file, new Uint8Array(3 * PAGE).fill(7));
    readSync(openSync(file, 'r'), memory.u8, 40 * PAGE, 3 * PAGE, 0);
    expect(memory.u8[42 * PAGE]).toBe(7);
    expect(pagesOf(tracker)).toEqual([40, 41, 42]);
  });

  test('more runs than one call of the system reports', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 26, commit: 2 ** 26 });
    using tracker = WriteTracker.start(memory)!;
    pagesOf(tracker);
    const expected = Array.from({ length: 6000 }, (_, i) => 100 + i * 2);
    for (const page of expected) memory.u8[page * PAGE] = 1;
    expect(pagesOf(tracker)).toEqual(expected);
  });

  test('one tracker at a time watches a memory', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 });
    const first = WriteTracker.start(memory)!;
    pagesOf(first);
    memory.u8[50 * PAGE] = 1;
    expect(() => WriteTracker.start(WasmMemory.attach(memory.wasm))).toThrow(refusal('busy'));
    expect(pagesOf(first)).toEqual([50]);
    first.stop();
    using second = WriteTracker.start(memory)!;
    pagesOf(second);
    memory.u8[51 * PAGE] = 1;
    expect(pagesOf(second)).toEqual([51]);
  });

  test('whoever is told may throw or stop the tracker, and not ask it again', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 });
    using tracker = WriteTracker.start(memory)!;
    pagesOf(tracker);
    memory.u8[50 * PAGE] = 1;
    expect(() => tracker.take(() => tracker.take(() => undefined))).toThrow(refusal('busy'));
    expect(() =>
      tracker.take(() => {
        throw new Error('enough');
      }),
    ).toThrow('enough');
    expect(tracker.take(() => tracker.stop())).toBe(PAGE);
    expect(() => tracker.take(() => undefined)).toThrow(refusal('released'));
  });

  test('an end that is none is refused', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 20 });
    using tracker = WriteTracker.start(memory)!;
    for (const to of [-1, 1.5, NaN, 2 ** 20 + 1]) expect(() => tracker.take(() => undefined, to)).toThrow(RangeError);
    expect(() => tracker.take(() => undefined, '5' as unknown as number)).toThrow(TypeError);
  });

  test('a stopped tracker can only throw', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 20 });
    const tracker = WriteTracker.start(memory)!;
    tracker.stop();
    tracker.stop();
    expect(() => tracker.take(() => undefined)).toThrow(refusal('released'));
    expect(() => WriteTracker.start(memory, -1)).toThrow(RangeError);
    memory.release();
    expect(() => WriteTracker.start(memory)).toThrow(refusal('released'));
  });
});
