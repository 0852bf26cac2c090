/**
 * Windows: `VirtualAlloc` and its family.
 *
 * Reserve and commit are Windows' own words, with three differences to POSIX: committed pages count against the commit limit at once, written or
 * not; reservations start at multiples of the allocation granularity, 64 KiB; and they can be given back whole only.
 *
 * There is no `populate`: the nearest call, `PrefetchVirtualMemory`, is a hint that reads pages back from the disk, leaves them outside the working
 * set, and has nothing to read for pages that were never written. Huge pages are not for the asking: they need a privilege, all of their memory at
 * once, and a commit of another kind.
 */

import { AllocatorError } from '@allokit/allocator';
import type { Koffi } from './koffi.ts';
import { refusal, SystemError } from './system-error.ts';
import type { OperatingSystem } from '../operating-system.ts';

const MEM_COMMIT = 0x1000;
const MEM_RESERVE = 0x2000;
const MEM_DECOMMIT = 0x4000;
const MEM_RELEASE = 0x8000;
const PAGE_NOACCESS = 1;
const PAGE_READWRITE = 4;

/** How often an aligned reservation is tried before whoever keeps taking its place has won. */
const RESERVE_ATTEMPTS_MAX = 16;
/** Pages that one question about the working set covers. */
const QUERY_PAGES = 2 ** 14;
/** `PSAPI_WORKING_SET_EX_INFORMATION` in words: the address asked about, and the answer, of which bit 0 is `Valid`. */
const QUERY_WORDS = 2;
const IS_VALID = 1n;

const ERROR_NOT_SUPPORTED = 50;
/** Those that these calls are known to give; `winerror.h` has them all. */
const ERROR_NAMES = new Map([
  [5, 'ERROR_ACCESS_DENIED'],
  [6, 'ERROR_INVALID_HANDLE'],
  [8, 'ERROR_NOT_ENOUGH_MEMORY'],
  [14, 'ERROR_OUTOFMEMORY'],
  [ERROR_NOT_SUPPORTED, 'ERROR_NOT_SUPPORTED'],
  [87, 'ERROR_INVALID_PARAMETER'],
  [158, 'ERROR_NOT_LOCKED'],
  [487, 'ERROR_INVALID_ADDRESS'],
  [998, 'ERROR_NOACCESS'],
  [1450, 'ERROR_NO_SYSTEM_RESOURCES'],
  [1453, 'ERROR_WORKING_SET_QUOTA'],
  [1454, 'ERROR_PAGEFILE_QUOTA'],
  [1455, 'ERROR_COMMITMENT_LIMIT'],
  [1816, 'ERROR_NOT_ENOUGH_QUOTA'],
]);

/**
 * Binds `kernel32.dll`.
 *
 * @throws AllocatorError `unsupported` in a process of 32 bits.
 */
export function windows(koffi: Koffi): OperatingSystem {
  // The structures are read by their 64-bit layout; there, Windows has one calling convention, and none needs to be named.
  if (koffi.sizeof('void *') !== 8) throw new AllocatorError('unsupported', 'native memory needs Windows and Node.js of 64 bits');
  const kernel32 = koffi.load('kernel32.dll');

  type RangeCall = (address: bigint, size: number) => number;
  // BOOL is an int in which anything but 0 means true: koffi's `bool` would look at its lowest bit only.
  const virtualAlloc: (address: bigint | null, size: number, type: number, protection: number) => bigint | null = kernel32.func(
    'void *VirtualAlloc(void *address, size_t size, uint32_t type, uint32_t protection)',
  );
  const virtualFree: (address: bigint, size: number, type: number) => number = kernel32.func('int VirtualFree(void *address, size_t size, uint32_t type)');
  const virtualLock: RangeCall = kernel32.func('int VirtualLock(void *address, size_t size)');
  const virtualUnlock: RangeCall = kernel32.func('int VirtualUnlock(void *address, size_t size)');
  const getCurrentProcess: () => bigint = kernel32.func('void *GetCurrentProcess()');
  const queryWorkingSetEx: (process: bigint, pages: BigUint64Array, size: number) => number = kernel32.func(
    'int K32QueryWorkingSetEx(void *process, _Inout_ uint64_t *pages, uint32_t size)',
  );
  const getSystemInfo: (info: Uint32Array) => void = kernel32.func('void GetSystemInfo(_Out_ uint32_t *info)');
  const globalMemoryStatusEx: (status: BigUint64Array) => number = kernel32.func('int GlobalMemoryStatusEx(_Inout_ uint64_t *status)');
  const getLastError: () => number = kernel32.func('uint32_t GetLastError()');

  // SYSTEM_INFO, 48 bytes: dwPageSize stands at byte 4, dwAllocationGranularity at byte 40.
  const info = new Uint32Array(12);
  getSystemInfo(info);
  const pageSize = info[1]!;
  const granularity = info[10]!;

  /** What made the call before this one fail: koffi puts the last error aside for its next call, so that what Node.js does in between cannot change it. */
  const refused = (what: string, syscall: string): AllocatorError => {
    const number = getLastError();
    return refusal(what, new SystemError(syscall, ERROR_NAMES.get(number) ?? 'unknown error', number));
  };
  const check = (result: number, syscall: string, what: string): void => {
    if (result === 0) throw refused(what, syscall);
  };
  const allocate = (what: string, address: bigint | null, size: number, type: number, protection: number): bigint => {
    const result = virtualAlloc(address, size, type, protection);
    if (result === null) throw refused(what, 'VirtualAlloc');
    return result;
  };
  const release = (address: bigint, size: number): void => check(virtualFree(address, 0, MEM_RELEASE), 'VirtualFree', `release ${size} bytes`);
  const decommit = (address: bigint, size: number): void => {
    // No bytes at all would mean the whole reservation.
    if (size > 0) check(virtualFree(address, size, MEM_DECOMMIT), 'VirtualFree', `decommit ${size} bytes`);
  };
  /**
   * No call empties pages and leaves them accessible. An access between these two ends the process; so does any later one when the commit is refused,
   * because others have meanwhile taken what was left under the commit limit.
   */
  const replace = (address: bigint, size: number): void => {
    decommit(address, size);
    if (size > 0) allocate(`make ${size} bytes accessible again that were emptied`, address, size, MEM_COMMIT, PAGE_READWRITE);
  };

  return {
    platform: 'win32',
    pageSize,
    hugePageSize: 0,
    tellsZeroPages: false,

    addressOf: (buffer) => koffi.address(buffer),
    view: (address, size) => koffi.view(address, size),

    reserve(size, alignment) {
      const what = `reserve ${size} bytes`;
      if (alignment <= granularity) return allocate(what, null, size, MEM_RESERVE, PAGE_NOACCESS);
      // [ before ][ address ... size ][ behind ]: what is too much cannot go back alone. So all of it does, and the middle is taken again, unless another
      // thread is faster.
      for (let attempt = 1; ; attempt += 1) {
        const slack = alignment - granularity;
        const start = allocate(what, null, size + slack, MEM_RESERVE, PAGE_NOACCESS);
        const excess = start % BigInt(alignment);
        const address = excess === 0n ? start : start - excess + BigInt(alignment);
        release(start, size + slack);
        const taken = virtualAlloc(address, size, MEM_RESERVE, PAGE_NOACCESS);
        if (taken !== null) return taken;
        if (attempt === RESERVE_ATTEMPTS_MAX) throw refused(`${what} at a multiple of ${alignment}`, 'VirtualAlloc');
      }
    },
    commit(address, size) {
      if (size > 0) allocate(`commit ${size} bytes`, address, size, MEM_COMMIT, PAGE_READWRITE);
    },
    decommit,
    discard: replace,
    replace,
    release,

    resident(address, size) {
      const words = new BigUint64Array(Math.min(size / pageSize, QUERY_PAGES) * QUERY_WORDS);
      const step = (words.length / QUERY_WORDS) * pageSize;
      let pages = 0;
      for (let offset = 0; offset < size; offset += step) {
        const count = Math.min(step, size - offset) / pageSize;
        for (let page = 0; page < count; page += 1) words[page * QUERY_WORDS] = address + BigInt(offset + page * pageSize);
        const asked = words.subarray(0, count * QUERY_WORDS);
        check(queryWorkingSetEx(getCurrentProcess(), asked, asked.byteLength), 'QueryWorkingSetEx', `tell which of ${size} bytes are resident`);
        for (let page = 0; page < count; page += 1) pages += Number(asked[page * QUERY_WORDS + 1]! & IS_VALID);
      }
      return pages * pageSize;
    },
    adviseHugePages(_address, size) {
      throw refusal(`use huge pages for ${size} bytes`, new SystemError('VirtualAlloc', 'ERROR_NOT_SUPPORTED', ERROR_NOT_SUPPORTED), 'unsupported');
    },
    // Windows allows a little less than the minimum working set: 50 pages, unless something asked for more by SetProcessWorkingSetSize.
    lock: (address, size) => check(virtualLock(address, size), 'VirtualLock', `lock ${size} bytes`),
    unlock: (address, size) => check(virtualUnlock(address, size), 'VirtualUnlock', `unlock ${size} bytes`),

    memoryLimits() {
      // MEMORYSTATUSEX, 64 bytes: dwLength and dwMemoryLoad, then physical memory, commit limit and addresses, of each the total and what is available.
      const status = BigUint64Array.of(64n, 0n, 0n, 0n, 0n, 0n, 0n, 0n);
      check(globalMemoryStatusEx(status), 'GlobalMemoryStatusEx', 'tell how much memory there is');
      return [
        { name: 'commit limit of the process or the system', counts: 'committed', limit: Number(status[3]), available: Number(status[4]) },
        { name: 'memory of the machine', counts: 'resident', limit: Number(status[1]), available: Number(status[2]) },
      ];
    },
  };
}
