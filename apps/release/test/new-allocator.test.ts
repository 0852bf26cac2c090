/** The files of a new package. What becomes of them in the compiler, the linter and the tests is tried out by `release generated`. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAllocator } from '../src/new-allocator.ts';
import { ROOT, readManifest } from '../src/workspace.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'allokit-new-allocator-'));
  mkdirSync(join(root, '.changeset'));
  mkdirSync(join(root, 'packages/allokit'), { recursive: true });
  cpSync(join(ROOT, 'packages/allokit/package.json'), join(root, 'packages/allokit/package.json'));
  const isSource = (path: string): boolean => !/node_modules|dist|test-results|\.turbo/.test(path.slice(ROOT.length));
  cpSync(join(ROOT, 'packages/arena'), join(root, 'packages/arena'), { recursive: true, filter: isSource });
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

test('every place has the new name, in its form', async () => {
  const folder = await newAllocator(root, 'ring-of-slots');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const text = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).join('\n');
  expect(files.map(({ name }) => name).sort()).toEqual([
    'README.md',
    'conformance.test.ts',
    'index.ts',
    'package.json',
    'ring-of-slots.ts',
    'state.test.ts',
    'tsconfig.build.json',
    'tsconfig.json',
    'tsup.config.ts',
    'typedoc.json',
    'vitest.config.ts',
  ]);
  expect(text).not.toMatch(/fixed-?pool|FIXP|arena/i);
  expect(text).toContain("{ kind: 'RING', version: 1 }");
  expect(text).toContain('export class RingOfSlots implements Allocator');
  expect((await readManifest(join(root, 'packages/allokit'))).devDependencies).toHaveProperty('@allokit/ring-of-slots', 'workspace:^');
  expect(readFileSync(join(root, '.changeset/ring-of-slots.md'), 'utf8')).toContain("'@allokit/ring-of-slots': minor");
});

test.each(['', 'Ring', 'ring_of', '../ring', '-ring', '@allokit/ring'])('%o is no name', async (name) => {
  await expect(newAllocator(root, name)).rejects.toThrow('the name must be words of small letters');
});

test.each(['map', 'memory', 'index', 'allocator-error'])('%o means something else to the package itself', async (name) => {
  await expect(newAllocator(root, name)).rejects.toThrow(`the name must not mean something else to the package itself, got ${name}`);
  expect(existsSync(join(root, 'packages', name))).toBe(false);
});

test('no two packages have the same letters in their headers', async () => {
  for (const [name, kind] of [['fixed-pool', 'FIXE'], ['arena-of-strings', 'ARE2'], ['arena-of-trees', 'ARE3'], ['are', 'ARE_']] as const) {
    const folder = await newAllocator(root, name);
    expect(readFileSync(join(folder, 'src', `${name}.ts`), 'utf8')).toContain(`{ kind: '${kind}', version: 1 }`);
  }
});

test('what exists is left alone', async () => {
  await expect(newAllocator(root, 'arena')).rejects.toThrow('packages/arena exists already');
});
