/** How much of a memory is in the machine's memory: what only the operating system knows. */

import { AllocatorError, checkInteger, type Memory } from '@allokit/allocator';
import { findOperatingSystem } from '#operating-system';
import type { OperatingSystem } from './operating-system.ts';

/**
 * Tells how many bytes of `[from, to)` are in physical memory. O(pages), some 50 ns each at the worst; nothing is touched.
 *
 * On Linux 6.7 and later only pages with memory of their own count. Elsewhere pages that were read and never written count too, though they are all one
 * page of zeros, and are allocated only when they are written.
 *
 * @param memory - Any memory, also while other threads use it: the figure is that of the moment.
 * @param from - Where the range starts, in bytes.
 * @param to - Where it ends, up to `memory.reserved`: pages behind the current size can be resident already, see `preTouch`.
 * @returns Bytes; `undefined` where the platform cannot tell: in browsers, and in Node.js without the package koffi.
 * @throws TypeError or RangeError for a range that is none, AllocatorError `released`, `system` when the operating system refuses.
 */
export function resident(memory: Memory, from = 0, to: number = memory.committed): number | undefined {
  checkInteger(from, 'from', 0, memory.reserved);
  checkInteger(to, 'to', from, memory.reserved);
  memory.refresh();
  const os = findOperatingSystem();
  return os === undefined ? undefined : residentBytes(os, memory, from, to);
}

/**
 * Lets the system swap the pages of `[from, to)` out again, which `preTouch` with `lock` forbade. O(pages).
 *
 * @throws TypeError or RangeError for a range that is none, AllocatorError `unsupported` where the operating system cannot be called, `released`, `system`
 *   when it refuses.
 */
export function unlock(memory: Memory, from = 0, to: number = memory.committed): void {
  checkInteger(from, 'from', 0, memory.committed);
  checkInteger(to, 'to', from, memory.committed);
  memory.refresh();
  const os = findOperatingSystem();
  if (os === undefined) throw new AllocatorError('unsupported', 'memory can be unlocked by the operating system only: that needs Node.js and the package koffi');
  const { address, size } = pagesAround(os, memory, from, to);
  if (size > 0) os.unlock(address, size);
}

/**
 * Gives the physical memory of all whole pages in `[from, to)` back at once, contents lost: they read as zero, and take memory again when they are written. For
 * memories that nobody will use any more, which engines give back only when they collect garbage. O(resident pages).
 *
 * @param memory - Any memory but a `FileMemory`, whose pages are those of the file.
 * @param from - Where the range starts, in bytes.
 * @param to - Where it ends, up to `memory.reserved`: pages behind the current size can be resident, see `preTouch`.
 * @returns `false` where there is no way but on Linux with the package koffi: nothing changed.
 * @throws TypeError or RangeError for a range that is none, AllocatorError `released`, `unsupported` when what lies behind the memory is not its own, `system`
 *   when the operating system refuses, as it does for locked pages.
 */
export function discardPages(memory: Memory, from = 0, to: number = memory.committed): boolean {
  checkInteger(from, 'from', 0, memory.reserved);
  checkInteger(to, 'to', from, memory.reserved);
  memory.refresh();
  const os = findOperatingSystem();
  if (os?.discardReserved === undefined) return false;
  const base = os.addressOf(memory.buffer);
  const page = BigInt(os.pageSize);
  const within = (start: number, end: number, discard: (address: bigint, size: number) => void): void => {
    const first = (base + BigInt(start) + page - 1n) / page;
    const last = (base + BigInt(end)) / page;
    if (last > first) discard(first * page, Number((last - first) * page));
  };
  const { committed } = memory;
  // First what can be refused.
  if (to > committed) within(Math.max(from, committed), to, os.discardReserved);
  if (from < committed) within(from, Math.min(to, committed), os.discard);
  return true;
}

/** What `resident` returns, for a range that was checked. */
export function residentBytes(os: OperatingSystem, memory: Memory, from: number, to: number): number {
  const { address, size } = pagesAround(os, memory, from, to);
  if (size === 0) return 0;
  const before = from - Number(address - os.addressOf(memory.buffer));
  const behind = size - before - (to - from);
  const lastPage = address + BigInt(size - os.pageSize);
  let bytes = os.resident(address, size);
  // The first page and the last one are shared with neighbours.
  if (before > 0 && os.resident(address, os.pageSize) > 0) bytes -= before;
  if (behind > 0 && os.resident(lastPage, os.pageSize) > 0) bytes -= behind;
  return bytes;
}

/**
 * The whole pages of the system that overlap `[from, to)`; none for an empty range. Buffers of the engine's own start anywhere in a page.
 *
 * Valid until the memory grows, and only while somebody holds the memory.
 */
export function pagesAround(
  os: OperatingSystem,
  memory: Memory,
  from: number,
  to: number,
): {
  /** Of the first page, in the address space of the process: may lie before the buffer. */
  readonly address: bigint;
  /** In bytes. */
  readonly size: number;
} {
  const start = os.addressOf(memory.buffer) + BigInt(from);
  const before = Number(start % BigInt(os.pageSize));
  const size = from === to ? 0 : Math.ceil((before + to - from) / os.pageSize) * os.pageSize;
  return { address: start - BigInt(before), size };
}
