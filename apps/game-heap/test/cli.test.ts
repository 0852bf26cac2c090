import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function gameHeap(parameters: readonly string[], nodeOptions: readonly string[] = []): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=source', ...nodeOptions, CLI, ...parameters], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

interface Report {
  readonly memory: string;
  readonly fallback?: string;
  readonly failure?: string;
  readonly checks: readonly { readonly name: string; readonly holds: boolean }[];
  readonly exhaustion: { readonly count: number };
  readonly comparison: readonly { readonly policy: string; readonly times?: { readonly p50: number } }[];
  readonly timeline: readonly { readonly frame: number; readonly allocated: number; readonly resident?: number }[];
  readonly plot?: string;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-game-heap-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(['native', 'wasm'])('a short run on %s memory: JSON and nothing else, all checks hold, a plot is drawn', async (memory) => {
  const plot = join(folder, `${memory}.svg`);
  const { code, stdout } = await gameHeap(['--json', '--quick', '--frames', '20', '--memory', memory, '--plot', plot]);
  const report = JSON.parse(stdout) as Report;
  expect(report.checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(report).toMatchObject({ memory, frames: 20, seed: 1, size: 2 ** 30, plot, exhaustion: { count: 32_767, outOfMemoryCount: 1, isOnePiece: true } });
  expect(report.comparison.map(({ policy }) => policy)).toEqual(['all', 'steps', 'touch', 'populate']);
  expect(report.comparison[0]!.times!.p50).toBeGreaterThan(0);
  expect(report.timeline.at(-1)!.frame).toBe(20);
  expect(report.timeline.at(-1)!.allocated).toBeGreaterThan(2 ** 20);
  expect(code).toBe(0);
  const svg = await readFile(plot, 'utf8');
  expect(svg).toMatch(/^<svg [^]*allocated[^]*<\/svg>\s*$/);
  expect(svg).not.toMatch(/href="http/);
});

test('a heap that is too small is reported, not crashed', async () => {
  const plot = join(folder, 'none.svg');
  const { code, stdout, stderr } = await gameHeap(['--json', '--quick', '--memory', 'wasm', '--size', '4MiB', '--plot', plot]);
  const report = JSON.parse(stdout) as Report;
  expect([code, stderr]).toEqual([1, '']);
  expect(report.failure).toMatch(/^in frame \d+: no room for \d+ bytes: \d+ of \d+ are in use/);
  expect(report).toMatchObject({ checks: [{ name: 'all frames ran', holds: false }, { holds: true }, { holds: true }], exhaustion: { count: 127 } });
  await expect(stat(plot)).rejects.toThrow('ENOENT');
  const people = await gameHeap(['--quick', '--memory', 'wasm', '--size', '4MiB', '--no-plot']);
  expect(people.code).toBe(1);
  expect(people.stdout).toMatch(/OUT OF MEMORY in frame \d+: no room for/);
});

test('without koffi WebAssembly memory takes its place, and people are told why', async () => {
  const hook = join(folder, 'no-koffi.mjs');
  const lines = [
    "import { registerHooks } from 'node:module';",
    'registerHooks({ resolve(name, context, next) {',
    "  if (name !== 'koffi') return next(name, context);",
    "  throw Object.assign(new Error(\"Cannot find module 'koffi'\"), { code: 'MODULE_NOT_FOUND' });",
    '} });',
  ];
  await writeFile(hook, lines.join('\n'));
  const { stdout } = await gameHeap(['--quick', '--size', '1MiB', '--frames', '1', '--no-plot'], ['--import', pathToFileURL(hook).href]);
  expect(stdout).toMatch(/Native memory is not to be had: native memory needs the package koffi.*WebAssembly memory takes its place/);
  expect(stdout).toMatch(/WebAssembly memory, a heap of 1 MiB|WebAssembly memory, a heap of 1\.00 MiB/);
});

test.each([
  ['a size that is none', ['--size', 'big'], /It must be bytes as in 1GiB/],
  ['a size that is too large', ['--size', '4GiB'], /It must be bytes as in 1GiB/],
  ['a number of frames that is none', ['--frames', '0'], /It must be a whole number from 1/],
  ['a memory that is none', ['--memory', 'disk'], /Allowed choices are native, wasm/],
  ['an argument too many', ['now'], /too many arguments/],
])('%s is a clear error', async (_, parameters, message) => {
  const { code, stderr } = await gameHeap(parameters);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
});
