/** The command line of releases: each step by itself, and `check`, which takes them all. */

import { Argument, Command } from 'commander';
import { checkGenerated } from './check-generated.ts';
import { makeCandidate, pack } from './candidate.ts';
import { KIND_NAMES, checkConsumers } from './consumers/check-consumers.ts';
import { printDryRun } from './dry-run.ts';
import { judgePackages } from './judge.ts';
import { newAllocator } from './new-allocator.ts';
import { ROOT } from './workspace.ts';

const program = new Command('release').description('What a release goes through before it goes out. Everything but `new-allocator` wants the packages built.');

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
  .description('judge the packages as they would be published: publint, the types, the rules of the house')
  .action(async () => {
    fail(await judgePackages(await pack(await makeCandidate())));
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
  .command('new-allocator')
  .description('write a package with a new allocator, which passes every check as it is')
  .argument('<name>', 'words of small letters joined by hyphens, without the scope')
  .action(async (name: string) => {
    console.log(`${await newAllocator(ROOT, name)}\nNext: make it yours, and add a line to the table in README.md. docs/write-your-own.md tells how.`);
  });

await program.parseAsync();
