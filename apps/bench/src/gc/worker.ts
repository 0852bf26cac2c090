/** A worker of `gc`: one subject and one program. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import type { GcPrograms, GcSubject, GcWorkload } from './workloads.ts';

/** What it is told. */
export interface GcAssignment {
  readonly subject: GcSubject;
  readonly workload: GcWorkload;
}

/** What it answers to each round. */
export interface GcRound {
  readonly milliseconds: number;
  readonly checksum: number;
}

async function load(name: GcSubject): Promise<GcPrograms> {
  if (name === 'as-incremental') return (await import('./assemblyscript-programs.ts')).assemblyScriptPrograms();
  if (name === 'v8-objects') return (await import('./v8-programs.ts')).v8Programs;
  return (await import('./allokit-programs.ts')).allokitPrograms;
}

const { subject, workload } = workerData as GcAssignment;
const programs = await load(subject);
const port = parentPort!;
port.on('message', () => {
  const [first, second] = workload.parameters;
  const start = performance.now();
  const checksum = programs[workload.name](first, second);
  const round: GcRound = { milliseconds: performance.now() - start, checksum };
  port.postMessage(round);
});
port.postMessage('ready');
