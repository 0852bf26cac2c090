import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import { gcClaims, type Fact } from '../src/gc/facts.ts';
import type { GcResult } from '../src/gc/measurement.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

interface Report {
  readonly command: string;
  readonly results: readonly GcResult[];
  readonly facts: readonly Fact[];
  readonly claims: readonly unknown[];
}

test('every program comes to the same result in all three', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-gc-'));
  try {
    const csv = join(folder, 'out.csv');
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, 'gc', '--rounds', '1', '--warm', '0', '--depth', '8', '--no-facts', '--json', '--csv', csv], {
      maxBuffer: 2 ** 24,
    });
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ command: 'gc', facts: [] });
    expect(report.results).toHaveLength(7 * 3);
    for (const { status, medianMs, ratio } of report.results) {
      expect(status).toBe('ok');
      expect(medianMs).toBeGreaterThan(0);
      expect(ratio).toBeGreaterThan(0);
    }
    expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(1 + 7 * 3);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('claims', () => {
  const fact = (name: Fact['name'], median: number, p99: number): Fact => ({ name, unit: '', count: 1, best: median, median, p99, max: p99 });
  const facts = (factor: number): Fact[] => [fact('allocation', 8 * factor, 9), fact('minor', factor, 2 * factor), fact('marking', 1, 4 * factor), fact('memory', 44 * factor, NaN)];
  const trees = (subject: GcResult['subject'], medianMs: number): GcResult => ({ workload: 'trees', parameters: '', subject, status: 'ok', medianMs, bestMs: medianMs, worstMs: medianMs, ratio: 1, roundCount: 1, checksum: 1 });

  test('are met at their limit, and not beyond', () => {
    const results = [trees('allokit-gc', 2), trees('v8-objects', 1), trees('as-incremental', 6)];
    expect(gcClaims(facts(1), results, 2).map(({ isMet }) => isMet)).toEqual(new Array(7).fill(true));
    const beyond = [trees('allokit-gc', 2.1), trees('v8-objects', 1), trees('as-incremental', 6)];
    expect(gcClaims(facts(1.01), beyond, 2).map(({ isMet }) => isMet)).toEqual(new Array(7).fill(false));
  });

  test('say nothing of what was not measured', () => {
    expect(gcClaims([], [trees('allokit-gc', 1)], 2)).toEqual([]);
  });
});
