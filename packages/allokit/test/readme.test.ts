/** Every example in the documentation compiles, runs, and prints what it says; every link in it leads somewhere. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { documents, textOf, writeExamples } from './readme/examples.ts';

const { examples, configuration } = writeExamples();

test('the examples compile', () => {
  const compiler = fileURLToPath(new URL('tsc.js', import.meta.resolve('typescript')));
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', configuration], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

describe('the examples print what they say', () => {
  test.each(examples.filter(({ isModule }) => !isModule))('$name', ({ file, expected, printCount }) => {
    expect(expected).toHaveLength(printCount);
    expect(expected).not.toEqual([]);
    const printed = execFileSync(process.execPath, ['--conditions=source', file], { encoding: 'utf8' });
    expect(printed.trimEnd().split('\n')).toEqual(expected);
  });
});

test.each(documents())('the links in %s lead somewhere', (document) => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const targets = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => join(root, dirname(document), target));
  expect(targets.filter((target) => !existsSync(target))).toEqual([]);
});

test('every package has a README with an example', () => {
  const documented = new Set(examples.map(({ name }) => name.replace(/:\d+$/, '')));
  for (const document of documents().filter((path) => path.startsWith('packages/'))) expect(documented).toContain(document);
});
