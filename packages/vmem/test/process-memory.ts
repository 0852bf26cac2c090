/** What a process of Linux has, for tests that look for what did not come back. */

import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { NativeMemory } from '../src/native/index.ts';

export const IS_LINUX = process.platform === 'linux';

function kibibytes(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/self/${file}`, 'latin1'))![1]) * 1024;
}

/** Bytes in physical memory; 0 where the system does not tell. */
export function residentOfProcess(): number {
  return IS_LINUX ? kibibytes('smaps_rollup', 'Rss') : 0;
}

/** Bytes of addresses; 0 where the system does not tell. */
export function addressesOfProcess(): number {
  return IS_LINUX ? kibibytes('status', 'VmSize') : 0;
}

/** Bytes that are locked; 0 where the system does not tell. */
export function lockedOfProcess(): number {
  return IS_LINUX ? kibibytes('status', 'VmLck') : 0;
}

/** Ranges of addresses, as the system counts them; 0 where it does not tell. */
export function mappingsOfProcess(): number {
  return IS_LINUX ? readFileSync('/proc/self/maps', 'latin1').split('\n').length - 1 : 0;
}

/** Collects garbage until `isDone`, or gives up. Wants `--expose-gc`. */
export async function collect(isDone: () => boolean, roundCount = 100): Promise<void> {
  for (let round = 0; round < roundCount && !isDone(); round += 1) {
    // What a WeakRef was asked for lives on until the end of the turn.
    await turn();
    globalThis.gc!();
    await turn();
  }
}

/** Unmaps whatever this thread released before: more than the quarantine keeps is released behind it. */
export function flushQuarantine(): void {
  for (let i = 0; i < 20; i += 1) NativeMemory.create({ reserve: 2 ** 32 }).release();
}
