/** Folders outside of the repository that go away with the process, unless somebody wants to look into them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes one. With ALLOKIT_KEEP set it stays, and its path is printed. */
export function scratchFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `allokit-${purpose}-`));
  if (process.env['ALLOKIT_KEEP'] === undefined) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  else console.log(`kept: ${folder}`);
  return folder;
}
