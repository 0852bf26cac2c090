/** Whatever a program does to a region: errors, never the end of the process. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SCENARIOS } from './native-misuse-child.ts';
import { ENDED_WELL, run, type Ending, type RunOptions } from './native-process.ts';

const IS_LINUX = process.platform === 'linux';

/** What needs limits that are set from outside; sizes in the shell's units of 1024 bytes, of files 512. */
const LIMITED: Readonly<Record<string, RunOptions>> = {
  'memory beyond the limit of the address space': { before: 'ulimit -v 60000000' },
  'memory beyond the limit of data': { before: 'ulimit -d 2000000' },
  'file: larger than files may be': { before: 'ulimit -f 20000' },
};

const names = Object.keys(SCENARIOS).filter((name) => !name.includes('the other process') && name !== 'file: a full disk');
const anywhere = names.filter((name) => !(name in LIMITED) && name !== 'more mappings than the system has');

async function endingOf(name: string, options: RunOptions = {}): Promise<Ending> {
  return run('native-misuse-child.ts', { ...options, arguments: [name, ...(options.arguments ?? [])] });
}

describe.skipIf(process.platform === 'win32').concurrent('misuse ends in an error', () => {
  test.each(anywhere)('%s', async (name) => {
    expect(await endingOf(name)).toEqual(ENDED_WELL);
  });
});

describe.skipIf(!IS_LINUX).concurrent('limits end in an error', () => {
  test.each(Object.entries(LIMITED))('%s', async (name, options) => {
    expect(await endingOf(name, options)).toEqual(ENDED_WELL);
  });

  // V8 ends the process itself when it collects garbage and can map nothing to move it to. With so large a nursery that is rare.
  test('more mappings than the system has', async () => {
    const flags = ['--min-semi-space-size=128', '--max-semi-space-size=128'];
    let ending = await endingOf('more mappings than the system has', { flags });
    for (let attempt = 1; attempt < 8 && ending.errors.includes('Allocation failed - JavaScript heap out of memory'); attempt += 1) {
      ending = await endingOf('more mappings than the system has', { flags });
    }
    expect(ending).toEqual(ENDED_WELL);
  });

  test('file: a full disk', async ({ skip }) => {
    const disk = mkdtempSync(join(tmpdir(), 'allokit-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      rmSync(disk, { recursive: true });
      return skip('only root can mount a small disk');
    }
    try {
      expect(await endingOf('file: a full disk', { arguments: [disk] })).toEqual(ENDED_WELL);
    } finally {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    }
  });
});

test('there are enough ways to be sure', () => {
  expect(names.length).toBeGreaterThanOrEqual(30);
});
