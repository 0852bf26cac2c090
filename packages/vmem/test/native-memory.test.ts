/** The levels of memory, reserved, committed and resident, as the operating system tells them. */

import { NULL } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { findOperatingSystem } from '../src/native/find.ts';
import { NATIVE_PAGE_SIZE, NativeMemory } from '../src/native/index.ts';
import { ENDED_WELL, run } from './native-process.ts';
import { IS_LINUX, lockedOfProcess, residentOfProcess } from './process-memory.ts';
import { refusal } from './refusal.ts';
import { isFilledWith } from './touched-memory.ts';

const KIB = 1024;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const VIEWS = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'] as const;
const os = findOperatingSystem()!;
const residentAtStart = residentOfProcess();
const lockedAtStart = lockedOfProcess();

function create(reserve = 64 * MIB, commit = 0): NativeMemory {
  return NativeMemory.create({ reserve, commit });
}

/** Writes one byte into every page of the system. */
function touch(memory: NativeMemory, address: number, size: number): void {
  const { u8 } = memory;
  for (let at = address; at < address + size; at += os.pageSize) u8[at] = 1;
}

describe('reserve, commit, access', () => {
  test('a reserve of 4 GiB, committed or not, takes less than 1 MiB', () => {
    for (const commit of [0, 'all'] as const) {
      const memory = NativeMemory.create({ reserve: 4 * GIB, commit });
      expect([memory.reserved, memory.committed >= (commit === 'all' ? 4 * GIB : 1)]).toEqual([4 * GIB, true]);
      expect(memory.resident()).toBeLessThan(MIB);
      memory.release();
    }
  });

  test.each([10, 100])('after %i MiB were touched, so much is resident', (count) => {
    const memory = NativeMemory.create({ reserve: GIB, commit: 'all' });
    const untouched = memory.resident();
    const size = count * MIB;
    const address = memory.allocate(size);
    const before = memory.resident();
    // The words of the page map at both ends of the block.
    expect(before).toBeLessThanOrEqual(untouched + 2 * os.pageSize);
    touch(memory, address, size);
    const grown = memory.resident() - before;
    expect(grown).toBeGreaterThanOrEqual(0.95 * size);
    expect(grown).toBeLessThanOrEqual(1.05 * size);
    expect([memory.resident(address, address + size), memory.resident(address + size)]).toEqual([size, 0]);
    memory.release();
  });

  test('counts the bytes of a range, by whole pages of the system or parts of them', () => {
    const memory = create();
    const address = memory.allocate(4 * NATIVE_PAGE_SIZE);
    memory.u8[address + NATIVE_PAGE_SIZE] = 1;
    const page = os.pageSize;
    const at = address + NATIVE_PAGE_SIZE;
    const ranges = [[at, at], [at, at + 1], [at + page - 1, at + page], [at - 1, at + 1], [at + page, at + 2 * page], [address, address + 4 * NATIVE_PAGE_SIZE]] as const;
    expect(ranges.map(([from, to]) => memory.resident(from, to))).toEqual([0, 1, 1, 1, 0, page]);
    for (const [from, to] of [[-1, 0], [0.5, 1], [1, 0], [0, memory.reserved + 1], [NaN, 0]] as const) expect(() => memory.resident(from, to)).toThrow(RangeError);
    memory.release();
  });

  test.skipIf(!os.tellsZeroPages)('reading does not make a page resident', () => {
    const memory = create(64 * MIB, 64 * MIB);
    const before = memory.resident();
    expect(isFilledWith(memory.u8.subarray(MIB), 0)).toBe(true);
    expect(memory.resident()).toBe(before);
    memory.release();
  });
});

describe('views', () => {
  test('die when the memory grows, and the next ones see the same bytes', () => {
    const memory = create();
    const older: Uint8Array[] = [];
    for (let size = MIB; size <= 64 * MIB; size *= 2) {
      const before = memory.u8;
      const at = before.length - 1;
      before[at] = 99;
      expect(memory.commit(size)).toBe(true);
      expect([memory.u8[at], memory.u8.length]).toEqual([99, size]);
      older.push(before);
    }
    expect(older.map(({ length, buffer }) => length + buffer.byteLength)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const last = memory.u8;
    // What does not grow does not end them.
    expect([memory.commit(MIB), memory.allocate(MIB) > 0, memory.u8 === last]).toEqual([true, true, true]);
    memory.release();
    expect(last.length).toBe(0);
  });

  test('of another handle live until it looks', () => {
    const memory = create();
    const other = NativeMemory.attach(memory.token);
    const theirs = other.u8;
    memory.commit(8 * MIB);
    memory.u8[5] = 77;
    expect([theirs.length, theirs[5]]).toEqual([NATIVE_PAGE_SIZE, 77]);
    other.refresh();
    expect([theirs.length, other.u8.length, other.u8[5]]).toEqual([0, 8 * MIB, 77]);
    other.release();
    memory.release();
  });

  test('die when pages are taken away, and only then', () => {
    const memory = create(64 * MIB, 8 * MIB);
    const all = VIEWS.map((name) => memory[name]);
    expect([memory.decommit(8 * MIB), memory.decommit(64 * MIB), all.every(({ length }) => length > 0)]).toEqual([true, true, true]);
    expect(memory.decommit(2 * MIB - 1)).toBe(true);
    expect(all.map(({ length, byteLength, buffer }) => length + byteLength + buffer.byteLength)).toEqual(all.map(() => 0));
    expect([memory.committed, memory.u8.length]).toEqual([2 * MIB, 2 * MIB]);
    memory.checkInvariants();
    memory.release();
  });

  test('are plain buffers, the same ones until the memory grows', () => {
    const memory = create();
    const { buffer } = memory;
    expect([buffer instanceof ArrayBuffer, (buffer as ArrayBuffer).resizable, memory.buffer === buffer, memory.shared]).toEqual([true, false, true, true]);
    memory.commit(memory.committed + 1);
    expect([memory.buffer === buffer, buffer.byteLength]).toEqual([false, 0]);
    memory.release();
  });
});

describe('decommit', () => {
  test('gives pages back, which read as zero when they come again', () => {
    const memory = create();
    const state = memory.committed;
    const address = memory.allocate(16 * MIB);
    memory.u8.fill(0xff, address, address + 16 * MIB);
    memory.deallocate(address);
    expect(memory.resident()).toBeGreaterThanOrEqual(16 * MIB);
    expect(memory.decommit(0)).toBe(true);
    expect(memory.committed).toBe(state);
    expect(memory.resident()).toBeLessThanOrEqual(state);
    memory.checkInvariants();
    const again = memory.allocate(16 * MIB);
    expect(again).toBe(address);
    expect(isFilledWith(memory.u8.subarray(again, again + 16 * MIB), 0)).toBe(true);
    memory.checkInvariants();
    memory.release();
  });

  test('refuses while a live block lies beyond', () => {
    const memory = create(64 * MIB, 8 * MIB);
    const address = memory.allocate(NATIVE_PAGE_SIZE, 4 * MIB);
    memory.u8[address] = 5;
    const { u8 } = memory;
    const before = memory.stats();
    expect([memory.decommit(0), memory.decommit(address), memory.decommit(address + NATIVE_PAGE_SIZE - 65_536)]).toEqual([false, false, false]);
    expect([memory.stats(), u8[address]]).toEqual([before, 5]);
    expect(memory.decommit(address + 1)).toBe(true);
    expect([memory.committed, memory.u8[address]]).toEqual([address + NATIVE_PAGE_SIZE, 5]);
    memory.checkInvariants();
    memory.deallocate(address);
    expect(memory.decommit(0)).toBe(true);
    memory.release();
  });

  test('refuses while another handle is attached', () => {
    const memory = create(64 * MIB, 8 * MIB);
    const other = NativeMemory.attach(memory.token);
    const { u8 } = memory;
    expect([memory.decommit(0), other.decommit(0), u8.length, memory.committed]).toEqual([false, false, 8 * MIB, 8 * MIB]);
    other.release();
    expect([memory.decommit(0), u8.length]).toEqual([true, 0]);
    memory.release();
  });

  test('takes locked pages too, which purge leaves alone', () => {
    const memory = create(8 * MIB, MIB);
    memory.lock();
    const before = memory.resident();
    expect(() => memory.purge()).toThrow(refusal('system'));
    expect(memory.resident()).toBe(before);
    memory.checkInvariants();
    expect([memory.decommit(0), memory.committed]).toEqual([true, NATIVE_PAGE_SIZE]);
    memory.checkInvariants();
    memory.release();
  });
});

test('purge frees what is resident in free pages, and nothing else', () => {
  const memory = create();
  const blocks = Array.from({ length: 16 }, () => memory.allocate(MIB));
  blocks.forEach((block, i) => memory.u8.fill(i + 1, block, block + MIB));
  const { u8 } = memory;
  const before = memory.resident();
  blocks.filter((_block, i) => i % 2 === 0).forEach((block) => memory.deallocate(block));
  expect(memory.purge()).toBe(memory.committed - blocks[0]! - 8 * MIB);
  expect(memory.resident()).toBe(before - 8 * MIB);
  blocks.forEach((block, i) => {
    const value = i % 2 === 0 ? 0 : i + 1;
    expect(isFilledWith(u8.subarray(block, block + MIB), value)).toBe(true);
  });
  const again = memory.allocate(MIB);
  memory.u8.fill(77, again, again + MIB);
  expect(memory.resident(again, again + MIB)).toBe(MIB);
  memory.checkInvariants();
  memory.release();
});

describe('policies', () => {
  test('doubling commits 64, 128, 256 MiB', () => {
    const memory = NativeMemory.create({ reserve: 300 * MIB, commit: 64 * MIB, doubling: true });
    const steps = new Set<number>();
    while (memory.allocate(MIB) !== NULL) steps.add(memory.committed / MIB);
    expect([...steps]).toEqual([64, 128, 256, 300]);
    memory.checkInvariants();
    memory.release();
  });

  test('otherwise a sixteenth more than was asked for', () => {
    const memory = NativeMemory.create({ reserve: 300 * MIB, commit: 64 * MIB });
    const first = memory.allocate(MIB);
    expect(memory.committed).toBe(64 * MIB);
    const size = 64 * MIB;
    expect(memory.allocate(size)).toBe(first + MIB);
    expect(memory.committed).toBe(first + MIB + size + 4 * MIB);
    memory.release();
  });

  test('doubling that is refused falls back to what is needed', () => {
    const memory = NativeMemory.create({ reserve: 100 * MIB, commit: 64 * MIB, doubling: true });
    expect([memory.commit(65 * MIB), memory.committed]).toEqual([true, 100 * MIB]);
    expect([memory.commit(100 * MIB + 1), memory.lastRefusal]).toEqual([false, undefined]);
    memory.release();
  });

  test.skipIf(os.hugePageSize === 0)('huge pages are aligned, and become resident one at a time', () => {
    const memory = NativeMemory.create({ reserve: 64 * MIB, commit: 'all', hugePages: true });
    expect(os.addressOf(memory.buffer) % BigInt(os.hugePageSize)).toBe(0n);
    const at = 8 * os.hugePageSize;
    memory.u8[at + 5] = 1;
    // Whether a huge page is to be had right now is up to the system.
    expect([os.pageSize, os.hugePageSize]).toContain(memory.resident(at, at + os.hugePageSize));
    memory.checkInvariants();
    memory.release();
  });

  test('locked pages are resident at once', () => {
    const memory = create(8 * MIB, 2 * MIB);
    memory.lock(MIB, MIB + 256 * KIB);
    expect(memory.resident(MIB, 2 * MIB)).toBe(256 * KIB);
    memory.unlock(MIB, MIB + 256 * KIB);
    memory.unlock();
    memory.lock(5, 5);
    for (const range of [[-1, 5], [6, 5], [0, 2 * MIB + 1]] as const) {
      expect(() => memory.lock(...range)).toThrow(RangeError);
      expect(() => memory.unlock(...range)).toThrow(RangeError);
    }
    memory.release();
  });
});

describe('options', () => {
  test('that make no sense are refused', () => {
    const reserve = 8 * MIB;
    for (const size of [-1, 0.5, NaN, Infinity, 2 ** 32 + 1, 2 ** 53]) {
      expect(() => NativeMemory.create({ reserve: size })).toThrow(RangeError);
      expect(() => NativeMemory.create({ reserve, commit: size })).toThrow(RangeError);
      expect(() => NativeMemory.create({ reserve, pageSize: size })).toThrow(RangeError);
    }
    for (const pageSize of [0, 1, os.pageSize / 2, os.pageSize + 1, 3 * os.pageSize, 2 ** 31, 2 ** 32]) {
      expect(() => NativeMemory.create({ reserve, pageSize })).toThrow(RangeError);
    }
    for (const size of ['1', null, {}, [], 1n] as unknown as number[]) {
      expect(() => NativeMemory.create({ reserve: size })).toThrow(TypeError);
      expect(() => NativeMemory.create({ reserve, commit: size })).toThrow(TypeError);
      expect(() => NativeMemory.create({ reserve, pageSize: size })).toThrow(TypeError);
    }
    expect(() => NativeMemory.create({ reserve, commit: 8 * MIB + 1 })).toThrow(RangeError);
    expect(() => NativeMemory.create({ reserve: 0 })).toThrow(RangeError);
    // Nothing would be left beside the state.
    expect(() => NativeMemory.create({ reserve: 1 })).toThrow(RangeError);
  });

  test.each([os.pageSize, 16_384, 65_536, 2 ** 21, 2 ** 26])('pages of %i bytes', (pageSize) => {
    const memory = NativeMemory.create({ reserve: 8 * pageSize - 1, pageSize });
    expect([memory.reserved, memory.committed, memory.pageSize]).toEqual([8 * pageSize, pageSize, pageSize]);
    expect(Array.from({ length: 8 }, () => memory.allocate(1))).toEqual([1, 2, 3, 4, 5, 6, 7, 0].map((page) => page * pageSize));
    memory.checkInvariants();
    memory.release();
  });

  test('a handle that is attached learns what the other has grown', () => {
    const memory = create();
    const other = NativeMemory.attach(memory.token, { doubling: true });
    const address = memory.allocate(20 * MIB);
    memory.u8[address + 20 * MIB - 1] = 3;
    other.refresh();
    expect([other.committed, other.u8[address + 20 * MIB - 1], other.usableSize(address)]).toEqual([memory.committed, 3, 20 * MIB]);
    const theirs = other.allocate(10 * MIB);
    expect(other.committed).toBe(2 * memory.committed);
    memory.refresh();
    expect([memory.committed, memory.usableSize(theirs)]).toEqual([other.committed, 10 * MIB]);
    memory.release();
    expect(() => other.refresh()).toThrow(refusal('released'));
    other.release();
  });
});

describe('in a process of its own', () => {
  const names = [
    'forgotten memories',
    'forgotten memories of other threads',
    'forgotten files',
    'a view that was kept',
    'released memories',
    'memories whose reserve was made resident',
    'addresses of released memories',
  ];

  test.each(names)('%s', async (name) => {
    const ending = await run('native-memory-child.ts', { flags: ['--expose-gc'], arguments: [name] });
    expect(ending).toEqual(ENDED_WELL);
  });

  test.skipIf(!IS_LINUX)('addresses of released memories under a limit', async () => {
    const ending = await run('native-memory-child.ts', { before: 'ulimit -v 60000000', arguments: ['addresses of released memories under a limit'] });
    expect(ending).toEqual(ENDED_WELL);
  });

  test('without koffi, the error names the package', async () => {
    const ending = await run('native-memory-child.ts', { arguments: ['without koffi'] });
    expect(ending).toEqual(ENDED_WELL);
  });
});

test.skipIf(!IS_LINUX)('nothing of all that is still resident, or locked', () => {
  // More than 300 MiB were touched.
  expect(residentOfProcess()).toBeLessThan(residentAtStart + 96 * MIB);
  expect(lockedOfProcess()).toBe(lockedAtStart);
});
