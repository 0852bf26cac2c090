/** A worker: one store in an isolate of its own, where the engine has seen no other. */

import { parentPort, workerData } from 'node:worker_threads';

import { AuditedStore } from '../stores/audited-store.ts';
import { makeAddressStore } from '../stores/catalogue.ts';
import type { Assignment, Job, SearchResult } from './protocol.ts';
import { search } from './search.ts';

const { store: name, audited } = workerData as Assignment;
const port = parentPort!;
const run = await bind();
port.on('message', (job: Job) => {
  void run(job).then((result) => {
    port.postMessage(result);
  });
});

async function bind(): Promise<(job: Job) => Promise<SearchResult>> {
  const store = await makeAddressStore(name);
  if (store === undefined) {
    const { ObjectStore } = await import('../stores/object-store.ts');
    const objects = new ObjectStore();
    return (job) => search(objects, job);
  }
  if (!audited) return (job) => search(store, job);
  const watched = new AuditedStore(store);
  return (job) => search(watched, job, watched);
}
