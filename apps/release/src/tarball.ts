/** What lies in a package's tarball. */

import { stat } from 'node:fs/promises';
import { ROOT, run, type Manifest } from './workspace.ts';

/** One packed package. */
export interface Tarball {
  readonly manifest: Manifest;
  /** Paths within the package. */
  readonly files: readonly string[];
  /** Bytes, compressed. */
  readonly size: number;
}

/** Reads one. */
export async function readTarball(path: string): Promise<Tarball> {
  const list = await run(ROOT, ['tar', '--list', '--file', path]);
  const files = list.split('\n').map((file) => file.replace(/^package\//, ''));
  return { manifest: JSON.parse(await readPacked(path, 'package.json')) as Manifest, files: files.sort(), size: (await stat(path)).size };
}

/** The text of a file in one. */
export async function readPacked(path: string, file: string): Promise<string> {
  return run(ROOT, ['tar', '--extract', '--to-stdout', '--file', path, `package/${file}`]);
}
