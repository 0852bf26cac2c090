/**
 * The programs of the app, and what they are to print: what stands behind `//` at the end of a line, or on a line of its own after the program's last
 * statement so far.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../programs/', import.meta.url);

/** Those that are there to fail. */
const FAILING: readonly string[] = ['session.lox', 'broken.lox'];

/** A program. */
export interface Program {
  readonly name: string;
  readonly path: string;
  readonly source: string;
  readonly expected: readonly string[];
}

/** All of them. */
export const PROGRAMS: readonly Program[] = readdirSync(FOLDER)
  .filter((file) => !FAILING.includes(file))
  .sort()
  .map((file) => {
    const path = fileURLToPath(new URL(file, FOLDER));
    const source = readFileSync(path, 'utf8');
    // The first comment says what the program is; expectations follow code.
    const expected = [...source.matchAll(/; \/\/ (.*)$|^\/\/ ([\d.e+]+)$/gm)].map(([, after, alone]) => after ?? alone ?? '');
    return { name: file.replace('.lox', ''), path, source, expected };
  });

/** A program by name, with less to do. */
export function smaller(name: string, ...changes: readonly (readonly [from: string, to: string])[]): string {
  let { source } = PROGRAMS.find((program) => program.name === name)!;
  for (const [from, to] of changes) {
    if (!source.includes(from)) throw new Error(`${name} has no ${from}`);
    source = source.replaceAll(from, to);
  }
  return source;
}
