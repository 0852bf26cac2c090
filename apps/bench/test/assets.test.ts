import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { markOf, verify } from '../src/assets/bodies.ts';
import type { AssetResult } from '../src/assets/measurement.ts';
import { claimsOf, formatAssets, formatClaims } from '../src/assets/report.ts';
import { ASSET_SUBJECTS } from '../src/assets/subjects.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('the command measures everything, with every body looked at', { timeout: 180_000 }, async () => {
  const csv = join(folder, 'out.csv');
  const parameters = ['assets', '--count', '20', '--size', '5000', '--rounds', '1', '--warm', '1', '--memory-rounds', '1', '--json', '--csv', csv];
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, ...parameters]);
  const report = JSON.parse(stdout) as { readonly command: string; readonly results: readonly AssetResult[] };
  expect(report.command).toBe('assets');
  expect(report.results.map(({ subject, status }) => [subject, status])).toEqual(ASSET_SUBJECTS.map(({ name }) => [name, 'ok']));
  for (const { bestNs, medianNs, ratio, cpuRatio, excessBytes, subject } of report.results) {
    expect(
      [bestNs, medianNs, ratio, cpuRatio].every((figure) => figure !== undefined && figure > 0 && Number.isFinite(figure)),
      subject,
    ).toBe(true);
    const hasMemory = platform() === 'linux' && ASSET_SUBJECTS.find(({ name }) => name === subject)!.hasMemory;
    expect(Number.isFinite(excessBytes), subject).toBe(hasMemory);
  }
  expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(ASSET_SUBJECTS.length + 1);
});

test('bodies that are wrong are found', () => {
  const body = new Uint8Array(100).fill(markOf(300));
  verify(body, 300, 100);
  expect(() => verify(body, 301, 100)).toThrow(/asset 301 has 100 bytes/);
  expect(() => verify(body.subarray(1), 300, 100)).toThrow(/has 99 bytes/);
  body[99] = 0;
  expect(() => verify(body, 300, 100)).toThrow();
});

test('claims that are not met are said to be so', () => {
  const result = (subject: string, ratio: number, excess: number): AssetResult => ({
    subject,
    kind: 'allokit',
    status: 'ok',
    count: 1000,
    sizeBytes: 65_536,
    base: 'arrayBuffer',
    roundCount: 1,
    medianNs: 1e9,
    bestNs: 1e9,
    bestCpuNs: 1e9,
    ratio,
    cpuRatio: ratio,
    excessBytes: excess,
    peakBytes: excess,
  });
  const results = [
    result('tiers', 1.3, 2 ** 20),
    result('heap', 1, 17 * 2 ** 20),
    { ...result('tiers-sha256', 9, 0), status: 'failed' as const, reason: 'no memory' },
  ];
  expect(claimsOf(results).map(({ isMet }) => isMet)).toEqual([false, true, true, false]);
  expect(formatClaims(claimsOf(results))).toMatch(/NO {2}tiers: time.*1\.30, at most 1\.20/);
  expect(formatAssets(results, false)).toMatch(/FAILED tiers-sha256: no memory/);
});
