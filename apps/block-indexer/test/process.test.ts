/** Processes that are stopped, killed or short of memory: the index is that of whole blocks, and the roots are those of a run that nothing disturbed. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environmentSeed, Random } from '@allokit/allocator/testing';
import { writeChain } from '../src/chain-file.ts';
import { StateStore } from '../src/state-store.ts';
import { start, type Outcome } from './command.ts';

const GIB = 2 ** 30;
const folder = mkdtempSync(join(tmpdir(), 'allokit-block-indexer-'));
afterAll(() => rmSync(folder, { recursive: true }));
const chain = join(folder, 'chain.dat');
const COUNT = 90;
const RECIPE = { seed: 3, count: COUNT, sizeMax: 120_000 };
let expected: readonly string[];

function rootsOf(db: string): string[] {
  const store = new StateStore(db);
  try {
    return store.roots();
  } finally {
    store.close();
  }
}

const index = (db: string, ...more: string[]): string[] => ['index', '--chain', chain, '--db', db, '--json', ...more];

beforeAll(async () => {
  writeChain(chain, RECIPE);
  const db = join(folder, 'expected.sqlite');
  const { code, stdout, stderr } = await start(index(db, '--memory', '0', '--mode', 'fresh')).outcome;
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ mode: 'fresh', from: 0, height: COUNT, isComplete: true });
  expected = rootsOf(db);
  expect(expected).toHaveLength(COUNT);
});

describe('a process that ends before its time', () => {
  test('killed at random blocks and resumed: the same roots', { timeout: 120_000 }, async () => {
    const seed = environmentSeed() ?? 11;
    const random = Random.fromSeed(seed);
    const db = join(folder, 'killed.sqlite');
    const heights: number[] = [0];
    for (let kill = 0; kill < 5; kill += 1) {
      const before = heights.at(-1);
      const running = start(index(db, '--memory', '4MiB'));
      const target = before + 1 + random.below(Math.max(1, Math.floor((COUNT - before) / 3)));
      // Looked at from outside, as it grows.
      while (running.child.exitCode === null && (!existsSync(db) || heightOf(db) < target)) await setTimeout(2);
      running.child.kill('SIGKILL');
      const { signal, code } = await running.outcome;
      if (code === 0) break;
      expect(signal).toBe('SIGKILL');
      const roots = rootsOf(db);
      heights.push(roots.length);
      expect(roots, `seed ${String(seed)}`).toEqual(expected.slice(0, roots.length));
    }
    expect(heights.length).toBeGreaterThan(2);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    const { code, stdout } = await start(index(db, '--memory', '4MiB')).outcome;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ from: heights.at(-1), height: COUNT, root: expected.at(-1) });
    expect(rootsOf(db)).toEqual(expected);
  });

  test('stopped by a signal: the block is finished, the next run goes on', { timeout: 60_000 }, async () => {
    const db = join(folder, 'stopped.sqlite');
    const running = start(index(db, '--memory', '4MiB'));
    while (running.child.exitCode === null && (!existsSync(db) || heightOf(db) < 5)) await setTimeout(2);
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.outcome;
    const { height, isComplete } = JSON.parse(stdout) as { height: number; isComplete: boolean };
    expect(code).toBe(isComplete ? 0 : 130);
    expect(rootsOf(db)).toEqual(expected.slice(0, height));
    await start(index(db, '--memory', '4MiB')).outcome;
    expect(rootsOf(db)).toEqual(expected);
  });
});

test('what is wrong is said in one line', async () => {
  const db = join(folder, 'none.sqlite');
  const { code, stderr } = await start(['index', '--chain', join(folder, 'missing.dat'), '--db', db, '--memory', '0']).outcome;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: ENOENT: no such file or directory.*missing\.dat'\n$/);
});

describe.runIf(process.platform === 'linux')('a process under a limit', () => {
  test('too small for what must be resident: it fails at the start', { timeout: 60_000 }, async () => {
    for (const mode of ['pooled', 'fresh-touched']) {
      const db = join(folder, `${mode}.sqlite`);
      const { code, stderr, signal } = await limited(GIB / 2, index(db, '--memory', '4GiB', '--mode', mode));
      // Where the limit cannot be read, the kernel gets there first.
      if (signal !== 'SIGKILL') expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*(control group|RLIMIT_DATA)/) as string });
      expect(rootsOf(db)).toEqual([]);
    }
  });

  test('of 2 GiB and of 8 GiB: the same roots', { timeout: 120_000 }, async () => {
    for (const [limit, memory] of [
      [2 * GIB, '256MiB'],
      [8 * GIB, process.env['ALLOKIT_LARGE'] === undefined ? '512MiB' : '4GiB'],
    ] as const) {
      const db = join(folder, `${String(limit)}.sqlite`);
      const { code, stderr } = await limited(limit, index(db, '--memory', memory, '--verify'));
      expect(code, stderr).toBe(0);
      expect(rootsOf(db)).toEqual(expected);
    }
  });
});

/** Looks at a database that is being written, and changes nothing in it. */
function heightOf(path: string): number {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return Number(database.prepare('select count(*) as count from blocks').get()!['count']);
    } finally {
      database.close();
    }
  } catch {
    // It is being made, or locked for a moment.
    return 0;
  }
}

/** In a control group where one can be made, under RLIMIT_DATA otherwise. */
async function limited(bytes: number, parameters: readonly string[]): Promise<Outcome> {
  const group = newGroup(bytes);
  if (group === undefined) return start(parameters, `ulimit -d ${String(bytes / 1024)}`).outcome;
  try {
    return await start(parameters, `echo $$ > ${join(group, 'cgroup.procs')}`).outcome;
  } finally {
    rmdirSync(group);
  }
}

/** A control group with a limit; `undefined` where this process may not make one. */
function newGroup(bytes: number): string | undefined {
  const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const parent = isUnified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
  const group = join(parent, `allokit-${String(process.pid)}-${String(bytes)}`);
  const file = join(group, isUnified ? 'memory.max' : 'memory.limit_in_bytes');
  try {
    mkdirSync(group);
    writeFileSync(file, String(bytes));
    if (Number(readFileSync(file, 'utf8')) === bytes) return group;
  } catch {
    // Read-only, or without the controller.
  }
  if (existsSync(group)) rmdirSync(group);
  return undefined;
}
