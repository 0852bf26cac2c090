/**
 * Bytes that leave a memory's hands: moved into a buffer of somebody else's, or used by the platform behind the scenes. `native-moved.test.ts` runs each in a
 * process of its own with `--expose-gc`, because what goes wrong here ends it.
 */

import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { createHash, randomFill, subtle } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, read, rmSync, write, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gzip } from 'node:zlib';
import { FileMemory, NativeMemory, type NativeMemoryToken } from '../src/native/index.ts';
import type { MovingTask } from './native-moved-worker.ts';
import { addressesOfProcess, collect, flushQuarantine, IS_LINUX, mappingsOfProcess, residentOfProcess } from './process-memory.ts';

const MIB = 2 ** 20;
const COMMITTED = MIB;
const FIRST = 2 ** 17;

function create(): NativeMemory {
  const memory = NativeMemory.create({ reserve: 16 * MIB, commit: COMMITTED });
  memory.u8.fill(7, FIRST);
  return memory;
}

/** Ways to take a view's bytes away from whoever made it. Each gives all bytes from `FIRST` on, at least. */
const WAYS: Readonly<Record<string, (view: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>>> = {
  async 'a byte stream'(view) {
    const stream = new ReadableStream({
      type: 'bytes',
      start(controller) {
        controller.enqueue(view.subarray(FIRST));
        controller.close();
      },
    });
    const { value } = await stream.getReader().read();
    return value as Uint8Array;
  },

  async 'a reader that brings its buffer'(view) {
    const stream = new ReadableStream({
      type: 'bytes',
      pull({ byobRequest }) {
        (byobRequest!.view as Uint8Array)[0] = 7;
        byobRequest!.respond(1);
      },
    });
    const { value } = await stream.getReader({ mode: 'byob' }).read(view.subarray(FIRST));
    return new Uint8Array(value!.buffer, FIRST);
  },

  'the prototype\'s transfer': (view) => Promise.resolve(new Uint8Array(ArrayBuffer.prototype.transfer.call(view.buffer), FIRST)),
};

/** Moves them where nothing on the stack keeps the view. */
async function moved(memory: NativeMemory | FileMemory, way: string): Promise<Uint8Array> {
  const bytes = await WAYS[way]!(memory.u8 as Uint8Array<ArrayBuffer>);
  deepStrictEqual([bytes.length, bytes[0], bytes.at(-1)], [COMMITTED - FIRST, 7, 7]);
  return bytes;
}

/** Uses bytes that nothing else knows, while the system takes back whatever it would take back. */
async function useFor(bytes: Uint8Array, roundCount = 4): Promise<void> {
  for (let round = 1; round <= roundCount; round += 1) {
    await collect(() => false, 2);
    if (round === 2) flushQuarantine();
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 512) sum += bytes[i]!;
    ok(sum >= 0);
    bytes.fill(round);
    deepStrictEqual([bytes[0], bytes.at(-1), bytes.length], [round, round, COMMITTED - FIRST]);
  }
}

/** What becomes of the memory then. */
const ENDS: Readonly<Record<string, (way: string) => Promise<void>>> = {
  async released(way) {
    const memory = create();
    const bytes = await moved(memory, way);
    await collect(() => false, 5);
    memory.release();
    await useFor(bytes);
  },

  async 'used, then released'(way) {
    const memory = create();
    const bytes = await moved(memory, way);
    await collect(() => false, 5);
    // Another view of the same bytes.
    deepStrictEqual([memory.u8.length, memory.u8[FIRST]], [COMMITTED, 7]);
    bytes[0] = 9;
    strictEqual(memory.u8[FIRST], 9);
    memory.commit(2 * COMMITTED);
    memory.checkInvariants();
    memory.release();
    await useFor(bytes);
  },

  async decommitted(way) {
    const memory = create();
    const bytes = await moved(memory, way);
    await collect(() => false, 5);
    for (let round = 0; round < 3; round += 1) {
      deepStrictEqual([memory.decommit(0), memory.committed, memory.u8[COMMITTED - 1], bytes.at(-1)], [false, COMMITTED, 7, 7]);
      memory.checkInvariants();
      await collect(() => false, 3);
    }
    memory.purge();
    await useFor(bytes);
    memory.checkInvariants();
    memory.release();
    await useFor(bytes);
  },

  async forgotten(way) {
    const kept = await (async () => {
      const memory = create();
      return { bytes: await moved(memory, way), weak: new WeakRef(memory) };
    })();
    await collect(() => kept.weak.deref() === undefined);
    strictEqual(kept.weak.deref(), undefined);
    await useFor(kept.bytes);
  },

  async 'forgotten, with a view that was kept'(way) {
    const kept = await (async () => {
      const memory = create();
      const bytes = await moved(memory, way);
      return { bytes, view: memory.u8, weak: new WeakRef(memory) };
    })();
    await collect(() => kept.weak.deref() === undefined);
    strictEqual(kept.weak.deref(), undefined);
    // Dead by now, or another view of the same bytes.
    ok([0, COMMITTED].includes(kept.view.length));
    kept.view[FIRST] = 3;
    strictEqual(kept.view[FIRST], kept.view.length === 0 ? undefined : kept.bytes[0]);
    await useFor(kept.bytes);
  },

  async 'forgotten before they were moved'(way) {
    const kept: { view?: Uint8Array<ArrayBuffer> } = {};
    const weak = ((): WeakRef<NativeMemory> => {
      const memory = create();
      kept.view = memory.u8 as Uint8Array<ArrayBuffer>;
      return new WeakRef(memory);
    })();
    await collect(() => weak.deref() === undefined);
    strictEqual(weak.deref(), undefined);
    await collect(() => false, 5);
    const bytes = await WAYS[way]!(kept.view);
    delete kept.view;
    strictEqual(bytes[0], 7);
    await collect(() => false, 10);
    await useFor(new Uint8Array(bytes.buffer, FIRST));
  },
};

/** A file descriptor from which nothing can be read before something was written to it. */
function pipeInFolder(): { readonly descriptor: number; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'allokit-pipe-'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const descriptor = openSync(join(folder, 'pipe'), 'r+');
  return {
    descriptor,
    remove: () => {
      closeSync(descriptor);
      rmSync(folder, { recursive: true });
    },
  };
}

/** What the platform does on other threads with a view, and calls back about. */
const PLATFORM: Readonly<Record<string, (view: Uint8Array<ArrayBuffer>, done: () => void) => void>> = {
  gzip: (view, done) => {
    gzip(view, { level: 1 }, done);
    // Its callback finds a view that died, which is an error of the platform's own.
    process.once('uncaughtException', done);
  },
  randomFill: (view, done) => randomFill(view, done),
  digest: (view, done) => void subtle.digest('SHA-512', view).then(done, done),
  'a write to a file': (view, done) => {
    const descriptor = openSync('/dev/null', 'w');
    write(descriptor, view, done);
  },
};

async function underWay(name: string, end: (memory: NativeMemory) => void): Promise<void> {
  for (const delay of [0, 2]) {
    const memory = NativeMemory.create({ reserve: 64 * MIB, commit: 'all' });
    memory.u8.fill(1, MIB, 8 * MIB);
    // Not over the memory's own state: to fill that with anything is damage, and is told as such.
    const view = memory.u8.subarray(MIB) as Uint8Array<ArrayBuffer>;
    const isDone = new Promise<void>((resolve) => PLATFORM[name]!(view, resolve));
    if (delay > 0) await sleep(delay);
    end(memory);
    await isDone;
    memory.release();
  }
}

/** A thread, and its end, which may come with its last message. */
function moving(task: MovingTask): { readonly worker: Worker; readonly ended: Promise<void> } {
  const worker = new Worker(new URL('native-moved-worker.ts', import.meta.url), { workerData: task });
  return { worker, ended: new Promise((resolve) => worker.once('exit', () => resolve())) };
}

/** By name. Each ends by itself, or throws. */
export const SCENARIOS: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(Object.keys(WAYS).flatMap((way) => Object.entries(ENDS).map(([end, run]) => [`moved by ${way}: ${end}`, () => run(way)]))),

  ...Object.fromEntries(Object.keys(PLATFORM).map((name) => [`${name} over a memory that is released`, () => underWay(name, (memory) => memory.release())])),
  ...Object.fromEntries(Object.keys(PLATFORM).map((name) => [`${name} over pages that are decommitted`, () => underWay(name, (memory) => void memory.decommit(MIB))])),
  ...Object.fromEntries(Object.keys(PLATFORM).map((name) => [`${name} over a memory that grows`, () => underWay(name, (memory) => void memory.commit(64 * MIB))])),

  'an attached handle whose bytes were moved is released': async () => {
    for (const way of Object.keys(WAYS)) {
      const memory = create();
      const address = memory.allocate(65_536);
      memory.u8.fill(42, address, address + 65_536);
      const other = NativeMemory.attach(memory.token);
      const bytes = new Uint8Array((await WAYS[way]!(other.u8 as Uint8Array<ArrayBuffer>)).buffer);
      if (way !== 'a byte stream') await collect(() => false, 3);
      other.release();
      deepStrictEqual([memory.u8[address], memory.u8[address + 65_535], bytes[address]], [42, 42, 42]);
      memory.checkInvariants();
      // They are out there still.
      strictEqual(memory.decommit(0), false);
      memory.checkInvariants();
      memory.u8[address] = 43;
      strictEqual(bytes[address], 43);
      memory.release();
      flushQuarantine();
      await collect(() => false, 5);
      bytes.fill(1);
      strictEqual(bytes[address], 1);
    }
  },

  'a thread moves its bytes away, and ends': async () => {
    const memory = create();
    const address = memory.allocate(65_536);
    memory.u8.fill(42, address, address + 65_536);
    for (const end of ['end', 'release', 'exit'] as const) {
      const { worker, ended } = moving({ token: memory.token, role: 'move', end });
      const [isMoved] = (await once(worker, 'message')) as [boolean];
      await ended;
      deepStrictEqual([isMoved, memory.u8[address], memory.u8[address + 65_535]], [true, 42, 42]);
      memory.checkInvariants();
    }
    strictEqual(memory.decommit(0), false);
    memory.release();
  },

  'the creator is released while another thread has moved its bytes': async () => {
    const memory = create();
    const signal = new SharedArrayBuffer(4);
    const { worker, ended } = moving({ token: memory.token, role: 'use moved bytes', signal });
    await once(worker, 'message');
    memory.release();
    flushQuarantine();
    Atomics.store(new Int32Array(signal), 0, 1);
    const [value] = (await once(worker, 'message')) as [number];
    strictEqual(value, 5);
    await ended;
  },

  'the bytes of a file are moved': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'allokit-moved-'));
    try {
      for (const way of Object.keys(WAYS)) {
        const path = join(folder, way.slice(-8));
        const memory = FileMemory.create(path, { reserve: 16 * MIB, commit: COMMITTED });
        memory.u8.fill(7, FIRST);
        const bytes = await moved(memory, way);
        await collect(() => false, 3);
        memory.release();
        flushQuarantine();
        // They are nobody's now, and the file has kept what it had.
        bytes.fill(1);
        strictEqual(bytes[5], 1);
        const again = FileMemory.attach(path);
        strictEqual(again.u8[FIRST + 5], 7);
        again.release();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  'a read that is under way, into a memory that is released': async () => {
    const { descriptor, remove } = pipeInFolder();
    const size = 64 * MIB;
    for (let round = 0; round < 5; round += 1) {
      const memory = NativeMemory.create({ reserve: size, commit: 'all' });
      const isDone = new Promise<number>((resolve, reject) => {
        read(descriptor, memory.u8, MIB, 5, null, (error, count) => (error === null ? resolve(count) : reject(error)));
      });
      await sleep(20);
      memory.release();
      const others = Array.from({ length: 10 }, () => NativeMemory.create({ reserve: size, commit: 'all' }));
      writeSync(descriptor, 'HELLO');
      strictEqual(await isDone, 5);
      for (const other of others) {
        deepStrictEqual([...other.u8.subarray(MIB, MIB + 5)], [0, 0, 0, 0, 0]);
        other.release();
      }
    }
    remove();
  },

  'a digest is of what was there, or of zeros': async () => {
    const memory = NativeMemory.create({ reserve: 32 * MIB, commit: 'all' });
    memory.u8.fill(3);
    const expected = createHash('sha256').update(memory.u8).digest('hex');
    const found = Buffer.from(await subtle.digest('SHA-256', memory.u8 as Uint8Array<ArrayBuffer>)).toString('hex');
    strictEqual(found, expected);
    memory.release();
  },

  'threads that end without releasing what they made': async () => {
    for (const end of ['end', 'exit', 'throw'] as const) {
      await runToEnd(end);
      const before = residentOfProcess();
      for (let i = 0; i < 5; i += 1) {
        await runToEnd(end);
        ok(residentOfProcess() < before + 48 * MIB, `${end}, round ${i}: ${residentOfProcess()} bytes are resident after ${before}`);
      }
    }
  },

  'threads that release what they made, and end': async () => {
    const ran = async (): Promise<void> => {
      await moving({ role: 'make and release many' }).ended;
    };
    await ran();
    if (!IS_LINUX) return;
    const before = { addresses: addressesOfProcess(), mappings: mappingsOfProcess() };
    for (let i = 0; i < 6; i += 1) await ran();
    const after = { addresses: addressesOfProcess(), mappings: mappingsOfProcess() };
    // Each had a hundred memories of 256 MiB. What one thread may keep is not kept for each that ever was.
    ok(after.addresses - before.addresses < 80 * 2 ** 30, JSON.stringify({ before, after }));
    ok(after.mappings - before.mappings < 400, JSON.stringify({ before, after }));
  },

  'a thread that ends while others are attached to what it made': async () => {
    const { worker, ended } = moving({ role: 'make, wait and end' });
    const [token] = (await once(worker, 'message')) as [NativeMemoryToken];
    const memory = NativeMemory.attach(token);
    worker.postMessage('end');
    await ended;
    deepStrictEqual([memory.u8[FIRST], memory.u8[COMMITTED - 1]], [7, 7]);
    const address = memory.allocate(32 * MIB);
    memory.u8.fill(1, address, address + 32 * MIB);
    memory.checkInvariants();
    const before = residentOfProcess();
    memory.release();
    // Much, because what else is resident in the process changes by some mebibytes at any time.
    ok(!IS_LINUX || residentOfProcess() < before - 16 * MIB);
  },

  'a thread whose own exit handlers use its memories': async () => {
    const { worker, ended } = moving({ role: 'use at exit' });
    const [codes] = (await once(worker, 'message')) as [string[]];
    await ended;
    ok(codes.every((code) => ['returned', 'released', 'bad-header', 'corrupt', 'system', 'foreign-address', 'invalid-address'].includes(code)), codes.join());
  },
};

async function runToEnd(end: 'end' | 'exit' | 'throw'): Promise<void> {
  const { worker, ended } = moving({ role: 'make and fill', end });
  worker.on('error', () => undefined);
  await once(worker, 'message');
  await ended;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await SCENARIOS[process.argv[2]!]!();
  writeSync(1, 'ended well');
}
