/**
 * What a file holds when its process is killed at any moment: every block that the program had published, or a refusal.
 *
 * `ALLOKIT_SEED` gives the seed of all that is random here; the moment of a real kill is as random as the machine.
 */

import { AllocatorError, NULL } from '@allokit/allocator';
import { Random, environmentSeed, range } from '@allokit/allocator/testing';
import { BufferMemory } from '@allokit/vmem';
import { FileMemory } from '@allokit/vmem/native';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { O1Heap } from '../src/index.ts';
import type { Orders } from './file-kill-child.ts';
import { Workload, type Habits } from './file-kill-workload.ts';
import { StoreLog, type Store } from './store-log.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const RESERVE = 2 ** 26;
const CHILD = fileURLToPath(new URL('file-kill-child.ts', import.meta.url));
const CHURN: Habits = { sizeMax: 3000, fillPercent: 90, changePercent: 60, trimPermille: 5 };
const GROWTH: Habits = { sizeMax: 2 ** 17, fillPercent: 100, changePercent: 15, trimPermille: 1 };
const STEPS_AFTERWARDS = 300;
/** `ALLOKIT_DEATHS` gives another number. */
const KILLS = Number(process.env['ALLOKIT_DEATHS'] ?? 40);

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allokit-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Moment = 'creating' | 'running';
type Outcome = 'accepted' | 'accepted, nothing stored yet' | 'refused' | 'no file';

interface Kill {
  readonly index: number;
  readonly seed: number;
  /** What the child says when the delay begins. */
  readonly moment: Moment;
  readonly delay: number;
  readonly habits: Habits;
}

function start(orders: Orders): ChildProcessByStdio<null, Readable, Readable> {
  // Compiling the sources is most of what a child does before it begins.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  return spawn(process.execPath, ['--conditions=source', CHILD, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'pipe'], env });
}

function killAt({ seed, moment, delay, habits }: Kill, path: string): Promise<void> {
  const child = start({ path, seed, reserve: RESERVE, habits });
  let errors = '';
  let isKilled = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (isKilled || !text.includes(moment)) return;
    isKilled = true;
    // A timer counts in milliseconds; the rest of the delay is waited out.
    setTimeout(() => {
      const end = performance.now() + (delay % 1);
      while (performance.now() < end);
      child.kill('SIGKILL');
    }, Math.floor(delay));
  });
  return new Promise((resolve, reject) => {
    child.once('close', (_code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`the child ended by itself: ${errors}`))));
  });
}

/** Whether the error is one of those that say: this file is not to be used. */
function isRefusal(error: unknown): boolean {
  return error instanceof AllocatorError && (error.code === 'corrupt' || error.code === 'bad-header');
}

/** @throws whatever is wrong with what was accepted. */
function examine(path: string, seed: number, habits: Habits): Outcome {
  if (!existsSync(path)) return 'no file';
  let memory: FileMemory;
  let workload: Workload | undefined;
  try {
    memory = FileMemory.attach(path);
  } catch (error) {
    if (isRefusal(error)) return 'refused';
    throw error;
  }
  try {
    memory.checkInvariants();
    if (memory.root === NULL) return 'accepted, nothing stored yet';
    try {
      workload = Workload.resume(memory, memory.root);
    } catch (error) {
      if (isRefusal(error)) return 'refused';
      throw error;
    }
    goOn(workload, seed, habits);
    return 'accepted';
  } finally {
    memory.release();
  }
}

/** Proves it sound, goes on with it, proves it again, and drains it. */
function goOn(workload: Workload, seed: number, habits: Habits): void {
  const random = Random.fromSeed(seed);
  workload.heap.checkInvariants();
  workload.verify();
  for (let i = 0; i < STEPS_AFTERWARDS; i += 1) workload.step(random, habits);
  workload.heap.checkInvariants();
  workload.memory.checkInvariants();
  workload.verify();
  workload.drain(1);
}

function kills(count: number): Kill[] {
  const random = Random.fromSeed(SEED);
  return range(0, count).map((index): Kill => {
    const seed = random.next();
    const fraction = random.below(1000) / 1000;
    if (index % 5 === 0) return { index, seed, moment: 'creating', delay: fraction * 3, habits: CHURN };
    return { index, seed, moment: 'running', delay: random.below(30) + fraction, habits: index % 2 === 0 ? CHURN : GROWTH };
  });
}

describe.skipIf(process.platform === 'win32')('a file whose process is killed', () => {
  test('holds every published block, or is refused', async () => {
    const counts: Record<Outcome, number> = { accepted: 0, 'accepted, nothing stored yet': 0, refused: 0, 'no file': 0 };
    const failures: string[] = [];
    const queue = kills(KILLS);
    const [code] = (await once(start({ path: join(folder, 'first.memory'), seed: SEED, reserve: RESERVE, habits: CHURN, stepCount: 100 }), 'close')) as [number];
    expect(code).toBe(0);
    const lane = async (): Promise<void> => {
      for (let kill = queue.pop(); kill !== undefined; kill = queue.pop()) {
        const path = join(folder, `${kill.index}.memory`);
        try {
          await killAt(kill, path);
          counts[examine(path, kill.seed, kill.habits)] += 1;
        } catch (error) {
          failures.push(`ALLOKIT_SEED=${SEED}, kill ${JSON.stringify(kill)}: ${(error as Error).stack ?? String(error)}`);
        }
        rmSync(path, { force: true });
      }
    };
    await Promise.all([lane(), lane()]);
    console.log(`${KILLS} kills with seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(failures).toEqual([]);
    // A kill in the middle of a change is refused: some are, most are not. Those before the header is written have no memory yet.
    expect(counts.accepted, `${counts.refused} of ${KILLS} were refused: ${JSON.stringify(counts)}`).toBeGreaterThanOrEqual(0.6 * KILLS);
  });
});

describe('a memory whose program ends at any of its stores', () => {
  test.each([
    ['churn', { ...CHURN, sizeMax: 600 }, 2 ** 18, 600],
    ['growth', { ...GROWTH, sizeMax: 4000, trimPermille: 50 }, 2 ** 19, 250],
  ] as const)('holds every published block, or is refused: %s', (name, habits, reserve, stepCount) => {
    const memory = BufferMemory.create({ reserve, pageSize: 1024 });
    const { table, heap } = Workload.begin(memory, 2 ** 14);
    const firstBlock = [...memory.runs()][0]!.page * memory.pageSize;
    const image = memory.buffer.slice(0) as ArrayBuffer;
    const words = new Int32Array(image);
    const log = new StoreLog(memory);
    const recorded = Workload.resume(log.memory, table);
    const random = Random.fromSeed(SEED);
    const counts = { accepted: 0, refused: 0, continued: 0 };

    const check = (isWhole: boolean, isContinued: boolean): void => {
      let found: Workload;
      try {
        found = Workload.resume(BufferMemory.attach(image), table);
      } catch (error) {
        if (!isRefusal(error) || isWhole) throw error;
        counts.refused += 1;
        return;
      }
      counts.accepted += 1;
      found.verify();
      if (!isContinued) return;
      counts.continued += 1;
      goOn(Workload.resume(BufferMemory.attach(image.slice(0)), table), counts.accepted, habits);
    };

    for (let step = 0; step < stepCount; step += 1) {
      log.clear();
      recorded.step(random, habits);
      const { stores } = log;
      // Between the first and the last store into the memory's own state, heap and memory may not agree.
      const isOfMemory = ({ index }: Store): boolean => index * 4 < firstBlock;
      const firstOfMemory = stores.findIndex(isOfMemory);
      const lastOfMemory = stores.findLastIndex(isOfMemory);
      for (const [i, { index, value }] of stores.entries()) {
        words[index] = value;
        const isBetween = firstOfMemory >= 0 && i >= firstOfMemory && i <= lastOfMemory + 20;
        try {
          check(i === stores.length - 1, isBetween || random.chance(1, 100));
        } catch (error) {
          throw new Error(`ALLOKIT_SEED=${SEED}, ${name}, step ${step}, store ${i + 1} of ${stores.length}: ${String(error)}`, { cause: error });
        }
      }
    }
    console.log(`${name} with seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(words).toEqual(new Int32Array(memory.buffer));
    expect(counts.refused).toBeGreaterThan(0);
    O1Heap.attach(memory, heap.address).checkInvariants();
  });
});
