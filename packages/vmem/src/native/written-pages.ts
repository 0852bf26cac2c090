/**
 * Written pages on Linux 6.7 and later: `userfaultfd` write-protects them, the kernel itself lifts that at the first write, and a scan of the page tables finds
 * where it did and protects them again.
 *
 * Presence says nothing here, since all pages of a memory may be present; and soft-dirty bits, which would do, are left out of many kernels.
 */

import { openSync } from 'node:fs';
import type { WrittenPages } from '../operating-system.ts';
import type { PosixCalls, PosixSystem } from './posix.ts';

/** Numbers of the system call by processor, as Node.js names it. */
const USERFAULTFD: Readonly<Record<string, number>> = { x64: 323, arm64: 282, riscv64: 282, loong64: 282, ppc64: 364, s390x: 355 };
/** O_CLOEXEC, O_NONBLOCK, and UFFD_USER_MODE_ONLY: then it is open to unprivileged processes. */
const USERFAULTFD_FLAGS = 0o2000000 | 0o4000 | 1;

const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_UNREGISTER = 0x8010aa01;
const UFFD_API = 0xaan;
const FEATURE_WRITE_PROTECT_ASYNC = 1n << 15n;
const REGISTER_WRITE_PROTECT = 2n;

/** `_IOWR('f', 16, struct pm_scan_arg)`. */
const PAGEMAP_SCAN = 0xc0606610;
const PAGE_IS_WRITTEN = 2n;
/** Protects what was found. */
const PROTECT = 1n;
/** Fails where nobody watches. */
const CHECK = 2n;
/** Ranges that one call can report, of three words each: start, end, categories. */
const SCAN_RANGES = 4096;

/** Bytes whose page tables are walked in the time that one more call takes: about a microsecond. */
const SPAN_PER_CALL = 2 ** 20;

type Syscall = (number: number, flags: number) => number;
type Ioctl = (descriptor: number, request: number, argument: BigUint64Array) => number;

/** Binds what is needed. Undefined where the kernel, or its keeper, does not allow it. */
export function writtenPages({ addressOf }: PosixSystem, { bind, check }: PosixCalls): ((address: bigint, size: number) => WrittenPages | undefined) | undefined {
  const number = USERFAULTFD[process.arch];
  if (number === undefined) return undefined;
  const ioctl = bind('int ioctl(int descriptor, unsigned long request, void *argument)') as Ioctl;
  let descriptors: { readonly faults: number; readonly pagemap: number } | undefined | false;

  /** Opened when first asked for, and kept: Node.js never forks without starting another program, which closes them. */
  const open = (): typeof descriptors => {
    const syscall = bind('long syscall(long number, int flags)') as Syscall;
    const faults = syscall(number, USERFAULTFD_FLAGS);
    if (faults < 0) return false;
    if (ioctl(faults, UFFDIO_API, BigUint64Array.of(UFFD_API, FEATURE_WRITE_PROTECT_ASYNC, 0n)) !== 0) return false;
    try {
      return { faults, pagemap: openSync('/proc/self/pagemap', 'r') };
    } catch {
      return false;
    }
  };

  return (address, size) => {
    descriptors ??= open();
    if (descriptors === false || descriptors === undefined) return undefined;
    const { faults, pagemap } = descriptors;
    if (ioctl(faults, UFFDIO_REGISTER, BigUint64Array.of(address, BigInt(size), REGISTER_WRITE_PROTECT, 0n)) !== 0) return undefined;
    const ranges = new BigUint64Array(SCAN_RANGES * 3);
    // struct pm_scan_arg: size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask.
    const finding = BigUint64Array.of(96n, CHECK, 0n, 0n, 0n, addressOf(ranges.buffer), BigInt(SCAN_RANGES), 0n, 0n, PAGE_IS_WRITTEN, 0n, PAGE_IS_WRITTEN);
    const protecting = BigUint64Array.of(96n, CHECK | PROTECT, 0n, 0n, 0n, 0n, 0n, 0n, 0n, PAGE_IS_WRITTEN, 0n, PAGE_IS_WRITTEN);
    const scan = (argument: BigUint64Array, from: bigint, to: bigint): number => {
      argument[2] = from;
      argument[3] = to;
      return check(ioctl(pagemap, PAGEMAP_SCAN, argument), 'ioctl(PAGEMAP_SCAN)', `tell which of ${to - from} bytes were written`);
    };
    /** Protects the first `count` ranges again: at once with all that lies between them, or one by one where that is less work. */
    const protect = (count: number): void => {
      const first = ranges[0]!;
      const last = ranges[(count - 1) * 3 + 1]!;
      if (Number(last - first) <= count * SPAN_PER_CALL) scan(protecting, first, last);
      else for (let i = 0; i < count; i += 1) scan(protecting, ranges[i * 3]!, ranges[i * 3 + 1]!);
    };
    let isStopped = false;
    const take = (to: number, visit: (from: number, to: number) => void): number => {
      const end = address + BigInt(to);
      let bytes = 0;
      for (let from = address; from < end; from = finding[4]!) {
        const count = scan(finding, from, end);
        if (count === 0) continue;
        for (let i = 0; i < count; i += 1) {
          const start = Number(ranges[i * 3]! - address);
          const stop = Number(ranges[i * 3 + 1]! - address);
          bytes += stop - start;
          visit(start, stop);
        }
        // Whoever is told may end the watch.
        if (isStopped) return bytes;
        protect(count);
      }
      return bytes;
    };
    scan(protecting, address, address + BigInt(size));
    const stop = (): void => {
      isStopped = true;
      ioctl(faults, UFFDIO_UNREGISTER, BigUint64Array.of(address, BigInt(size)));
    };
    return { take, stop };
  };
}
