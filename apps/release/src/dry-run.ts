/** What `pnpm version-packages` and `pnpm release` would send out, without sending it. */

import { pack, type Candidate } from './candidate.ts';
import { readPacked, readTarball } from './tarball.ts';
import { libraries } from './workspace.ts';

/** Prints each package that gets a new version, with its size, its dependencies, and, when asked for, what its changelog says. */
export async function printDryRun(candidate: Candidate, { changelogs }: { readonly changelogs: boolean }): Promise<void> {
  const before = new Map((await libraries()).map(({ name, manifest }) => [name, manifest.version]));
  const changed = candidate.libraries.filter(({ name, manifest }) => manifest.version !== before.get(name));
  if (changed.length === 0) console.log('No changeset waits: `pnpm changeset publish-plan` tells what of the versions here the registry does not have.');
  for (const [name, path] of await pack(candidate, changed.map(({ name }) => name))) {
    const { manifest, files, size } = await readTarball(path);
    const dependencies = Object.entries(manifest.dependencies ?? {}).map(([dependency, range]) => `${dependency}@${range}`);
    console.log(`${name} ${before.get(name) ?? 'new'} -> ${manifest.version}, ${files.length} files, ${(size / 1000).toFixed(1)} kB`);
    if (dependencies.length > 0) console.log(`  with ${dependencies.join(', ')}`);
    if (changelogs) console.log(`${await readPacked(path, 'CHANGELOG.md')}\n`);
  }
}
