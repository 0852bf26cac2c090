/** A candidate in a registry, put there by the command that puts releases there. */

import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import type { Candidate } from './candidate.ts';
import type { Registry } from './registry.ts';
import { run, withCommands } from './workspace.ts';

/** What npm may be told of registries: one for everything, and one for the packages of our scope, which wins. */
const REGISTRY_SETTINGS = ['registry', '@allokit:registry'] as const;

/**
 * Publishes what the registry does not have. @throws Error with what was printed when that fails, or before anything is sent when it would go to another
 * registry.
 */
export async function publish({ root }: Candidate, registry: Registry): Promise<void> {
  for (const setting of REGISTRY_SETTINGS) {
    const target = await run(root, ['npm', 'config', 'get', setting], registry.environment);
    if (target !== registry.url) throw new Error(`npm would publish to ${target}, not to ${registry.url}: ${setting} says so`);
  }
  const { all, failed } = await execa('changeset', ['publish'], { cwd: root, env: withCommands({ ...registry.environment, CI: 'true' }), all: true, reject: false });
  if (failed) throw new Error(stripVTControlCharacters(all).replaceAll(/^.*Publishing packages.*$/gm, ''));
}
