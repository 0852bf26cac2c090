/** The repository: where it lies, which packages go out of it, and how commands run in it. */

import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository that this file belongs to. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What a manifest says, as far as releases are concerned. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly engines?: { readonly node?: string };
  readonly exports?: Readonly<Record<string, { readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly sideEffects?: boolean | readonly string[];
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

/** Where the commands lie that releases are made with: those of this package, and those of the repository. */
export const COMMANDS: readonly string[] = [fileURLToPath(new URL('../node_modules/.bin', import.meta.url)), join(ROOT, 'node_modules/.bin')];

/** A program and its arguments. */
export type CommandLine = readonly [string, ...string[]];

/** Which repository git works in, whatever folder it is called in: hooks are told so. */
const GIT_PLACE = /^GIT_(?:DIR|COMMON_DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES)$/;

/** Where packages come from on this machine, which may be said in small letters, and is then told like the rest. */
const MACHINE_SETTINGS = ['registry', 'userconfig', 'globalconfig', 'cafile'] as const;

/**
 * An environment in which these commands come first, after those that it names itself. Of what npm's and pnpm's commands tell their children only the machine's
 * own settings are left, for which the environment has other values: else they would find packages of this repository wherever they are, and publish to the
 * registry of the machine whatever the environment says. Nor is anything left of what a hook of git is told: a commit in a copy would be one in the repository.
 */
export function withCommands(environment: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const told = Object.keys(process.env).filter((name) => /^p?npm_/.test(name) || GIT_PLACE.test(name));
  const settings = MACHINE_SETTINGS.flatMap((name): [string, string][] => {
    const value = process.env[`NPM_CONFIG_${name.toUpperCase()}`] ?? process.env[`npm_config_${name}`];
    return value === undefined ? [] : [[`NPM_CONFIG_${name.toUpperCase()}`, value]];
  });
  const own = environment['PATH'];
  return {
    ...Object.fromEntries(told.map((name) => [name, undefined])),
    ...Object.fromEntries(settings),
    ...environment,
    NODE_PATH: '',
    PATH: [...(own === undefined ? [] : [own]), ...COMMANDS, process.env['PATH'] ?? ''].join(delimiter),
  };
}

/** Runs a command, and takes what it printed. @throws ExecaError when it fails. */
export async function run(folder: string, command: CommandLine, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...parameters] = command;
  const { stdout } = await execa(program, parameters, { cwd: folder, env: withCommands(environment) });
  return stdout;
}

/** The manifest in a folder. */
export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The members of a workspace that are published, sorted by name. */
export async function libraries(root: string = ROOT): Promise<Library[]> {
  const listed = JSON.parse(await run(root, ['pnpm', 'list', '--recursive', '--depth=-1', '--json'])) as readonly { readonly path: string; readonly private: boolean }[];
  const published = await Promise.all(listed.filter((member) => !member.private).map(async ({ path }) => ({ folder: path, manifest: await readManifest(path) })));
  return published.map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest })).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The names by which a package is imported: itself, and what else its `exports` have. */
export function entriesOf({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports).map((path) => name + path.slice(1));
}

/** Those of them that are imported for what they do, and need not export anything: the manifest says that they have effects. */
export function effectsOf({ name, exports = {}, sideEffects = false }: Manifest): string[] {
  const files = typeof sideEffects === 'boolean' ? [] : sideEffects;
  return Object.keys(exports).flatMap((path) => (files.includes(exports[path]?.default ?? '') ? [name + path.slice(1)] : []));
}
