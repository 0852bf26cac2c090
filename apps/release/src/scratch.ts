/** Folders outside of the repository that go away with the process, unless somebody wants to look into them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

/** What ends a process without its `exit` handlers, unless somebody listens: Ctrl+C, a cancelled job, a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function removeAtExit(): void {
  process.once('exit', () => {
    // A command that was interrupted with this process may still write its last file.
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of SIGNALS) process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

/** Makes one. With ALLOKIT_KEEP set it stays, and its path is printed. */
export function scratchFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `allokit-${purpose}-`));
  if (process.env['ALLOKIT_KEEP'] === undefined) {
    if (folders.size === 0) removeAtExit();
    folders.add(folder);
  } else {
    console.log(`kept: ${folder}`);
  }
  return folder;
}
