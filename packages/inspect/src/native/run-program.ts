/** Runs a program under inspection. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VARIABLE, readFindings, type Finding, type Session } from './session.ts';
import { siblingUrl } from './sibling.ts';

/** How a program ended, and what it left. */
export interface ProgramRun<Result> {
  /** Its exit code; 128 and more where a signal ended it. */
  readonly exitCode: number;
  /** What was made of the findings. */
  readonly result: Result;
}

/**
 * Runs a program of Node.js to its end, with this process's input and output.
 *
 * @param command - The program's file and its arguments.
 * @param session - What to look at.
 * @param use - Is given the findings, one for each allocator; files that they name exist until it is done.
 */
export async function runProgram<Result>(
  command: readonly string[],
  session: Omit<Session, 'folder'>,
  use: (findings: readonly Finding[]) => Promise<Result>,
): Promise<ProgramRun<Result>> {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-inspect-'));
  // Interrupted from the keyboard, the program gets the signal as well and ends, and this process reports. What is sent to this process alone is passed on.
  const ignore = (): undefined => undefined;
  process.on('SIGINT', ignore);
  let stop: (() => boolean) | undefined;
  try {
    const env = { ...process.env, [VARIABLE]: JSON.stringify({ ...session, folder } satisfies Session) };
    const child = spawn(process.execPath, [...process.execArgv, '--import', siblingUrl('register').href, ...command], { env, stdio: 'inherit' });
    stop = (): boolean => child.kill('SIGTERM');
    process.on('SIGTERM', stop);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { exitCode: code ?? (signal === null ? 1 : 128), result: await use(readFindings(folder)) };
  } finally {
    process.off('SIGINT', ignore);
    if (stop !== undefined) process.off('SIGTERM', stop);
    await rm(folder, { recursive: true, force: true });
  }
}
