import { expect, test } from 'vitest';

import { churnWorkload } from '../src/commands/churn.ts';
import { linearRunner } from '../src/loops/runner.ts';
import type { LinearSubject } from '../src/subject.ts';
import { arena } from '../src/subjects/arena.ts';
import { o1heap } from '../src/subjects/o1heap.ts';
import { slabPool } from '../src/subjects/slab-pool.ts';
import { tlsf } from '../src/subjects/tlsf.ts';
import { demandOf } from '../src/workload.ts';

const SUBJECTS: LinearSubject[] = [o1heap(), tlsf(), slabPool(), arena()];

// One that is replaced has every later access to any typed array ask whether its buffer still lives.
test.each(SUBJECTS)('$name has its memory from the start, and its buffer is never replaced', async (subject) => {
  const workload = churnWorkload(1, { slotCount: 50_000, replacementCount: 50_000, size: { min: 16, max: 256 } });
  const instance = await subject.create(demandOf(workload.trace));
  const { buffer } = instance.bytes();
  const runner = linearRunner(instance, workload, false);
  runner.begin();
  for (let step = 0; step < runner.stepCount; step += 1) runner.step(step);
  expect([runner.failureCount(), runner.damageCount()]).toEqual([0, 0]);
  expect(instance.bytes().buffer).toBe(buffer);
});
