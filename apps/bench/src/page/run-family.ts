/** Runs a family in processes of its own: whatever goes wrong in one is its result, and nobody else's. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { siblingUrl } from '../sibling.ts';
import type { Reading } from './exhibit.ts';
import type { Family, Mode } from './family.ts';

/** What became of a family. */
export interface Chapter {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** As somebody would type them to have the same. */
  readonly commands: readonly string[];
  readonly seconds: number;
  /** What went wrong, a line each; there may be results nevertheless. */
  readonly problems: readonly string[];
  /** What each run printed. */
  readonly outputs: readonly unknown[];
  /** Absent when nothing could be read. */
  readonly reading?: Reading;
}

/** What one run came to. */
interface RunOutcome {
  readonly output?: unknown;
  readonly problem?: string;
}

const CLI = fileURLToPath(siblingUrl('../cli', import.meta.url));

/** Bytes that a run may print. */
const OUTPUT_SIZE_MAX = 2 ** 28;

/** Of what a run that failed has said, so many lines are told. */
const LAST_WORDS = 6;

/** Runs its commands one after the other, and reads what they printed. Never rejects. @param limitSeconds - For each run. */
export async function runFamily(family: Family, mode: Mode, limitSeconds: number): Promise<Chapter> {
  const { name, title, about } = family;
  const start = performance.now();
  const problems: string[] = [];
  const outputs: unknown[] = [];
  const commands: string[] = [];
  let reading: Reading | undefined;
  try {
    for (const run of await family.runs(mode)) {
      commands.push(['pnpm bench', ...run].join(' '));
      const { output, problem } = await runCommand(run, limitSeconds);
      if (output !== undefined) outputs.push(output);
      if (problem !== undefined) problems.push(problem);
    }
    if (outputs.length > 0) reading = family.read(outputs);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const seconds = (performance.now() - start) / 1000;
  return { name, title, about, commands, seconds, problems, outputs, ...(reading === undefined ? {} : { reading }) };
}

function runCommand(run: readonly string[], limitSeconds: number): Promise<RunOutcome> {
  const options = { timeout: limitSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: OUTPUT_SIZE_MAX } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...process.execArgv, CLI, ...run, '--json'], options, (error, stdout, stderr) => {
      const output = parsed(stdout);
      if (error === null) {
        resolve(output === undefined ? { problem: `${run[0]!}: it printed no JSON` } : { output });
        return;
      }
      const words = stderr.trim().split('\n').slice(-LAST_WORDS).join('\n');
      const what = error.killed === true ? `stopped after ${limitSeconds} seconds` : `it ended with ${String(error.code ?? error.signal)}`;
      resolve({ ...(output === undefined ? {} : { output }), problem: `${run[0]!}: ${what}${words === '' ? '' : `\n${words}`}` });
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
