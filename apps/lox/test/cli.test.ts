/** The command line: exit codes, streams, options, the prompt; and the session of the README. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const APP = fileURLToPath(new URL('../', import.meta.url));
const CLI = join(APP, 'src/cli.ts');
/** Whether there is the program of util-linux that gives another one a terminal; others of that name have no such options. */
const HAS_TERMINAL = spawnSync('script', ['-qec', 'exit 3', '/dev/null']).status === 3;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly both: string;
}

function lox(parameters: readonly string[], input = '', environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', CLI, ...parameters], { cwd: APP, env: { ...process.env, LOX_HISTORY: join(folder, 'history'), ...environment } });
    let stdout = '';
    let stderr = '';
    let both = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      both += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      both += text;
    });
    child.on('error', reject).on('close', (code) => {
      resolve({ code, stdout, stderr, both });
    });
    child.stdin.end(input);
  });
}

let folder = '';
let programCount = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-lox-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function program(source: string): Promise<string> {
  programCount += 1;
  const path = join(folder, `program-${programCount}.lox`);
  await writeFile(path, source);
  return path;
}

describe('exit codes', () => {
  test('0, and the output', async () => {
    expect(await lox([await program('print "Zoë" + "!";')])).toMatchObject({ code: 0, stdout: 'Zoë!\n', stderr: '' });
  });

  test('65, and nothing runs', async () => {
    expect(await lox([await program('print 1;\nprint 2')])).toMatchObject({ code: 65, stdout: '', stderr: "[line 2] Error at end: Expect ';' after value.\n" });
  });

  test('70, and what was printed before', async () => {
    expect(await lox([await program('print 1;\nprint -"a";')])).toMatchObject({ code: 70, stdout: '1\n', stderr: 'Operand must be a number.\n[line 2] in script\n' });
  });

  test.each([
    ['too many arguments', ['a.lox', 'b.lox']],
    ['an unknown option', ['--fast']],
    ['an unknown mode', ['--mode', 'fast']],
    ['a limit that is none', ['--limit', 'much']],
  ])('64: %s', async (_, parameters) => {
    const { code, stdout, stderr } = await lox(parameters);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('Usage: lox [path]\n');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('74: a file that is not there, and a folder', async () => {
    expect(await lox([join(folder, 'none.lox')])).toMatchObject({ code: 74, stdout: '', stderr: `Could not open file "${join(folder, 'none.lox')}".\n` });
    expect((await lox([folder])).code).toBe(74);
  });

  test('0 for help', async () => {
    const { code, stdout } = await lox(['--help']);
    expect(code).toBe(0);
    for (const option of ['--mode', '--stats', '--json', '--heap-map', '--stress-gc', '--limit']) expect(stdout).toContain(option);
  });
});

describe('options', () => {
  test('--json has everything', async () => {
    const { code, stdout, stderr } = await lox(['--json', await program('class A {} var a = A(); a.x = "x"; print a.x; print a.y;')]);
    expect([code, stderr]).toEqual([70, '']);
    const report = JSON.parse(stdout) as { compile: { records: { kinds: { name: string; count: number }[] } }; run: { heap: { live: { name: string; count: number }[]; pauses: object; peakBytes: number; liveBytes: number } } };
    expect(report).toMatchObject({ exitCode: 70, output: 'x\n', errors: "Undefined property 'y'.\n[line 1] in script\n" });
    expect(report.compile.records.kinds).toContainEqual({ name: 'class node', count: 1, bytes: 32 });
    expect(report.run.heap.live).toContainEqual({ name: 'instance', count: 1, bytes: 16 });
    expect(Object.keys(report.run.heap.pauses)).toEqual(['minor', 'mark', 'sweep', 'full', 'compact']);
    expect(report.run.heap.liveBytes).toBeLessThan(report.run.heap.peakBytes);
  });

  test('--stats says it to people, and leaves the output alone', async () => {
    const { code, stdout, stderr } = await lox(['--stats', '--stress-gc', 'full', await program('fun f() { return "x" + "y"; } print f();')]);
    expect([code, stdout]).toEqual([0, 'xy\n']);
    for (const text of [/compiled in [\d.]+ ms/, /token +│ +18/, /full +│/, /closure +│ +1/, /ran for [\d.]+ ms, [\d.]+ ms of it \(\d\d?\.\d %\) in collections/, /strings, each once: \d+/]) expect(stderr).toMatch(text);
  });

  test('--mode compiler does not run', async () => {
    const path = await program('print "ran";');
    const { code, stdout } = await lox(['--mode', 'compiler', '--json', path]);
    const report = JSON.parse(stdout) as object;
    expect(code).toBe(0);
    expect(report).toMatchObject({ output: '', errors: '' });
    expect(report).not.toHaveProperty('run');
    expect((await lox(['--mode', 'compiler', await program('print')])).code).toBe(65);
  });

  test('--heap-map draws what is there', async () => {
    const path = join(folder, 'map.svg');
    const { code } = await lox(['--heap-map', path, '--stress-gc', 'minor', 'programs/closures.lox']);
    expect(code).toBe(0);
    const svg = await readFile(path, 'utf8');
    expect(svg).toMatch(/^<svg [^]*<\/svg>\s*$/);
    for (const text of ['eden', 'survivors', 'old', 'large', 'closure: ', 'upvalue: ', 'free: ']) expect(svg).toContain(text);
    expect((await lox(['--heap-map', join(folder, 'none', 'map.svg'), 'programs/zoo.lox'])).code).toBe(74);
  });

  test('--limit is the end of a program that wants more', async () => {
    const path = await program('var s = "12345678"; while (true) s = s + s;');
    expect(await lox(['--limit', '8', path])).toMatchObject({ code: 70, stderr: 'Out of memory.\n[line 1] in script\n' });
  });

  test('-- before the file, as script runners pass it', async () => {
    expect(await lox(['--', 'programs/deep_recursion.lox'])).toMatchObject({ code: 0, stdout: '62\ntrue\nfalse\n' });
  });
});

describe('the prompt', () => {
  test('goes on after errors, and ends with the input', async () => {
    const { code, stdout, stderr } = await lox([], 'var a = 1;\nprint a +;\nprint nil + a;\nprint a;\n');
    expect(code).toBe(0);
    expect(stdout).toBe('> > > > 1\n> \n');
    expect(stderr).toBe("[line 1] Error at ';': Expect expression.\nOperands must be two numbers or two strings.\n[line 1] in script\n");
  });

  test('runs every line of a pipe that is closed already, the last one without an end too', async () => {
    const input = Array.from({ length: 300 }, (_, i) => `print ${i};`);
    const answers = input.map((_, i) => `> ${i}\n`).join('');
    expect(await lox([], input.join('\n'))).toMatchObject({ code: 0, stdout: `${answers}> \n`, stderr: '' });
  });

  test('ends quietly when nobody reads any more', async () => {
    const child = spawn(process.execPath, ['--conditions=source', CLI], { cwd: APP, env: { ...process.env, LOX_HISTORY: join(folder, 'history') }, timeout: 20_000 });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.write('print 1;\nprint 2;\n');
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr]).toEqual([74, '']);
  });

  test('says nothing itself with --json', async () => {
    const { code, stdout } = await lox(['--json'], 'print 1;\nprint 2');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ output: '1\n', errors: "[line 1] Error at end: Expect ';' after value.\n" });
  });

  test('keeps a history', async () => {
    const LOX_HISTORY = join(folder, 'kept');
    await lox([], 'var a = 1;\n\nprint a;\n', { LOX_HISTORY });
    await lox([], 'print 2;\nprint a;\n', { LOX_HISTORY });
    expect(await readFile(LOX_HISTORY, 'utf8')).toBe('var a = 1;\nprint 2;\nprint a;\n');
  });

  test('does without one', async () => {
    expect(await lox([], 'print 1;\n', { LOX_HISTORY: join(folder, 'none', 'history') })).toMatchObject({ code: 0, stdout: '> 1\n> \n', stderr: '' });
  });
});

describe.skipIf(!HAS_TERMINAL)('in a terminal', () => {
  /**
   * Presses keys, each as soon as a text is there, one after the other.
   *
   * @returns The exit code: where a signal ended it, 128 and its number, as shells have it.
   */
  async function interact(file: string, environment: NodeJS.ProcessEnv, steps: readonly (readonly [text: string, keys: string])[]): Promise<number | null> {
    const command = `"${process.execPath}" --conditions=source "${CLI}" ${file}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: APP, env: { ...process.env, ...environment }, timeout: 20_000 });
    let shown = '';
    const coming = [...steps];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      const [next] = coming;
      if (next === undefined || !shown.includes(next[0])) return;
      coming.shift();
      shown = '';
      child.stdin.write(next[1]);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  test('a line is there as soon as it is printed, and Ctrl+C ends the program', async () => {
    const path = await program('print "there"; while (true) {}');
    expect(await interact(`"${path}"`, {}, [['there\r\n', '\u0003']])).toBe(130);
  });

  test('Ctrl+C ends a line that does not end, and the history has it', async () => {
    const LOX_HISTORY = join(folder, 'interrupted');
    const line = '{ print "the" + "re"; while (true) {} }';
    const steps = [
      ['> ', `${line}\r`],
      ['there\r\n', '\u0003'],
    ] as const;
    expect(await interact('', { LOX_HISTORY }, steps)).toBe(130);
    expect(await readFile(LOX_HISTORY, 'utf8')).toBe(`${line}\n`);
  });
});

test('the session of the README', async () => {
  const readme = await readFile(join(APP, 'README.md'), 'utf8');
  const [, session = ''] = /^```console\n([^]*?)^```$/m.exec(readme) ?? [];
  const commands = session.split(/^\$ lox/m).slice(1);
  expect(commands.length).toBeGreaterThan(3);
  for (const text of commands) {
    const [parameters = '', ...rest] = text.split('\n');
    const expected = rest.slice(0, -1);
    if (parameters.trim() !== '') {
      const { both } = await lox(parameters.trim().split(' '));
      expect(both.split('\n').slice(0, -1)).toEqual(expected);
      continue;
    }
    // At the prompt a pipe shows no input: what was typed is left out.
    const input = expected.filter((line) => line.startsWith('> ')).map((line) => `${line.slice(2)}\n`);
    const { stdout, stderr } = await lox([], input.join(''));
    const answers = expected.filter((line) => !line.startsWith('> '));
    expect([...stdout.replaceAll('> ', '').trim().split('\n'), ...stderr.trim().split('\n')]).toEqual(answers);
  }
});
