/** The commands that run a program: what they make of its findings. */

import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { svgMap } from '../draw.ts';
import { formatCount } from '../heap-picture.ts';
import { heapProfileOf } from '../heap-profile.ts';
import { leakReport } from '../leak-report.ts';
import { pprofOf } from '../pprof.ts';
import { requireWritable } from './output.ts';
import { runProgram, type ProgramRun } from './run-program.ts';
import type { Finding, Session } from './session.ts';

/** What can be typed. */
export interface ProgramOptions {
  readonly output?: string;
  readonly sample?: number;
  readonly depth?: number;
  readonly limit?: number;
  readonly after?: number;
  readonly json?: boolean;
}

/** Says what is wrong when a program shows nothing of itself. */
const NOTHING = 'the program passed no allocator to inspected()';

/** Exit code where there was nothing to look at. */
const EXIT_NOTHING = 2;

/** What profiles are called. */
const PROFILE_NAME = /\.(?:pb|pb\.gz|heapprofile)$/;

/** A finding, and the file that what is made of it goes to. */
interface Found extends Finding {
  readonly file: string;
}

/** `leaks`. @returns The exit code. */
export async function inspectLeaks(command: readonly string[], options: ProgramOptions): Promise<number> {
  const { exitCode, result } = await run(command, 'leaks', options, async (found, findings) => {
    const { output, json = false, sample = 0 } = options;
    const reports = found.map(({ name, leaks = [] }) => leakReport(leaks, { name, interval: sample }));
    const text = json ? JSON.stringify(findings, undefined, 2) : reports.join('\n\n');
    if (output === undefined) process.stderr.write(text === '' ? '' : `${shortened(text)}\n`);
    else await writeFile(output, `${text}\n`);
    return found.some(({ leaks = [] }) => leaks.length > 0);
  });
  return result === true && (exitCode === 0 || exitCode === EXIT_NOTHING) ? 1 : exitCode;
}

/** `profile`. @returns The exit code. @throws TypeError for a file name that says no format. */
export async function inspectProfile(command: readonly string[], options: ProgramOptions & { readonly output: string }): Promise<number> {
  if (!PROFILE_NAME.test(options.output)) throw new TypeError(`${options.output}: the name of a profile ends in .pb.gz, .pb or .heapprofile`);
  const { exitCode } = await run(command, 'profile', options, async (found) => {
    const { output, sample = 0 } = options;
    // Sites of all allocators in one profile: the stacks tell them apart.
    const sites = found.flatMap(({ sites = [] }) => sites);
    if (output.endsWith('.heapprofile')) {
      await writeFile(output, JSON.stringify(heapProfileOf(sites)));
    } else {
      const bytes = pprofOf(sites, { interval: sample });
      await writeFile(output, output.endsWith('.gz') ? gzipSync(bytes) : bytes);
    }
    process.stderr.write(`${output}: ${formatCount(sites.length, 'place')}, ${sites.reduce((sum, { liveBytes }) => sum + liveBytes, 0)} bytes live\n`);
  });
  return exitCode;
}

/** `record`. @returns The exit code. */
export async function inspectRecord(command: readonly string[], options: ProgramOptions & { readonly output: string }): Promise<number> {
  const { exitCode } = await run(command, 'record', options, async (found) => {
    for (const { name, file, trace, isCut = false } of found) {
      if (trace === undefined) continue;
      if (file.endsWith('.gz')) await writeFile(file, gzipSync(await readFile(trace), { level: 9 }));
      else await copyFile(trace, file);
      const cut = isCut ? `, up to the limit of ${options.limit ?? 0} operations` : '';
      process.stderr.write(`${file}: what the program asked of ${name}${cut}\n`);
    }
  });
  return exitCode;
}

/** `map`. @returns The exit code. */
export async function inspectMap(command: readonly string[], options: ProgramOptions & { readonly output: string }): Promise<number> {
  const { exitCode } = await run(command, 'map', options, async (found) => {
    for (const { name, file, map } of found) {
      if (map === undefined) continue;
      await writeFile(file, svgMap(map, { title: name }));
      process.stderr.write(`${file}: ${name}\n`);
    }
  });
  return exitCode;
}

/** Runs a program, says of which allocators nothing was found, and makes something of the others' findings. */
async function run<Result>(
  command: readonly string[],
  mode: Session['mode'],
  { output, sample = 0, depth = 16, limit = 2 ** 24, after = 0 }: ProgramOptions,
  use: (found: readonly Found[], findings: readonly Finding[]) => Promise<Result>,
): Promise<ProgramRun<Result | undefined>> {
  if (output !== undefined) await requireWritable(output);
  const { exitCode, result } = await runProgram(command, { mode, interval: sample, depth, limit, after }, async (findings) => {
    const files = outputNames(output ?? '', findings);
    const found = findings.map((finding, number) => ({ ...finding, file: files[number]! })).filter(({ failure }) => failure === undefined);
    for (const { name, failure } of findings) if (failure !== undefined) process.stderr.write(`${name}: nothing was found: ${failure}\n`);
    if (findings.length === 0) process.stderr.write(`error: ${NOTHING}\n`);
    const isWhole = findings.length > 0 && found.length === findings.length;
    return { isWhole, made: findings.length === 0 ? undefined : await use(found, findings) };
  });
  return { exitCode: exitCode === 0 && !result.isWhole ? EXIT_NOTHING : exitCode, result: result.made };
}

/** Places below the working directory without the way to it, as one would type them. */
function shortened(text: string): string {
  const [start = '', ...others] = text.split(pathToFileURL(`${process.cwd()}${sep}`).href);
  return start + others.map((place) => place.replace(/^[^\s:)]+/, typed)).join('');
}

/** A path out of a URL: there a space, say, is `%20`. */
function typed(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A program may call its sources what it likes.
    return path;
  }
}

/** Where each allocator's file goes: where there are several, their numbers and names are put in front of the suffix. */
function outputNames(output: string, findings: readonly Finding[]): string[] {
  if (findings.length === 1) return [output];
  const [, stem = output, suffix = ''] = /^(.*?)((?:\.altrace)?(?:\.gz)?|\.[^./]*)$/.exec(output) ?? [];
  return findings.map(({ name }, number) => `${stem}-${number + 1}-${name.replaceAll(/[^\w.-]+/g, '_')}${suffix}`);
}
