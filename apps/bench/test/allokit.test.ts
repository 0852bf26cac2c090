import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

import { fieldOf } from '../src/catalogue.ts';
import { arenaWorkload } from '../src/commands/arena.ts';
import { churnWorkload } from '../src/commands/churn.ts';
import { hybridWorkload } from '../src/commands/hybrid.ts';
import { pairWorkload } from '../src/commands/pair.ts';
import { poolWorkloads } from '../src/commands/pool.ts';
import { measure, type MeasureOptions } from '../src/measure.ts';
import { silentProgress } from '../src/report/progress.ts';
import { isFlawless } from '../src/result.ts';
import { readTrace } from '../src/trace/file.ts';
import type { Trace } from '../src/trace/trace.ts';
import { replayWorkload } from '../src/workload.ts';

const OPTIONS: MeasureOptions = { rounds: 2, warmRounds: 1, budget: 20, verify: true, sizedFree: false };

let small: Trace;
beforeAll(async () => {
  small = await readTrace(fileURLToPath(new URL('../traces/small.altrace.gz', import.meta.url)));
});

test.each(['generalPurpose', 'hybridPool', 'o1heap', 'tlsf'])('%s replays the recorded program without a fault', async (name) => {
  const { subjects } = await fieldOf('replay', [name]);
  const [result] = await measure(replayWorkload(small), subjects, OPTIONS, silentProgress);
  expect(result).toMatchObject({ subject: name, status: 'ok', verified: true, failedOperations: 0 });
});

test.each(['as-tlsf', 'sql.js-dlmalloc', 'rust-dlmalloc'])('the peer %s does too', async (name) => {
  const { subjects } = await fieldOf('replay', [name]);
  const [result] = await measure(replayWorkload(small), subjects, OPTIONS, silentProgress);
  expect(result).toMatchObject({ subject: name, status: 'ok', verified: true, failedOperations: 0 });
});

test.each([
  ['pool', 'slab-pool', poolWorkloads()[0]!],
  ['pool', 'slab-pool', poolWorkloads()[1]!],
  ['arena', 'arena', arenaWorkload(1)],
  ['hybrid', 'hybridPool', hybridWorkload()],
  ['pair', 'generalPurpose', pairWorkload(1)],
  ['churn', 'generalPurpose', churnWorkload(1)],
] as const)('%s: %s does the work without a fault', async (command, name, workload) => {
  const { subjects } = await fieldOf(command, [name]);
  const results = await measure(workload, subjects, OPTIONS, silentProgress);
  expect(results.map(({ subject }) => subject)).toEqual([name]);
  expect(results.filter((result) => !isFlawless(result, true))).toEqual([]);
});
