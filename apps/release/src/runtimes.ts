/** Where to find a given Node.js, Deno or Bun: the registry has them as packages, and npm keeps what it fetched. */

import { scratchFolder } from './scratch.ts';
import { run, type CommandLine } from './workspace.ts';

/** The majors of Node.js that Allokit is made for. */
export const NODE_MAJORS = [22, 24, 26] as const;

/** The program of a package that is a program. */
async function programOf(specifier: string, command: CommandLine): Promise<string> {
  return (await run(scratchFolder('runtime'), ['npm', 'exec', '--yes', `--package=${specifier}`, '--', ...command])).trim();
}

/** The program of the latest Node.js with a major version. */
export async function nodeProgram(major: number): Promise<string> {
  return programOf(`node@${major}`, ['node', '--print', 'process.execPath']);
}

/** The program of the latest Deno. */
export async function denoProgram(): Promise<string> {
  return programOf('deno', ['deno', 'eval', 'console.log(Deno.execPath())']);
}

/** The program of the latest Bun. */
export async function bunProgram(): Promise<string> {
  return programOf('bun', ['bun', '--print', 'process.execPath']);
}
