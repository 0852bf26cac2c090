/** Memories to pre-touch: partly written, partly never touched. */

import { Random } from '@allokit/allocator/testing';
import { existsSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PagedMemory } from '../src/index.ts';
import { findOperatingSystem } from '../src/native/find.ts';
import { FileMemory, NativeMemory } from '../src/native/index.ts';
import { pagesAround } from '../src/residency.ts';
import { MEMORIES, type MemoryKind } from './memories.ts';

export const os = findOperatingSystem();

const NATIVE: MemoryKind = {
  name: 'native memory',
  unit: 65_536,
  shared: true,
  create: ({ reserve, commit = 0 }) => NativeMemory.create({ reserve, commit }),
};

const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let fileCount = 0;

/** Its bytes are in a file that has no name any more: it goes when the memory does. */
const FILE: MemoryKind = {
  name: 'memory in a file',
  unit: 65_536,
  shared: true,
  create({ reserve, commit = 0 }) {
    const path = join(folder, `allokit-touched-${process.pid}-${(fileCount += 1)}`);
    const memory = FileMemory.create(path, { reserve, commit });
    unlinkSync(path);
    return memory;
  },
};

/** All kinds, memory of the system included where there is any. */
export const ALL_MEMORIES: readonly MemoryKind[] = [
  ...MEMORIES,
  ...(os === undefined ? [] : [NATIVE]),
  ...(os === undefined || process.platform === 'win32' ? [] : [FILE]),
];

/** The first byte behind any memory's own state, on a page of every system. */
export const DATA = 2 ** 17;

/**
 * A memory of which nothing was touched but its state, and at its end what shares a page with others. The C library may give pages that others have used.
 */
export function untouched({ create }: Pick<MemoryKind, 'create'>, size: number): PagedMemory {
  const memory = create({ reserve: size, commit: size });
  if (os === undefined) return memory;
  const { address, size: covered } = pagesAround(os, memory, DATA, size);
  os.discard(address + BigInt(os.pageSize), covered - 2 * os.pageSize);
  return memory;
}

const WRITTEN_MAX = 12 * 2 ** 20;

/** A memory of whose first 12 MiB every second 8 KiB hold random bytes and the others were never touched, with a function that proves it unchanged. */
export function partlyWritten({ create }: Pick<MemoryKind, 'create'>, size: number): { readonly memory: PagedMemory; readonly isUnchanged: () => boolean } {
  const memory = create({ reserve: size, commit: size });
  const expected = new Uint8Array(Math.min(size, WRITTEN_MAX) - DATA);
  const random = Random.fromSeed(size);
  for (let start = 0; start < expected.length; start += 16_384) {
    const words = new Int32Array(expected.buffer, start, Math.min(8192, expected.length - start) / 4);
    for (let i = 0; i < words.length; i += 1) words[i] = random.next();
    memory.u8.set(new Uint8Array(expected.buffer, start, words.byteLength), DATA + start);
  }
  return { memory, isUnchanged: () => Buffer.compare(memory.u8.subarray(DATA, DATA + expected.length), expected) === 0 };
}

/** Whether all bytes are this one: compared with themselves one place further, as fast as the processor goes. */
export function isFilledWith(bytes: Uint8Array, byte: number): boolean {
  return bytes[0] === byte && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0;
}
