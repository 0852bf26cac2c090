/** What lies in a package's tarball. */

import { execa } from 'execa';
import { stat } from 'node:fs/promises';
import type { Manifest } from './workspace.ts';

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
  const { stdout: list } = await execa('tar', ['--list', '--file', path]);
  const { stdout: manifest } = await execa('tar', ['--extract', '--to-stdout', '--file', path, 'package/package.json']);
  const files = list.split('\n').map((file) => file.replace(/^package\//, ''));
  return { manifest: JSON.parse(manifest) as Manifest, files: files.sort(), size: (await stat(path)).size };
}

/** The text of a file in one. */
export async function readPacked(path: string, file: string): Promise<string> {
  const { stdout } = await execa('tar', ['--extract', '--to-stdout', '--file', path, `package/${file}`]);
  return stdout;
}
