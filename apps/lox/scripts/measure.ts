/**
 * What collection costs a program: its share of the time, and the memory at most against what was ever alive at once. `pnpm --filter lox measure [file ...]`
 *
 * A run with the default settings is measured, in time of the processor, so that others who use it do not matter. A second one collects everything after
 * every 2 MiB, and looks what is left: that is what is alive.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HybridSpace } from '../src/records/index.ts';
import { Session } from '../src/session.ts';
import type { Machine } from '../src/machine/index.ts';

const LIVE_EVERY_BYTES = 2 ** 21;
const MIB = 2 ** 20;

/** Milliseconds that this process has had the processor. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Measurement {
  readonly runMs: number;
  readonly machine: Machine;
}

function run(source: Uint8Array): Measurement {
  const start = processorMs();
  const session = new Session({
    makeSpace: () => HybridSpace.create(),
    compilesOnly: false,
    write: () => undefined,
    writeError: (text) => process.stderr.write(text),
    clock: processorMs,
  });
  if (session.interpret(source) !== 0 || session.machine === undefined) throw new Error('the program failed');
  return { runMs: processorMs() - start, machine: session.machine };
}

/** The most that was ever found alive: looked at whenever the heap asks for the time, which it does at the end of each collection. */
function liveBytesMax(source: Uint8Array): number {
  let most = 0;
  const look = (machine: Machine | undefined): number => {
    if (machine !== undefined) {
      const { oldBytes, largeBytes, youngBytes, phase } = machine.heap.stats();
      if (phase === 'idle') most = Math.max(most, oldBytes + largeBytes + youngBytes);
    }
    return performance.now();
  };
  const session: Session = new Session({
    makeSpace: () => HybridSpace.create(),
    compilesOnly: false,
    write: () => undefined,
    writeError: (text) => process.stderr.write(text),
    stress: { action: 'full', everyBytes: LIVE_EVERY_BYTES },
    clock: () => look(session.machine),
  });
  if (session.interpret(source) !== 0) throw new Error('the program failed');
  return most;
}

const files = process.argv.slice(2).filter((argument) => argument !== '--');
const defaults = ['binary_trees.lox', 'strings.lox'].map((name) => fileURLToPath(new URL(`../programs/${name}`, import.meta.url)));
for (const file of files.length > 0 ? files : defaults) {
  const source = readFileSync(file);
  const { runMs, machine } = run(source);
  const { pauses, takenBytesMax } = machine.heap.stats();
  const collectionMs = Object.values(pauses).reduce((sum, { totalMs }) => sum + totalMs, 0);
  const counts = Object.entries(pauses).flatMap(([kind, { count, maxMs }]) => (count > 0 ? [`${count} ${kind} (longest ${maxMs.toFixed(1)} ms)`] : []));
  const live = liveBytesMax(source);
  const line = [
    basename(file),
    `ran ${runMs.toFixed(0)} ms`,
    `${((collectionMs / runMs) * 100).toFixed(1)} % in collections: ${counts.join(', ')}`,
    `peak ${(takenBytesMax / MIB).toFixed(1)} MiB`,
    `alive at most ${(live / MIB).toFixed(1)} MiB`,
    `ratio ${(takenBytesMax / live).toFixed(2)}`,
  ];
  process.stdout.write(`${line.join('; ')}\n`);
}
