/** The guide to debugging leaks, followed to the letter: its program, its commands, its reports, its repair. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { textOf } from './readme/examples.ts';

const GUIDE = textOf('docs/debugging-leaks.md');
const CLI = join(dirname(fileURLToPath(import.meta.resolve('@allokit/inspect/node'))), 'cli.ts');
/** Inside the package, so that the program finds what it imports. */
const FOLDER = fileURLToPath(new URL('../test-results/debugging-leaks/', import.meta.url));

/** The fenced blocks of a language. */
function blocks(language: string): string[] {
  return [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text);
}

/** Runs the command of the guide on a program. What it prints is as in the guide. */
function leaks(program: string): { readonly status: number | null; readonly output: string } {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'game.ts'), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', CLI, 'leaks', 'game.ts'], { cwd: FOLDER, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** A program after the change that the guide proposes. */
function repaired(program: string): string {
  const side = (sign: string): string => GUIDE.split('\n').filter((line) => line.startsWith(`    ${sign}`)).map((line) => line.slice(5)).join('\n');
  expect(program).toContain(side('-'));
  return program.replace(side('-'), side('+'));
}

test('the leak is found with its line, and is gone once it is mended', () => {
  const [program = ''] = blocks('ts');
  const [before, after] = blocks('text');
  expect(leaks(program)).toEqual({ status: 1, output: before });
  // The lines that the guide speaks of are those it means.
  const lines = program.split('\n');
  expect(lines[8 - 1]).toContain('return heap.allocate(');
  expect(lines[13 - 1]).toContain('const outline = heap.allocate(');
  expect(lines[15 - 1]).toContain('return false;');
  expect(leaks(repaired(program))).toEqual({ status: 0, output: after });
});
