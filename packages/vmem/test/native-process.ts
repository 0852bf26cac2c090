/** Scripts in processes of their own, which may end in any way. */

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  /** Not null when it crashed. */
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** What a script says that came to its end. */
export const ENDED_WELL: Ending = { code: 0, signal: null, output: 'ended well', errors: '' };

/** How to run a script. */
export interface RunOptions {
  readonly arguments?: readonly string[];
  /** Of Node.js. */
  readonly flags?: readonly string[];
  /** A command of the shell that comes first, `ulimit` for one. */
  readonly before?: string;
}

/** Runs the TypeScript file of this folder, unbuilt, to its end. */
export function run(script: string, { arguments: args = [], flags = [], before }: RunOptions = {}): Promise<Ending> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const command = [process.execPath, '--conditions=source', ...flags, path, ...args];
  const shell = ['sh', '-c', `${before ?? ''}; exec "$@"`, 'sh', ...command];
  const [file, ...rest] = before === undefined ? command : shell;
  // Compiling the sources is most of what a child does.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
  const child = spawn(file!, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, output, errors });
    });
  });
}
