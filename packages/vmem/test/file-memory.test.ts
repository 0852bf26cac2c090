/** Memories in files: what is opened and what is not, and what a file holds afterwards. */

import { AllocatorError } from '@allokit/allocator';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { preTouch, resident } from '../src/index.ts';
import { requireOperatingSystem } from '../src/native/find.ts';
import { FileMemory, type FileMemoryAttachOptions } from '../src/native/index.ts';
import type { PosixSystem } from '../src/native/posix.ts';
import { ENDED_WELL, run } from './native-process.ts';
import { IS_LINUX } from './process-memory.ts';
import { refusal } from './refusal.ts';

const MIB = 2 ** 20;
const PAGE = 4096;
const IS_WINDOWS = process.platform === 'win32';

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allokit-file-'));
let fileCount = 0;
const newPath = (): string => join(folder, `${(fileCount += 1)}`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

/** A closed file with one block, filled with 7, that the root names. */
function filledFile({ shared = false } = {}): string {
  const path = newPath();
  const memory = FileMemory.create(path, { reserve: 16 * MIB, pageSize: PAGE, shared });
  memory.root = memory.allocate(MIB);
  memory.u8.fill(7, memory.root, memory.root + MIB);
  memory.release();
  return path;
}

/** As if the machine had been started again since. */
function reboot(path: string, isOpen?: boolean): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(16, 0x5a), 0, 16, 32);
  if (isOpen !== undefined) writeSync(descriptor, Buffer.of(isOpen ? 1 : 0), 0, 1, 28);
  closeSync(descriptor);
}

/** Whether it opens and holds what `filledFile` wrote. */
function isWhole(path: string, options?: FileMemoryAttachOptions): boolean {
  const memory = FileMemory.attach(path, options);
  try {
    memory.checkInvariants();
    return memory.u8.subarray(memory.root, memory.root + MIB).every((byte) => byte === 7);
  } finally {
    memory.release();
  }
}

function descriptorCount(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

function codeOf(call: () => unknown): unknown {
  try {
    call();
    return 'returned';
  } catch (error) {
    return error instanceof AllocatorError ? error.code : (error as Error).name;
  }
}

/** The system that everything here goes through, to have it refuse. */
function system(): PosixSystem {
  return requireOperatingSystem() as PosixSystem;
}

describe.skipIf(IS_WINDOWS)('what is no name of a file', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['nothing', ''],
    ['a text with a zero', 'a\0b'],
    ['a buffer', Buffer.from('a.memory')],
    ['a URL', pathToFileURL('a.memory')],
    ['an object', { toString: () => 'a.memory' }],
  ])('%s', (_name, path) => {
    const before = descriptorCount();
    expect(() => FileMemory.create(path as string, { reserve: MIB })).toThrow(TypeError);
    expect(() => FileMemory.attach(path as string)).toThrow(TypeError);
    expect(descriptorCount()).toBe(before);
  });
});

test.skipIf(IS_WINDOWS).each(['no', 1, 0, null, {}, 'true'])('options of the wrong kind are refused: %o', (value) => {
  const path = newPath();
  const wrong = value as boolean;
  expect(() => FileMemory.create(path, { reserve: MIB, shared: wrong })).toThrow(/^shared must be a boolean/);
  expect(existsSync(path)).toBe(false);
  const whole = filledFile();
  expect(() => FileMemory.attach(whole, { shared: wrong })).toThrow(TypeError);
  expect(() => FileMemory.attach(whole, { acceptTorn: wrong })).toThrow(/^acceptTorn must be a boolean/);
  expect(isWhole(whole)).toBe(true);
});

describe.skipIf(IS_WINDOWS)('what is no plain file', () => {
  const both = (path: string): unknown[] => [
    codeOf(() => FileMemory.attach(path)),
    codeOf(() => FileMemory.attach(path, { shared: true, acceptTorn: true })),
    codeOf(() => FileMemory.create(path, { reserve: MIB })),
  ];

  test('a folder', () => {
    const path = newPath();
    mkdirSync(path);
    expect(both(path)).toEqual(['bad-header', 'bad-header', 'already-initialised']);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('a pipe', () => {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    expect(both(path)).toEqual(['bad-header', 'bad-header', 'already-initialised']);
    expect(statSync(path).isFIFO()).toBe(true);
  });

  test.each(['/dev/null', '/dev/zero', '/dev/full', '/dev/urandom'].filter((path) => existsSync(path)))('%s', (path) => {
    const before = descriptorCount();
    expect(both(path)).toEqual(['bad-header', 'bad-header', 'already-initialised']);
    expect([descriptorCount(), statSync(path).isCharacterDevice()]).toEqual([before, true]);
  });

  test('a link that leads nowhere', () => {
    const path = newPath();
    symlinkSync(`${path}.missing`, path);
    expect(both(path)).toEqual(['system', 'system', 'already-initialised']);
    expect([lstatSync(path).isSymbolicLink(), existsSync(`${path}.missing`)]).toEqual([true, false]);
  });

  test('a link to a memory opens it', () => {
    const path = newPath();
    symlinkSync(filledFile(), path);
    expect(isWhole(path)).toBe(true);
  });
});

describe.skipIf(IS_WINDOWS)('a creation that fails', () => {
  test('leaves no file behind, whatever failed', () => {
    const failures: [string, () => void, unknown][] = [
      ['the lock is taken', () => void vi.spyOn(system(), 'lockFile').mockReturnValue(false), 'system'],
      [
        'there are no locks',
        () =>
          void vi.spyOn(system(), 'lockFile').mockImplementation(() => {
            throw new AllocatorError('system', 'no locks here');
          }),
        'system',
      ],
      [
        'the disk is full',
        () =>
          void vi.spyOn(system(), 'allocateDisk').mockImplementation(() => {
            throw new AllocatorError('out-of-memory', 'the disk is full');
          }),
        'out-of-memory',
      ],
      [
        'there are no addresses',
        () =>
          void vi.spyOn(system(), 'reserve').mockImplementation(() => {
            throw new AllocatorError('out-of-memory', 'no addresses');
          }),
        'out-of-memory',
      ],
    ];
    for (const [name, fail, code] of failures) {
      const path = newPath();
      const before = descriptorCount();
      fail();
      expect([name, codeOf(() => FileMemory.create(path, { reserve: MIB }))]).toEqual([name, code]);
      vi.restoreAllMocks();
      expect([name, existsSync(path), descriptorCount()]).toEqual([name, false, before]);
      FileMemory.create(path, { reserve: MIB }).release();
    }
  });

  test('for a reserve that is too small, too', () => {
    const path = newPath();
    for (const reserve of [1, 65_536]) expect(() => FileMemory.create(path, { reserve })).toThrow(RangeError);
    expect(() => FileMemory.create(path, { reserve: MIB, commit: MIB + 1 })).toThrow(RangeError);
    expect(existsSync(path)).toBe(false);
  });

  test('does not touch a file that was there', () => {
    const path = filledFile();
    expect(codeOf(() => FileMemory.create(path, { reserve: MIB }))).toBe('already-initialised');
    expect(isWhole(path)).toBe(true);
  });
});

describe.skipIf(IS_WINDOWS)('a lock', () => {
  test('is waited for by who shares, for two seconds, and by nobody else', () => {
    const path = filledFile();
    const { lockFile } = system();
    let refusedCount = 0;
    vi.spyOn(system(), 'lockFile').mockImplementation((descriptor, kind) => {
      refusedCount += 1;
      return refusedCount > 20 && lockFile(descriptor, kind);
    });
    expect(isWhole(path, { shared: true })).toBe(true);
    expect(refusedCount).toBeGreaterThan(20);
    vi.restoreAllMocks();

    const alone = FileMemory.attach(path);
    const before = descriptorCount();
    const start = performance.now();
    expect(codeOf(() => FileMemory.attach(path, { shared: true }))).toBe('system');
    expect(performance.now() - start).toBeGreaterThan(1500);
    const asked = vi.spyOn(system(), 'lockFile');
    expect(codeOf(() => FileMemory.attach(path))).toBe('system');
    expect(asked).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
    expect(descriptorCount()).toBe(before);
    alone.release();
  });
});

describe.skipIf(IS_WINDOWS)('a file that was open when the machine went down', () => {
  test('is refused, unless that is accepted', () => {
    for (const shared of [false, true]) {
      const path = filledFile();
      reboot(path, true);
      const image = readFileSync(path);
      for (let round = 0; round < 3; round += 1) expect(() => FileMemory.attach(path, { shared })).toThrow(refusal('corrupt', /machine went down/));
      expect(readFileSync(path).equals(image)).toBe(true);
      expect(isWhole(path, { shared, acceptTorn: true })).toBe(true);
      // It was closed well since.
      reboot(path);
      expect(isWhole(path, { shared })).toBe(true);
    }
  });

  test('is proved all the same', () => {
    const path = filledFile();
    reboot(path, true);
    const descriptor = openSync(path, 'r+');
    writeSync(descriptor, Buffer.alloc(64, 0xff), 0, 64, PAGE + 32);
    closeSync(descriptor);
    expect(() => FileMemory.attach(path, { acceptTorn: true })).toThrow(AllocatorError);
    truncateSync(path, 10 * PAGE);
    expect(() => FileMemory.attach(path, { acceptTorn: true })).toThrow(AllocatorError);
  });

  test('opened and refused for another reason, is still what it was', () => {
    const path = filledFile();
    reboot(path, true);
    vi.spyOn(system(), 'allocateDisk').mockImplementation(() => {
      throw new AllocatorError('out-of-memory', 'the disk is full');
    });
    expect(codeOf(() => FileMemory.attach(path, { acceptTorn: true }))).toBe('out-of-memory');
    vi.restoreAllMocks();
    expect(codeOf(() => FileMemory.attach(path))).toBe('corrupt');
  });

  test('is not one whose last owner closed it while somebody was refused', () => {
    const path = filledFile();
    const last = FileMemory.attach(path, { shared: true });
    vi.spyOn(system(), 'allocateDisk').mockImplementation(() => {
      last.release();
      throw new AllocatorError('out-of-memory', 'the disk is full');
    });
    expect(codeOf(() => FileMemory.attach(path, { shared: true }))).toBe('out-of-memory');
    vi.restoreAllMocks();
    reboot(path);
    expect(isWhole(path)).toBe(true);
  });

  test('is not one that was closed', () => {
    const path = filledFile();
    reboot(path);
    expect(isWhole(path)).toBe(true);
  });

  test('a copy made after flush is whole for who accepts it', () => {
    const path = newPath();
    const copy = `${path}.copy`;
    const memory = FileMemory.create(path, { reserve: 16 * MIB, pageSize: PAGE });
    memory.root = memory.allocate(MIB);
    memory.u8.fill(7, memory.root, memory.root + MIB);
    memory.flush();
    copyFileSync(path, copy);
    memory.release();
    reboot(copy);
    expect(codeOf(() => FileMemory.attach(copy))).toBe('corrupt');
    expect(isWhole(copy, { acceptTorn: true })).toBe(true);
  });
});

describe.skipIf(!IS_LINUX)('the disk', () => {
  test('has room for all of a file that had holes', () => {
    const path = newPath();
    FileMemory.create(path, { reserve: 16 * MIB, commit: 8 * MIB, pageSize: PAGE }).release();
    const sparse = `${path}.sparse`;
    execFileSync('cp', ['--sparse=always', path, sparse]);
    expect(statSync(sparse).blocks * 512).toBeLessThan(4 * MIB);
    const memory = FileMemory.attach(sparse);
    expect(statSync(sparse).blocks * 512).toBeGreaterThanOrEqual(8 * MIB);
    expect(memory.resident(MIB)).toBe(0);
    memory.release();
  });

  test('gives no room to what lies behind the reserve', () => {
    const path = filledFile();
    truncateSync(path, 512 * MIB);
    const memory = FileMemory.attach(path);
    expect(memory.reserved).toBe(16 * MIB);
    expect(statSync(path).blocks * 512).toBeLessThanOrEqual(17 * MIB);
    memory.release();
  });
});

describe.skipIf(IS_WINDOWS)('pre-touch', () => {
  test('makes a file resident, as it is', async () => {
    const path = filledFile();
    const memory = FileMemory.attach(path);
    for (const strategy of ['write', 'populate'] as const) {
      const report = await preTouch(memory, { strategy });
      expect(report).toMatchObject({ bytes: memory.committed, residentAfter: memory.committed, verified: true });
    }
    expect([resident(memory), memory.resident()]).toEqual([memory.committed, memory.committed]);
    memory.release();
    expect(isWhole(path)).toBe(true);
  });

  test('does not write data of its own into a file', async () => {
    const path = filledFile();
    const memory = FileMemory.attach(path);
    await expect(preTouch(memory, { strategy: 'pattern' })).rejects.toEqual(refusal('unsupported', /"pattern" .* file/));
    memory.release();
    expect(isWhole(path)).toBe(true);
  });

  test('does not reach behind the end of a file', async () => {
    const path = filledFile();
    const length = statSync(path).size;
    const memory = FileMemory.attach(path);
    const { committed } = memory;
    for (const strategy of ['write', 'populate', 'parallel', 'lazy'] as const) {
      await expect(preTouch(memory, { strategy, to: committed + 1 })).rejects.toEqual(refusal('unsupported', /commit first/));
    }
    expect([statSync(path).size, memory.committed]).toEqual([length, committed]);
    memory.commit(4 * MIB);
    expect(await preTouch(memory, { from: committed, to: 4 * MIB })).toMatchObject({ verified: true });
    memory.release();
    expect(isWhole(path)).toBe(true);
  });
});

describe.skipIf(IS_WINDOWS).concurrent('in a process of its own', () => {
  test.each([
    'two threads open a torn file at the same moment',
    'two threads open and close a file at the same moment',
    'a file is opened while the last one closes it',
    'programs that end without releasing',
    'threads that end without releasing',
    'two programs, one of which ends',
    'a file that is created while others try to open it',
    'memories that other handlers use at exit',
  ])('%s', async (name) => {
    expect(await run('file-memory-child.ts', { arguments: [name] })).toEqual(ENDED_WELL);
  });

  test.skipIf(!IS_LINUX)('a copy with holes on a full disk is refused, and does not end the process', async ({ skip }) => {
    const disk = mkdtempSync(join(tmpdir(), 'allokit-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      rmSync(disk, { recursive: true });
      return skip('only root can mount a small disk');
    }
    try {
      expect(await run('file-memory-child.ts', { arguments: ['a copy with holes on a full disk', disk] })).toEqual(ENDED_WELL);
    } finally {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    }
  });
});
