import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Null } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';

import { compileNative, findCompiler } from '../src/native/compiler.ts';
import { NativeProgram } from '../src/native/program.ts';
import { CheckedHeap } from '../src/threads/checked-heap.ts';
import { claimsOf, type Claim } from '../src/threads/claims.ts';
import { attachTo, makeGround, type Hands } from '../src/threads/grounds.ts';
import { makeLoop } from '../src/threads/loops.ts';
import { BATCH_SIZE, Mailbox, makeMail } from '../src/threads/mailbox.ts';
import type { ThreadsResult } from '../src/threads/measurement.ts';
import { fail, meet, waitUntil } from '../src/threads/meeting.ts';
import { formatClaims, formatThreads } from '../src/threads/report.ts';
import { FIELDS, sharingsOf, TASKS, threadCounts, type HeapName, type Task } from '../src/threads/subjects.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const compiler = await findCompiler();

interface Report {
  readonly compiler: string | null;
  readonly absences: readonly string[];
  readonly claims: readonly Claim[];
  readonly results: readonly ThreadsResult[];
}

function resultOf(changes: Partial<ThreadsResult>): ThreadsResult {
  const common = { task: 'pair', subject: 'tiered-arena', kind: 'allokit', sharing: 'apart', threadCount: 1, status: 'ok' } as const;
  return { ...common, medianNs: 10, bestNs: 9, roundCount: 1, operationCount: 1, ...changes };
}

test('blocks are handed over by every subject in both ways, verified, and all of it is reported', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
  const csv = join(folder, 'threads.csv');
  const tasks: readonly Task[] = ['spin', 'hand-over'];
  const picks = tasks.flatMap((task) => ['--task', task]);
  const options = ['threads', ...picks, '--rounds', '1', '--warm', '0', '--json', '--csv', csv, '--svg', folder];
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, ...options]);
  const { absences, claims, results } = JSON.parse(stdout) as Report;
  for (const task of tasks) {
    for (const { name, kind, script } of FIELDS[task]) {
      if (script === undefined && (compiler === undefined || absences.some((absence) => absence.startsWith(name)))) continue;
      for (const sharing of sharingsOf(task)) {
        const own = results.filter((result) => result.task === task && result.subject === name && result.sharing === sharing);
        expect(own.length).toBeGreaterThan(0);
        for (const result of own) {
          expect(result).toMatchObject({ kind, status: 'ok' });
          expect(result.medianNs).toBeGreaterThanOrEqual(result.bestNs);
          expect(result.bestNs).toBeGreaterThan(0);
          expect(result.speedup === undefined).toBe(sharing === 'together' || result.threadCount === 1);
          expect(result.share === undefined).toBe(sharing === 'apart');
        }
      }
    }
  }
  expect(claims).toMatchObject([{ bound: 'at least', limit: 0.5 }]);
  expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(results.length + 1);
  expect((await readdir(folder)).filter((name) => name.endsWith('.svg'))).toHaveLength(tasks.length);
  await rm(folder, { recursive: true });
});

test('a claim is about what it names', () => {
  const claims = claimsOf([
    resultOf({ task: 'spin', subject: 'JavaScript', kind: 'peer', threadCount: 2, speedup: 1.5 }),
    resultOf({ medianNs: 15.1 }),
    resultOf({ subject: 'slab-pool', medianNs: 3 }),
    resultOf({ task: 'mix', status: 'failed', medianNs: NaN }),
    resultOf({ threadCount: 2, speedup: 1.8 }),
    resultOf({ task: 'hand-over', threadCount: 2, speedup: 1.9 }),
    resultOf({ task: 'hand-over', threadCount: 2, sharing: 'together', share: 0.49 }),
  ]);
  expect(claims.map(({ measured, isMet, spin }) => [measured, isMet, spin])).toEqual([
    [15.1, false, undefined],
    [1.8, true, 1.5],
    [0.49, false, 1.5],
  ]);
  expect(formatClaims(claims)).toMatch(/only count did 1\.50 times/);
  expect(formatClaims(claims.slice(0, 1))).not.toMatch(/only count/);
  expect(formatClaims(claims)).toMatch(/NO {2}a pair of 64 bytes on one thread, ns: 15\.1, at most 15\n {2}yes two threads .*: 1\.80, at least 1\.8\n/);
});

test('a table has a column for each way and number of threads, and says what failed', () => {
  const rows = [
    resultOf({ task: 'few-slabs', medianNs: 50, bestNs: 40 }),
    resultOf({ task: 'few-slabs', threadCount: 2, medianNs: 51, speedup: 1.96 }),
    resultOf({ task: 'few-slabs', threadCount: 2, sharing: 'together', status: 'failed', medianNs: NaN, reason: 'the block at 64 changed at word 3' }),
  ];
  const table = formatThreads('few-slabs', rows, false);
  expect(table).toMatch(/1 thread, apart │ +best │ +2 threads, apart │ +best │ +2 threads, together │/);
  expect(table).toMatch(/tiered-arena │ +50\.0 │ +40\.0 │ +51\.0 \(1\.96\) │ +9\.00 │ +failed │/);
  expect(table).toMatch(/FAILED tiered-arena: the block at 64 changed at word 3/);
});

test('there are two threads at the least', () => {
  expect([1, 2, 6, 64].map(threadCounts)).toEqual([[1, 2], [1, 2], [1, 2, 4], [1, 2, 4, 8]]);
});

describe('the loops', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 22, commit: 2 ** 22 });
  const heap = O1Heap.create(memory, { size: 2 ** 21 });
  const { control, mail } = makeMail(1);

  test.each(TASKS.filter((task) => task !== 'spin'))('of %s free all they allocate, in both ways', (task) => {
    for (const sharing of sharingsOf(task)) {
      const mailbox = new Mailbox(control, 0);
      control.fill(0);
      mailbox.listenTo(0);
      const checked = new CheckedHeap(heap, memory.i32);
      const hands: Hands = { heap: checked, other: checked, memory, settle: () => heap.stats().liveBytes };
      const loop = makeLoop(task, hands, { sharing, thread: 0, mail, mailbox });
      loop.run(8192);
      loop.finish();
      expect([loop.refusedCount(), loop.checksum() > 0]).toEqual([0, true]);
      expect(heap.stats()).toMatchObject({ liveBytes: 0, failureCount: 0 });
      heap.checkInvariants();
    }
  });

  test('count what was refused', () => {
    const none = Null.create(memory);
    const hands: Hands = { heap: none, other: none, memory, settle: () => 0 };
    for (const task of TASKS.filter((name) => name !== 'spin')) {
      const mailbox = new Mailbox(control, 0);
      control.fill(0);
      mailbox.listenTo(0);
      const loop = makeLoop(task, hands, { sharing: 'apart', thread: 0, mail, mailbox });
      loop.run(4096);
      expect(loop.refusedCount()).toBe(4096);
    }
  });
});

test('a block that another one overwrote does not pass', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 20, commit: 2 ** 20 });
  const words = memory.i32;
  const freed: number[] = [];
  // Hands out blocks of 64 bytes that overlap by half.
  let next = 65_536;
  const heap = { allocate: () => (next += 32), deallocate: (address: number) => void freed.push(address) };
  const checked = new CheckedHeap(heap, words);
  const [first, second] = [checked.allocate(64), checked.allocate(64)];
  expect(() => checked.deallocate(first)).toThrow(`the block of 16 words at ${first} changed at word 8`);
  checked.deallocate(second);
  expect(freed).toEqual([second]);
  // Its head is gone, so freeing it again is seen as well.
  expect(() => checked.deallocate(second)).toThrow(/changed at its first word/);
});

describe('threads that meet', () => {
  test('find the batches of another one in order, and its places free again', () => {
    const { control, mail } = makeMail(2);
    const [writer, reader] = [new Mailbox(control, 0), new Mailbox(control, 1)];
    reader.listenTo(0);
    for (let batch = 0; batch < 20; batch += 1) {
      mail.fill(batch, writer.room(batch), writer.own(batch) + BATCH_SIZE);
      writer.post(batch);
      const at = reader.receive(batch);
      expect(new Set(mail.subarray(at, at + BATCH_SIZE))).toEqual(new Set([batch]));
      reader.take(batch);
    }
  });

  test('do not wait for one that failed', () => {
    const { control } = makeMail(2);
    meet(control, 1);
    fail(control);
    expect(() => waitUntil(control, 0, 2)).toThrow('another thread failed');
  });
});

test.each(['tiered-arena', 'locked', 'remote-free'] as const)('two threads of %s share what they are to share', (name: HeapName) => {
  for (const sharing of sharingsOf('few-slabs')) {
    const ground = makeGround(name, 'few-slabs', sharing, 2);
    const [first, second] = [attachTo(ground, 0), attachTo(ground, 1)];
    const address = first.heap.allocate(64);
    expect(address).not.toBe(0);
    // What the first thread allocated is live in the second one's heap exactly where they have one heap.
    const isOne = sharing === 'together' && name !== 'remote-free';
    expect(second.settle() > 0).toBe(isOne);
    if (isOne || name === 'remote-free') second.other.deallocate(address);
    else first.heap.deallocate(address);
    expect([first.settle(), second.settle()]).toEqual([0, 0]);
  }
});

test.skipIf(compiler === undefined)('the C program looks at the blocks', async () => {
  const program = await NativeProgram.start(await compileNative(compiler!, 'threads.c', ['-pthread']));
  try {
    for (const task of TASKS.filter((name) => name !== 'few-slabs')) {
      for (const sharing of sharingsOf(task)) {
        for (const threadCount of [1, 2]) {
          const [nanoseconds, mistakes] = await program.ask(`${task} ${sharing} ${threadCount} 4096 1`);
          expect(nanoseconds).toBeGreaterThan(0);
          expect(mistakes).toBe(0);
        }
      }
    }
    // Blocks that nobody wrote are kept, and looked at when others take their places.
    expect(await program.ask('pair apart 1 4096 0')).toMatchObject([expect.any(Number), 0]);
    expect((await program.ask('pair apart 1 4096 1'))[1]).toBe(64);
  } finally {
    await program.close();
  }
});
