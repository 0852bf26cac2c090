import { conformance } from '@allokit/allocator/testing';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import type { PagedMemory } from '../src/index.ts';
import { FileMemory, NativeMemory } from '../src/native/index.ts';

interface Assembly {
  readonly name: string;
  readonly create: (options: { readonly reserve: number; readonly pageSize: number }) => PagedMemory;
}

const PAGES = [
  { pageSize: 4096, reserve: 2 ** 19, sizeMax: 2 ** 16 },
  { pageSize: 65_536, reserve: 2 ** 22, sizeMax: 2 ** 19 },
];

// In memory where there is such a folder: every release waits for the disk.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allokit-conformance-'));
let fileCount = 0;
const created: PagedMemory[] = [];

function kept<M extends PagedMemory>(memory: M): M {
  created.push(memory);
  return memory;
}

function newPath(): string {
  fileCount += 1;
  return join(folder, `${fileCount}.memory`);
}

const NATIVE: readonly Assembly[] = [
  { name: 'native memory', create: (options) => NativeMemory.create(options) },
  { name: 'native memory that doubles', create: (options) => NativeMemory.create({ ...options, doubling: true }) },
  { name: 'native memory, all committed', create: (options) => NativeMemory.create({ ...options, commit: 'all' }) },
  { name: 'native memory in huge pages', create: (options) => NativeMemory.create({ ...options, hugePages: process.platform === 'linux' }) },
  { name: 'an attached handle', create: (options) => NativeMemory.attach(kept(NativeMemory.create(options)).token) },
];

const FILES: readonly Assembly[] = [
  { name: 'a file', create: (options) => kept(FileMemory.create(newPath(), options)) },
  { name: 'a file, all committed', create: (options) => kept(FileMemory.create(newPath(), { ...options, commit: options.reserve })) },
  {
    name: 'an attached file',
    create: (options) => {
      const path = newPath();
      kept(FileMemory.create(path, { ...options, shared: true }));
      return kept(FileMemory.attach(path, { shared: true }));
    },
  },
];

afterAll(() => {
  for (const memory of created) memory.release();
  rmSync(folder, { recursive: true });
});

function describeConformance({ name, create }: Assembly): void {
  describe.each(PAGES)(`${name} in pages of $pageSize`, ({ pageSize, reserve, sizeMax }) => {
    const cases = conformance({
      name: 'the memory',
      create: () => ({ allocator: create({ reserve, pageSize }), foreign: [16, 32] }),
      capacity: reserve,
      sizeMax,
      alignmentMax: Math.max(4096, pageSize),
      fuzz: { operations: 200, checkInvariantsEvery: 8 },
    });
    for (const { name: title, run } of cases) test(title, run);
  });
}

NATIVE.forEach(describeConformance);
describe.skipIf(process.platform === 'win32')('on POSIX', () => FILES.forEach(describeConformance));
