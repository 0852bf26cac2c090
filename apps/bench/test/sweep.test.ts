import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { sweep, type SweepOptions } from '../src/commands/sweep.ts';
import type { MeasureOptions } from '../src/measure.ts';
import { SWEEPS, sweepPoint, sweepPoints } from '../src/sweep/points.ts';
import { formatSweep, sweepPlot, type SweepResult } from '../src/sweep/report.ts';
import { encodeTrace, parseTrace } from '../src/trace/trace.ts';
import { firstFit } from './first-fit.ts';

const MEASURE: MeasureOptions = { rounds: 1, warmRounds: 1, budget: 20, verify: true, sizedFree: false };
const REPORT: SweepOptions = { commandLine: 'pnpm bench sweep', seed: 1, bare: false, json: false };

describe('the points of a sweep', () => {
  test.each(SWEEPS)('of %s ascend, fit into 1 GiB, and are fewer when quick', (name) => {
    const full = sweepPoints(name, { quick: false });
    const quick = sweepPoints(name, { quick: true });
    for (const points of [full, quick]) {
      const values = points.map(({ value }) => value);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect([values[0], values.at(-1)]).toEqual(name === 'live' ? [100, 1_000_000] : [8, 2 ** 20]);
      for (const { value, sizeBytes } of points) expect((name === 'live' ? value : 256) * sizeBytes).toBeLessThanOrEqual(2 ** 30);
    }
    expect(quick.length).toBeLessThan(full.length);
  });

  test('prove all replacements of small blocks, and some of large ones', () => {
    expect(sweepPoint('size', 64).makeWorkload(1).proof).toBeUndefined();
    const { proof, trace, operationCount } = sweepPoint('size', 2 ** 20).makeWorkload(1);
    expect(operationCount).toBe(20_480);
    expect(proof!.operationCount).toBe(2 * (256 + 64));
    expect(parseTrace(encodeTrace(proof!), 'proof').peakLiveBytes).toBe(trace.peakLiveBytes);
  });
});

describe('a sweep', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const points = [sweepPoint('live', 20, 200), sweepPoint('live', 50, 200), sweepPoint('size', 64, 200), sweepPoint('size', 512, 200)];

  test('is a table, a file and two pictures, and leaves out who cannot', async () => {
    let said = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    const csv = join(folder, 'sweep.csv');
    const field = { subjects: [firstFit({}, 'first-fit'), firstFit({}, 'slab-pool')], absences: ['nobody is absent'] };
    expect(await sweep(points, field, MEASURE, { ...REPORT, csv, svg: join(folder, 'plots') })).toBe(true);

    expect(said).toMatch(/\$ pnpm bench sweep\n/);
    expect(said).toMatch(/live blocks │ +first-fit │ +slab-pool/);
    expect(said).toMatch(/50 │ +[\d.,]+ │ +[\d.,]+ │/);
    expect(said).toMatch(/512 │ +[\d.,]+ │ +- │/);
    const lines = (await readFile(csv, 'utf8')).trim().split('\n');
    expect(lines[0]).toMatch(/^sweep,value,workload,subject,/);
    expect(lines).toHaveLength(1 + 7);
    expect(await readdir(join(folder, 'plots'))).toEqual(['sweep-live.svg', 'sweep-size.svg']);
    expect(await readFile(join(folder, 'plots', 'sweep-live.svg'), 'utf8')).toMatch(/time of a free and an allocation \[ns\].*first-fit/s);
  });

  test('reports a heap of ours that is wrong, as JSON too', async () => {
    let said = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    const complaints = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const field = { subjects: [firstFit({ overlapEvery: 50 }, 'broken')], absences: [] };
    expect(await sweep(points.slice(0, 1), field, MEASURE, { ...REPORT, json: true, bare: true })).toBe(false);
    const result = { sweep: 'live', value: 20, workload: 'live-20-bare', status: 'failed' };
    expect(JSON.parse(said)).toMatchObject({ command: 'sweep', bare: true, results: [result] });
    expect(complaints.mock.calls.join('')).toMatch(/broken in live-20-bare: failed: operation \d+/);
  });
});

test('what went wrong at a point is said, and not drawn', () => {
  const subjects = [firstFit({}, 'a')];
  const row = { sweep: 'size', subject: 'a', kind: 'allokit', roundCount: 1, operationCount: 1, peakLive: 1 } as const;
  const rows: SweepResult[] = [
    { ...row, value: 8, workload: 'size-8', status: 'ok', medianNs: 5 },
    { ...row, value: 16, workload: 'size-16', status: 'stopped', medianNs: 7000, reason: 'too slow' },
    { ...row, value: 32, workload: 'size-32', status: 'failed', medianNs: 9, reason: '32 bytes were refused' },
    { ...row, value: 64, workload: 'size-64', status: 'failed', reason: 'not on this machine' },
  ];
  const table = formatSweep('size', rows, subjects, { bare: true, colour: false });
  expect(table).toMatch(/so many bytes are replaced; blocks untouched/);
  for (const cell of [/ 8 │ +5\.0 │/, / 16 │ \(7,000\.0\) │/, / 32 │ +9\.0 NO │/, / 64 │ +failed │/]) expect(table).toMatch(cell);
  expect(table).toMatch(/FAILED a in size-64: not on this machine/);
  expect(sweepPlot('size', rows, subjects, { bare: false, machine: 'none' }).series).toMatchObject([{ name: 'a', points: [{ x: 8, y: 5 }] }]);
});
