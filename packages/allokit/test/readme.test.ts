/** Every example in the documentation compiles, runs, and prints what it says; every link in it leads somewhere. */

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import typescript from 'typescript';
import { describe, expect, test } from 'vitest';
import { documents, textOf, writeExamples } from './readme/examples.ts';

const { examples, configuration } = writeExamples();

/** A program as this Node.js understands it: before version 24 it does not know `using`, which people there leave to their compiler. @returns Its file. */
function understood(file: string): string {
  const source = readFileSync(file, 'utf8');
  if (Number.parseInt(process.versions.node) >= 24 || !/\busing \w+ =/.test(source)) return file;
  const lowered = file.replace(/\.ts$/, '.mjs');
  const compilerOptions = { target: typescript.ScriptTarget.ES2022, module: typescript.ModuleKind.ESNext };
  writeFileSync(lowered, typescript.transpileModule(source, { compilerOptions }).outputText);
  return lowered;
}

test('the examples compile', () => {
  const compiler = fileURLToPath(new URL('tsc.js', import.meta.resolve('typescript')));
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', configuration], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

describe('the examples print what they say', () => {
  // Side by side: each is a process of its own, which mostly starts and ends.
  test.concurrent.each(examples.filter(({ isModule }) => !isModule))('$name', async ({ file, expected, printCount }) => {
    expect(expected).toHaveLength(printCount);
    expect(expected).not.toEqual([]);
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', understood(file)]);
    expect(stdout.trimEnd().split('\n')).toEqual(expected);
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

test.each(documents().filter((path) => path.startsWith('packages/')))('%s says how to install what its examples import', (document) => {
  const text = textOf(document);
  const own = /^# (\S+)\n/.exec(text)?.[1] ?? '';
  const imported = [...text.matchAll(/^import .* from '((?:@[^/']+\/)?[^@./':][^/':]*)(?:\/[^']*)?';$/gm)].map(([, name = '']) => name);
  const others = [...new Set(imported)].filter((name) => name !== own).sort();
  expect(text).toContain(`\n    npm install ${[own, ...others].join(' ')}\n\n`);
});
