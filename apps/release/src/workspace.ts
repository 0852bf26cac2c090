/** The repository: where it lies, which packages go out of it, and how pnpm is called in it. */

import { execa, type Options } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository that this file belongs to. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What a manifest says, as far as releases are concerned. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly engines?: { readonly node?: string };
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** One package that goes out. */
export interface Library {
  readonly name: string;
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * pnpm: the one that runs this process, if one does, otherwise what npm has in its cache or fetches.
 *
 * @returns The program and the arguments that come before one's own.
 */
export function pnpmCommand(): readonly [string, ...string[]] {
  const running = process.env['npm_execpath'];
  return running?.includes('pnpm') === true ? [process.execPath, running] : ['npx', '--yes', 'pnpm@10'];
}

/** Runs pnpm in a workspace. @throws ExecaError when it fails, with what it printed. */
export async function pnpm(root: string, parameters: readonly string[], options: Options = {}): Promise<string> {
  const [program, ...before] = pnpmCommand();
  const { stdout } = await execa(program, [...before, ...parameters], { cwd: root, ...options });
  return String(stdout);
}

/** The manifest in a folder. */
export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The members of a workspace that are published, sorted by name. */
export async function libraries(root: string = ROOT): Promise<Library[]> {
  const listed = JSON.parse(await pnpm(root, ['list', '--recursive', '--depth=-1', '--json'])) as readonly { readonly path: string; readonly private: boolean }[];
  const published = await Promise.all(listed.filter((member) => !member.private).map(async ({ path }) => ({ folder: path, manifest: await readManifest(path) })));
  return published.map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest })).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The names by which a package is imported: itself, and what else its `exports` have. */
export function entriesOf({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports).map((path) => name + path.slice(1));
}
