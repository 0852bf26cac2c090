/** A worker as this thread sees it. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { StoreName } from '../stores/catalogue.ts';
import type { Assignment, Job, SearchResult } from './protocol.ts';

export class Session {
  readonly store: StoreName;
  readonly #worker: Worker;

  private constructor(store: StoreName, worker: Worker) {
    this.store = store;
    this.#worker = worker;
  }

  static start(assignment: Assignment): Session {
    // Run from the sources, or built.
    const file = import.meta.url.endsWith('.ts') ? 'worker.ts' : 'worker.js';
    return new Session(assignment.store, new Worker(new URL(file, import.meta.url), { workerData: assignment }));
  }

  /** One at a time. Rejects with what the worker failed of. */
  async search(job: Job): Promise<SearchResult> {
    // `once` rejects when the worker emits an error first.
    const answer = once(this.#worker, 'message') as Promise<[SearchResult]>;
    this.#worker.postMessage(job);
    const [result] = await answer;
    return result;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
