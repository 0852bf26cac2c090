import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function chess(...parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=source', CLI, ...parameters], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

test('--json prints JSON and nothing else: counts, reuse, and every store', async () => {
  const { code, stdout } = await chess('--depth', '3', '--json', '--rounds', '1');
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as { positions: { name: string; nodes: number; divide?: unknown; stores: { store: string }[] }[] };
  expect(report).toMatchObject({ ok: true, machine: { node: process.versions.node } });
  expect(report.positions.map(({ nodes }) => nodes)).toEqual([8_902, 97_862, 2_812, 9_467, 62_379, 89_890]);
  for (const { stores, divide } of report.positions) {
    expect(stores.map(({ store }) => store)).toEqual(['pool', 'objects', 'thing']);
    expect(stores[0]).toMatchObject({ ratio: 1, reuse: { depth: 3, rate: 1, freshCount: 0 }, memoryGrowth: 0, capacityGrowth: 0, faults: [] });
    expect(stores[1]).not.toHaveProperty('reuse');
    expect(divide).toBeUndefined();
  }
});

test('people get the scenario, a table and what it means; a FEN needs no quotes', async () => {
  const { code, stdout } = await chess(...'4k3/8/8/8/8/8/8/R3K3 w Q - 0 1'.split(' '), '--depth', '2', '--divide', '--store', 'hybrid', '--rounds', '1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/30 moves of 12 bytes: bytes of a slot +│ +16 │ +16 │ yes/);
  expect(stdout).toMatch(/^ {2}e1c1 {2}3$/m);
  expect(stdout).toMatch(/16 moves, \d+ nodes/);
  expect(stdout).toMatch(/given position +│ +2 │ +\d+ │ +- │ yes │ hybrid/);
  expect(stdout).toMatch(/\d+ cores, .*; Node \d+/);
});

test('a standard position given as FEN is recognised', async () => {
  const fen = '8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - -';
  const { stdout } = await chess(fen, '--depth', '2', '--json', '--store', 'pool', '--divide', '--order', 'oldest');
  const position = { name: 'position 3', depth: 2, nodes: 191, expected: 191, divide: { length: 14 } };
  expect(JSON.parse(stdout)).toMatchObject({ order: 'oldest', positions: [position] });
});

test('mate is no error', async () => {
  const { code, stdout } = await chess('7k/5Q2/6K1/8/8/8/8/8 b - - 0 1', '--json', '--rounds', '1');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ positions: [{ nodes: 0, stores: [{ reuse: { rate: 1 } }, {}, {}] }] });
});

test.each([
  ['a position that is none', ['4k3/8/8/8/8/8/8/R3K3 w K - 0 1'], /^error: castling K needs White's rook on h1$/m],
  ['a FEN and a name', ['4k3/8/8/8/8/8/8/R3K3', 'w', '-', '-', '--position', '3'], /give a FEN or --position, not both/],
  ['an unknown position', ['--position', '7'], /Allowed choices are start, kiwipete, 3, 4, 5, 6, 4m, all/],
  ['an unknown store', ['--store', 'heap'], /Allowed choices are pool, hybrid, objects, thing, all/],
  ['a depth that is none', ['--depth', '0'], /It must be a whole number in 1\.\.12/],
])('%s is a clear error', async (_, parameters, message) => {
  const { code, stderr } = await chess(...parameters);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
});
