/** What `file-memory.test.ts` needs processes of its own for: each argument names one scenario, or what a process or a thread does in it. */

import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { FileMemory, NativeMemory } from '../src/native/index.ts';

const MIB = 2 ** 20;
const PAGE = 4096;
const SELF = fileURLToPath(import.meta.url);

/** What a thread does, and with what. */
interface Task {
  readonly role: 'open together' | 'open once' | 'make' | 'make and exit';
  readonly path: string;
  readonly rounds?: number;
  /** Word 0: the round. */
  readonly signal?: SharedArrayBuffer;
}

function inMemory(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}

async function inFolder(parent: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(parent, 'allokit-file-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function make(path: string, shared = false): FileMemory {
  const memory = FileMemory.create(path, { reserve: 16 * MIB, pageSize: PAGE, shared });
  memory.root = memory.allocate(MIB);
  memory.u8.fill(7, memory.root, memory.root + MIB);
  return memory;
}

/** As if the machine had been started again since; with the mark of a file that is open, if that is said. */
function reboot(path: string, isOpen = false): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(16, 0x5a), 0, 16, 32);
  if (isOpen) writeSync(descriptor, Buffer.of(1, 0, 0, 0), 0, 4, 28);
  closeSync(descriptor);
}

function outcomeOf(path: string, acceptTorn = false): string {
  try {
    const memory = FileMemory.attach(path, { shared: true, acceptTorn });
    const isWhole = memory.u8[memory.root] === 7 && memory.u8[memory.root + MIB - 1] === 7;
    memory.release();
    return isWhole ? 'whole' : 'damaged';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

function thread(task: Task): Worker {
  return new Worker(new URL(import.meta.url), { workerData: task });
}

/** Two threads open the file at the same moment, again and again; what came of it, with how often. */
async function openTogether(path: string, rounds: number, prepare: () => void): Promise<Record<string, number>> {
  const signal = new SharedArrayBuffer(4);
  const words = new Int32Array(signal);
  const workers = [0, 1].map(() => thread({ role: 'open together', path, rounds, signal }));
  const replies = (): Promise<string[]> => Promise.all(workers.map(async (worker) => ((await once(worker, 'message')) as [string])[0]));
  await replies();
  const counts: Record<string, number> = {};
  for (let round = 1; round <= rounds; round += 1) {
    prepare();
    const both = replies();
    Atomics.store(words, 0, round);
    for (const outcome of await both) counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Lets a process of its own make a file and end in a way. */
async function endedBy(way: string, path: string): Promise<void> {
  const child = fork(SELF, ['the process that ends', path, way], { execArgv: process.execArgv, silent: true });
  await once(child, 'exit');
  ok(existsSync(path), way);
}

/** By name. Each ends by itself, or throws. */
const SCENARIOS: Readonly<Record<string, () => unknown>> = {
  'two threads open a torn file at the same moment': () =>
    inFolder(inMemory(), async (folder) => {
      const path = join(folder, 'a');
      make(path).release();
      const rounds = 300;
      deepStrictEqual(await openTogether(path, rounds, () => reboot(path, true)), { corrupt: 2 * rounds });
      strictEqual(outcomeOf(path, true), 'whole');
      reboot(path);
      strictEqual(outcomeOf(path), 'whole');
    }),

  'two threads open and close a file at the same moment': () =>
    inFolder(inMemory(), async (folder) => {
      const path = join(folder, 'a');
      make(path).release();
      const rounds = 300;
      // Closed well by the last one, each time: the machine may go down in between.
      deepStrictEqual(await openTogether(path, rounds, () => reboot(path)), { whole: 2 * rounds });
    }),

  'a file is opened while the last one closes it': () =>
    inFolder(tmpdir(), async (folder) => {
      for (let round = 0; round < 4; round += 1) {
        const path = join(folder, `${round}`);
        const memory = FileMemory.create(path, { reserve: 64 * MIB, commit: 32 * MIB, shared: true });
        memory.root = memory.allocate(MIB);
        memory.u8.fill(7, memory.root);
        const signal = new SharedArrayBuffer(4);
        const worker = thread({ role: 'open once', path, rounds: round, signal });
        await once(worker, 'message');
        Atomics.store(new Int32Array(signal), 0, 1);
        memory.release();
        deepStrictEqual(await once(worker, 'message'), ['whole']);
        rmSync(path);
      }
    }),

  'programs that end without releasing': () =>
    inFolder(inMemory(), async (folder) => {
      const found: Record<string, string> = {};
      const ways = ['by itself', 'exit', 'an uncaught error', 'a rejection', 'a kill'];
      await Promise.all(
        ways.map(async (way) => {
          const path = join(folder, way);
          await endedBy(way, path);
          reboot(path);
          found[way] = outcomeOf(path);
          if (way === 'a kill') strictEqual(outcomeOf(path, true), 'whole');
        }),
      );
      deepStrictEqual(found, { 'by itself': 'whole', exit: 'whole', 'an uncaught error': 'whole', 'a rejection': 'whole', 'a kill': 'corrupt' });
    }),

  'threads that end without releasing': () =>
    inFolder(inMemory(), async (folder) => {
      for (const role of ['make', 'make and exit'] as const) {
        const path = join(folder, role);
        await once(thread({ role, path }), 'exit');
        reboot(path);
        strictEqual(outcomeOf(path), 'whole');
        // Nobody has it locked any more.
        FileMemory.attach(path).release();
      }
    }),

  'two programs, one of which ends': () =>
    inFolder(inMemory(), async (folder) => {
      const path = join(folder, 'a');
      const memory = make(path, true);
      await endedBy('beside another', path);
      // This one has it open still.
      const isMarked = (): boolean => readFileSync(path).readUInt32LE(28) === 1;
      ok(isMarked());
      memory.refresh();
      strictEqual(memory.u8[memory.root], 8);
      memory.release();
      ok(!isMarked());
    }),

  'a file that is created while others try to open it': () =>
    inFolder(inMemory(), async (folder) => {
      const path = join(folder, 'a');
      const child = fork(SELF, ['the process that opens for ever', path], { execArgv: process.execArgv });
      await once(child, 'message');
      const counts = { created: 0, refused: 0 };
      const end = performance.now() + 1000;
      while (performance.now() < end) {
        try {
          FileMemory.create(path, { reserve: 4 * MIB }).release();
          counts.created += 1;
          rmSync(path);
        } catch (error) {
          strictEqual((error as { readonly code: string }).code, 'system');
          ok(!existsSync(path), 'a file was left behind');
          counts.refused += 1;
        }
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      ok(counts.created > 0, JSON.stringify(counts));
    }),

  'memories that other handlers use at exit': () => {
    const folder = mkdtempSync(join(inMemory(), 'allokit-file-'));
    const path = join(folder, 'a');
    const memory = make(path);
    const native = NativeMemory.create({ reserve: MIB, commit: MIB });
    process.once('exit', () => {
      for (const each of [memory, native]) {
        const address = each.allocate(65_536);
        ok(address > 0);
        each.u8.fill(9, address, address + 65_536);
        each.checkInvariants();
        each.release();
      }
      strictEqual(readFileSync(path).readUInt32LE(28), 0);
      FileMemory.attach(path).release();
      rmSync(folder, { recursive: true });
    });
  },

  'a copy with holes on a full disk': () =>
    inFolder(inMemory(), (folder) => {
      const disk = process.argv[3]!;
      const path = join(folder, 'a');
      FileMemory.create(path, { reserve: 64 * MIB, commit: 32 * MIB, pageSize: PAGE }).release();
      const copy = join(disk, 'a');
      execFileSync('cp', ['--sparse=always', path, copy]);
      const { size, blocks } = statSync(copy);
      ok(blocks * 512 < size / 2);
      for (const options of [{}, { shared: true }, { acceptTorn: true }]) throws(() => FileMemory.attach(copy, options), { name: 'AllocatorError', code: 'out-of-memory' });
      strictEqual(statSync(copy).size, size);
      // What is small enough works, up to the end of the disk.
      rmSync(copy);
      const memory = FileMemory.create(copy, { reserve: 64 * MIB, pageSize: PAGE });
      for (let address = memory.allocate(MIB); address !== 0; address = memory.allocate(MIB)) memory.u8.fill(1, address, address + MIB);
      strictEqual(memory.lastRefusal?.code, 'out-of-memory');
      memory.release();
      return Promise.resolve();
    }),

  'the process that opens for ever': () => {
    const path = process.argv[3]!;
    let isReady = false;
    process.once('disconnect', () => process.exit());
    for (;;) {
      try {
        FileMemory.attach(path).release();
      } catch {
        // Most of the time there is none.
      }
      if (!isReady) process.send!('ready');
      isReady = true;
    }
  },

  'the process that ends': () => {
    const path = process.argv[3]!;
    const way = process.argv[4]!;
    if (way === 'beside another') {
      const memory = FileMemory.attach(path, { shared: true });
      memory.u8.fill(8, memory.root, memory.root + MIB);
      process.disconnect!();
      return;
    }
    const memory = make(path);
    Object.assign(globalThis, { memory });
    if (way === 'exit') process.exit(3);
    if (way === 'an uncaught error') throw new Error('nobody catches this');
    if (way === 'a rejection') void Promise.reject(new Error('nobody catches this'));
    if (way === 'a kill') process.kill(process.pid, 'SIGKILL');
    if (way === 'by itself') process.disconnect!();
  },
};

function work({ role, path, rounds = 0, signal }: Task): void {
  const port = parentPort!;
  const words = new Int32Array(signal ?? new SharedArrayBuffer(4));
  // The foreign function interface loads when it is first needed.
  NativeMemory.create({ reserve: MIB }).release();
  if (role === 'open together') {
    port.postMessage('ready');
    for (let round = 1; round <= rounds; round += 1) {
      while (Atomics.load(words, 0) < round);
      port.postMessage(outcomeOf(path));
    }
    return;
  }
  if (role === 'open once') {
    port.postMessage('ready');
    while (Atomics.load(words, 0) === 0);
    const end = performance.now() + rounds * 2;
    while (performance.now() < end);
    port.postMessage(outcomeOf(path));
    return;
  }
  Object.assign(globalThis, { memory: make(path) });
  if (role === 'make and exit') process.exit();
}

if (isMainThread && process.argv[1] === SELF) {
  const name = process.argv[2]!;
  await SCENARIOS[name]!();
  if (!name.startsWith('the process')) writeSync(1, 'ended well');
} else if (!isMainThread) work(workerData as Task);
