/** Deno and Bun: every example of every README that runs where there is no Node.js. */

import type { Check } from '../report.ts';
import { bunProgram, denoProgram } from '../runtimes.ts';
import { NPM, expectOutput, type Project } from './managers.ts';
import type { Setting } from './setting.ts';

async function prepare(setting: Setting): Promise<Project> {
  const project = await setting.project('other-runtimes', NPM);
  await project.add(setting.names);
  return project;
}

/** Both, with all examples. */
export function otherRuntimeChecks(setting: Setting): Check[] {
  let prepared: Promise<Project> | undefined;
  const runtimes = [
    { name: 'Deno', find: denoProgram, parameters: ['run', '--allow-all', '--quiet', '--node-modules-dir=manual', '--no-lock'] },
    { name: 'Bun', find: bunProgram, parameters: ['run'] },
  ];
  return runtimes.map(({ name, find, parameters }) => ({
    name: `the examples in ${name}`,
    run: async () => {
      const project = await (prepared ??= prepare(setting));
      const program = await find();
      for (const offer of setting.offers) {
        for (const [index, example] of offer.examples.filter(({ isForBrowsers }) => isForBrowsers).entries()) {
          const file = `${name}-${offer.name.replaceAll(/\W+/g, '-')}-${index}.ts`;
          await project.write({ [file]: example.source });
          expectOutput(await project.run([program, ...parameters, file]), example.output);
        }
      }
    },
  }));
}
