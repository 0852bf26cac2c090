/** One subject in a process of its own: loads when it is told to, and says what that took. */

import { readFileSync, writeFileSync } from 'node:fs';

import { loaderOf, type AssetWork } from './subjects.ts';

/** What the process is told: load everything once and say how long it took; or how much memory it takes, in a process that has done nothing yet. */
export type AssetOrder = 'round' | 'memory';

/** What it says. */
export type AssetReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'round'; readonly wallNs: number; readonly cpuNs: number }
  | { readonly kind: 'memory'; readonly keepingBytes: number; readonly droppingBytes: number }
  | { readonly kind: 'failed'; readonly reason: string };

/** Loads that keep nothing come first: until the collector's spaces, and those of the C library, have grown to what the network wants. */
const WARM_UP_COUNT = 4;

const [, , name = '', work = ''] = process.argv;
const loader = loaderOf(name, JSON.parse(work) as AssetWork);

async function round(): Promise<AssetReply> {
  const start = process.hrtime.bigint();
  const cpuStart = process.cpuUsage();
  await loader.load(true);
  const wallNs = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpuStart);
  loader.finish();
  return { kind: 'round', wallNs, cpuNs: (user + system) * 1000 };
}

/** The most that the process ever had in memory while it did something, as the system counts it. */
async function peakOf(task: () => Promise<void>): Promise<number> {
  // Linux forgets the peak when it is told to.
  writeFileSync('/proc/self/clear_refs', '5');
  await task();
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function memory(): Promise<AssetReply> {
  for (let i = 0; i < WARM_UP_COUNT; i += 1) await loader.load(false);
  const droppingBytes = await peakOf(() => loader.load(false));
  const keepingBytes = await peakOf(() => loader.load(true));
  loader.finish();
  return { kind: 'memory', keepingBytes, droppingBytes };
}

function reply(message: AssetReply): void {
  process.send!(message);
}

process.on('message', (order: AssetOrder) => {
  (order === 'round' ? round() : memory()).then(reply, (error: unknown) => reply({ kind: 'failed', reason: String(error) }));
});
process.on('disconnect', () => process.exit());
reply({ kind: 'ready' });
