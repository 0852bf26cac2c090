import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import pprof from 'pprof/proto/profile.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TraceBuilder, demandOf, encodeTrace, type HeapProfileNode } from '../src/index.ts';
import { readTrace } from '../src/native/index.ts';

const CLI = fileURLToPath(new URL('../src/native/cli.ts', import.meta.url));
const LEAKY = fileURLToPath(new URL('programs/leaky.ts', import.meta.url));
const ENDINGS = fileURLToPath(new URL('programs/endings.ts', import.meta.url));
const LINE = readFileSync(LEAKY, 'utf8').split('\n').findIndex((line) => line.includes('return sprites.allocate')) + 1;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'allokit-cli-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the tool. */
function inspect(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = folder): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ['--conditions=source', CLI, ...args], { encoding: 'utf8', cwd, env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache'), ...env } });
}

test('leaks are reported by place; the program gets its arguments', () => {
  const { status, stdout, stderr } = inspect(['leaks', LEAKY, '--depth', 'x']);
  expect(stdout).toBe('--depth x\n');
  expect(stderr.split('\n').slice(0, 4)).toEqual([
    'sprites: 10 blocks of 1,000 B still live, from 1 place',
    '',
    '1,000 B in 10 blocks, allocated',
    `  at load (${pathToFileURL(LEAKY).href}:${LINE}:18)`,
  ]);
  expect(stderr).toContain('sounds: no leaks');
  expect(status).toBe(1);
});

test('leaks as JSON go to a file; a program that fails keeps its exit code', () => {
  const { status, stderr } = inspect(['leaks', '--json', '--depth', '1', '-o', 'leaks.json', LEAKY], { EXIT: '3' });
  expect([status, stderr]).toEqual([3, '']);
  const findings = JSON.parse(readFileSync(join(folder, 'leaks.json'), 'utf8')) as unknown;
  expect(findings).toEqual([
    { name: 'sprites', leaks: [{ stack: `at load (${pathToFileURL(LEAKY).href}:${LINE}:18)`, count: 10, bytes: 1000 }] },
    { name: 'sounds', leaks: [] },
  ]);
});

test.each(['a.pb.gz', 'a.heapprofile'])('the profile %s is written in the format that its name says', (output) => {
  expect(inspect(['profile', '-o', output, LEAKY]).status).toBe(0);
  const bytes = readFileSync(join(folder, output));
  const sum = ({ selfSize, children }: HeapProfileNode): number => children.reduce((all, child) => all + sum(child), selfSize);
  const live = output.endsWith('.gz')
    ? pprof.perftools.profiles.Profile.decode(gunzipSync(bytes)).sample.reduce((all, { value }) => all + Number(value![3]), 0)
    : sum((JSON.parse(bytes.toString()) as { head: HeapProfileNode }).head);
  expect(live).toBe(1000);
});

test('a program is recorded, each of its allocators; the trace is tuned and mapped', async () => {
  expect(inspect(['record', '-o', 'program.altrace.gz', LEAKY]).status).toBe(0);
  const sprites = await readTrace(join(folder, 'program-1-sprites.altrace.gz'));
  expect([sprites.operationCount, demandOf(sprites).live]).toEqual([190, 1100]);
  expect((await readTrace(join(folder, 'program-2-sounds.altrace.gz'))).operationCount).toBe(200);

  writeFileSync(join(folder, 'mine.ts'), `
    import { Tlsf } from ${JSON.stringify(import.meta.resolve('@allokit/tlsf'))};
    export const candidates = [{ name: 'mine', description: 'half of it', create: (memory, size) => Tlsf.create(memory, { size: Math.floor(size / 2) }) }];
  `);
  const { stdout, stderr } = inspect(['tune', '--rounds', '1', '--candidates', 'mine.ts', 'program-1-sprites.altrace.gz']);
  expect([stderr, stdout]).toEqual(['', expect.stringContaining('Fastest: mine. Smallest: mine.')]);
  expect(inspect(['map', '-o', 'trace.svg', '--allocator', 'tlsf', '--after', '50', 'program-1-sprites.altrace.gz']).status).toBe(0);
  expect(readFileSync(join(folder, 'trace.svg'), 'utf8')).toContain('program-1-sprites over tlsf, after 50 operations: ');
});

test('a program is mapped on its way; what cannot be says why', () => {
  const { status, stderr } = inspect(['map', '-o', 'way.svg', '--after', '195', LEAKY]);
  expect([status, stderr]).toEqual([2, expect.stringContaining('sprites: nothing was found: it did 190 operations, not 195')]);
  expect(existsSync(join(folder, 'way-1-sprites.svg'))).toBe(false);
  expect(readFileSync(join(folder, 'way-2-sounds.svg'), 'utf8')).toContain('32 B in 1 block;');
});

const UNFINISHED = 'nothing was found: the program was killed, or the worker terminated, before it could report';

test.each([
  { ending: 'throws', status: 1, lines: ['first: 1 block of 10 B', 'second: 1 block of 20 B'] },
  // What the program's own listeners free as it exits is no leak.
  { ending: 'exits', status: 3, lines: ['first: no leaks', 'second: 1 block of 20 B'] },
  { ending: 'exits-twice', status: 4, lines: ['first: no leaks', 'second: 1 block of 20 B'] },
  { ending: 'call-sites', status: 1, lines: ['first: 1 block of 10 B', `endings.ts:15:23`] },
  { ending: 'throwing-stack', status: 1, lines: ['first: 1 block of 10 B', 'at an unknown place'] },
  { ending: 'released', status: 1, lines: ['first: no leaks', 'second: 1 block of 20 B'] },
  { ending: 'killed', status: 137, lines: [`first: ${UNFINISHED}`, `second: ${UNFINISHED}`] },
  { ending: 'terminates-worker', status: 1, lines: [`in-worker: ${UNFINISHED}`, 'second: 1 block of 20 B'] },
  { ending: 'exits-before-worker', status: 1, lines: [`in-worker: ${UNFINISHED}`, 'second: 1 block of 20 B'] },
  { ending: 'worker-exits', status: 1, lines: ['in-worker: 1 block of 30 B', 'second: 1 block of 20 B'] },
])('a program that ends otherwise is reported: $ending', ({ ending, status, lines }) => {
  const { status: found, stderr } = inspect(['leaks', ENDINGS, ending]);
  for (const line of lines) expect(stderr).toContain(line);
  expect(found).toBe(status);
});

test('a program that waits is ended by the signal that the tool gets, and reported', async () => {
  const tool = spawn(process.execPath, ['--conditions=source', CLI, 'leaks', ENDINGS, 'waits'], { cwd: folder });
  let stderr = '';
  tool.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  tool.stdout.once('data', () => tool.kill('SIGTERM'));
  const [status] = (await once(tool, 'close')) as [number];
  expect(stderr).toContain('second: 1 block of 20 B');
  expect(status).toBe(143);
});

test('a program that hears no signal is killed by the second interrupt', async () => {
  const tool = spawn(process.execPath, ['--conditions=source', CLI, 'leaks', ENDINGS, 'computes'], { cwd: folder });
  let stderr = '';
  tool.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(tool.stdout, 'data');
  // Far apart, as two that are pending at once are one.
  const again = setInterval(() => tool.kill('SIGINT'), 500);
  const [status] = (await once(tool, 'close')) as [number];
  clearInterval(again);
  expect(stderr).toContain(`second: ${UNFINISHED}`);
  expect(status).toBe(137);
});

test('a heap that cannot be mapped does not hide the others', () => {
  const { status, stderr } = inspect(['map', '-o', 'released.svg', ENDINGS, 'released']);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^first: nothing was found: .*--after OPERATIONS draws an earlier moment\nreleased-2-second\.svg: second\n$/)]);
});

test('places below the working directory are shortened; paths may be odd', () => {
  const odd = join(folder, 'odd (name) %41');
  mkdirSync(odd);
  writeFileSync(join(odd, '-é.mjs'), `
    const heap = (await import(${JSON.stringify(import.meta.resolve('@allokit/allocator'))})).inspected(
      (await import(${JSON.stringify(import.meta.resolve('@allokit/tlsf'))})).Tlsf.create((await import(${JSON.stringify(import.meta.resolve('@allokit/vmem'))})).WasmMemory.create({ reserve: 2 ** 20 }), { size: 2 ** 18 }));
    function leak() { heap.allocate(7); }
    leak();
    console.log(process.argv.length);
  `);
  const { stdout, stderr } = inspect(['leaks', '--', '-é.mjs', '--sample'], {}, odd);
  expect([stdout, stderr]).toEqual(['3\n', expect.stringContaining('\n  at leak (-é.mjs:4:28)\n')]);
});

test('what a sample shows is called an estimate', () => {
  const { stderr } = inspect(['leaks', '--sample', '1', LEAKY]);
  expect(stderr).toMatch(/^sprites: about \d+ blocks of [\d,]+ B still live, from 1 place, by a sample every 1 B\n\nabout /);
  expect(stderr).toContain('sounds: no leaks seen, by a sample every 1 B');
});

test('a recording that ends at the limit says so', () => {
  expect(inspect(['record', '--limit', '5', '-o', 'cut.altrace', LEAKY]).stderr).toContain('cut-1-sprites.altrace: what the program asked of sprites, up to the limit of 5 operations\n');
});

test('the program is not run where its results could not be kept', () => {
  const refused = [
    ['profile', '-o', 'sites.json', LEAKY], ['record', '-o', join('missing', 'a.altrace'), LEAKY], ['map', '-o', '.', LEAKY],
    ['leaks', '--depth', '1001', LEAKY], ['leaks', '--sample', '1e99', LEAKY], ['record', '--limit', '0', '-o', 'a.altrace', LEAKY],
  ];
  for (const args of refused) {
    const { status, stdout, stderr } = inspect(args);
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/^error: [^\n]+\n(?:\(add --help for the options\)\n)?$/)]);
    expect(status).not.toBe(0);
  }
});

test.each([
  { what: 'nothing', text: 'export const candidates = [];', message: 'must export an array named candidates, with at least one' },
  { what: 'no candidate', text: 'export const candidates = [{ name: 1 }];', message: 'candidates[0] must have a name' },
  {
    what: 'one that ends its thread',
    text: `export const candidates = [{ name: 'quitter', description: '', create: () => process.exit(0) }];`,
    message: 'the candidate "quitter" ended its thread',
  },
])('candidates are refused: $what', ({ what, text, message }) => {
  const file = `${what.replaceAll(' ', '-')}.mjs`;
  writeFileSync(join(folder, file), text);
  writeFileSync(join(folder, 'empty.altrace'), encodeTrace(new TraceBuilder().finish('empty')));
  const { status, stderr } = inspect(['tune', '--candidates', file, 'empty.altrace']);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});

test('what goes wrong is said', () => {
  writeFileSync(join(folder, 'nothing.js'), 'console.log(1)');
  expect(inspect(['leaks', 'nothing.js'])).toMatchObject({ status: 2, stdout: '1\n', stderr: expect.stringContaining('passed no allocator') as string });
  expect(inspect(['replay', '.'])).toMatchObject({ status: 2, stderr: expect.stringMatching(/^error: EISDIR.*\n$/) as string });
  expect(inspect(['tune', '--candidates', 'missing.js', 'missing.altrace'])).toMatchObject({ status: 2, stderr: 'error: missing.js: no such file\n' });
  expect(inspect(['replay', 'missing.altrace'])).toMatchObject({ status: 2, stderr: expect.stringContaining('missing.altrace: no such file') as string });
});
