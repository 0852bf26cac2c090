import { describe, expect, test } from 'vitest';

import { arenaWorkload } from '../src/commands/arena.ts';
import { churnWorkload } from '../src/commands/churn.ts';
import { pairWorkload } from '../src/commands/pair.ts';
import { poolWorkloads } from '../src/commands/pool.ts';
import { linearRunner, objectRunner, type Runner } from '../src/loops/runner.ts';
import { findCompiler } from '../src/native/compiler.ts';
import { NativeSession } from '../src/native/session.ts';
import type { Instance } from '../src/subject.ts';
import { nativeSubjects } from '../src/subjects/native.ts';
import { TraceBuilder } from '../src/trace/builder.ts';
import { bareWorkload, replayWorkload, type Workload } from '../src/workload.ts';
import { firstFitInstance, type Bugs } from './first-fit.ts';

const CHURN = churnWorkload(1, { slotCount: 64, replacementCount: 2000, size: { min: 16, max: 200 } });
const [POOL, REUSE] = poolWorkloads() as [Workload, Workload];
const WORKLOADS = [pairWorkload(1), CHURN, POOL, REUSE, arenaWorkload(1)];

function doRound(runner: Runner): Runner {
  runner.begin();
  for (let step = 0; step < runner.stepCount; step += 1) runner.step(step);
  runner.end();
  return runner;
}

/** A heap that counts what is asked of it, in a memory that nobody may look at. */
function guarded(bugs: Bugs = {}): Instance & { counts: { allocated: number; freed: number; sizes: number } } {
  const { heap } = firstFitInstance(bugs, 2 ** 23);
  const counts = { allocated: 0, freed: 0, sizes: 0 };
  return {
    counts,
    heap: {
      allocate: (size) => {
        counts.allocated += 1;
        return heap.allocate(size);
      },
      deallocate: (address, size) => {
        counts.freed += 1;
        if (size !== undefined) counts.sizes += 1;
        heap.deallocate(address);
      },
      reallocate: (address, oldSize, newSize) => heap.reallocate(address, oldSize, newSize),
    },
    bytes: () => {
      throw new Error('a block was touched');
    },
  };
}

describe.each(WORKLOADS.map((workload) => [workload.name, workload] as const))('%s with untouched blocks', (_, workload) => {
  const requestCount = workload.sizes.length;

  test('allocates and frees all there is, and looks at nothing', () => {
    const instance = guarded();
    const runner = doRound(linearRunner(instance, bareWorkload(workload), false));
    expect(instance.counts).toEqual({ allocated: requestCount, freed: requestCount, sizes: 0 });
    expect([runner.failureCount(), runner.damageCount()]).toEqual([0, 0]);
    expect(runner.checksum()).toBeGreaterThan(0);
  });

  test('passes sizes where freeing demands them', () => {
    const instance = guarded();
    doRound(linearRunner(instance, bareWorkload(workload), true));
    expect(instance.counts).toEqual({ allocated: requestCount, freed: requestCount, sizes: requestCount });
  });

  test('counts refusals', () => {
    const instance = guarded({ sizeMax: 63 });
    const refused = workload.sizes.filter((size) => size > 63).length;
    expect(doRound(linearRunner(instance, bareWorkload(workload), false)).failureCount()).toBe(refused);
    expect(instance.counts.freed).toBe(requestCount - refused);
  });

  test('makes as many objects', () => {
    let count = 0;
    const subject = {
      shape: 'objects' as const,
      name: 'objects',
      kind: 'peer' as const,
      description: 'for tests',
      allocate: (size: number) => {
        count += 1;
        return { length: size } as Uint8Array;
      },
      allocateZeroed: () => new Uint8Array(0),
    };
    const runner = doRound(objectRunner(subject, bareWorkload(workload)));
    expect(count).toBe(requestCount);
    expect(runner.checksum()).toBe(workload.sizes.reduce((sum, size) => sum + size, 0));
  });

  test('sums up the addresses that touched ones have', () => {
    // The table of churn is filled before the clock starts, and only what follows is summed up.
    if (workload === CHURN) return;
    const touched = doRound(linearRunner(firstFitInstance({}, 2 ** 23), workload, false)).checksum();
    const bare = doRound(linearRunner(firstFitInstance({}, 2 ** 23), bareWorkload(workload), false)).checksum();
    expect(bare % 2 ** 32).toBe(touched % 2 ** 32);
  });
});

test('what dies by a reset is not freed by its address', () => {
  let resets = 0;
  const instance = { ...guarded(), reset: () => (resets += 1) };
  const runner = linearRunner(instance, bareWorkload(arenaWorkload(1)), false);
  doRound(runner);
  expect(resets).toBe(1);
  expect(instance.counts).toMatchObject({ allocated: 100_000, freed: 0 });
});

test('a table says that blocks are untouched, a replay cannot be so', () => {
  const { name, title, trace, facts } = bareWorkload(arenaWorkload(1));
  expect([name, trace.operationCount]).toEqual(['arena-bare', 200_000]);
  expect(title).toMatch(/; blocks untouched$/);
  expect(facts.join()).toMatch(/stored by those only that free block by block/);
  expect(() => bareWorkload(replayWorkload(new TraceBuilder().finish('empty')))).toThrow(RangeError);
});

describe.skipIf((await findCompiler()) === undefined)('in C', () => {
  test.each([
    ...WORKLOADS.map((workload) => ['native-malloc', workload.name, workload] as const),
    ['native-bump', 'arena', arenaWorkload(1)] as const,
  ])('%s does %s with untouched blocks', async (name, _, workload) => {
    const subject = (await nativeSubjects()).subjects.find((one) => one.name === name)!;
    const session = await NativeSession.start(subject.executable, bareWorkload(workload));
    try {
      const rounds = [await session.round(), await session.round()];
      expect(rounds).toMatchObject([{ failureCount: 0 }, { failureCount: 0 }]);
      expect(rounds[1]!.nanoseconds).toBeGreaterThan(0);
      expect(rounds[1]!.checksum).not.toBe(rounds[0]!.checksum);
    } finally {
      await session.close();
    }
  });
});
