/** The process that `file-kill.test.ts` kills: makes a file with a heap in it, or goes on with one, and works in it until its end. */

import { Random } from '@allokit/allocator/testing';
import { FileMemory, NativeMemory } from '@allokit/vmem/native';
import { writeSync } from 'node:fs';
import { Workload, type Habits } from './file-kill-workload.ts';

/** What it is told. */
export interface Orders {
  readonly path: string;
  readonly seed: number;
  readonly reserve: number;
  readonly habits: Habits;
  /** Where it ends by itself. Default: never. */
  readonly stepCount?: number;
}

const { path, seed, reserve, habits, stepCount = Infinity } = JSON.parse(process.argv[2]!) as Orders;
const random = Random.fromSeed(seed);
// The foreign function interface loads when it is first needed: not a moment to be killed at.
NativeMemory.create({ reserve: 2 ** 20 }).release();
writeSync(1, 'creating\n');
const memory = FileMemory.create(path, { reserve, pageSize: 4096 });
const workload = Workload.begin(memory);
memory.root = workload.table;
writeSync(1, 'running\n');
// Without its parent, nobody is there to kill it.
const parent = process.ppid;
for (let step = 0; step < stepCount; step += 1) {
  workload.step(random, habits);
  if (step % 1024 === 0 && process.ppid !== parent) break;
}
