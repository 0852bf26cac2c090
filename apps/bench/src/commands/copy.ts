/** `copy`: what copying, filling, comparing and searching bytes costs in ranges of 6 bytes to 1 MiB, one at a time and in batches. */

import { writeFile } from 'node:fs/promises';

import { claimsOf } from '../copy/claims.ts';
import { measureCopies, type CopyResult, type CopyRounds } from '../copy/measurement.ts';
import { COPY_LEGEND, copyPlot, formatClaims, formatCopies, formatCopyCsv, formatOriginal } from '../copy/report.ts';
import type { CopySubject, Operation } from '../copy/subjects.ts';
import { compileNative, findCompiler } from '../native/compiler.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { writePlots } from '../report/plot-files.ts';
import { makeProgress } from '../report/progress.ts';

export interface CopyOptions extends CopyRounds {
  readonly operations: readonly Operation[];
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
  /** A folder for pictures. */
  readonly svg?: string | undefined;
}

/** Measures and reports. @returns Whether no Allokit row failed. Claims that are not met are reported, and no failure. */
export async function copy({ operations, rounds, warmRounds, commandLine, json, csv, svg }: CopyOptions): Promise<boolean> {
  const { executable, compiler, hasNative, absences } = await findPlatform();
  const isAbsent = ({ kind, script }: CopySubject): boolean => (kind === 'native' && executable === undefined) || (script?.ground === 'native' && !hasNative);
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json && text !== '') process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}\n${describeMachine(machine)}; C compiler ${compiler ?? 'absent'}\n${rounds} rounds after ${warmRounds} warm ones, all in turn`);
  for (const absence of absences) say(`  ${absence}`);

  const progress = makeProgress();
  const results: CopyResult[] = [];
  for (const operation of operations) {
    results.push(...(await measureCopies(operation, { rounds, warmRounds }, executable, isAbsent, progress)));
    say(`\n${formatCopies(operation, results, colour)}`);
  }
  const claims = claimsOf(results);
  say(`\n${formatOriginal(results, colour)}`);
  if (claims.length > 0) say(`\n${formatClaims(claims)}`);
  say(`\n${COPY_LEGEND.join('\n')}`);

  if (csv !== undefined) await writeFile(csv, formatCopyCsv(results));
  if (svg !== undefined) {
    const plots = new Map(operations.map((operation) => [`copy-${operation}`, copyPlot(operation, results, describeMachine(machine))]));
    for (const path of await writePlots(svg, plots)) say(path);
  }
  if (json) {
    const report = { command: 'copy', commandLine, options: { operations, rounds, warmRounds }, machine, compiler: compiler ?? null, absences, claims, results };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  }
  return results.every(({ kind, status }) => kind !== 'allokit' || status === 'ok');
}

/** What this machine has beside a JavaScript engine. */
interface Platform {
  readonly executable?: string;
  readonly compiler?: string;
  readonly hasNative: boolean;
  readonly absences: readonly string[];
}

async function findPlatform(): Promise<Platform> {
  const compiler = await findCompiler();
  const absences: string[] = [];
  const executable = compiler === undefined ? undefined : await compileNative(compiler, 'copy.c').catch(() => undefined);
  if (executable === undefined) absences.push('the C library is absent: no C compiler made the program, see CC');
  const hasNative = await import('@allokit/vmem/native').then(
    ({ NativeMemory }) => {
      NativeMemory.create({ reserve: 2 ** 18 }).release();
      return true;
    },
    () => false,
  ).catch(() => false);
  if (!hasNative) absences.push('copier-native is absent: it needs koffi');
  return {
    hasNative,
    absences,
    ...(compiler === undefined ? {} : { compiler: compiler.version }),
    ...(executable === undefined ? {} : { executable }),
  };
}
