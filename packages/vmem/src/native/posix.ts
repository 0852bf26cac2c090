/**
 * Linux, macOS and the BSDs: `mmap` and its family.
 *
 * Reserve is a mapping that cannot be accessed and that no swap is set aside for, commit is a change of its protection. What only one
 * system can do stands in a file of its own: `linux.ts`.
 */

import { AllocatorError, alignUp } from '@allokit/allocator';
import type { Koffi } from './koffi.ts';
import { linux } from './linux.ts';
import { refusal, SystemError } from './system-error.ts';
import type { OperatingSystem } from '../operating-system.ts';

const PROT_NONE = 0;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MADV_DONTNEED = 4;

const IS_LINUX = process.platform === 'linux' || process.platform === 'android';
const MAP_ANONYMOUS = IS_LINUX ? 0x20 : 0x1000;
const MAP_NORESERVE = IS_LINUX ? 0x4000 : process.platform === 'darwin' ? 0x40 : 0;
const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NON_BLOCKING = 4;

/** What `mmap` and `mremap` return when they fail: -1, as a pointer. */
export const MAP_FAILED = 2n ** 64n - 1n;

/** How the C library is called, for what a system has beyond POSIX. */
export interface PosixCalls {
  /** A function of the C library, whose TypeScript type only the caller knows. */
  readonly bind: (definition: string) => unknown;
  /** The error that the last call left behind. */
  readonly errorOf: (syscall: string) => SystemError;
  /** Passes a result on that is not -1, and throws what `refusal` makes of -1. */
  readonly check: (result: number, syscall: string, what: string) => number;
}

/** Mappings of files, which only POSIX systems have here. */
export interface FileMappings {
  /** Replaces reserved pages by those of a file, shared with everybody who maps it. */
  readonly mapFile: (address: bigint, size: number, descriptor: number, offset: number) => void;
  /** Sets disk space aside for the first `size` bytes of a file without changing its length. Does nothing where the file system cannot. */
  readonly allocateDisk: (descriptor: number, size: number) => void;
  /**
   * Takes or changes a lock on the whole file, which ends with the descriptor or the process.
   *
   * @returns `false` when others hold one that forbids it: then this one has none any more.
   */
  readonly lockFile: (descriptor: number, kind: 'shared' | 'exclusive') => boolean;
}

/** A POSIX system: everything, with mappings of files. */
export type PosixSystem = OperatingSystem & FileMappings;

type Mmap = (address: bigint | null, size: number, protection: number, flags: number, descriptor: number, offset: number) => bigint;
type RangeCall = (address: bigint, size: number) => number;
type RangeCallWith = (address: bigint, size: number, value: number) => number;
type Mincore = (address: bigint, size: number, vector: Uint8Array) => number;
type Flock = (descriptor: number, operation: number) => number;

/** Binds the C library. */
export function posix(koffi: Koffi): PosixSystem {
  const library = koffi.load(null);
  if (koffi.sizeof('void *') !== 8) throw new AllocatorError('unsupported', `native memory is for processes of 64 bits, this is ${process.arch}`);
  // Of two names of one number the usual one counts: EAGAIN and not EWOULDBLOCK.
  const errorNames = new Map(Object.entries(koffi.os.errno).sort(([one], [other]) => (one < other ? 1 : -1)).map(([name, number]) => [number, name]));
  const bind = (definition: string): unknown => library.func(definition);

  const mmap = bind('void *mmap(void *address, size_t size, int protection, int flags, int descriptor, int64_t offset)') as Mmap;
  const munmap = bind('int munmap(void *address, size_t size)') as RangeCall;
  const mprotect = bind('int mprotect(void *address, size_t size, int protection)') as RangeCallWith;
  const madvise = bind('int madvise(void *address, size_t size, int advice)') as RangeCallWith;
  const mlock = bind('int mlock(void *address, size_t size)') as RangeCall;
  const munlock = bind('int munlock(void *address, size_t size)') as RangeCall;
  const flock = bind('int flock(int descriptor, int operation)') as Flock;
  let mincore: Mincore | undefined;
  const pageSize = (bind('int getpagesize()') as () => number)();

  const errorOf = (syscall: string): SystemError => {
    const errno = koffi.errno();
    return new SystemError(syscall, errorNames.get(errno) ?? 'unknown error', errno);
  };
  const check = (result: number, syscall: string, what: string): number => {
    if (result === -1) throw refusal(what, errorOf(syscall));
    return result;
  };
  const map = (what: string, address: bigint | null, size: number, protection: number, flags: number, descriptor = -1, offset = 0): bigint => {
    const result = mmap(address, size, protection, flags, descriptor, offset);
    if (result === MAP_FAILED) throw refusal(what, errorOf('mmap'));
    return result;
  };
  const release = (address: bigint, size: number): void => void check(munmap(address, size), 'munmap', `release ${size} bytes`);

  const calls: PosixCalls = { bind, errorOf, check };
  const base: PosixSystem = {
    platform: process.platform,
    pageSize,
    hugePageSize: 0,
    tellsZeroPages: false,

    addressOf: (buffer) => koffi.address(buffer),
    view: (address, size) => koffi.view(address, size),

    reserve(size, alignment) {
      const slack = alignment > pageSize ? alignment : 0;
      const start = map(`reserve ${size} bytes`, null, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
      if (slack === 0) return start;
      // [ before ][ address ... size ][ behind ]: what is too much goes back at once.
      const before = alignUp(Number(start % BigInt(alignment)), alignment) - Number(start % BigInt(alignment));
      const address = start + BigInt(before);
      if (before > 0) release(start, before);
      if (before < slack) release(address + BigInt(size), slack - before);
      return address;
    },
    commit: (address, size) => void check(mprotect(address, size, PROT_READ_WRITE), 'mprotect', `commit ${size} bytes`),
    // A new mapping, and not advice: it takes locked pages too, and returns what strict overcommit set aside for them.
    decommit: (address, size) => void map(`decommit ${size} bytes`, address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED),
    discard(address, size) {
      if (IS_LINUX) check(madvise(address, size, MADV_DONTNEED), 'madvise', `discard ${size} bytes`);
      else base.replace(address, size);
    },
    replace: (address, size) => void map(`replace ${size} bytes`, address, size, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED),
    release,

    resident(address, size) {
      // Not every system has it.
      mincore ??= bind('int mincore(void *address, size_t size, _Out_ uint8_t *vector)') as Mincore;
      const vector = new Uint8Array(Math.min(size / pageSize, 2 ** 16));
      const step = vector.length * pageSize;
      let pages = 0;
      for (let offset = 0; offset < size; offset += step) {
        const length = Math.min(step, size - offset);
        check(mincore(address + BigInt(offset), length, vector), 'mincore', `tell which of ${size} bytes are resident`);
        for (let page = 0; page < length / pageSize; page += 1) pages += vector[page]! & 1;
      }
      return pages * pageSize;
    },
    adviseHugePages(_address, size) {
      throw refusal(`use huge pages for ${size} bytes`, new SystemError('madvise', 'ENOTSUP', koffi.os.errno['ENOTSUP'] ?? 0), 'unsupported');
    },
    lock: (address, size) => void check(mlock(address, size), 'mlock', `lock ${size} bytes`),
    unlock: (address, size) => void check(munlock(address, size), 'munlock', `unlock ${size} bytes`),
    memoryLimits: () => [],

    mapFile: (address, size, descriptor, offset) => {
      map(`map ${size} bytes of the file`, address, size, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, descriptor, offset);
    },
    allocateDisk: () => undefined,
    lockFile(descriptor, kind) {
      if (flock(descriptor, (kind === 'shared' ? LOCK_SHARED : LOCK_EXCLUSIVE) | LOCK_NON_BLOCKING) === 0) return true;
      const error = errorOf('flock');
      if (error.code === 'EAGAIN') return false;
      throw refusal('lock the file', error);
    },
  };
  return IS_LINUX ? linux(base, calls) : base;
}
