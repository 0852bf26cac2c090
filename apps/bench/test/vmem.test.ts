import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AllocatorError } from '@allokit/allocator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findCompiler } from '../src/native/compiler.ts';
import { silentProgress } from '../src/report/progress.ts';
import { cTouch } from '../src/vmem/c-program.ts';
import { claimsOf, type Claim } from '../src/vmem/claims.ts';
import { measureExperiment, type Experiment, type Observation, type Probe, type Step } from '../src/vmem/experiment.ts';
import type { Measurement } from '../src/vmem/measurement.ts';
import { MIB } from '../src/vmem/memories.ts';
import { findPlatform } from '../src/vmem/platform.ts';
import { formatExperiment, formatVmemCsv } from '../src/vmem/report.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const WITHOUT_KOFFI = new URL('without-koffi.ts', import.meta.url).href;
const QUICKLY = ['--size', '16MiB', '--rounds', '1', '--warm', '0'];

interface Report {
  readonly command: string;
  readonly options: { readonly sizeBytes: number };
  readonly machine: { readonly node: string };
  readonly versions: { readonly koffi?: string; readonly compiler?: string };
  readonly load: { readonly before: number; readonly after: number };
  readonly absences: readonly string[];
  readonly claims: readonly Claim[];
  readonly results: readonly Measurement[];
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function vmem(parameters: readonly string[], flags: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=source', ...flags, CLI, 'vmem', ...parameters], { env, maxBuffer: 16 * MIB }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the command', () => {
  test('measures everything: finite times and ratios, everything verified', { timeout: 180_000 }, async () => {
    const csv = join(folder, 'out.csv');
    const { code, stdout, stderr } = await vmem([...QUICKLY, '--json', '--csv', csv]);
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ command: 'vmem', options: { sizeBytes: 16 * MIB }, machine: { node: process.versions.node } });
    expect(new Set(report.results.map(({ experiment }) => experiment))).toEqual(new Set(['setup', 'pre-touch', 'follow', 'upkeep']));
    const measured = report.results.filter(({ status }) => status !== 'unsupported');
    expect(measured.length).toBeGreaterThan(10);
    for (const row of measured) {
      expect(row).toMatchObject({ status: 'ok', roundCount: 1 });
      expect(row.medianNs).toBeGreaterThan(0);
      expect(row.verified).not.toBe(false);
      if (row.base !== undefined) expect(row.ratio).toSatisfy(Number.isFinite);
    }
    for (const row of measured.filter(({ experiment }) => experiment === 'pre-touch')) expect(row).toMatchObject({ verified: true, sizeBytes: 16 * MIB });
    expect(report.claims.length).toBeGreaterThan(0);
    for (const { measured: figure } of report.claims) expect(figure).toSatisfy(Number.isFinite);
    expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(report.results.length + 1);
  });

  test('people get tables, the machine, the command and what the columns mean', async () => {
    const { code, stdout } = await vmem([...QUICKLY, '--experiment', 'pre-touch']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\$ pnpm bench vmem --size 16MiB/);
    expect(stdout).toMatch(/\d+ cores, .* GiB; .*Node \d+/);
    expect(stdout).toMatch(/WasmMemory: write +│ +[\d.,]+ │ +[\d.,]+ │/);
    expect(stdout).toMatch(/load average [\d.]+ after/);
    expect(stdout).not.toMatch(/setup:/);
  });

  test('without koffi and without a C compiler says so, and measures the rest', async () => {
    const { code, stdout, stderr } = await vmem([...QUICKLY, '--experiment', 'setup', '--experiment', 'pre-touch', '--json'], ['--import', WITHOUT_KOFFI], { PATH: folder });
    expect(code, stderr).toBe(0);
    const { absences, results, versions, claims } = JSON.parse(stdout) as Report;
    expect(absences).toEqual([expect.stringMatching(/needs the package koffi/), expect.any(String), expect.stringMatching(/No C compiler/)]);
    expect(versions).toEqual({});
    expect(new Set(results.map(({ subject }) => subject))).toEqual(new Set(['WasmMemory']));
    const preTouch = results.filter(({ experiment }) => experiment === 'pre-touch');
    expect(preTouch.map(({ step, verified }) => [step.split(',')[0], verified])).toEqual([
      ['write', true],
      ['parallel', true],
    ]);
    expect(claims.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^WasmMemory: reserve/));
  });

  test.each([
    ['a size that is none', ['--size', 'much'], /It must be a size as in 256MiB, of 1 MiB to 4 GiB/],
    ['a size that is too large', ['--size', '5GiB'], /It must be a size as in 256MiB, of 1 MiB to 4 GiB/],
    ['an unknown experiment', ['--experiment', 'all'], /It must be one of setup, pre-touch, follow, upkeep/],
  ])('%s is a clear error', async (_, parameters, message) => {
    const { code, stderr } = await vmem(parameters);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

const ROUNDS = { rounds: 3, warmRounds: 1 };

function experimentOf(...probes: Probe[]): Experiment {
  return { name: 'upkeep', title: 'a test', facts: [], unit: 'us', probes };
}

function probeOf(subject: string, step: Partial<Step>, run: () => Observation | Promise<Observation>): Probe {
  return { subject, kind: 'allokit', steps: [{ name: 'step', sizeBytes: 100, ...step }], run: async () => [await run()] };
}

describe('an experiment', () => {
  test('lets all take turns, another one first each time, and leaves warm rounds out', async () => {
    const turns: string[] = [];
    let times = 0;
    const probe = (name: string): Probe =>
      probeOf(name, { base: 'a: step' }, () => {
        turns.push(name);
        times += 1;
        return { nanoseconds: name === 'b' ? 20 : 10, residentBytes: times };
      });
    const rows = await measureExperiment(experimentOf(probe('a'), probe('b'), probe('c')), ROUNDS, silentProgress);
    expect(turns.join('')).toBe('abcbaccabcba');
    expect(rows.map(({ medianNs, ratio, roundCount }) => [medianNs, ratio, roundCount])).toEqual([
      [10, 1, 3],
      [20, 2, 3],
      [10, 1, 3],
    ]);
  });

  test('keeps groups together, and primes each', async () => {
    const turns: string[] = [];
    const probe = (name: string, group: string): Probe => {
      const run = (): Observation => {
        turns.push(name);
        return { nanoseconds: 1 };
      };
      return { ...probeOf(name, {}, run), group };
    };
    const prime = (group: string | undefined): Promise<void> => {
      turns.push(`(${group ?? ''})`);
      return Promise.resolve(group === 'w' ? Promise.reject(new Error('no such pages')) : undefined);
    };
    const experiment = { ...experimentOf(probe('a', 'v'), probe('b', 'w'), probe('c', 'v')), prime };
    await measureExperiment(experiment, { rounds: 1, warmRounds: 1 }, silentProgress);
    expect(turns.join('')).toBe('(v)ac(w)b(w)b(v)ac');
  });

  test('reports who leaves another amount resident than must be, by the process where the memory is not known', async () => {
    const bounds = { min: 90, max: 110 };
    const rows = await measureExperiment(
      experimentOf(
        probeOf('right', { bounds }, () => ({ nanoseconds: 1, residentBytes: 100, rssBytes: 2 ** 40 })),
        probeOf('wrong', { bounds }, () => ({ nanoseconds: 1, residentBytes: 111 })),
        probeOf('roughly', { bounds }, () => ({ nanoseconds: 1, rssBytes: 10 })),
        probeOf('far off', { bounds }, () => ({ nanoseconds: 1, rssBytes: 2 ** 30 })),
        probeOf('unknown', { bounds }, () => ({ nanoseconds: 1 })),
      ),
      ROUNDS,
      silentProgress,
    );
    expect(rows.map(({ status, verified }) => [status, verified])).toEqual([
      ['ok', true],
      ['failed', false],
      ['ok', true],
      ['failed', false],
      ['ok', undefined],
    ]);
    expect(rows[1]!.reason).toBe('111 bytes were resident, not 90 to 110');
  });

  test('tells what the platform cannot from what fails, and goes on with the others', async () => {
    const experiment = experimentOf(
      probeOf('unable', {}, () => {
        throw new AllocatorError('unsupported', 'no such call');
      }),
      probeOf('broken', {}, () => Promise.reject(new Error('it broke'))),
      probeOf('fine', {}, () => ({ nanoseconds: 1 })),
    );
    const rows = await measureExperiment(experiment, ROUNDS, silentProgress);
    expect(rows.map(({ status, reason, roundCount }) => [status, reason, roundCount])).toEqual([
      ['unsupported', 'no such call', 0],
      ['failed', 'it broke', 0],
      ['ok', undefined, 3],
    ]);
    const text = formatExperiment(experiment, rows, false);
    expect(text).toMatch(/UNSUPPORTED unable: step: no such call/);
    expect(text).toMatch(/FAILED broken: step: it broke/);
    expect(formatVmemCsv(rows)).toMatch(/^upkeep,broken,step,allokit,failed,100,.*,it broke$/m);
  });
});

test('a claim is met up to its limit, and left out where a row is missing', () => {
  const row = (subject: string, step: string, medianNs: number): Measurement => {
    return { experiment: 'pre-touch', subject, step, kind: 'allokit', status: 'ok', sizeBytes: 1, roundCount: 1, medianNs };
  };
  const write = row('NativeMemory', 'write', 100);
  expect(claimsOf([write])).toEqual([]);
  const claimFor = (medianNs: number): Claim[] => claimsOf([write, row('NativeMemory', 'populate, huge pages', medianNs)]);
  expect(claimFor(50)).toMatchObject([{ measured: 0.5, limit: 0.5, isMet: true }]);
  expect(claimFor(51)).toMatchObject([{ measured: 0.51, isMet: false }]);
});

test.skipIf((await findCompiler()) === undefined)('the native program answers, and refuses what there is none of', async () => {
  const { program } = await findPlatform();
  try {
    const [written] = await cTouch(program!, MIB, 'w', { hugePages: false, base: '', group: '' }).run();
    expect(written).toMatchObject({ residentBytes: MIB });
    expect(written!.nanoseconds).toBeGreaterThan(0);
    await expect(cTouch(program!, MIB, 'm', { hugePages: true, base: '', group: '' }).run()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(program!.ask(`t ${2 ** 60} w 0`)).resolves.toEqual([expect.any(Number)]);
    await expect(program!.ask('nonsense')).rejects.toThrow(/the native program ended/);
  } finally {
    await program?.close();
  }
});
