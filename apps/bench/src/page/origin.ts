/** Which state of the project was measured, with which versions of everybody else. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { findCompiler } from '../native/compiler.ts';
import { packageVersion } from '../subjects/package-version.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The peers that are packages. */
const PACKAGES = ['@thi.ng/malloc', 'assemblyscript', 'sql.js', 'ywasm'];

/** Of the repository, with a plus where files differ from it. `undefined` outside one. */
export async function currentCommit(): Promise<string | undefined> {
  const git = async (...parameters: string[]): Promise<string> => (await promisify(execFile)('git', parameters, { cwd: HERE })).stdout.trim();
  try {
    const [commit, changes] = await Promise.all([git('rev-parse', '--short=12', 'HEAD'), git('status', '--porcelain', '--untracked-files=no')]);
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}

/** What took part beside the engine. */
export async function peerVersions(): Promise<Record<string, string>> {
  const compiler = await findCompiler();
  return {
    Peers: PACKAGES.map((name) => `${name} ${packageVersion(name)}`).join(', '),
    'C compiler': compiler?.version ?? 'absent: there are no native rows',
  };
}

/** As the system gives it, or, where Node.js finds none, as Linux says in words; 0 where nobody tells. */
export async function clockMhz(): Promise<number> {
  const speed = cpus()[0]?.speed ?? 0;
  if (speed > 0) return speed;
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return Number(/^cpu MHz\s*:\s*([\d.]+)/m.exec(text)?.[1] ?? 0);
}
