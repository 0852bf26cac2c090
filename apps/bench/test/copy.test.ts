import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { BufferMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';

import { claimsOf, type Claim } from '../src/copy/claims.ts';
import { makeLoop } from '../src/copy/loops.ts';
import type { CopyResult } from '../src/copy/measurement.ts';
import { formatClaims, formatCopies } from '../src/copy/report.ts';
import { COPY_SIZES, FIELDS, OPERATIONS } from '../src/copy/subjects.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

interface Report {
  readonly compiler: string | null;
  readonly claims: readonly Claim[];
  readonly results: readonly CopyResult[];
}

function resultOf(subject: string, sizeBytes: number, medianNs: number): CopyResult {
  return { operation: 'copy', subject, kind: 'peer', sizeBytes, status: 'ok', medianNs, bestNs: medianNs - 1, roundCount: 1, callCount: 1 };
}

test('every subject does every size, verified, and all of it is reported', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
  const csv = join(folder, 'copies.csv');
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, 'copy', '--rounds', '1', '--warm', '0', '--json', '--csv', csv, '--svg', folder]);
  const { compiler, claims, results } = JSON.parse(stdout) as Report;
  for (const operation of OPERATIONS) {
    for (const { name, kind } of FIELDS[operation].filter((subject) => subject.kind !== 'native' || compiler !== null)) {
      const own = results.filter((result) => result.operation === operation && result.subject === name);
      expect(own.map(({ sizeBytes }) => sizeBytes)).toEqual(COPY_SIZES);
      for (const result of own) {
        expect(result).toMatchObject({ kind, status: 'ok' });
        expect(result.medianNs).toBeGreaterThanOrEqual(result.bestNs);
        expect(result.bestNs).toBeGreaterThan(0);
      }
    }
  }
  expect(claims).toHaveLength(compiler === null ? 2 : 5);
  expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(results.length + 1);
  expect((await readdir(folder)).filter((name) => name.endsWith('.svg'))).toHaveLength(OPERATIONS.length);
  await rm(folder, { recursive: true });
});

test('a claim is met by its worst size', () => {
  const results = [resultOf('copier', 64, 9), resultOf('memcpy', 64, 3), resultOf('copier', 100, 11), resultOf('memcpy', 100, 3), resultOf('copyWithin', 64, 30), resultOf('copyWithin', 100, 22)];
  const claims = claimsOf(results);
  expect(claims).toEqual([
    { text: 'at most 3 times memcpy up to 256 bytes', isMet: false, worst: 11 / 3, sizeBytes: 100 },
    { text: 'at least 3 times as fast as copyWithin up to 100 bytes', isMet: false, worst: 0.5, sizeBytes: 100 },
    { text: 'never slower than copyWithin', isMet: true, worst: 0.5, sizeBytes: 100 },
  ]);
  expect(formatClaims(claims)).toMatch(/NO {2}at most 3 times memcpy.*3\.67 times, at 100 bytes/);
});

test('without a C compiler there is nothing to refer to', () => {
  const results = [resultOf('copier', 64, 9), resultOf('copyWithin', 64, 30)];
  expect(claimsOf(results).map(({ text }) => text)).toEqual(['at least 3 times as fast as copyWithin up to 100 bytes', 'never slower than copyWithin']);
  expect(formatCopies('copy', results, false)).toMatch(/64 │ +9\.0 │/);
});

test('a batch moves what single calls move', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 20, commit: 2 ** 20 });
  const offsets = (start: number): Int32Array => Int32Array.from({ length: 256 }, (_, i) => start + i * 3);
  const areas = { memory, source: 65_536, target: 262_144, to: offsets(262_144), from: offsets(65_536) };
  for (let i = 0; i < 4096; i += 1) memory.u8[areas.source + i] = i * 7;
  expect(makeLoop('bulk', 'copier', areas)(13, 200)).toBe(0);
  const batch = memory.u8.slice(areas.target, areas.target + 4096);
  memory.u8.fill(0, areas.target, areas.target + 4096);
  expect(makeLoop('copy', 'typed-array', areas)(13, 200)).toBe(0);
  expect(memory.u8.slice(areas.target, areas.target + 4096)).toEqual(batch);
  expect(batch.some((byte) => byte !== 0)).toBe(true);
});
