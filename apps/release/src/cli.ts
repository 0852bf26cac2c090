/** The command line of releases: each step by itself, and `check`, which takes them all. */

import { Argument, Command } from 'commander';
import { execa } from 'execa';
import { join } from 'node:path';
import { checkGenerated } from './check-generated.ts';
import { makeCandidate, pack, type Candidate } from './candidate.ts';
import { KIND_NAMES, checkConsumers } from './consumers/check-consumers.ts';
import { printDryRun } from './dry-run.ts';
import { packageChecks } from './judge.ts';
import { testMatrix } from './matrix.ts';
import { newAllocator } from './new-allocator.ts';
import { releaseComplaints } from './ready.ts';
import { Report } from './report.ts';
import { NODE_MAJORS } from './runtimes.ts';
import { ROOT, withCommands } from './workspace.ts';

const program = new Command('release').description('What a release goes through before it goes out. Everything but `new-allocator` and `ready` wants the packages built.');

async function judgePackages(candidate: Candidate): Promise<boolean> {
  const report = new Report();
  await report.run(packageChecks(await pack(candidate)));
  report.summarize();
  return report.isPassed;
}

async function judgeSizes(): Promise<boolean> {
  const { failed } = await execa('size-limit', { cwd: join(import.meta.dirname, '..'), env: withCommands(), stdio: 'inherit', reject: false });
  return !failed;
}

async function checkQuickly(): Promise<boolean> {
  const candidate = await makeCandidate();
  await printDryRun(candidate, { changelogs: false });
  const results = [await judgePackages(candidate), await judgeSizes()];
  return results.every((isPassed) => isPassed);
}

function fail(isPassed: boolean): void {
  if (!isPassed) process.exitCode = 1;
}

program
  .command('dry-run')
  .description('print what a release would send out; nothing is changed or sent')
  .option('--changelogs', 'with the changelog of each package', false)
  .action(async (options: { readonly changelogs: boolean }) => {
    await printDryRun(await makeCandidate(), options);
  });

program
  .command('packages')
  .description('judge the packages as they are published: publint, the types, the rules of the house')
  .action(async () => {
    fail(await judgePackages(await makeCandidate()));
  });

program
  .command('ready')
  .description('tell whether the repository may be published as it is: versions made, changes committed')
  .action(async () => {
    const complaints = await releaseComplaints(ROOT);
    for (const complaint of complaints) console.error(`Not ready for a release: ${complaint}`);
    fail(complaints.length === 0);
  });

program
  .command('quick')
  .description('the dry run, the packages, and their sizes')
  .action(async () => {
    fail(await checkQuickly());
  });

program
  .command('consumers')
  .description('publish to a registry of its own, install from it, and use what was installed')
  .addArgument(new Argument('[kinds...]', 'what to do with it').choices(KIND_NAMES).default(KIND_NAMES, 'everything'))
  .action(async (kinds: readonly string[]) => {
    fail(await checkConsumers(kinds));
  });

program
  .command('generated')
  .description('generate an allocator in a copy of the repository, and put it through tests, lint, types, build and documentation')
  .action(async () => {
    fail(await checkGenerated());
  });

program
  .command('matrix')
  .description('run the whole test suite on each version of Node.js, in a copy of the repository')
  .option('--node <majors...>', 'on these versions only', NODE_MAJORS.map(String))
  .option('--filter <packages...>', 'of these packages only', [])
  .action(async ({ node, filter }: { readonly node: readonly string[]; readonly filter: readonly string[] }) => {
    fail(await testMatrix(node.map(Number), filter));
  });

program
  .command('new-allocator')
  .description('write a package with a new allocator, which passes every check as it is')
  .argument('<name>', 'words of small letters joined by hyphens, without the scope')
  .action(async (name: string) => {
    try {
      console.log(`${await newAllocator(ROOT, name)}\nNext: pnpm install, make it yours, and add a line to the table in README.md. docs/write-your-own.md tells how.`);
    } catch (error) {
      if (error instanceof RangeError) program.error(error.message);
      throw error;
    }
  });

program
  .command('check')
  .description('everything: quick, generated, consumers, matrix')
  .action(async () => {
    const results = [await checkQuickly(), await checkGenerated(), await checkConsumers(), await testMatrix(NODE_MAJORS)];
    fail(results.every((isPassed) => isPassed));
  });

await program.parseAsync();
