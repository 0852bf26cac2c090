/** Starts a worker's module with a cache of what was compiled: compiling the sources is most of what a thread does that is soon to end. */

import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

/** What is started, and where the cache lies. */
export interface CachedTask {
  readonly module: string;
  readonly cache: string;
}

const { module, cache } = workerData as CachedTask;
enableCompileCache(cache);
await import(module);
