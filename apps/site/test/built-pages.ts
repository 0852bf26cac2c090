/** Builds the live pages and the measured results into a folder of their own before the tests, and takes that away after them. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildPages } from '../src/build/build-pages.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that the pages were built to. */
    site: string;
  }
}

/** Builds. @returns What takes the folder away. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const site = await mkdtemp(join(tmpdir(), 'allokit-site-'));
  await buildPages(site);
  project.provide('site', site);
  return () => rm(site, { recursive: true });
}
