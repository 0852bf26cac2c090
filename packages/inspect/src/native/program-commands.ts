/** The commands that run a program: what they make of its findings. */

import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { svgMap } from '../draw.ts';
import { formatCount } from '../heap-picture.ts';
import { heapProfileOf } from '../heap-profile.ts';
import { leakReport } from '../leak-report.ts';
import { pprofOf } from '../pprof.ts';
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
const NOTHING = 'the program passed no allocator to inspected(), or was killed before it ended';

/** Exit code where there was nothing to look at. */
const EXIT_NOTHING = 2;

/** `leaks`. @returns The exit code. */
export async function inspectLeaks(command: readonly string[], options: ProgramOptions): Promise<number> {
  const { exitCode, result } = await run(command, 'leaks', options, async (findings) => {
    const { output, json = false } = options;
    const text = json ? JSON.stringify(findings, undefined, 2) : findings.map(({ name, leaks = [] }) => leakReport(leaks, { name })).join('\n\n');
    if (output === undefined) process.stderr.write(`${text}\n`);
    else await writeFile(output, `${text}\n`);
    return findings.some(({ leaks = [] }) => leaks.length > 0);
  });
  return exitCode === 0 && result === true ? 1 : exitCode;
}

/** `profile`. @returns The exit code. */
export async function inspectProfile(command: readonly string[], options: ProgramOptions & { readonly output: string }): Promise<number> {
  const { exitCode } = await run(command, 'profile', options, async (findings) => {
    const { output, sample = 0 } = options;
    // Sites of all allocators in one profile: the stacks tell them apart.
    const sites = findings.flatMap(({ sites = [] }) => sites);
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
  const { exitCode } = await run(command, 'record', options, async (findings) => {
    const outputs = outputNames(options.output, findings);
    for (const [number, { name, trace }] of findings.entries()) {
      const output = outputs[number]!;
      if (trace === undefined) continue;
      if (output.endsWith('.gz')) await writeFile(output, gzipSync(await readFile(trace), { level: 9 }));
      else await copyFile(trace, output);
      process.stderr.write(`${output}: what the program asked of ${name}\n`);
    }
  });
  return exitCode;
}

/** `map`. @returns The exit code. */
export async function inspectMap(command: readonly string[], options: ProgramOptions & { readonly output: string }): Promise<number> {
  const { exitCode, result } = await run(command, 'map', options, async (findings) => {
    const outputs = outputNames(options.output, findings);
    let failed = false;
    for (const [number, { name, map, failure }] of findings.entries()) {
      failed ||= map === undefined;
      if (map === undefined) {
        process.stderr.write(`${name}: no map: ${failure ?? ''}; --after OPERATIONS draws an earlier moment\n`);
        continue;
      }
      await writeFile(outputs[number]!, svgMap(map, { title: name }));
      process.stderr.write(`${outputs[number]!}: ${name}\n`);
    }
    return failed;
  });
  return exitCode === 0 && result === true ? EXIT_NOTHING : exitCode;
}

async function run<Result>(
  command: readonly string[],
  mode: Session['mode'],
  { sample = 0, depth = 16, limit = 2 ** 24, after = 0 }: ProgramOptions,
  use: (findings: readonly Finding[]) => Promise<Result>,
): Promise<ProgramRun<Result | undefined>> {
  const { exitCode, result } = await runProgram(command, { mode, interval: sample, depth, limit, after }, async (findings) => (findings.length === 0 ? [] : [await use(findings)]));
  if (result.length === 0) process.stderr.write(`error: ${NOTHING}\n`);
  return { exitCode: exitCode === 0 && result.length === 0 ? EXIT_NOTHING : exitCode, result: result[0] };
}

/** Where each allocator's file goes: where there are several, their numbers and names are put in front of the suffix. */
function outputNames(output: string, findings: readonly Finding[]): string[] {
  if (findings.length === 1) return [output];
  const [, stem = output, suffix = ''] = /^(.*?)((?:\.altrace)?(?:\.gz)?|\.[^./]*)$/.exec(output) ?? [];
  return findings.map(({ name }, number) => `${stem}-${number + 1}-${name.replaceAll(/[^\w.-]+/g, '_')}${suffix}`);
}
