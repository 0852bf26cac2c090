/** Where results go, looked at before the work begins: a program that ran for an hour is not run again for a mistyped path. */

import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** @throws TypeError for a path that no file can be written to. */
export async function requireWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) throw new TypeError(`${path}: a folder, where a file is to be written`);
  await access(found === undefined ? dirname(resolve(path)) : path, constants.W_OK).catch((cause: unknown) => {
    throw new TypeError(`${path}: cannot be written`, { cause });
  });
}
