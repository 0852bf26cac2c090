/** A release after the release: a changeset, new versions, and users who upgrade. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyChangesets, type Candidate } from '../candidate.ts';
import { publish } from '../publish.ts';
import type { Check } from '../report.ts';
import { NPM, expectOutput, type Project } from './managers.ts';
import type { Setting } from './setting.ts';

const CHANGESET = `---
'@allokit/allocator': minor
---

A change for the sake of this test.
`;

/** What works whichever copy of the contract each package has: errors are known by their class, and a heap whose memory went first has nothing left to do. */
const MIXED_PROGRAM = `import { AllocatorError, Guarded } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { SlabPool } from '@allokit/slab-pool';
import { WasmMemory } from '@allokit/vmem';
const memory = WasmMemory.create({ reserve: 2 ** 24 });
const arena = Arena.create(memory);
const pool = SlabPool.create(arena);
const guarded = Guarded.create(pool);
const block = guarded.allocate(20);
guarded.deallocate(block);
guarded.release();
try {
  pool.allocate(20);
} catch (error) {
  console.log(error instanceof AllocatorError, error.code);
}
memory.release();
arena.release();
console.log('released');
`;

/** The versions of our packages in a project, each with the places it lies in. */
async function installed(project: Project): Promise<Map<string, string[]>> {
  const lock = JSON.parse(await readFile(join(project.folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const versions = new Map<string, string[]>();
  for (const [path, { version = '' }] of Object.entries(lock.packages)) {
    const name = /node_modules\/((?:@allokit\/[^/]+)|allokit)$/.exec(path)?.[1];
    if (name !== undefined) versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return versions;
}

/** The example of the front door still prints what it says. */
async function tryOut(project: Project, setting: Setting): Promise<void> {
  const example = setting.offers.find(({ name }) => name === 'allokit')?.examples[0];
  if (example === undefined) throw new Error('allokit has no example');
  await project.write({ 'example.mjs': example.program });
  expectOutput(await project.node(process.execPath, 'example.mjs'), example.output);
}

async function tryOutMixed(project: Project): Promise<void> {
  await project.write({ 'mixed.mjs': MIXED_PROGRAM });
  expectOutput(await project.node(process.execPath, 'mixed.mjs'), 'true released\nreleased');
}

/** From the first versions to the next. */
export function upgradeChecks(setting: Setting, candidate: Candidate): Check[] {
  const upgrade = async (): Promise<void> => {
    const project = await setting.project('upgrade', NPM);
    await project.add(['allokit', '@allokit/arena']);
    const before = await installed(project);
    await tryOut(project, setting);
    const mixed = await setting.project('upgrade-mixed', NPM);
    await mixed.add(['@allokit/allocator', '@allokit/arena', '@allokit/slab-pool', '@allokit/vmem']);
    await tryOutMixed(mixed);

    await writeFile(join(candidate.root, '.changeset/next.md'), CHANGESET);
    const next = await applyChangesets(candidate.root);
    const expected = new Map(next.map(({ name, manifest }) => [name, manifest.version]));
    const core = expected.get('@allokit/allocator');
    if (core === before.get('@allokit/allocator')?.[0]) throw new Error('the changeset made no version');
    const changelog = await readFile(join(candidate.root, 'packages/arena/CHANGELOG.md'), 'utf8');
    if (!changelog.includes(`Works with \`@allokit/allocator\` ${core ?? ''}.`)) throw new Error(`the changelog of a dependent says nothing:\n${changelog}`);
    await publish({ root: candidate.root, libraries: next }, setting.registry);

    // A package that depends on the changed one got a patch, so that `npm update` finds it within the range that the project already has.
    await project.run(['npm', 'update', '--prefer-online']);
    for (const [name, versions] of await installed(project)) {
      if (versions.length !== 1) throw new Error(`${name} lies there ${versions.length} times: ${versions.join(', ')}`);
      if (versions[0] !== expected.get(name)) throw new Error(`${name} is ${versions.join()} and not ${expected.get(name) ?? 'known'}`);
    }
    await tryOut(project, setting);

    // This one asked for the changed package itself, keeps the old minor of it, and gets the new one for the others.
    await mixed.run(['npm', 'update', '--prefer-online']);
    const copies = (await installed(mixed)).get('@allokit/allocator') ?? [];
    if (new Set(copies).size !== 2) throw new Error(`two versions of @allokit/allocator were expected, there are ${copies.join(', ')}`);
    await tryOutMixed(mixed);
  };
  return [{ name: 'an upgrade from one release to the next', run: upgrade }];
}
