/** `instances` measures all that it says, and its claims are computed from its rows. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { rowOf, type InstanceRow } from '../src/instances/measurement.ts';
import { claimsOfInstances, formatInstances, growthPlots, type InstanceClaim } from '../src/instances/report.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

interface Report {
  readonly options: { readonly sizeBytes: number };
  readonly claims: readonly InstanceClaim[];
  readonly results: readonly InstanceRow[];
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('the command measures every experiment, and writes tables, CSV and plots', { timeout: 180_000 }, async () => {
  const csv = join(folder, 'out.csv');
  const parameters = ['instances', '--size', '8MiB', '--rounds', '1', '--json', '--csv', csv, '--svg', folder];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--conditions=source', CLI, ...parameters], { maxBuffer: 2 ** 24 }, (error, text) => (error === null ? resolve(text) : reject(new Error('the command failed', { cause: error }))));
  });
  const { options, claims, results } = JSON.parse(stdout) as Report;
  expect(options.sizeBytes).toBe(2 ** 23);
  for (const experiment of ['large', 'small', 'growth', 'slowdown']) expect(results.filter((row) => row.experiment === experiment).length).toBeGreaterThan(2);
  for (const { medianNs, bestNs, worstNs } of results) {
    expect(bestNs).toBeGreaterThan(0);
    expect(medianNs).toBeGreaterThanOrEqual(bestNs);
    expect(worstNs).toBeGreaterThanOrEqual(medianNs);
  }
  expect(claims.length).toBeGreaterThan(2);
  expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(results.length + 1);
  expect(await readFile(join(folder, 'instances-memory.svg'), 'utf8')).toMatch(/^<svg/);
});

test('a claim is a ratio of medians, met from its limit on', () => {
  const facts = { experiment: 'large', memoryBytes: 2 ** 30, dirtyBytes: 2 ** 20 } as const;
  const rows = (resetMs: number): InstanceRow[] => [
    rowOf({ ...facts, subject: 'fresh, pre-touched', step: 'create' }, [900, 1000, 5000]),
    rowOf({ ...facts, subject: 'pooled, stores', step: 'reset, dense' }, [resetMs]),
  ];
  expect(claimsOfInstances(rows(5))).toEqual([expect.objectContaining({ measured: 200, isMet: true })]);
  expect(claimsOfInstances(rows(5.1))).toEqual([expect.objectContaining({ isMet: false })]);
  expect(formatInstances('large', rows(5), false)).toMatch(/pooled, stores: reset, dense .* 5,000\.0 /);
  expect(growthPlots(rows(5), 'a machine').size).toBe(0);
});
