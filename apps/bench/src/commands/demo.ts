/** `demo`: the recorded programs, where they lie, and what is said first. */

import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isTraceName } from '../trace/file.ts';
import { TraceError } from '../trace/trace.ts';

/** Beside the repository, where they are too large to be in it. */
const SHARED_TRACES = fileURLToPath(new URL('../../../../../shared/traces', import.meta.url));

/** Recorded from a small program, for whoever has only the repository. */
const OWN_TRACES = fileURLToPath(new URL('../../traces', import.meta.url));

/**
 * The traces to replay, by name.
 *
 * @param folder - Where they are. Default: beside the repository, or else our own small one.
 * @throws TraceError when a folder that was asked for has none.
 */
export async function demoTraces(folder?: string): Promise<string[]> {
  for (const candidate of folder === undefined ? [SHARED_TRACES, OWN_TRACES] : [folder]) {
    const names = await readdir(candidate).catch(() => []);
    const traces = names.filter(isTraceName).sort();
    if (traces.length > 0) return traces.map((name) => join(candidate, name));
  }
  throw new TraceError(`${folder ?? OWN_TRACES}: no traces (*.altrace.gz) are there`);
}

/** What a reader is told before the waiting starts. */
export function demoIntroduction(paths: readonly string[]): string[] {
  return [
    'Allokit demo: the allocations of real programs, recorded call by call, are replayed on the general-purpose allocators of Allokit and on their peers.',
    `Traces: ${paths.map((path) => basename(path)).join(', ')}. Each Allokit heap is first verified byte by byte, then all are timed in turn.`,
    'This takes a minute or two.',
    '',
  ];
}
