/**
 * The whole test suite on several versions of Node.js: for each a copy of the repository in which the development dependency `node` is of that version, so
 * that everything in it, the workers and processes that tests start included, runs there.
 */

import { execa } from 'execa';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copySources } from './candidate.ts';
import { nodeProgram } from './runtimes.ts';
import { run, withCommands } from './workspace.ts';

/** Changes which Node.js a copy of the repository installs for itself. */
async function pin(root: string, version: string): Promise<void> {
  const replace = async (file: string, pattern: RegExp, by: string): Promise<void> => {
    const text = await readFile(join(root, file), 'utf8');
    if (!pattern.test(text)) throw new Error(`${file} does not name a Node.js`);
    await writeFile(join(root, file), text.replace(pattern, by));
  };
  await replace('package.json', /"node": "\d+\.\d+\.\d+"/, `"node": "${version}"`);
  await replace('pnpm-workspace.yaml', /^nodeVersion: .*$/m, `nodeVersion: ${version}`);
}

/**
 * Runs the suite on one version.
 *
 * @param filters - Which packages, as for `turbo run --filter`; all of them when empty.
 * @returns Whether it passed.
 */
async function test(major: number, filters: readonly string[]): Promise<boolean> {
  const version = (await run('.', [await nodeProgram(major), '--print', 'process.versions.node'])).trim();
  const root = await copySources(`node-${major}`);
  await pin(root, version);
  await run(root, ['pnpm', 'install', '--prefer-offline', '--no-frozen-lockfile']);
  console.log(`Node.js ${version}`);
  const start = performance.now();
  const parameters = filters.flatMap((filter) => ['--filter', filter]);
  const settings = { cwd: root, env: withCommands({ PATH: join(root, 'node_modules/.bin') }), stdio: 'inherit', reject: false } as const;
  const { failed } = await execa('turbo', ['run', 'test', '--continue', '--output-logs=errors-only', ...parameters], settings);
  // A report from every package is asked for where every package was.
  const isCounted = filters.length > 0 || !(await execa('node', ['.ci/count-tests.js'], settings)).failed;
  const isPassed = !failed && isCounted;
  console.log(`Node.js ${version}: ${isPassed ? 'passed' : 'FAILED'} (${((performance.now() - start) / 60_000).toFixed(1)} min)`);
  return isPassed;
}

/** Runs the suite on each of the versions in turn. @returns Whether it passed on all of them. */
export async function testMatrix(majors: readonly number[], filters: readonly string[] = []): Promise<boolean> {
  let isPassed = true;
  for (const major of majors) isPassed = (await test(major, filters)) && isPassed;
  return isPassed;
}
