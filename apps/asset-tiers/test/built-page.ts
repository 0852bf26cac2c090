/** Builds the page into a folder of its own before the tests, and takes that away after them. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildPage } from '../src/server/build-page.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that the page was built to. */
    dist: string;
  }
}

/** Builds. @returns What takes the folder away. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dist = await mkdtemp(join(tmpdir(), 'asset-tiers-'));
  await buildPage(dist);
  project.provide('dist', dist);
  return () => rm(dist, { recursive: true });
}
