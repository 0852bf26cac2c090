/** Runs a program under inspection. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VARIABLE, exitCodeOf, readFindings, type Finding, type Session } from './session.ts';
import { siblingUrl } from './sibling.ts';

/** How a program ended, and what it left. */
export interface ProgramRun<Result> {
  /** Its exit code; 128 and the signal's number where one ended it. */
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
  let stopPassing = (): void => undefined;
  try {
    const env = { ...process.env, [VARIABLE]: JSON.stringify({ ...session, folder } satisfies Session) };
    const child = spawn(process.execPath, [...process.execArgv, '--import', siblingUrl('register').href, '--', ...command], { env, stdio: 'inherit' });
    stopPassing = passSignals(child);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { exitCode: code ?? (signal === null ? 1 : exitCodeOf(signal)), result: await use(readFindings(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
    stopPassing();
  }
}

/**
 * Lets signals end the program, and not this process, which is to report. Interrupted from the keyboard, the program gets the signal as well;
 * a second time it is killed, as a program that never waits for anything does not come to hear the first.
 *
 * @returns What puts an end to this.
 */
function passSignals(child: ChildProcess): () => void {
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) child.kill('SIGKILL');
    isInterrupted = true;
  };
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', pass).on('SIGHUP', pass);
  return () => {
    process.off('SIGINT', interrupt).off('SIGTERM', pass).off('SIGHUP', pass);
  };
}
