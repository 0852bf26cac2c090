/** `report`: everything there is to measure, as one page, and as JSON beside it. */

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { dirname } from 'node:path';

import { judgeClaims } from '../page/claims.ts';
import { renderPage } from '../page/document.ts';
import { Evidence } from '../page/evidence.ts';
import type { Family, Mode } from '../page/family.ts';
import { balanceOf } from '../page/losses.ts';
import { clockMhz, currentCommit, peerVersions } from '../page/origin.ts';
import type { Report } from '../page/report.ts';
import { runFamily, type Chapter } from '../page/run-family.ts';
import { thisMachine } from '../report/machine.ts';

export interface ReportOptions {
  readonly mode: Mode;
  readonly families: readonly Family[];
  /** Seconds for each command. */
  readonly limitSeconds: number;
  /** The page; the JSON is beside it. */
  readonly output: string;
  /** What was typed. */
  readonly commandLine: string;
}

/** Where it is, and what it says. */
export interface WrittenReport {
  readonly page: string;
  readonly json: string;
  readonly report: Report;
}

/** Measures one family after the other, each in processes of its own, and says on standard error how far it is. */
export async function writeReport({ mode, families, limitSeconds, output, commandLine }: ReportOptions): Promise<WrittenReport> {
  const start = performance.now();
  const before = loadavg()[0]!;
  const chapters: Chapter[] = [];
  for (const [index, family] of families.entries()) {
    process.stderr.write(`${index + 1} of ${families.length}: ${family.title} ... `);
    const chapter = await runFamily(family, mode, limitSeconds);
    chapters.push(chapter);
    process.stderr.write(`${chapter.seconds.toFixed(1)} s${chapter.problems.length === 0 ? '' : `: ${chapter.problems.join('; ')}`}\n`);
  }
  const machine = { ...thisMachine(), clockMhz: await clockMhz() };
  const commit = await currentCommit();
  const origin = {
    mode,
    commandLine,
    date: new Date().toISOString(),
    ...(commit === undefined ? {} : { commit }),
    machine,
    versions: await peerVersions(),
    load: { before, after: loadavg()[0]! },
    seconds: (performance.now() - start) / 1000,
  };
  const claims = judgeClaims(new Evidence(chapters, { processorCount: availableParallelism(), clockMhz: machine.clockMhz }));
  const report: Report = { origin, chapters, claims, ...balanceOf(chapters) };
  const json = output.replace(/(\.html?)?$/, '.json');
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, await renderPage(report));
  await writeFile(json, `${JSON.stringify(storedOf(report), undefined, 1)}\n`);
  return { page: output, json, report };
}

/** What the commands printed, and what follows from it; the reading in between follows too. */
function storedOf({ chapters, ...rest }: Report): object {
  return { ...rest, chapters: chapters.map(({ reading: _, ...chapter }) => chapter) };
}
