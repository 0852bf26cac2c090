/** What Linux can do beyond POSIX: tell zero pages from others, bring pages in without a touch, huge pages, limits. */

import { AllocatorError } from '@allokit/allocator';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { memoryLimits } from './memory-limits.ts';
import { MAP_FAILED, type PosixCalls, type PosixSystem } from './posix.ts';
import { refusal } from './system-error.ts';
import { writtenPages } from './written-pages.ts';

const PROT_NONE = 0;
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_WRITE = 23;
const MREMAP_MAYMOVE_FIXED = 3;
const FALLOC_FL_KEEP_SIZE = 1;

const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage';
const PAGEMAP_FILE = '/proc/self/pagemap';
const MAPS_FILE = '/proc/self/maps';

/** `_IOWR('f', 16, struct pm_scan_arg)`: Linux 6.7. */
const PAGEMAP_SCAN = 0xc0606610;
const PAGE_IS_PRESENT = 1n << 3n;
const PAGE_IS_ZERO = 1n << 5n;
/** Ranges that one call of the scan can report, of three words each: start, end, categories. */
const SCAN_RANGES = 1024;

type Mremap = (from: bigint, oldSize: number, newSize: number, flags: number, to: bigint) => bigint;
type Fallocate = (descriptor: number, mode: number, offset: number, size: number) => number;
type Getrlimit = (resource: number, limit: BigUint64Array) => number;
type Ioctl = (descriptor: number, request: number, argument: BigUint64Array) => number;
type Advise = (address: bigint, size: number, advice: number) => number;
type AdviseAsync = (address: bigint, size: number, advice: number, done: (error: Error | null, result: number) => void) => void;

/** Adds to `base` what this kernel offers. */
export function linux(base: PosixSystem, calls: PosixCalls): PosixSystem {
  const { bind, errorOf, check } = calls;
  const madvise = bind('int madvise(void *address, size_t size, int advice)') as Advise & { readonly async: AdviseAsync };
  const mprotect = bind('int mprotect(void *address, size_t size, int protection)') as Advise;
  const mremap = bind('void *mremap(void *from, size_t old_size, size_t new_size, int flags, void *to)') as Mremap;
  const fallocate = bind('int fallocate(int descriptor, int mode, int64_t offset, int64_t size)') as Fallocate;

  const populate = (address: bigint, size: number): Promise<void> =>
    new Promise((resolve, reject) => {
      madvise.async(address, size, MADV_POPULATE_WRITE, (error, result) => {
        if (error !== null) reject(error);
        // The next call changes what `errorOf` tells.
        else if (result === -1) reject(refusal(`bring ${size} bytes into memory`, errorOf('madvise(MADV_POPULATE_WRITE)')));
        else resolve();
      });
    });

  const getrlimit = bind('int getrlimit(int resource, _Out_ uint64_t *limit)') as Getrlimit;
  const resourceLimits = (resource: number): number => {
    const limit = new BigUint64Array(2);
    return getrlimit(resource, limit) === 0 ? Number(limit[0]!) : Infinity;
  };

  const hugePageSize = hugePageSizeOf();
  const scan = scanner(base, calls);
  // A kernel that lacks the advice answers EINVAL to it, even for no bytes at all.
  const canPopulate = madvise(0n, 0, MADV_POPULATE_WRITE) === 0;

  return {
    ...base,
    hugePageSize,
    tellsZeroPages: scan !== undefined,
    resident: scan ?? base.resident,
    populate: canPopulate ? populate : undefined,
    populateReserved: canPopulate ? populateReserved : undefined,
    discardReserved(address, size) {
      if (!isInaccessible(address, size)) throw new AllocatorError('unsupported', `the ${size} bytes behind the memory are in use: its reserve was stated too large`);
      base.discard(address, size);
    },
    adviseHugePages: (address, size) => void check(madvise(address, size, MADV_HUGEPAGE), 'madvise(MADV_HUGEPAGE)', `use huge pages for ${size} bytes`),
    trackWrites: scan === undefined ? undefined : writtenPages(base, calls),
    memoryLimits: () => memoryLimits('/', resourceLimits),
    allocateDisk(descriptor, size) {
      if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size) === 0) return;
      const error = errorOf('fallocate');
      if (!['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'].includes(error.code)) throw refusal(`set ${size} bytes of the disk aside`, error);
    },
  };

  /**
   * Fills pages elsewhere and moves them to where they are wanted in one step: nobody ever sees the reserved range accessible, and whoever makes
   * it so later finds them there.
   */
  async function populateReserved(address: bigint, size: number): Promise<void> {
    // As far from a huge page's boundary as the target is, so that whole page tables can be moved.
    const alignment = hugePageSize === 0 ? base.pageSize : hugePageSize;
    const shift = Number(address % BigInt(alignment));
    const room = base.reserve(size + alignment, alignment);
    const source = room + BigInt(shift);
    let isMoved = false;
    try {
      base.commit(source, size);
      if (hugePageSize > 0) check(madvise(source, size, MADV_HUGEPAGE), 'madvise(MADV_HUGEPAGE)', `use huge pages for ${size} bytes`);
      await populate(source, size);
      check(mprotect(source, size, PROT_NONE), 'mprotect', `protect ${size} bytes`);
      if (!isInaccessible(address, size)) {
        throw new AllocatorError('unsupported', `the ${size} bytes behind the memory are in use: it grew meanwhile, or its reserve was stated too large`);
      }
      if (mremap(source, size, size, MREMAP_MAYMOVE_FIXED, address) === MAP_FAILED) throw refusal(`move ${size} bytes`, errorOf('mremap'));
      isMoved = true;
    } finally {
      if (!isMoved) base.release(room, size + alignment);
      else {
        if (shift > 0) base.release(room, shift);
        base.release(source + BigInt(size), alignment - shift);
      }
    }
  }
}

/** In bytes; 0 where the kernel has none, or its keeper forbids them. */
function hugePageSizeOf(): number {
  try {
    return readFileSync(`${HUGE_PAGES}/enabled`, 'latin1').includes('[never]') ? 0 : Number(readFileSync(`${HUGE_PAGES}/hpage_pmd_size`, 'latin1'));
  } catch {
    return 0;
  }
}

/** Counts the resident pages that are not the shared page of zeros. Undefined where the kernel, or its keeper, does not allow it. */
function scanner({ addressOf }: PosixSystem, { bind, check }: PosixCalls): ((address: bigint, size: number) => number) | undefined {
  const ioctl = bind('int ioctl(int descriptor, unsigned long request, void *argument)') as Ioctl;
  const ranges = new BigUint64Array(SCAN_RANGES * 3);
  const scan = (start: bigint, end: bigint): { bytes: number; end: bigint } => {
    // struct pm_scan_arg: size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask.
    const mask = PAGE_IS_PRESENT | PAGE_IS_ZERO;
    const argument = BigUint64Array.of(96n, 0n, start, end, 0n, addressOf(ranges.buffer), BigInt(SCAN_RANGES), 0n, PAGE_IS_ZERO, mask, 0n, PAGE_IS_PRESENT);
    // Opened each time: a descriptor kept open would show the memory of the parent in a process that was forked.
    const pagemap = openSync(PAGEMAP_FILE, 'r');
    try {
      const count = check(ioctl(pagemap, PAGEMAP_SCAN, argument), 'ioctl(PAGEMAP_SCAN)', `tell which of ${end - start} bytes are resident`);
      let bytes = 0;
      for (let i = 0; i < count; i += 1) bytes += Number(ranges[i * 3 + 1]! - ranges[i * 3]!);
      return { bytes, end: argument[4]! };
    } finally {
      closeSync(pagemap);
    }
  };
  try {
    scan(0n, 0n);
  } catch {
    return undefined;
  }
  return (address, size) => {
    const end = address + BigInt(size);
    let total = 0;
    for (let start = address; start < end; ) {
      const found = scan(start, end);
      total += found.bytes;
      start = found.end;
    }
    return total;
  };
}

/** Whether no page of the range can be accessed, as it is for what a memory reserved and did not commit. */
function isInaccessible(address: bigint, size: number): boolean {
  const end = address + BigInt(size);
  let covered = address;
  for (const line of readFileSync(MAPS_FILE, 'latin1').split('\n')) {
    const [, from, to, protection] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
    if (from === undefined || BigInt(`0x${to!}`) <= covered) continue;
    if (BigInt(`0x${from}`) > covered || protection !== '---p') return false;
    covered = BigInt(`0x${to!}`);
    if (covered >= end) return true;
  }
  return false;
}
