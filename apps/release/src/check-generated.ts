/** A generated allocator in a copy of the repository, through everything that a package goes through. */

import { join } from 'node:path';
import { copySources } from './candidate.ts';
import { newAllocator } from './new-allocator.ts';
import { Report } from './report.ts';
import { run, type CommandLine } from './workspace.ts';

/** What is run in the package, or where the path says. */
const STEPS: readonly { readonly name: string; readonly folder?: string; readonly command: CommandLine }[] = [
  { name: 'tests and conformance', command: ['vitest', 'run'] },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.build.json'] },
  { name: 'types of the tests', command: ['tsc'] },
  { name: 'lint', command: ['eslint', '.'] },
  { name: 'build', command: ['tsup'] },
  { name: 'API reference', folder: '../..', command: ['typedoc'] },
  { name: 'example in the README', folder: '../allokit', command: ['vitest', 'run', 'test/readme.test.ts'] },
];

/** Generates one and checks it. @returns Whether it passes everything at once. */
export async function checkGenerated(): Promise<boolean> {
  const root = await copySources('generated');
  const folder = await newAllocator(root, 'ring-of-slots');
  await run(root, ['pnpm', 'install', '--prefer-offline', '--no-frozen-lockfile']);
  const report = new Report();
  // The tools are those of the copy: what they find belongs to it alone.
  const environment = { PATH: join(root, 'node_modules/.bin') };
  const checks = STEPS.map(({ name, folder: path = '.', command }) => ({
    name: `a generated package: ${name}`,
    run: async () => {
      await run(join(folder, path), command, environment);
    },
  }));
  await report.run(checks);
  report.summarize();
  return report.isPassed;
}
