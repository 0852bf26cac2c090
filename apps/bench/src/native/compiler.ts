/** Finds a C compiler and compiles our own C programs with it, once: a program is named after what it was made of. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { cacheFolder } from '../cache.ts';

const run = promisify(execFile);

/** A C compiler that answered. */
export interface Compiler {
  readonly command: string;
  /** The first line of what `--version` says. */
  readonly version: string;
}

/** The first of `$CC`, cc, gcc and clang that works. */
export async function findCompiler(): Promise<Compiler | undefined> {
  for (const command of [process.env['CC'], 'cc', 'gcc', 'clang']) {
    if (command === undefined || command === '') continue;
    const answer = await run(command, ['--version']).catch(() => undefined);
    if (answer !== undefined) return { command, version: answer.stdout.split('\n', 1)[0]! };
  }
  return undefined;
}

/**
 * Compiles a file of `native/`.
 *
 * @param flags - Definitions, libraries and what else this variant needs.
 * @returns The path of the result. Rejects when it does not compile or link.
 */
export async function compileNative(compiler: Compiler, file: string, flags: readonly string[] = []): Promise<string> {
  const source = fileURLToPath(new URL(`../../native/${file}`, import.meta.url));
  const options = ['-std=gnu11', '-O2', '-fno-builtin-malloc', '-fno-builtin-calloc', '-fno-builtin-realloc', '-fno-builtin-free'];
  const identity = [await readFile(source, 'utf8'), compiler.version, ...options, ...flags].join('\0');
  const target = join(cacheFolder(), `${basename(file, '.c')}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`);
  const isThere = await access(target).then(
    () => true,
    () => false,
  );
  if (isThere) return target;
  await mkdir(cacheFolder(), { recursive: true });
  // Compiled aside and renamed, so that two runs at once never see half a program.
  const draft = `${target}.${process.pid}`;
  await run(compiler.command, [...options, source, '-o', draft, ...flags]);
  await rename(draft, target);
  return target;
}
