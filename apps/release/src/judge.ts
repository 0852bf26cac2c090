/** What publint, "are the types wrong" and this house find fault with in the packages as they would be published. */

import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Check } from './report.ts';
import { readPacked, readTarball, type Tarball } from './tarball.ts';
import { withCommands } from './workspace.ts';

/** Scripts that a package manager would run, or warn of, when it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];

/** What others may bring into an installation: anything else has to be agreed on here. */
const AGREED_DEPENDENCIES = new Set(['commander', 'pprof-format', 'wasmparser']);

const FILES_EXPECTED = /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/[\w-]+\.js|dist\/.+\.(?:js|js\.map|d\.ts|wasm))$/;

/** Whether bundlers are told the truth: of a module that is named it must be in the package, or be the source of one. */
function isPure(sideEffects: unknown, files: readonly string[]): boolean {
  if (!Array.isArray(sideEffects)) return sideEffects === false;
  return sideEffects.every((path) => typeof path === 'string' && (path.startsWith('./src/') || files.includes(path.replace('./', ''))));
}

/** What this house asks of every package. @returns Its complaints. */
export function houseRules({ manifest, files }: Tarball): string[] {
  const complaints: string[] = [];
  const expect = (isKept: boolean, complaint: string): void => {
    if (!isKept) complaints.push(complaint);
  };
  expect(manifest['license'] === 'MIT', 'license must be MIT');
  expect(manifest['type'] === 'module', 'type must be module');
  expect(isPure(manifest.sideEffects, files), 'sideEffects must be false, or name the modules that are there for their effect');
  expect(manifest.engines?.node === '>=22', 'engines.node must be >=22');
  expect(typeof manifest['description'] === 'string' && manifest['description'].length > 0, 'description is missing');
  expect(Array.isArray(manifest['keywords']) && manifest['keywords'].length >= 3, 'keywords: at least three');
  for (const field of ['repository', 'homepage', 'bugs']) expect(manifest[field] !== undefined, `${field} is missing`);
  for (const script of INSTALL_SCRIPTS) expect(manifest.scripts?.[script] === undefined, `the script ${script} would run, or be warned of, at installation`);
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
    const isOwn = dependency === 'allokit' || dependency.startsWith('@allokit/');
    expect(isOwn || AGREED_DEPENDENCIES.has(dependency), `the dependency ${dependency} was not agreed on`);
    expect(/^\^\d+\.\d+\.\d+/.test(range), `the range ${dependency}@${range} is not one of the form ^1.2.3`);
  }
  for (const file of ['README.md', 'LICENSE', 'package.json']) expect(files.includes(file), `${file} is missing`);
  for (const file of files) expect(FILES_EXPECTED.test(file), `${file} does not belong into the package`);
  for (const file of files.filter((name) => /^dist\/.*\.js$/.test(name))) expect(files.includes(`${file}.map`), `${file} has no source map`);
  return complaints;
}

/** What publint says of a tarball. */
async function publintComplaints(path: string): Promise<string[]> {
  const tarball = await readFile(path);
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
}

/**
 * What "are the types wrong" says of a tarball. The profile is the one for ES modules alone: resolution as of Node.js 10 does not apply, and CommonJS
 * gets at the packages by `require` of an ES module, which the installations in `consumers` try out.
 */
async function typesComplaints(path: string): Promise<string[]> {
  const { exitCode, stdout } = await execa('attw', [path, '--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii'], {
    env: withCommands(),
    reject: false,
  });
  return exitCode === 0 ? [] : [`are the types wrong: ${stdout}`];
}

async function judge(name: string, path: string): Promise<void> {
  const readme = await readPacked(path, 'README.md');
  const complaints = [...houseRules(await readTarball(path)), ...(await publintComplaints(path)), ...(await typesComplaints(path))];
  if (!readme.startsWith(`# ${name}\n`)) complaints.push('README.md must open with the name of the package');
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
}

/** The checks of tarballs by everything there is. */
export function packageChecks(tarballs: ReadonlyMap<string, string>): Check[] {
  return [...tarballs].map(([name, path]) => ({ name: `${name}: publint, types, house rules`, run: () => judge(name, path) }));
}
