import { mkdtemp, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { churnWorkload } from '../src/commands/churn.ts';
import { pairWorkload } from '../src/commands/pair.ts';
import { poolWorkloads } from '../src/commands/pool.ts';
import { record, traceOf } from '../src/commands/record.ts';
import { slowestOf } from '../src/distribution.ts';
import { findCompiler } from '../src/native/compiler.ts';
import { NativeSession } from '../src/native/session.ts';
import { nativeSubjects } from '../src/subjects/native.ts';
import { readTrace } from '../src/trace/file.ts';
import { KIND } from '../src/trace/trace.ts';
import { replayWorkload } from '../src/workload.ts';

const compiler = await findCompiler();

describe.skipIf(compiler === undefined)('the native program', () => {
  test.each([pairWorkload(1), churnWorkload(1), ...poolWorkloads(), replayWorkload(churnWorkload(1).trace)])('does $name', async (workload) => {
    const subject = (await nativeSubjects()).subjects.find(({ name }) => name === 'native-malloc')!;
    const session = await NativeSession.start(subject.executable, workload);
    try {
      expect(await session.round()).toMatchObject({ failureCount: 0, damageCount: 0 });
      expect((await session.round()).nanoseconds).toBeGreaterThan(0);
      await session.timeOperations();
      await session.timeOperations();
      const { nanoseconds, clockNs } = await session.operationTimes();
      expect(nanoseconds).toHaveLength(workload.trace.operationCount);
      expect(slowestOf({ nanoseconds })).toBeGreaterThan(clockNs);
      expect(clockNs).toBeGreaterThan(0);
    } finally {
      await session.close();
    }
  });

  test('that ends says so instead of answering', async () => {
    const session = await NativeSession.start('false', pairWorkload(1));
    await expect(session.round()).rejects.toThrow(/the native program ended/);
    await session.close();
  });
});

test('recorded addresses become slots, and what came before is left out', () => {
  const events = [
    [KIND.malloc, 100, 0, 0x1000],
    [KIND.free, 0, 0x9000, 0],
    [KIND.realloc, 200, 0x1000, 0x2000],
    [KIND.malloc, 50, 0, 0x1000],
    [KIND.free, 0, 0x2000, 0],
    [KIND.calloc, 60, 0, 0x3000],
    [KIND.realloc, 70, 0x8000, 0x4000],
  ];
  const bytes = new DataView(new ArrayBuffer(32 * events.length));
  events.forEach(([head = 0, size = 0, oldAddress = 0, newAddress = 0], i) => {
    bytes.setUint32(32 * i, head, true);
    bytes.setBigUint64(32 * i + 8, BigInt(size), true);
    bytes.setBigUint64(32 * i + 16, BigInt(oldAddress), true);
    bytes.setBigUint64(32 * i + 24, BigInt(newAddress), true);
  });
  const trace = traceOf(new Uint8Array(bytes.buffer), 'recorded');
  expect(trace).toMatchObject({ slotCount: 3, operationCount: 6, peakLiveBytes: 250 });
  expect([...trace.words]).toEqual([KIND.malloc, 0, 100, KIND.realloc, 0, 200, KIND.malloc, 1, 50, KIND.free, 0, 0, KIND.calloc, 0, 60, KIND.malloc, 2, 70]);
});

test.skipIf(compiler === undefined || platform() !== 'linux')('a program is recorded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
  try {
    const path = join(folder, 'node.altrace.gz');
    expect(await record([process.execPath, '-e', '0'], path, 5000)).toMatch(/: \d+ operations/);
    const trace = await readTrace(path);
    expect(trace.operationCount).toBeGreaterThan(1000);
    expect(trace.operationCount).toBeLessThanOrEqual(5000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
