import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SMALL = fileURLToPath(new URL('../traces/small.altrace.gz', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In a process of its own, as people start it. */
function benchProcess(...parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=source', CLI, ...parameters], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let runCount = 0;

/** The same in this one, which has loaded everything: each import of the command line is a run. */
async function bench(...parameters: string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const { argv, exitCode } = process;
  const mocks = [
    ...(['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      }),
    ),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(Number(code));
    }),
  ];
  process.argv = [argv[0]!, CLI, ...parameters];
  try {
    process.exitCode = 0;
    runCount += 1;
    const url = `${CLI}?run=${runCount}`;
    await import(url);
    return { code: process.exitCode, ...written };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, ...written };
  } finally {
    process.argv = argv;
    process.exitCode = exitCode;
    for (const mock of mocks) mock.mockRestore();
  }
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('--json prints JSON and nothing else, --csv writes a file', async () => {
  const csv = join(folder, 'out.csv');
  const outcome = await benchProcess('replay', SMALL, '--allocator', 'o1heap', '--allocator', 'rust-dlmalloc', '--rounds', '2', '--warm', '1', '--json', '--csv', csv);
  expect(outcome.code).toBe(0);
  const report = JSON.parse(outcome.stdout) as { machine: { cores: number; node: string }; base: string; results: { subject: string; status: string }[] };
  expect(report).toMatchObject({ command: 'replay', base: 'o1heap', machine: { node: process.versions.node } });
  expect(report.results.map(({ subject, status }) => [subject, status])).toEqual([
    ['o1heap', 'ok'],
    ['rust-dlmalloc', 'ok'],
  ]);
  expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(3);
});

test('people get a table, the machine and the command', async () => {
  const { code, stdout } = await benchProcess('pair', '--allocator', 'rust-dlmalloc', '--rounds', '2', '--warm', '1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/\$ pnpm bench pair --allocator rust-dlmalloc/);
  expect(stdout).toMatch(/\d+ cores, .* GiB; .*Node \d+/);
  expect(stdout).toMatch(/rust-dlmalloc +│ +[\d.,]+ │ +[\d.,]+ │ +1\.00/);
});

test('pairs of small blocks are open to slab-pool', async () => {
  const { code, stdout } = await bench('pair', '--size', '16-64', '--allocator', 'slab-pool', '--rounds', '2', '--warm', '1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/one block of 16-64 bytes/);
  expect(stdout).toMatch(/slab-pool +│ +[\d.,]+ │/);
  expect((await bench('pair', '--size', '257', '--list')).stdout).not.toMatch(/slab-pool/);
});

test('pairs of untouched blocks are said to be so, and still verified', async () => {
  const { code, stdout } = await bench('pair', '--size', '64', '--bare', '--allocator', 'slab-pool', '--rounds', '2', '--warm', '1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/one block of 64 bytes allocated and freed; blocks untouched/);
  expect(stdout).toMatch(/slab-pool +│ .* │ yes +│/);
});

test('worst tells of single operations, and draws them', async () => {
  const files = ['--svg', folder, '--csv', join(folder, 'worst.csv')];
  const { code, stdout } = await bench('worst', SMALL, '--allocator', 'o1heap', '--rounds', '2', '--warm', '1', ...files);
  expect(code).toBe(0);
  expect(stdout).toMatch(/allocator +│ +p50 │ +p99 │ +p99\.9 │ +p99\.99 │ +max │/);
  expect(stdout).toMatch(/o1heap +│ +[\d,]+ │/);
  expect(await readFile(join(folder, 'worst-small.svg'), 'utf8')).toMatch(/^<svg .*time of a single malloc or free \[ns\]/s);
  expect(await readFile(join(folder, 'worst.csv'), 'utf8')).toMatch(/^workload,subject,.*,p9999Ns,maxNs,.*\nsmall,o1heap,allokit,ok,/);
});

test('sweep measures what it is told to', async () => {
  const { code, stdout } = await bench('sweep', '--sweep', 'size', '--quick', '--allocator', 'slab-pool', '--rounds', '1', '--warm', '1', '--json');
  expect(code).toBe(0);
  const { results } = JSON.parse(stdout) as { results: { sweep: string; value: number; status: string }[] };
  expect(results.map(({ sweep, value, status }) => [sweep, value, status])).toEqual([
    ['size', 8, 'ok'],
    ['size', 64, 'ok'],
  ]);
});

test('--list lists the allocators of a command', async () => {
  const { stdout } = await bench('arena', '--list', '--allocator', 'arena', '--allocator', 'thi.ng-malloc');
  expect(stdout).toMatch(/^arena +allokit /m);
  expect(stdout).toMatch(/^thi\.ng-malloc +peer +@thi\.ng\/malloc \d+\./m);
});

test.each([
  ['an unknown allocator', ['pair', '--allocator', 'jemalloc'], /there is no allocator called "jemalloc" in pair; there are generalPurpose, /],
  ['an unknown base', ['pair', '--base', 'jemalloc'], /there is no allocator called "jemalloc"/],
  ['a file that is not there', ['replay', 'no-such.altrace.gz'], /no-such\.altrace\.gz: no such file/],
  ['a file that is no trace', ['replay', CLI], /no allocation trace: it starts with/],
  ['an allocator of smaller blocks', ['pair', '--allocator', 'slab-pool'], /slab-pool hands out at most 256 bytes, and pair asks for up to 1039/],
  ['a single operation of any size asked of one of smaller blocks', ['worst', SMALL, '--allocator', 'slab-pool'], /and worst asks for blocks of any size/],
  ['an unknown sweep', ['sweep', '--sweep', 'age'], /It must be one of live, size/],
  ['a size that is none', ['pair', '--size', '64-16'], /It must be bytes as in 64 or 16-1039/],
  ['a number that is none', ['pair', '--rounds', 'many'], /It must be a whole number of at least 1/],
])('%s is a clear error', async (_, parameters, message) => {
  const { code, stderr } = await bench(...parameters);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('an unknown command is a clear error', async () => {
  const { code, stderr } = await benchProcess('pear');
  expect(code).toBe(1);
  expect(stderr).toMatch(/unknown command 'pear'/);
  expect(stderr).not.toMatch(/^ +at /m);
});
