/**
 * A new allocator package, complete: it passes the conformance suite, the linter, the compiler and the documentation as it is written. What is its own
 * comes from `template/`, which is linted and compiled like everything else; what all packages share is copied from one that has proved it.
 */

import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from './workspace.ts';

const TEMPLATE = fileURLToPath(new URL('../template/', import.meta.url));

/** The package whose configuration new ones take over. */
const MODEL = 'arena';
const SHARED_FILES = ['tsconfig.json', 'tsconfig.build.json', 'tsup.config.ts', 'vitest.config.ts'];

/** The forms of a name, as the template has them for `fixed-pool`. */
function formsOf(name: string): readonly (readonly [string, string])[] {
  const className = name.replaceAll(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());
  const kind = name.replaceAll('-', '').toUpperCase().slice(0, 4).padEnd(4, '_');
  return [
    ['fixed-pool', name],
    ['FixedPool', className],
    ["'FIXP'", `'${kind}'`],
  ];
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
 * @throws RangeError for a name that is none, or is taken.
 */
export async function newAllocator(root: string, name: string): Promise<string> {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) throw new RangeError(`the name must be words of small letters joined by hyphens, got ${JSON.stringify(name)}`);
  const folder = join(root, 'packages', name);
  if (existsSync(folder)) throw new RangeError(`packages/${name} exists already`);
  const fill = (text: string): string => formsOf(name).reduce((filled, [from, to]) => filled.replaceAll(from, to), text);

  for (const entry of await readdir(TEMPLATE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(folder, fill(source.slice(TEMPLATE.length)));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, fill(await readFile(source, 'utf8')));
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
