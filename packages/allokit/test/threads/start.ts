/** Starts workers, each of which says when it has done its work. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';
import type { CachedTask } from './cached-worker.ts';

/** A worker that was started. */
export interface Started {
  readonly worker: Worker;
  /** Resolves with what the worker says at the end, rejects when it failed. */
  readonly done: Promise<unknown>;
}

/** What starts workers of one module of this folder. To be called where a test file begins: what it keeps goes when that ends. */
export function starterOf(module: string): (task: object) => Started {
  const cache = mkdtempSync(join(tmpdir(), 'allokit-threads-'));
  afterAll(() => rmSync(cache, { recursive: true }));
  return (task) => {
    const workerData: CachedTask = { ...task, module: new URL(module, import.meta.url).href, cache };
    const worker = new Worker(new URL('cached-worker.ts', import.meta.url), { workerData });
    const done = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return { worker, done };
  };
}
