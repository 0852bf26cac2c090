/** `threads`: what allocating costs on one thread and on several at once, with blocks of one's own and with blocks of others. */

import { availableParallelism } from 'node:os';
import { writeFile } from 'node:fs/promises';

import { compileNative, findCompiler } from '../native/compiler.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { writePlots } from '../report/plot-files.ts';
import { makeProgress } from '../report/progress.ts';
import { claimsOf } from '../threads/claims.ts';
import { measureThreads, type ThreadsResult, type ThreadsRounds } from '../threads/measurement.ts';
import { formatClaims, formatThreads, formatThreadsCsv, THREADS_LEGEND, threadsPlot } from '../threads/report.ts';
import { FIELDS, threadCounts, type Task } from '../threads/subjects.ts';

export interface ThreadsOptions extends Omit<ThreadsRounds, 'threadCounts'> {
  readonly tasks: readonly Task[];
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
  /** A folder for pictures. */
  readonly svg?: string | undefined;
}

/** Measures and reports. @returns Whether no Allokit row failed. Claims that are not met are reported, and no failure. */
export async function threads({ tasks, rounds, warmRounds, commandLine, json, csv, svg }: ThreadsOptions): Promise<boolean> {
  const { executables, compiler, absences } = await compilePrograms(tasks);
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  const counts = threadCounts(availableParallelism());
  const say = (text: string): void => {
    if (!json && text !== '') process.stdout.write(`${text}\n`);
  };
  say(`$ ${commandLine}\n${describeMachine(machine)}; C compiler ${compiler ?? 'absent'}\n${rounds} rounds after ${warmRounds} warm ones, all in turn`);
  for (const absence of absences) say(`  ${absence}`);

  const progress = makeProgress();
  const results: ThreadsResult[] = [];
  for (const task of tasks) {
    results.push(...(await measureThreads(task, { rounds, warmRounds, threadCounts: counts }, executables, progress)));
    say(`\n${formatThreads(task, results, colour)}`);
  }
  const claims = claimsOf(results);
  if (claims.length > 0) say(`\n${formatClaims(claims)}`);
  say(`\n${THREADS_LEGEND.join('\n')}`);

  if (csv !== undefined) await writeFile(csv, formatThreadsCsv(results));
  if (svg !== undefined) {
    const plots = new Map(tasks.map((task) => [`threads-${task}`, threadsPlot(task, results, describeMachine(machine))]));
    for (const path of await writePlots(svg, plots)) say(path);
  }
  if (json) {
    const options = { tasks, rounds, warmRounds, threadCounts: counts };
    const report = { command: 'threads', commandLine, options, machine, compiler: compiler ?? null, absences, claims, results };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  }
  return results.every(({ kind, status }) => kind !== 'allokit' || status === 'ok');
}

/** The C programs of these tasks, as far as they can be had. */
interface Programs {
  readonly executables: ReadonlyMap<string, string>;
  readonly compiler?: string;
  readonly absences: readonly string[];
}

async function compilePrograms(tasks: readonly Task[]): Promise<Programs> {
  const compiler = await findCompiler();
  if (compiler === undefined) return { executables: new Map(), absences: ['the native rows are absent: no C compiler ($CC, cc, gcc, clang) was found'] };
  const executables = new Map<string, string>();
  const absences: string[] = [];
  const flagsOf = new Map(tasks.flatMap((task) => FIELDS[task]).flatMap(({ name, flags }) => (flags === undefined ? [] : [[name, flags]])));
  for (const [name, flags] of flagsOf) {
    try {
      executables.set(name, await compileNative(compiler, 'threads.c', flags));
    } catch {
      absences.push(`${name} is absent: native/threads.c could not be compiled with ${flags.join(' ')}`);
    }
  }
  return { executables, compiler: compiler.version, absences };
}
