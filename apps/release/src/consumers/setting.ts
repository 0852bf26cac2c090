/** What the checks of consumers share: a registry that has the packages, and folders to install them in. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from '../candidate.ts';
import type { Registry } from '../registry.ts';
import { scratchFolder } from '../scratch.ts';
import { effectsOf, entriesOf } from '../workspace.ts';
import { examplesOf, type Example } from './examples.ts';
import { Project, type Manager } from './managers.ts';

/** A Node.js to run things in. */
export interface NodeVersion {
  readonly major: number;
  readonly program: string;
}

/** One package as its users see it. */
export interface Offer {
  readonly name: string;
  /** What can be imported. */
  readonly entries: readonly string[];
  /** Which of that is imported for what it does. */
  readonly effects: readonly string[];
  /** The commands it brings. */
  readonly commands: readonly string[];
  /** The examples in its README. */
  readonly examples: readonly Example[];
}

/** Where consumers live. */
export class Setting {
  readonly registry: Registry;
  readonly nodes: readonly NodeVersion[];
  readonly offers: readonly Offer[];
  readonly #folder = scratchFolder('consumers');

  private constructor(registry: Registry, nodes: readonly NodeVersion[], offers: readonly Offer[]) {
    this.registry = registry;
    this.nodes = nodes;
    this.offers = offers;
  }

  /** Reads what the packages of a candidate offer. */
  static async create(registry: Registry, candidate: Candidate, nodes: readonly NodeVersion[]): Promise<Setting> {
    const offers = candidate.libraries.map(async ({ name, folder, manifest }) => ({
      name,
      entries: entriesOf(manifest),
      effects: effectsOf(manifest),
      commands: Object.keys(manifest.bin ?? {}),
      examples: examplesOf(await readFile(join(folder, 'README.md'), 'utf8')),
    }));
    return new Setting(registry, nodes, await Promise.all(offers));
  }

  /** A fresh project. */
  async project(name: string, manager: Manager): Promise<Project> {
    return Project.create(join(this.#folder, name.replaceAll(/\W+/g, '-')), manager, this.registry);
  }

  /** The names of all packages. */
  get names(): readonly string[] {
    return this.offers.map(({ name }) => name);
  }
}
