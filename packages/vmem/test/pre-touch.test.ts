import { resolveObjectURL } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test, vi } from 'vitest';
import { BufferMemory, preTouch, unlock, WasmMemory, type PreTouchOptions, type PreTouchProgress, type PreTouchStrategy } from '../src/index.ts';
import { preTouchOn } from '../src/pre-touch.ts';
import { NativeMemory } from '../src/native/index.ts';
import { pagesAround, residentBytes } from '../src/residency.ts';
import type { MemoryLimit, OperatingSystem } from '../src/operating-system.ts';
import { refusal } from './refusal.ts';
import { ALL_MEMORIES, DATA, isFilledWith, os, partlyWritten, untouched } from './touched-memory.ts';

const MIB = 2 ** 20;

/** A way to touch: a strategy, with the system or without it. */
interface Way {
  readonly name: string;
  readonly on: OperatingSystem | undefined;
  readonly options: PreTouchOptions;
  readonly sharedOnly?: boolean;
}

const WAYS: readonly Way[] = [
  ...(['write', 'pattern'] as const).map((strategy) => ({ name: `"${strategy}" without the system`, on: undefined, options: { strategy } })),
  { name: '"parallel" without the system', on: undefined, options: { strategy: 'parallel', threads: 2 }, sharedOnly: true },
  ...(os?.populate === undefined
    ? []
    : (['write', 'pattern', 'populate', 'parallel'] as const).map((strategy) => ({ name: `"${strategy}" with the system`, on: os, options: { strategy, threads: 2 } }))),
];

function waysOf(shared: boolean, name: string): readonly Way[] {
  // Native memory is shared by its address, which does nothing for workers without the system; a file must not get data of a pre-touch's own.
  const isNative = name === 'native memory' || name === 'memory in a file';
  return WAYS.filter(({ sharedOnly = false, options }) => (!sharedOnly || (shared && !isNative)) && (options.strategy !== 'pattern' || name !== 'memory in a file'));
}

describe.each(ALL_MEMORIES)('$name', (kind) => {
  describe.each(waysOf(kind.shared, kind.name))('$name', ({ on, options }) => {
    test('makes everything resident and changes nothing', async () => {
      const { memory, isUnchanged } = partlyWritten(kind, 10 * MIB);
      const report = await preTouchOn(on, memory, options);
      expect(report).toEqual({
        strategy: options.strategy,
        bytes: 10 * MIB,
        pageSize: on?.pageSize ?? 4096,
        residentBefore: on && (expect.any(Number) as number),
        residentAfter: on && 10 * MIB,
        verified: on !== undefined,
        milliseconds: expect.any(Number) as number,
      });
      if (os !== undefined) expect(residentBytes(os, memory, 0, 10 * MIB)).toBe(10 * MIB);
      expect(isUnchanged()).toBe(true);
      memory.checkInvariants();
    });

    test('touches the pages that the range overlaps, and no others', async () => {
      const page = os?.pageSize ?? 4096;
      const size = 2 * MIB;
      const ranges = [[MIB + 100, MIB + 101], [MIB, MIB + page], [MIB + page - 1, MIB + 4 * page + 1], [MIB + 8, MIB + 3 * page - 8], [size - 1, size]] as const;
      for (const [from, to] of ranges) {
        const memory = untouched(kind, size);
        const pages = os && pagesAround(os, memory, from, to);
        const first = os && Number(pages!.address - os.addressOf(memory.buffer));
        // The last page of a buffer may reach behind it.
        const end = os && Math.min(first! + pages!.size, size);
        const residentElsewhere = os && residentBytes(os, memory, 0, size) - residentBytes(os, memory, first!, end!);
        const report = await preTouchOn(on, memory, { ...options, from, to });
        expect(report.bytes).toBe(to - from);
        if (os === undefined) continue;
        expect(residentBytes(os, memory, first!, end!)).toBe(end! - first!);
        expect(residentBytes(os, memory, 0, size)).toBe(residentElsewhere! + end! - first!);
      }
    });

    test('tells how far it is', async () => {
      const memory = kind.create({ reserve: 40 * MIB, commit: 40 * MIB });
      const steps: PreTouchProgress[] = [];
      await preTouchOn(on, memory, { ...options, from: 12_345, onProgress: (progress) => steps.push(progress) });
      expect(steps.at(-1)).toEqual({ touchedBytes: 40 * MIB - 12_345, totalBytes: 40 * MIB - 12_345 });
      expect(steps.every(({ touchedBytes }, i) => touchedBytes > (steps[i - 1]?.touchedBytes ?? 0))).toBe(true);
      if (options.strategy !== 'populate' && on === undefined) expect(steps.length).toBeGreaterThan(2);
    });

    test('has nothing to do for an empty range', async () => {
      const memory = kind.create({ reserve: MIB });
      const steps: PreTouchProgress[] = [];
      const report = await preTouchOn(on, memory, { ...options, from: 100, to: 100, onProgress: (progress) => steps.push(progress) });
      expect(steps).toEqual([{ touchedBytes: 0, totalBytes: 0 }]);
      expect(report.bytes).toBe(0);
    });

    test('ends when cancelled, with contents as they were', async () => {
      // More than two lanes take at once.
      const size = options.strategy === 'populate' || (options.strategy === 'parallel' && on !== undefined) ? 160 * MIB : 48 * MIB;
      const { memory, isUnchanged } = partlyWritten(kind, size);
      const reason = new Error('enough');
      const controller = new AbortController();
      const touched: number[] = [];
      const onProgress = ({ touchedBytes }: PreTouchProgress): void => {
        touched.push(touchedBytes);
        controller.abort(reason);
      };
      await expect(preTouchOn(on, memory, { ...options, onProgress, signal: controller.signal })).rejects.toBe(reason);
      expect(touched.at(-1)).toBeLessThan(size);
      const settled = touched.length;
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(touched.length).toBe(settled);
      expect(isUnchanged()).toBe(true);
    });

    test('does not begin when cancelled before', async () => {
      const memory = untouched(kind, 8 * MIB);
      await expect(preTouchOn(on, memory, { ...options, signal: AbortSignal.abort('no') })).rejects.toBe('no');
      if (os !== undefined) expect(residentBytes(os, memory, MIB, 7 * MIB)).toBe(0);
    });

    test('ends with what onProgress throws', async () => {
      const memory = kind.create({ reserve: 8 * MIB, commit: 8 * MIB });
      const thrown = new Error('from the callback');
      const onProgress = (): void => {
        throw thrown;
      };
      await expect(preTouchOn(on, memory, { ...options, onProgress })).rejects.toBe(thrown);
    });

    test('fails when the memory is released meanwhile', async () => {
      const memory = kind.create({ reserve: 12 * MIB, commit: 12 * MIB });
      await expect(preTouchOn(on, memory, { ...options, onProgress: () => memory.release() })).rejects.toEqual(refusal('released'));
      await expect(preTouchOn(on, memory, { ...options, to: MIB })).rejects.toEqual(refusal('released'));
      const other = kind.create({ reserve: 12 * MIB, commit: 12 * MIB });
      const underWay = preTouchOn(on, other, options);
      other.release();
      await expect(underWay).rejects.toEqual(refusal('released'));
    });
  });

  test('lazily, does nothing', async () => {
    const { memory, isUnchanged } = partlyWritten(kind, 12 * MIB);
    const onProgress = vi.fn();
    const report = await preTouch(memory, { strategy: 'lazy', onProgress });
    expect(report).toMatchObject({ strategy: 'lazy', bytes: 12 * MIB, verified: report.residentBefore === 12 * MIB, residentAfter: report.residentBefore });
    expect(onProgress).not.toHaveBeenCalled();
    expect(isUnchanged()).toBe(true);
    expect(await preTouchOn(undefined, memory, { strategy: 'lazy', to: 4 * MIB })).toMatchObject({ residentBefore: undefined, residentAfter: undefined, verified: false });
  });

  test('without further words, takes the best that there is, also of pages that were read', async () => {
    const { memory, isUnchanged } = partlyWritten(kind, 4 * MIB);
    expect(isUnchanged()).toBe(true);
    expect(await preTouch(memory)).toMatchObject({ strategy: os?.populate === undefined ? 'write' : 'populate', bytes: 4 * MIB, verified: os !== undefined });
    expect(await preTouchOn(undefined, memory, {})).toMatchObject({ strategy: 'write' });
    expect(isUnchanged()).toBe(true);
  });
});

describe('arguments', () => {
  const memory = WasmMemory.create({ reserve: MIB, commit: MIB });
  test.each<[Record<string, unknown>, typeof TypeError | typeof RangeError, string]>([
    [{ strategy: 'best' }, RangeError, 'strategy must be one of lazy, write, pattern, populate, parallel, got "best"'],
    [{ strategy: 1 }, TypeError, 'strategy must be a string, got 1 (number)'],
    [{ from: -1 }, RangeError, 'from must be in'],
    [{ from: 0.5 }, RangeError, 'from must be'],
    [{ from: '0' }, TypeError, 'from must be a number, got "0" (string)'],
    [{ to: MIB + 1 }, RangeError, 'to must be in'],
    [{ from: 2, to: 1 }, RangeError, 'to must be in'],
    [{ threads: 0 }, RangeError, 'threads must be in'],
    [{ threads: NaN }, RangeError, 'threads must be'],
    [{ hugePages: 'yes' }, TypeError, 'hugePages must be a boolean, got yes (string)'],
    [{ lock: 1 }, TypeError, 'lock must be a boolean, got 1 (number)'],
    [{ onProgress: 1 }, TypeError, 'onProgress must be a function, got number'],
    [{ signal: {} }, TypeError, 'signal must be an AbortSignal, got object'],
  ])('%o', async (options, type, message) => {
    const error: unknown = await preTouch(memory, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain(message);
    if (os !== undefined) expect(residentBytes(os, memory, DATA, MIB)).toBe(0);
  });
});

describe('what a platform cannot do', () => {
  const unshared = BufferMemory.create({ reserve: MIB, commit: MIB });
  const shared = BufferMemory.create({ reserve: MIB, commit: MIB, shared: true });
  const wasm = WasmMemory.create({ reserve: MIB });

  test.each<[string, BufferMemory | WasmMemory, PreTouchOptions, RegExp]>([
    ['parallel on unshared memory', unshared, { strategy: 'parallel' }, /"parallel" needs shared memory, or/],
    ['huge pages', shared, { hugePages: true }, /huge pages cannot be asked for/],
    ['lock', shared, { lock: true }, /locked by the operating system only/],
    ['more than is accessible', wasm, { to: MIB }, /bytes up to 1048576 cannot be made resident here while only 131072 are accessible: commit first/],
  ])('%s is refused', async (_name, memory, options, message) => {
    const wide = memory === wasm ? WasmMemory.create({ reserve: MIB, commit: 2 ** 17 }) : memory;
    await expect(preTouchOn(undefined, wide, options)).rejects.toEqual(refusal('unsupported', message));
  });

  test('"populate" is done by "write", which the report says', async () => {
    const memory = BufferMemory.create({ reserve: 2 * MIB, commit: 2 * MIB });
    const report = await preTouchOn(undefined, memory, { strategy: 'populate', from: DATA });
    expect(report).toMatchObject({ strategy: 'write', bytes: 2 * MIB - DATA, verified: false });
    if (os !== undefined) expect(residentBytes(os, memory, DATA, 2 * MIB)).toBe(2 * MIB - DATA);
  });

  test('is refused where there are no workers', async () => {
    vi.stubGlobal('process', undefined);
    try {
      await expect(preTouchOn(undefined, shared, { strategy: 'parallel' })).rejects.toEqual(refusal('unsupported', /no worker threads/));
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('is done by web workers where there are any', async () => {
    /** What browsers have, on threads of Node.js. */
    class WebWorker {
      onmessage: (() => void) | undefined;
      onerror: ((cause: unknown) => void) | undefined;
      readonly #worker: Promise<Worker>;

      constructor(url: string) {
        const started = (source: string): Worker => new Worker(source, { eval: true }).on('message', () => this.onmessage?.()).on('error', (cause) => this.onerror?.(cause));
        this.#worker = resolveObjectURL(url)!.text().then(started);
      }

      postMessage(message: unknown): void {
        void this.#worker.then((worker) => worker.postMessage(message));
      }

      terminate(): void {
        void this.#worker.then((worker) => worker.terminate());
      }
    }
    const memory = WasmMemory.create({ reserve: 40 * MIB, commit: 40 * MIB, shared: true });
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('Worker', WebWorker);
    try {
      expect(await preTouchOn(undefined, memory, { strategy: 'parallel', threads: 2 })).toMatchObject({ strategy: 'parallel', bytes: 40 * MIB, verified: false });
    } finally {
      vi.unstubAllGlobals();
    }
    if (os !== undefined) expect(residentBytes(os, memory, 0, 40 * MIB)).toBe(40 * MIB);
  });

  test('is refused by a system that has no such calls', async () => {
    if (os === undefined) return;
    const old: OperatingSystem = { ...os, populate: undefined, populateReserved: undefined, hugePageSize: 0 };
    expect(await preTouchOn(old, unshared, {})).toMatchObject({ strategy: 'write', verified: true });
    expect(await preTouchOn(old, shared, { strategy: 'parallel' })).toMatchObject({ strategy: 'parallel', verified: true });
    await expect(preTouchOn(old, unshared, { hugePages: true })).rejects.toEqual(refusal('unsupported'));
    await expect(preTouchOn(old, wasm, { to: MIB })).rejects.toEqual(refusal('unsupported', /commit first/));
    await expect(preTouchOn(os, wasm, { to: MIB, lock: true })).rejects.toEqual(refusal('unsupported', /cannot be locked .* commit first/));
  });
});

test('a large memory is written without holding the event loop up', async () => {
  const memory = BufferMemory.create({ reserve: 1024 * MIB, commit: 1024 * MIB });
  // A clock of its own: on a busy machine anything takes any time. It goes on by a millisecond with every slice.
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (clock += 1));
  let latest = 0;
  let gapMax = 0;
  const tick = (): void => {
    gapMax = Math.max(gapMax, clock - latest);
    latest = clock;
  };
  const timer = setInterval(tick);
  const { milliseconds } = await preTouchOn(undefined, memory, { strategy: 'write' });
  clearInterval(timer);
  vi.restoreAllMocks();
  tick();
  expect(milliseconds).toBeGreaterThan(200);
  expect(gapMax).toBeLessThan(50);
});

test.skipIf(os === undefined).each<PreTouchStrategy>(['write', 'pattern', 'populate'])('"%s" ends when pages are decommitted meanwhile', async (strategy) => {
  const size = 192 * MIB;
  const native = NativeMemory.create({ reserve: size, commit: size });
  const { memory, isUnchanged } = partlyWritten({ create: () => native }, size);
  const onProgress = (): void => void native.decommit(16 * MIB);
  const underWay = preTouch(memory, { strategy: os!.populate === undefined && strategy === 'populate' ? 'write' : strategy, onProgress });
  await expect(underWay).rejects.toEqual(refusal('invalid-address', /were decommitted while they were touched/));
  expect([native.committed, isUnchanged()]).toEqual([16 * MIB, true]);
  native.checkInvariants();
  native.release();
});

test('a timer can cancel what runs on its own thread', async () => {
  const memory = BufferMemory.create({ reserve: 1024 * MIB, commit: 1024 * MIB });
  const touched: number[] = [];
  const options = { strategy: 'write', signal: AbortSignal.timeout(30), onProgress: ({ touchedBytes }: PreTouchProgress) => touched.push(touchedBytes) } as const;
  await expect(preTouchOn(undefined, memory, options)).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(touched.at(-1)).toBeLessThan(1024 * MIB);
});

test.each<PreTouchStrategy>(['write', 'parallel'])('"%s" loses no write of another thread', async (strategy) => {
  const memory = BufferMemory.create({ reserve: 16 * MIB, commit: 16 * MIB, shared: true });
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const words = new Int32Array(workerData);
    parentPort.postMessage('started');
    for (let round = 0; round < 200; round += 1) {
      for (let i = ${DATA / 4}; i < words.length; i += 1024) words[i] += 1;
    }
    parentPort.postMessage('done');`;
  const worker = new Worker(source, { eval: true, workerData: memory.buffer });
  await new Promise((resolve) => worker.once('message', resolve));
  let isDone = false;
  const done = new Promise<void>((resolve) => worker.once('message', () => resolve())).then(() => (isDone = true));
  let rounds = 0;
  const isOver = (): boolean => isDone || rounds >= 1000;
  while (!isOver()) {
    await preTouchOn(undefined, memory, { strategy, from: DATA, to: 16 * MIB });
    await new Promise((resolve) => setImmediate(resolve));
    rounds += 1;
  }
  await done;
  expect(memory.i32.subarray(DATA / 4).every((word, i) => word === (i % 1024 === 0 ? 200 : 0))).toBe(true);
});

describe.skipIf(os === undefined)('limits', () => {
  const limit = (counts: MemoryLimit['counts'], available: number): MemoryLimit => ({ name: `limit of ${counts}`, counts, limit: 64 * MIB, available });
  const under = (...limits: readonly MemoryLimit[]): OperatingSystem => ({ ...os!, memoryLimits: () => limits });

  test('are held against what is missing, before anything is touched', async () => {
    const memory = WasmMemory.create({ reserve: 8 * MIB, commit: 8 * MIB });
    const touched = preTouchOn(under(limit('resident', 4 * MIB), limit('reserved', 0), limit('committed', 0), limit('locked', 0)), memory, { from: MIB });
    await expect(touched).rejects.toEqual(refusal('out-of-memory', /nothing was touched: 7340032 more bytes must be resident, limit of resident leaves 4194304 of 67108864$/));
    expect(residentBytes(os!, memory, MIB, 8 * MIB)).toBe(0);
    // What is there already needs nothing.
    memory.u8.fill(1, 3 * MIB);
    await preTouchOn(under(limit('resident', 4 * MIB)), memory, { from: MIB });
    await preTouchOn(under(limit('resident', 0)), memory, { from: MIB });
  });

  test('on locked memory count when it is to be locked, all at once with the others', async () => {
    const memory = WasmMemory.create({ reserve: 8 * MIB, commit: 8 * MIB });
    await preTouchOn(under(limit('locked', 0)), memory, { to: 2 * MIB });
    const system = under(limit('locked', 1), limit('resident', 2));
    const both = /7340032 more bytes must be locked, limit of locked leaves 1 of .*; \d+ more bytes must be resident/;
    await expect(preTouchOn(system, memory, { from: MIB, lock: true })).rejects.toEqual(refusal('out-of-memory', both));
    await expect(preTouchOn(system, memory, { strategy: 'lazy', lock: true })).rejects.toEqual(refusal('out-of-memory'));
    await preTouchOn(system, memory, { strategy: 'lazy' });
  });

  test('on addresses and data count for what lies behind the current size', async () => {
    const memory = WasmMemory.create({ reserve: 256 * MIB, commit: MIB });
    const options = { from: 0, to: 256 * MIB };
    const refused = (system: OperatingSystem, message: RegExp): Promise<void> =>
      expect(preTouchOn(system, memory, options)).rejects.toEqual(refusal('out-of-memory', message));
    await refused(under(limit('committed', 254 * MIB)), /267386880 more bytes must be committed/);
    await refused(under(limit('reserved', 63 * MIB)), /67108864 more bytes must be reserved/);
    expect(residentBytes(os!, memory, MIB, 256 * MIB)).toBe(0);
  });

  test('or not, what is not resident in the end is an error', async () => {
    const memory = WasmMemory.create({ reserve: 8 * MIB, commit: 8 * MIB });
    const system: OperatingSystem = { ...os!, populate: () => Promise.resolve() };
    const message = /only 0 of 7340032 bytes are resident after the strategy "populate"/;
    await expect(preTouchOn(system, memory, { strategy: 'populate', from: MIB })).rejects.toEqual(refusal('out-of-memory', message));
  });
});

describe.skipIf(!os?.hugePageSize)('huge pages', () => {
  test('are asked for where they fit into the range', async () => {
    const huge = os!.hugePageSize;
    const advised: [bigint, number][] = [];
    const system: OperatingSystem = {
      ...os!,
      adviseHugePages(address, size) {
        advised.push([address, size]);
        os!.adviseHugePages(address, size);
      },
    };
    const { memory, isUnchanged } = partlyWritten({ create: (options) => BufferMemory.create(options) }, 16 * huge);
    expect(await preTouchOn(system, memory, { hugePages: true, from: 100 })).toMatchObject({ verified: true });
    expect(isUnchanged()).toBe(true);
    const [[address, size]] = advised as [[bigint, number]];
    const start = Number(address - os!.addressOf(memory.buffer));
    expect([address % BigInt(huge), size % huge]).toEqual([0n, 0]);
    expect(start).toBeGreaterThanOrEqual(100);
    expect(size).toBeGreaterThanOrEqual(14 * huge);
    expect(start + size).toBeLessThanOrEqual(16 * huge);
    // Too small a range holds none.
    await preTouchOn(system, memory, { hugePages: true, from: 4096, to: huge });
    expect(advised.length).toBe(1);
  });
});

describe.skipIf(process.platform !== 'linux' || os === undefined)('locked memory', () => {
  const locked = (): number => Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;

  test('stays', async () => {
    const memory = WasmMemory.create({ reserve: 4 * MIB, commit: 4 * MIB });
    const before = locked();
    await preTouch(memory, { from: MIB, lock: true });
    expect(locked()).toBe(before + 3 * MIB);
    unlock(memory, 2 * MIB, 3 * MIB - 1);
    expect(locked()).toBe(before + 2 * MIB);
    unlock(memory);
    expect(locked()).toBe(before);
    await preTouch(memory, { strategy: 'lazy', to: MIB, lock: true });
    expect(locked()).toBe(before + MIB);
    unlock(memory, 5, 5);
    expect(locked()).toBe(before + MIB);
    unlock(memory, 0, MIB);
    unlock(memory);
    expect([locked(), residentBytes(os!, memory, 0, 4 * MIB)]).toEqual([before, 4 * MIB]);
  });

  test.each(ALL_MEMORIES)('of $name is unlocked', async ({ create }) => {
    const memory = create({ reserve: MIB, commit: MIB });
    const before = locked();
    await preTouch(memory, { from: MIB / 2, lock: true });
    expect(locked()).toBeGreaterThanOrEqual(before + MIB / 2);
    unlock(memory);
    expect(locked()).toBe(before);
    for (const [from, to] of [[-1, 0], [2, 1], [0, MIB + 1], [0.5, 1]] as const) expect(() => unlock(memory, from, to)).toThrow(RangeError);
    expect(() => unlock(memory, '0' as unknown as number)).toThrow(TypeError);
    memory.release();
    expect(() => unlock(memory, 0, 0)).toThrow(refusal('released'));
  });

  test('is unlocked again when the system refuses half-way', async () => {
    const memory = WasmMemory.create({ reserve: 160 * MIB, commit: 160 * MIB });
    const before = locked();
    let calls = 0;
    const system: OperatingSystem = {
      ...os!,
      lock(address, size) {
        calls += 1;
        if (calls === 3) throw new Error('too much');
        os!.lock(address, size);
      },
    };
    await expect(preTouchOn(system, memory, { lock: true })).rejects.toThrow('too much');
    expect([calls, locked()]).toEqual([3, before]);
  });
});

describe.skipIf(os?.populateReserved === undefined)('behind the current size of a WebAssembly memory', () => {
  /** `(module (import "m" "memory" (memory 1 4096)) (func (export "peek") (param i32) (result i32) local.get 0 i32.load))`, shared or not. */
  const moduleFor = (shared: boolean): WebAssembly.Module => {
    const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)];
    const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
    return new WebAssembly.Module(
      Uint8Array.from([
        ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
        ...section(2, [1, ...text('m'), ...text('memory'), 2, shared ? 3 : 1, 1, 0x80, 0x20]),
        ...section(3, [1, 0]),
        ...section(7, [1, ...text('peek'), 0, 0]),
        ...section(10, [1, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b]),
      ]),
    );
  };
  const kinds = ALL_MEMORIES.filter(({ name }) => name.includes('WebAssembly'));

  describe.each(kinds)('($name)', ({ shared }) => {
    test.each<PreTouchStrategy>(['write', 'pattern', 'populate', 'parallel'])('"%s" brings pages in that a module cannot see before the memory grows', async (strategy) => {
      const memory = WasmMemory.create({ reserve: 140 * MIB, commit: MIB, shared });
      const { wasm } = memory;
      const { peek } = new WebAssembly.Instance(moduleFor(shared), { m: { memory: wasm } }).exports as { peek: (address: number) => number };
      memory.u8.fill(5, MIB - 100);
      const steps: PreTouchProgress[] = [];
      const report = await preTouch(memory, { strategy, to: 140 * MIB - 10, onProgress: (progress) => steps.push(progress) });
      expect(report).toMatchObject({ strategy, bytes: 140 * MIB - 10, residentAfter: 140 * MIB - 10, verified: true });
      expect(steps.at(-1)).toEqual({ touchedBytes: 140 * MIB - 10, totalBytes: 140 * MIB - 10 });

      expect([memory.committed, wasm.buffer.byteLength, memory.u8.length]).toEqual([MIB, MIB, MIB]);
      for (const address of [MIB, MIB - 3, 100 * MIB, 140 * MIB - 4, 300 * MIB]) expect(() => peek(address)).toThrow(WebAssembly.RuntimeError);
      expect(peek(MIB - 4)).toBe(0x05050505);

      expect(wasm.grow(16)).toBe(16);
      memory.refresh();
      expect(residentBytes(os!, memory, 0, 140 * MIB)).toBe(140 * MIB);
      expect([peek(MIB), peek(2 * MIB - 4)]).toEqual([0, 0]);
      expect(() => peek(2 * MIB)).toThrow(WebAssembly.RuntimeError);

      expect(memory.commit(140 * MIB)).toBe(true);
      expect(isFilledWith(memory.u8.subarray(MIB), 0)).toBe(true);
      expect(peek(140 * MIB - 4)).toBe(0);
      memory.u8.fill(1, MIB);
      expect(residentBytes(os!, memory, 0, 140 * MIB)).toBe(140 * MIB);
      expect(() => wasm.grow(1)).toThrow(RangeError);
      memory.checkInvariants();
    });
  });

  test('only a part may be asked for, and again, at no cost', async () => {
    const memory = WasmMemory.create({ reserve: 32 * MIB, commit: MIB });
    await preTouch(memory, { from: 8 * MIB + 1, to: 16 * MIB + 1 });
    expect(residentBytes(os!, memory, MIB, 32 * MIB)).toBe(8 * MIB + os!.pageSize);
    const populateReserved = vi.fn(os!.populateReserved);
    await preTouchOn({ ...os!, populateReserved }, memory, { from: 8 * MIB + 1, to: 16 * MIB + 1 });
    expect(populateReserved).toHaveBeenCalledTimes(os!.tellsZeroPages ? 0 : 1);
  });

  test('the memory may grow meanwhile', async () => {
    for (const strategy of ['populate', 'write'] as const) {
      const memory = WasmMemory.create({ reserve: 140 * MIB, commit: MIB });
      const underWay = preTouch(memory, { strategy, to: 140 * MIB });
      await Promise.resolve();
      memory.wasm.grow(70 * 16);
      memory.u8.fill(9, 2 * MIB, 3 * MIB);
      expect(await underWay).toMatchObject({ verified: true });
      memory.commit(140 * MIB);
      expect(isFilledWith(memory.u8.subarray(2 * MIB, 3 * MIB), 9)).toBe(true);
      expect(isFilledWith(memory.u8.subarray(3 * MIB), 0)).toBe(true);
    }
  });

  test('a cancellation leaves the memory as it was', async () => {
    const memory = WasmMemory.create({ reserve: 140 * MIB, commit: MIB });
    const controller = new AbortController();
    const options = { to: 140 * MIB, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
    await expect(preTouch(memory, options)).rejects.toThrow('enough');
    expect([memory.committed, memory.commit(140 * MIB)]).toEqual([MIB, true]);
    expect(isFilledWith(memory.u8.subarray(MIB), 0)).toBe(true);
  });
});

test('what is no memory is refused', async () => {
  await expect(preTouch(undefined as unknown as BufferMemory)).rejects.toThrow(TypeError);
});
