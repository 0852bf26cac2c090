/** The package managers, each as somebody would use it in an empty folder. */

import { execa } from 'execa';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Registry } from '../registry.ts';
import { withCommands, type CommandLine } from '../workspace.ts';

/** One package manager. */
export interface Manager {
  readonly name: string;
  /** What a new project needs besides its manifest. */
  readonly files: Readonly<Record<string, string>>;
  readonly add: CommandLine;
  /** What a line of its output looks like that warns of something. */
  readonly warning: RegExp;
  /** Runs a command that a package brought. */
  readonly execute: CommandLine;
  /** The arguments that have Node.js run a program among the installed packages. */
  readonly nodeArguments: readonly string[];
}

const YARN_PROGRAM = fileURLToPath(import.meta.resolve('@yarnpkg/cli-dist/bin/yarn.js'));

/** The one that comes with Node.js. */
export const NPM: Manager = { name: 'npm', files: {}, add: ['npm', 'install', '--no-progress'], warning: /\bwarn|deprecated/i, execute: ['npx', '--no', '--'], nodeArguments: [] };

const PNPM: Manager = {
  name: 'pnpm',
  files: {},
  add: ['pnpm', 'add', '--reporter=append-only'],
  warning: /\bwarn|deprecated|ignored build scripts/i,
  execute: ['pnpm', 'exec'],
  nodeArguments: [],
};

/** It installs its own way, without a folder `node_modules`: what a package did not declare it does not find. */
const YARN: Manager = {
  name: 'yarn',
  files: { 'yarn.lock': '' },
  add: [process.execPath, YARN_PROGRAM, 'add'],
  // Every line has a code: these tell of steps, of what was added, and that ES modules without node_modules are an experiment of yarn's.
  warning: /YN(?!0000|0013|0019|0085|0092)\d{4}/,
  execute: [process.execPath, YARN_PROGRAM, 'run'],
  nodeArguments: [YARN_PROGRAM, 'node'],
};

/** All of them. */
export const MANAGERS: readonly Manager[] = [NPM, PNPM, YARN];

/** A folder in which somebody uses our packages. */
export class Project {
  readonly folder: string;
  readonly #manager: Manager;
  readonly #registry: Registry;

  private constructor(folder: string, manager: Manager, registry: Registry) {
    this.folder = folder;
    this.#manager = manager;
    this.#registry = registry;
  }

  /** Makes the folder. */
  static async create(folder: string, manager: Manager, registry: Registry): Promise<Project> {
    await mkdir(folder, { recursive: true });
    const project = new Project(folder, manager, registry);
    await project.write({ 'package.json': '{ "name": "consumer", "version": "1.0.0", "private": true, "type": "module" }\n', ...manager.files });
    return project;
  }

  /** Writes files, by their paths in the folder. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) await writeFile(join(this.folder, path), text);
  }

  /** Installs packages. @throws Error when the package manager fails, or with `isQuiet` when it has anything to complain of. */
  async add(specifiers: readonly string[], { isQuiet = true }: { readonly isQuiet?: boolean } = {}): Promise<void> {
    const output = await this.run([...this.#manager.add, ...specifiers]);
    if (isQuiet && this.#manager.warning.test(output)) throw new Error(`${this.#manager.name} is not content:\n${output}`);
    if (isQuiet && this.#manager.name === 'npm') {
      const lock = await readFile(join(this.folder, 'package-lock.json'), 'utf8');
      if (lock.includes('"hasInstallScript"')) throw new Error(`a package has an installation script:\n${lock}`);
    }
  }

  /** Runs a command in the folder. @returns All that it printed. @throws Error with the same when it fails. */
  async run(command: CommandLine, environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const [program, ...parameters] = command;
    const { all, failed, exitCode } = await execa(program, parameters, {
      cwd: this.folder,
      env: withCommands({ ...this.#registry.environment, ...environment }),
      all: true,
      reject: false,
      timeout: 1_200_000,
    });
    if (failed) throw new Error(`${command.join(' ')} ended with ${exitCode ?? 'no code'}:\n${all}`);
    return all;
  }

  /** Runs a command that an installed package brought, in a given Node.js. @returns All that it printed. */
  async execute(program: string, command: readonly string[]): Promise<string> {
    return this.run([...this.#manager.execute, ...command], { PATH: dirname(program) });
  }

  /** Runs a program of the folder in a given Node.js. @returns What it printed, warnings included. */
  async node(program: string, file: string): Promise<string> {
    return this.run([program, ...this.#manager.nodeArguments, file]);
  }
}

/** A text without what each runtime writes in its own way when it prints an object: quotes, spaces, line ends, a comma at the end. */
function canonical(text: string): string {
  return text.replaceAll(/["'\s]/g, '').replaceAll(/,(?=[}\]])/g, '');
}

/** @throws Error unless two texts print the same values. */
export function expectOutput(actual: string, expected: string): void {
  if (canonical(actual) !== canonical(expected)) throw new Error(`expected:\n${expected}\nbut got:\n${actual}`);
}
