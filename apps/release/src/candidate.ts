/** A release as it would be: a copy of the repository in which the waiting changesets have been applied. */

import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { scratchFolder } from './scratch.ts';
import { ROOT, libraries, run, type Library } from './workspace.ts';

/** A copy of the repository that may be changed at will. */
export interface Candidate {
  readonly root: string;
  /** The packages with the versions that they would have. */
  readonly libraries: readonly Library[];
}

interface Packed {
  readonly name: string;
  readonly filename: string;
}

/** What git tracks or would track, of the working tree as it is. */
async function sources(): Promise<string[]> {
  const files = await run(ROOT, ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  const deleted = new Set((await run(ROOT, ['git', 'ls-files', '--deleted', '-z'])).split('\0'));
  return files.split('\0').filter((file) => file !== '' && !deleted.has(file));
}

/** Copies the working tree, without what git ignores, into a repository of its own with one commit. */
export async function copySources(purpose: string): Promise<string> {
  const root = scratchFolder(purpose);
  for (const file of await sources()) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await cp(join(ROOT, file), join(root, file), { verbatimSymlinks: true });
  }
  await run(root, ['git', 'init', '--quiet', '--initial-branch=main']);
  await commit(root, 'A copy');
  return root;
}

/** How commits are made in a copy: without the name, the signature and the hooks of whoever works in the repository. */
const COMMIT_SETTINGS = ['user.name=release', 'user.email=release@localhost', 'commit.gpgsign=false', 'core.hooksPath=/dev/null'];

/** Commits whatever changed in a copy. */
export async function commit(root: string, message: string): Promise<void> {
  await run(root, ['git', 'add', '--all']);
  await run(root, ['git', ...COMMIT_SETTINGS.flatMap((setting) => ['-c', setting]), 'commit', '--quiet', '--message', message]);
}

/** The files of the changesets that wait in a repository. */
export async function waitingChangesets(root: string): Promise<string[]> {
  return (await readdir(join(root, '.changeset'))).filter((file) => file.endsWith('.md') && file !== 'README.md').sort();
}

/**
 * Turns the changesets that wait in a copy into versions and changelogs. Where none waits, as right before a release, the versions are those that lie there.
 */
export async function applyChangesets(root: string): Promise<Library[]> {
  if ((await waitingChangesets(root)).length > 0) {
    await run(root, ['changeset', 'version']);
    await commit(root, 'Versions');
  }
  return libraries(root);
}

/**
 * Links the packages of a copy to one another as an installation would: `workspace:` ranges become versions by what lies there. Nothing else is needed to
 * pack and to publish, so nothing else is installed.
 */
async function linkPackages(packages: readonly Library[]): Promise<void> {
  const folders = new Map(packages.map(({ name, folder }) => [name, folder]));
  for (const { folder, manifest } of packages) {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const target = folders.get(name);
      if (target === undefined) continue;
      const link = join(folder, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(target, link, 'junction');
    }
  }
}

/** Copies the repository together with what was built, applies the changesets, and links the packages to one another. */
export async function makeCandidate(): Promise<Candidate> {
  const root = await copySources('candidate');
  for (const { folder } of await libraries()) await cp(join(folder, 'dist'), join(root, relative(ROOT, folder), 'dist'), { recursive: true });
  const packages = await applyChangesets(root);
  await linkPackages(packages);
  return { root, libraries: packages };
}

/** What `pnpm publish` would send, as files. @returns The tarball of each package. */
export async function pack({ root, libraries: packages }: Candidate, names: readonly string[] = packages.map(({ name }) => name)): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const folder = scratchFolder('tarballs');
  const filters = names.flatMap((name) => ['--filter', name]);
  const printed = await run(root, ['pnpm', '--recursive', ...filters, 'pack', '--json', '--pack-destination', folder]);
  const packed = [JSON.parse(printed) as Packed | readonly Packed[]].flat();
  return new Map(packed.map(({ name, filename }) => [name, filename]));
}
