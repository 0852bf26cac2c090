/** What keeps a release from going out, in a repository of one package. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyChangesets, commit } from '../src/candidate.ts';
import { publish } from '../src/publish.ts';
import { releaseComplaints } from '../src/ready.ts';
import { run } from '../src/workspace.ts';

let root: string;

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}

function manifest(version: string): string {
  return JSON.stringify({ name: '@allokit/one', version, publishConfig: { access: 'public' } });
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'allokit ready '));
  for (const folder of ['packages/one', '.changeset']) mkdirSync(join(root, folder), { recursive: true });
  write('package.json', '{ "name": "root", "version": "0.0.0", "private": true }');
  write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  write('packages/one/package.json', manifest('0.1.0'));
  write('.changeset/README.md', '# Changesets\n');
  await run(root, ['git', 'init', '--quiet']);
  await commit(root, 'First');
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

test('committed versions may go out, and are what a candidate has', async () => {
  expect(await releaseComplaints(root)).toEqual([]);
  expect((await applyChangesets(root)).map(({ name, manifest: { version } }) => `${name} ${version}`)).toEqual(['@allokit/one 0.1.0']);
});

test('changesets that wait, packages without a version and changes keep a release back', async () => {
  write('packages/one/package.json', manifest('0.0.0'));
  write('.changeset/first.md', "---\n'@allokit/one': minor\n---\n\nThe first release.\n");
  expect(await releaseComplaints(root)).toEqual([
    expect.stringContaining('changesets wait: first.md'),
    expect.stringContaining('no version yet of @allokit/one'),
    expect.stringContaining(' M packages/one/package.json\n?? .changeset/first.md'),
  ]);
});

test('what a hook of git is told does not lead a commit astray', async () => {
  const before = await run(root, ['git', 'rev-parse', 'HEAD']);
  process.env['GIT_DIR'] = join(root, '.git');
  const elsewhere = mkdtempSync(join(tmpdir(), 'allokit-elsewhere-'));
  try {
    await run(elsewhere, ['git', 'init', '--quiet']);
    writeFileSync(join(elsewhere, 'file'), 'text');
    await commit(elsewhere, 'Elsewhere');
    expect(await run(elsewhere, ['git', 'log', '--format=%s'])).toBe('Elsewhere');
  } finally {
    delete process.env['GIT_DIR'];
    rmSync(elsewhere, { recursive: true });
  }
  expect(await run(root, ['git', 'rev-parse', 'HEAD'])).toBe(before);
});

test.each(['registry', '@allokit:registry'])('nothing is published when %s leads to another registry', async (setting) => {
  const url = 'http://127.0.0.1:9/';
  const elsewhere = 'http://127.0.0.1:10/';
  write('.npmrc', `@allokit:registry=${setting === 'registry' ? url : elsewhere}\n`);
  const environment = { NPM_CONFIG_REGISTRY: setting === 'registry' ? elsewhere : url };
  const registry = { url, environment, [Symbol.asyncDispose]: () => Promise.resolve() };
  await expect(publish({ root, libraries: [] }, registry)).rejects.toThrow(`npm would publish to ${elsewhere}, not to ${url}: ${setting} says so`);
});
