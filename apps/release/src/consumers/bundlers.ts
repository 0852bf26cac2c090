/** Bundles for browsers, by the bundlers that people use, run in Chromium: the examples of every README, and every package as a whole. */

import { join } from 'node:path';
import type { Check } from '../report.ts';
import { ScriptBrowser } from './browser.ts';
import { NPM, expectOutput, type Project } from './managers.ts';
import type { CommandLine } from '../workspace.ts';
import type { Setting } from './setting.ts';

/** One program to bundle. */
interface Program {
  readonly name: string;
  readonly text: string;
  readonly output: string;
}

/** A bundler: its configuration, given the names of the programs, and the command that bundles each `NAME.mjs` into `FOLDER/NAME.js`. */
interface Bundler {
  readonly name: string;
  readonly packages: readonly string[];
  readonly configuration?: { readonly file: string; readonly text: (names: readonly string[]) => string };
  readonly command: (names: readonly string[]) => CommandLine;
  /** What it says only when something is amiss. */
  readonly complaint: RegExp;
}

function entriesAsObject(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, `./${name}.mjs`])));
}

const BUNDLERS: readonly Bundler[] = [
  {
    name: 'esbuild',
    packages: ['esbuild'],
    command: (names) => [
      'node_modules/.bin/esbuild',
      ...names.map((name) => `${name}.mjs`),
      '--bundle',
      '--format=esm',
      '--minify',
      '--target=es2022',
      '--outdir=esbuild',
    ],
    complaint: /▲|\[WARNING\]/,
  },
  {
    name: 'vite',
    packages: ['vite'],
    configuration: {
      file: 'vite.config.mjs',
      text: (names) =>
        `export default { build: { outDir: 'vite', target: 'es2022', modulePreload: false, rollupOptions: { input: ${entriesAsObject(names)}, output: { entryFileNames: '[name].js' } } } };\n`,
    },
    command: () => ['node_modules/.bin/vite', 'build', '--logLevel', 'warn'],
    complaint: /\S/,
  },
  {
    name: 'webpack',
    packages: ['webpack', 'webpack-cli'],
    configuration: {
      file: 'webpack.config.mjs',
      text: (names) => `export default {
  mode: 'production',
  target: ['web', 'es2022'],
  entry: ${entriesAsObject(names)},
  output: { path: import.meta.dirname + '/webpack', filename: '[name].js', module: true, chunkFormat: 'module' },
  experiments: { outputModule: true },
  performance: false,
};\n`,
    },
    command: () => ['node_modules/.bin/webpack', '--config', 'webpack.config.mjs', '--fail-on-warnings'],
    complaint: /\bWARNING\b/,
  },
];

/** The examples that run in browsers, and for each package a program that imports what of it does. */
function programs(setting: Setting): Program[] {
  return setting.offers.flatMap((offer) => {
    const base = offer.name.replaceAll(/\W+/g, '-').replace(/^-/, '');
    const examples = offer.examples.filter(({ isForBrowsers }) => isForBrowsers);
    return [
      ...examples.map(({ program, output }, index) => ({ name: `${base}-example-${index}`, text: program, output })),
      { name: `${base}-whole`, text: `import * as whole from '${offer.name}';\nconsole.log(Object.keys(whole).length > 0);\n`, output: 'true' },
    ];
  });
}

async function prepare(setting: Setting, all: readonly Program[]): Promise<Project> {
  const project = await setting.project('bundlers', NPM);
  await project.add(setting.names);
  await project.add(BUNDLERS.flatMap(({ packages }) => packages), { isQuiet: false });
  await project.write(Object.fromEntries(all.map(({ name, text }) => [`${name}.mjs`, text])));
  return project;
}

/** Every bundler. */
export function bundlerChecks(setting: Setting): Check[] {
  const all = programs(setting);
  const names = all.map(({ name }) => name);
  let prepared: Promise<Project> | undefined;
  return BUNDLERS.map(({ name: bundler, configuration, command, complaint }) => ({
    name: `${all.length} bundles by ${bundler}, in Chromium`,
    run: async () => {
      const project = await (prepared ??= prepare(setting, all));
      if (configuration !== undefined) await project.write({ [configuration.file]: configuration.text(names) });
      const said = await project.run(command(names));
      if (complaint.test(said)) throw new Error(said);
      await using browser = await ScriptBrowser.start(join(project.folder, bundler));
      for (const { name, output } of all) expectOutput(await browser.run(`${name}.js`), output);
    },
  }));
}
