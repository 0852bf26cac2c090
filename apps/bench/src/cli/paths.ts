/** What was typed, and which files were meant by it. */

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';

/** What was typed. */
export function commandLine(): string {
  return ['pnpm bench', ...process.argv.slice(2)].join(' ');
}

/** A path as the user meant it: script runners change the working folder and say where they were started. */
export async function userPath(path: string): Promise<string> {
  const started = process.env['INIT_CWD'];
  if (started === undefined) return resolve(path);
  const here = resolve(path);
  const isHere = await access(here).then(
    () => true,
    () => false,
  );
  return isHere ? here : resolve(started, path);
}

/** Where results go, as far as that was said. */
export async function outputPaths({ csv, svg }: { readonly csv?: string; readonly svg?: string }): Promise<{ csv?: string; svg?: string }> {
  return { ...(csv === undefined ? {} : { csv: await userPath(csv) }), ...(svg === undefined ? {} : { svg: await userPath(svg) }) };
}
