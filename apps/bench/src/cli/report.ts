/** The command whose result is a page. */

import { Option, type Command } from 'commander';

import { FAMILIES } from '../page/families.ts';
import { REPORT_LIMIT } from '../page/family.ts';
import { oneOf, wholeNumber } from './options.ts';
import { commandLine, userPath } from './paths.ts';

interface ReportCommandOptions {
  readonly full: boolean;
  readonly family: readonly string[];
  readonly output: string;
  readonly limit?: number;
}

/** Adds it to the program. */
export function addReportCommand(program: Command): void {
  const names = FAMILIES.map(({ name }) => name);
  program
    .command('report')
    .description('Everything there is to measure, as one page with plots: claims, losses, growth. Under two minutes on an idle machine with two processors.')
    .option('--full', 'all rounds and sizes: an hour or so', false)
    .option('-o, --output <file>', 'the page; JSON is written beside it', 'allokit-report.html')
    .option('--family <name>', `do one only, of ${names.join(', ')}; repeat for more (default: all)`, oneOf(names), [] as string[])
    .addOption(new Option('--limit <seconds>', `time after which a command is stopped (default: ${REPORT_LIMIT.quick}, or ${REPORT_LIMIT.full} with --full)`).argParser(wholeNumber(1)))
    .action(async ({ full, family: picks, output, limit }: ReportCommandOptions) => {
      // Vega takes a while to load: only who draws waits for it.
      const { writeReport } = await import('../commands/report.ts');
      const mode = full ? 'full' : 'quick';
      const families = FAMILIES.filter(({ name }) => picks.length === 0 || picks.includes(name));
      const { page, json, report } = await writeReport({ mode, families, limitSeconds: limit ?? REPORT_LIMIT[mode], output: await userPath(output), commandLine: commandLine() });
      const { claims, losses, comparedCount, chapters } = report;
      const judged = claims.filter(({ isMet }) => isMet !== undefined);
      process.stdout.write(
        [
          `${judged.filter(({ isMet }) => isMet === true).length} of ${judged.length} claims that were measured are met; ${losses.length} of ${comparedCount} comparisons are lost`,
          `the report: ${page}`,
          `its figures: ${json}`,
          '',
        ].join('\n'),
      );
      if (chapters.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
    });
}
