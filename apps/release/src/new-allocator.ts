/**
 * A new allocator package, complete: it passes the conformance suite, the linter, the compiler and the documentation as it is written. What is its own
 * comes from `template/`, which is linted and compiled like everything else; what all packages share is copied from one that has proved it.
 */

import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from './workspace.ts';

const TEMPLATE = fileURLToPath(new URL('../template/', import.meta.url));

/** The package whose configuration new ones take over. */
const MODEL = 'arena';
const SHARED_FILES = ['tsconfig.json', 'tsconfig.build.json', 'tsup.config.ts', 'vitest.config.ts'];

/** The name of a class in a program that a package's name becomes. */
function classNameOf(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** The texts of the files in a folder and below, by their paths in it. */
async function textsIn(folder: string): Promise<Map<string, string>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file): Promise<[string, string]> => [relative(folder, file), await readFile(file, 'utf8')])));
}

/**
 * Four letters for the header in memory, by which `attach` tells one kind of allocator from another: those of the name, unless a package has them already.
 *
 * @throws RangeError when all that come into question are taken.
 */
async function freeKind(root: string, name: string): Promise<string> {
  const packages = (await readdir(join(root, 'packages'))).map((folder) => join(root, 'packages', folder, 'src')).filter((folder) => existsSync(folder));
  const sources = (await Promise.all(packages.map(textsIn))).flatMap((texts) => [...texts.values()]);
  const taken = new Set(sources.flatMap((text) => [...text.matchAll(/\bkind: '(\S{4})', version:/g)].map(([, kind]) => kind)));
  const letters = name.replaceAll('-', '').toUpperCase().padEnd(4, '_');
  const kind = [letters.slice(0, 4), ...Array.from('23456789', (digit) => letters.slice(0, 3) + digit)].find((candidate) => !taken.has(candidate));
  if (kind === undefined) throw new RangeError(`the name must have other letters: the headers of ${name} would be those of another package`);
  return kind;
}

/** Makes the package known to `allokit`, whose tests run the examples in all READMEs. */
async function joinDocumentation(root: string, name: string): Promise<void> {
  const folder = join(root, 'packages/allokit');
  const manifest = await readManifest(folder);
  const entries = Object.entries({ ...manifest.devDependencies, [name]: 'workspace:^' }).sort(([one], [other]) => (one < other ? -1 : 1));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, devDependencies: Object.fromEntries(entries) }, undefined, 2)}\n`);
}

/**
 * Writes the package `@allokit/NAME` to `packages/NAME` of a repository, and a changeset for it.
 *
 * @returns The folder of the package.
 * @throws RangeError for a name that is none, that is taken, or that the package could not bear: `map` would hide JavaScript's own `Map`.
 */
export async function newAllocator(root: string, name: string): Promise<string> {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) throw new RangeError(`the name must be words of small letters joined by hyphens, got ${JSON.stringify(name)}`);
  const folder = join(root, 'packages', name);
  if (existsSync(folder)) throw new RangeError(`packages/${name} exists already`);
  const template = await textsIn(TEMPLATE);
  const className = classNameOf(name);
  const others = [...template.values()].join('\n').replaceAll('FixedPool', '');
  const isFileTaken = name !== 'fixed-pool' && template.has(join('src', `${name}.ts`));
  const isTaken = isFileTaken || className in globalThis || new RegExp(`\\b${className}\\b`).test(others);
  if (isTaken) throw new RangeError(`the name must not mean something else to the package itself, got ${name}`);
  const kind = await freeKind(root, name);
  const fill = (text: string): string => text.replaceAll('fixed-pool', name).replaceAll('FixedPool', className).replaceAll("'FIXP'", `'${kind}'`);

  for (const [file, text] of template) {
    const target = join(folder, fill(file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, fill(text));
  }

  const model = join(root, 'packages', MODEL);
  for (const file of SHARED_FILES) await copyFile(join(model, file), join(folder, file));
  const rename = async (file: string): Promise<string> => (await readFile(join(model, file), 'utf8')).replaceAll(`@allokit/${MODEL}`, `@allokit/${name}`);
  await writeFile(join(folder, 'typedoc.json'), await rename('typedoc.json'));

  const manifest = {
    ...(await readManifest(model)),
    name: `@allokit/${name}`,
    version: '0.0.0',
    description: 'Slots of one size, handed out last in, first out.',
    keywords: ['allocator', 'pool', 'linear-memory'],
    repository: { type: 'git', url: 'git+https://github.com/allokit/allokit.git', directory: `packages/${name}` },
    homepage: `https://github.com/allokit/allokit/tree/main/packages/${name}#readme`,
    dependencies: { '@allokit/allocator': 'workspace:^' },
    devDependencies: { '@allokit/vmem': 'workspace:^' },
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await joinDocumentation(root, manifest.name);
  await writeFile(join(root, '.changeset', `${name}.md`), `---\n'@allokit/${name}': minor\n---\n\nThe first release: slots of one size, handed out last in, first out.\n`);
  return folder;
}
