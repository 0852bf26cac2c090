/** The tuner with a thread for each candidate. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Candidate } from '../assemblies.ts';
import type { Trace } from '../trace.ts';
import { tuneReport, type TuneReport } from '../tune.ts';
import { candidatesOf } from './candidates.ts';
import { siblingUrl } from './sibling.ts';
import type { TuneAnswer, TuneTask } from './tune-worker.ts';

/** How to compare. */
export interface TuneThreadsOptions {
  /** How often each replays the trace against the clock, after once to warm up. Default 5. */
  readonly rounds?: number;
  /** The URL of a module that exports an array `candidates`. Default: the package's own, `CANDIDATES`. */
  readonly module?: string | undefined;
  /** Compare these only. Default: all. */
  readonly names?: readonly string[];
}

/** A candidate, its thread, and how it fared. */
interface Entry {
  readonly candidate: Candidate;
  readonly worker: Worker;
  bytes: number | undefined;
  nanoseconds: number | undefined;
}

/**
 * Compares candidates on a trace, each in a thread of its own, all in turn: as `tune` does, but no candidate makes the calls of another slower.
 *
 * @throws RangeError for a name that no candidate has; whatever a candidate throws.
 */
export async function tuneInThreads(trace: Trace, { rounds = 5, module, names = [] }: TuneThreadsOptions = {}): Promise<TuneReport> {
  const candidates = chosen(await candidatesOf(module), names);
  const shared = { ...trace, words: new Uint32Array(new SharedArrayBuffer(trace.words.byteLength)) };
  shared.words.set(trace.words);
  const entries: Entry[] = [];
  try {
    for (const candidate of candidates) {
      const worker = new Worker(siblingUrl('tune-worker'), { workerData: { trace: shared, candidate: candidate.name, module } satisfies TuneTask });
      const entry: Entry = { candidate, worker, bytes: undefined, nanoseconds: undefined };
      entries.push(entry);
      entry.bytes = (await answer(worker, candidate.name)).bytes;
    }
    for (let round = 0; round <= rounds; round += 1) {
      for (const entry of entries) {
        entry.worker.postMessage('turn');
        entry.nanoseconds = (await answer(entry.worker, entry.candidate.name)).nanoseconds;
      }
    }
  } finally {
    await Promise.all(entries.map(({ worker }) => worker.terminate()));
  }
  return tuneReport(trace, entries.map(({ candidate: { name, description }, bytes, nanoseconds }) => ({ name, description, smallestBytes: bytes, nanoseconds })));
}

/** Those of the candidates that were named. Throws RangeError for a name that none has. */
export function chosen(candidates: readonly Candidate[], names: readonly string[]): readonly Candidate[] {
  const stranger = names.find((name) => !candidates.some((candidate) => candidate.name === name));
  if (stranger !== undefined) throw new RangeError(`there is no allocator ${JSON.stringify(stranger)}: there are ${candidates.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? candidates : candidates.filter(({ name }) => names.includes(name));
}

/** Rejects when the worker throws, or ends without an answer. */
async function answer(worker: Worker, name: string): Promise<TuneAnswer> {
  const ending = new AbortController();
  const { signal } = ending;
  const answered = once(worker, 'message', { signal }).then(([answer]) => answer as TuneAnswer);
  const ended = once(worker, 'exit', { signal }).then((): never => {
    throw new TypeError(`the candidate ${JSON.stringify(name)} ended its thread`);
  });
  try {
    return await Promise.race([answered, ended]);
  } finally {
    ending.abort();
  }
}
