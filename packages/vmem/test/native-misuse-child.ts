/** Every way to misuse a region that we know of, one at a time: `native-misuse.test.ts` runs each in a process of its own. */

import { AllocatorError, type AllocatorErrorCode } from '@allokit/allocator';
import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { fork } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync, writeSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { PagedMemory } from '../src/index.ts';
import { requireOperatingSystem } from '../src/native/find.ts';
import { FileMemory, NativeMemory, type NativeMemoryToken } from '../src/native/index.ts';
import type { Task } from './native-misuse-worker.ts';

const MIB = 2 ** 20;
const RESERVE = 2 ** 24;
const PAGE = 4096;
const VIEWS = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'] as const;

function create(reserve = RESERVE, commit = MIB): NativeMemory {
  return NativeMemory.create({ reserve, commit });
}

/** What `protect` of the region cannot keep anybody from: the prototype's method. */
function steal(memory: NativeMemory, size?: number): ArrayBuffer {
  return ArrayBuffer.prototype.transfer.call(memory.buffer as ArrayBuffer, size);
}

function stealFixed(memory: NativeMemory): ArrayBuffer {
  return ArrayBuffer.prototype.transferToFixedLength.call(memory.buffer as ArrayBuffer);
}

function refuses(code: AllocatorErrorCode, ...calls: readonly (() => unknown)[]): void {
  for (const call of calls) throws(call, (error: Error) => 'code' in error && error.code === code, String(call));
}

/** Everything that can be done with a memory. */
function uses(memory: NativeMemory | FileMemory, address = 65_536): (() => unknown)[] {
  const common = [
    ...([...VIEWS, 'buffer', 'committed'] as const).map((name) => () => memory[name]),
    () => memory.commit(1),
    () => memory.commit(memory.reserved),
    () => memory.refresh(),
    () => memory.allocate(1),
    () => memory.allocate(0),
    () => memory.allocate(MIB, 2 ** 16),
    () => memory.deallocate(address),
    () => memory.deallocate(address, 1),
    () => memory.resize(address, 1, MIB),
    () => memory.reallocate(address, 1, 2 * MIB),
    () => memory.usableSize(address),
    () => memory.resident(),
    () => memory.reset(),
    () => memory.stats(),
    () => [...memory.runs()],
    () => memory.checkInvariants(),
  ];
  if (memory instanceof FileMemory) return [...common, () => memory.flush(), () => memory.root, () => (memory.root = 0)];
  return [...common, () => memory.lock(), () => memory.unlock(), () => memory.purge(), () => memory.decommit(0), () => memory.decommit(memory.reserved), () => memory.token];
}

const CODES: ReadonlySet<string> = new Set<AllocatorErrorCode>(['corrupt', 'bad-header', 'released', 'out-of-memory', 'system', 'unsupported', 'foreign-address', 'invalid-address', 'double-free', 'size-mismatch', 'already-initialised']);

/** Does everything: it returns, or throws what says what is wrong. */
function tryAll(calls: readonly (() => unknown)[]): void {
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      const isOurs = error instanceof AllocatorError && CODES.has(error.code);
      if (!isOurs && !(error instanceof TypeError) && !(error instanceof RangeError)) throw new Error(`${String(call)} threw ${String(error)}`, { cause: error });
    }
  }
}

/** Has the platform do something with a view, whatever it throws. */
function tryPlatform(calls: readonly (() => unknown)[]): void {
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      ok(error instanceof Error);
    }
  }
}

function worker(task: Task): Worker {
  return new Worker(new URL('native-misuse-worker.ts', import.meta.url), { workerData: task });
}

async function message(from: Worker): Promise<unknown> {
  const [value] = (await once(from, 'message')) as [unknown];
  return value;
}

/** The files of this process, removed when it ends. */
const folder = { path: '' };
function newPath(name = 'a.memory'): string {
  if (folder.path === '') {
    folder.path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allokit-misuse-'));
    process.once('exit', () => rmSync(folder.path, { recursive: true, force: true }));
  }
  return join(folder.path, name);
}

function createFile(path = newPath()): FileMemory {
  return FileMemory.create(path, { reserve: RESERVE, commit: MIB, pageSize: PAGE });
}

/** A closed file with one block, filled with 7, that the root names. */
function filledFile(path = newPath(), size = 2 * MIB): string {
  const memory = FileMemory.create(path, { reserve: 8 * size, pageSize: PAGE });
  memory.root = memory.allocate(size);
  memory.u8.fill(7, memory.root, memory.root + size);
  memory.release();
  return path;
}

/** What a script does that is compiled by the optimising compiler while the view was alive. */
function sum(view: Uint8Array | Float64Array | Int32Array): number {
  let total = 0;
  for (let i = 0; i < view.length; i += 1) total += view[i]! * (i + 1);
  return total;
}

function readFixed(view: Uint8Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i += 1) total += view[i]!;
  return total;
}

function writeFixed(view: Int32Array, count: number): void {
  for (let i = 0; i < count; i += 1) view[i] = i;
}

function readWindow(view: DataView, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i += 8) total += view.getFloat64(i);
  return total;
}

const STATE_ALL_ONES = (memory: PagedMemory): unknown => memory.u32.fill(0xffff_ffff, 0, 64);

/** By name. Each ends by itself, or throws. */
export const SCENARIOS: Readonly<Record<string, () => unknown>> = {
  'every use after release': () => {
    const memory = create();
    const address = memory.allocate(10);
    memory.release();
    for (let round = 0; round < 3; round += 1) {
      refuses('released', ...uses(memory, address));
      deepStrictEqual([memory.released, memory.owns(address)], [true, false]);
      memory.release();
    }
  },

  'reads and writes of old views': () => {
    const memory = create();
    const views = VIEWS.map((name) => memory[name]);
    const inner = memory.u8.subarray(100, 200);
    memory.release();
    for (const view of [...views, inner]) {
      const one = view instanceof BigInt64Array || view instanceof BigUint64Array ? 1n : 1;
      Reflect.set(view, 0, one);
      throws(() => view.fill(one as never), TypeError);
      deepStrictEqual([view.length, view.byteOffset, view[0], view[100]], [0, 0, undefined, undefined]);
      throws(() => view.buffer.slice(0), TypeError);
    }
  },

  'loops over old views that were optimised before': () => {
    const memory = create();
    const { u8, i32, f64 } = memory;
    for (let round = 0; round < 50; round += 1) {
      sum(u8.subarray(0, 5000));
      sum(i32.subarray(0, 5000));
      sum(f64.subarray(0, 5000));
      readFixed(u8, 50_000);
      writeFixed(i32.subarray(MIB / 8), 50_000);
    }
    memory.release();
    writeFixed(i32, 50_000);
    deepStrictEqual([sum(u8), sum(i32), sum(f64), readFixed(u8, 50_000)], [0, 0, 0, NaN]);
  },

  'a loop whose body releases': () => {
    for (const doomed of [0, 1, 77, 5000]) {
      const memory = create();
      const { u8 } = memory;
      for (let i = 0; i < 10_000; i += 1) {
        if (i === doomed) memory.release();
        u8[i] = 1;
        strictEqual(u8[i], i < doomed ? 1 : undefined);
      }
    }
  },

  'methods of views whose callback releases': () => {
    const methods: ((view: Uint8Array, end: () => void) => unknown)[] = [
      (view, end) => view.map((value, i) => (i === 10 && end(), value)),
      (view, end) => view.forEach((_value, i) => i === 10 && end()),
      (view, end) => view.sort((a, b) => (end(), a - b)),
      (view, end) => view.reduce((total, value, i) => (i === 10 && end(), total + value)),
      (view, end) => Array.from(view, (value, i) => (i === 10 && end(), value)),
      (view, end) => view.fill({ valueOf: () => (end(), 1) } as unknown as number),
      (view, end) => view.set({ length: 10, get 3() { return end(), 1; } }),
      (view, end) => view.copyWithin({ valueOf: () => (end(), 1) } as unknown as number, 0, 100),
      (view, end) => view.indexOf(3, { valueOf: () => (end(), 1) } as unknown as number),
      (view, end) => view.subarray({ valueOf: () => (end(), 1) } as unknown as number),
      (view, end) => view.slice({ valueOf: () => (end(), 1) } as unknown as number),
      (view, end) => view.with(1, { valueOf: () => (end(), 1) } as unknown as number),
      (view, end) => Atomics.store(view, 0, { valueOf: () => (end(), 1) } as unknown as number),
    ];
    for (const method of methods) {
      const memory = create();
      tryAll([() => method(memory.u8, () => memory.release())]);
      strictEqual(memory.released, true, String(method));
    }
  },

  'a DataView': () => {
    const memory = create();
    const view = new DataView(memory.buffer);
    for (let round = 0; round < 50; round += 1) readWindow(view, 50_000);
    memory.release();
    throws(() => readWindow(view, 50_000), TypeError);
    throws(() => view.setInt32(0, 1), TypeError);
    throws(() => view.byteLength, TypeError);
  },

  'a Buffer': () => {
    const memory = create();
    const bytes = Buffer.from(memory.buffer as ArrayBuffer, 0, 1000);
    memory.release();
    deepStrictEqual([bytes.length, bytes.toString(), bytes.toString('hex'), bytes[0], bytes.write('x')], [0, '', '', undefined, 0]);
    throws(() => bytes.readInt32LE(0), RangeError);
    throws(() => Buffer.from(memory.buffer as ArrayBuffer), { code: 'released' });
    try {
      // Node.js 22 finds nothing to join, later ones refuse.
      strictEqual(Buffer.concat([bytes, bytes]).length, 0);
    } catch (error) {
      ok(error instanceof TypeError);
    }
    strictEqual(bytes.equals(Buffer.alloc(0)), true);
  },

  'what the platform does with dead views': () => {
    const memory = create();
    const { u8, buffer } = memory;
    memory.release();
    strictEqual(webcrypto.getRandomValues(u8 as Uint8Array<ArrayBuffer>).length, 0);
    tryPlatform([() => new TextDecoder().decode(u8), () => new TextDecoder().decode(buffer), () => new TextEncoder().encodeInto('text', u8), () => gzipSync(u8), () => gzipSync(buffer as ArrayBuffer)]);
    tryPlatform([() => writeSync(1, u8), () => writeSync(1, u8, 0, 100), () => new Blob([u8 as Uint8Array<ArrayBuffer>]), () => structuredClone(u8), () => structuredClone(buffer)]);
    tryPlatform([() => new Uint8Array(buffer), () => new Uint8Array(u8), () => buffer.slice(0), () => Atomics.add(u8, 0, 1), () => JSON.stringify(u8), () => Buffer.from(u8), () => new WebAssembly.Module(u8 as BufferSource)]);
  },

  'transfer by structuredClone and postMessage': () => {
    const memory = create();
    const buffer = memory.buffer as ArrayBuffer;
    const { port1, port2 } = new MessageChannel();
    throws(() => structuredClone(buffer, { transfer: [buffer] }), { name: 'DataCloneError' });
    throws(() => port1.postMessage(buffer, [buffer]), Error);
    throws(() => port1.postMessage(memory.u8, [buffer]), Error);
    memory.u8[65_536 * 2] = 9;
    const copy = structuredClone(memory.u8);
    port1.postMessage(memory.u8.subarray(0, 10));
    memory.release();
    deepStrictEqual([copy.length, copy[65_536 * 2]], [MIB, 9]);
    port1.close();
    port2.close();
  },

  'the buffer\'s own transfer and resize': () => {
    const memory = create();
    const buffer = memory.buffer as ArrayBuffer;
    refuses('unsupported', () => buffer.transfer(), () => buffer.transfer(0), () => buffer.transferToFixedLength());
    throws(() => buffer.resize(0), TypeError);
    strictEqual(memory.u8.length, MIB);
    memory.release();
  },

  'bytes stolen with the prototype\'s transfer': () => {
    for (const way of [steal, stealFixed]) {
      const memory = create();
      memory.u8.fill(5, MIB / 2);
      const bytes = new Uint8Array(way(memory));
      // The memory makes itself another view.
      strictEqual(memory.u8[MIB - 1], 5);
      memory.checkInvariants();
      memory.release();
      bytes.fill(1);
      deepStrictEqual([bytes.length, readFixed(bytes, MIB)], [MIB, MIB]);
      refuses('released', ...uses(memory));
    }
  },

  'bytes stolen, then grown, decommitted and purged': () => {
    const memory = create();
    const stolen = new Uint8Array(steal(memory));
    strictEqual(memory.commit(4 * MIB), true);
    const stolenToo = new Uint8Array(steal(memory));
    strictEqual(memory.decommit(0), false);
    memory.purge();
    for (const bytes of [stolen, stolenToo]) bytes.fill(1, 65_536 * 3);
    memory.release();
    for (const bytes of [stolen, stolenToo]) bytes.fill(1);
    deepStrictEqual([stolen.length, stolenToo.length], [MIB, 4 * MIB]);
  },

  'bytes stolen and made larger or smaller': () => {
    for (const size of [0, 1, 100_000, 8 * MIB]) {
      const memory = create();
      memory.u8[size === 0 ? 0 : Math.min(size, MIB) - 1] = 3;
      const copy = new Uint8Array(steal(memory, size));
      memory.release();
      deepStrictEqual([copy.length, size === 0 ? 3 : copy[Math.min(size, MIB) - 1]], [size, 3]);
    }
  },

  'access beyond what is committed': () => {
    const memory = create();
    const { u8, i32 } = memory;
    for (const index of [MIB, MIB + 1, RESERVE, RESERVE + 1, 2 ** 32, -1, 0.5]) {
      u8[index] = 1;
      strictEqual(u8[index], undefined);
    }
    strictEqual(i32[MIB / 4], undefined);
    throws(() => new Uint8Array(memory.buffer, MIB, 1), RangeError);
    throws(() => new Uint8Array(memory.buffer, 0, MIB + 1), RangeError);
    throws(() => u8.set([1], MIB), RangeError);
    memory.release();
  },

  'growth while views are held': () => {
    const memory = create();
    let last = memory.u8;
    for (let round = 0; round < 50; round += 1) readFixed(last, 50_000);
    for (let size = 2 * MIB; size <= RESERVE; size += MIB) {
      const view = last;
      const { f64, buffer } = memory;
      view[size - MIB - 1] = size / MIB;
      strictEqual(memory.commit(size), true);
      view[5] = 1;
      f64[MIB / 8] = 1;
      last = memory.u8;
      deepStrictEqual([view.length, f64.length, buffer.byteLength, view[5], Number.isNaN(readFixed(view, 50_000))], [0, 0, 0, undefined, true]);
      deepStrictEqual([last[size - MIB - 1], last.length], [size / MIB, size]);
      throws(() => view.fill(1), TypeError);
    }
    // What does not grow leaves them alone.
    deepStrictEqual([memory.commit(RESERVE), memory.commit(RESERVE + 1), memory.commit(1), memory.u8 === last], [true, false, true, true]);
    memory.release();
    strictEqual(last.length, 0);
  },

  'old views after decommit': () => {
    const memory = create();
    const { u8, f64, buffer } = memory;
    for (let round = 0; round < 50; round += 1) readFixed(u8, 50_000);
    strictEqual(memory.decommit(0), true);
    u8[MIB - 1] = 1;
    deepStrictEqual([u8.length, f64.length, buffer.byteLength, Number.isNaN(readFixed(u8, 50_000)), u8[MIB - 1]], [0, 0, 0, true, undefined]);
    memory.checkInvariants();
    ok(memory.committed < MIB);
    memory.release();
  },

  'locked memory that is purged, decommitted and released': () => {
    for (const end of ['purge', 'decommit', 'release'] as const) {
      const memory = create();
      memory.lock();
      tryAll([() => memory[end](0)]);
      if (end === 'release') continue;
      memory.checkInvariants();
      memory.unlock();
      memory.decommit(0);
      memory.checkInvariants();
      memory.release();
    }
  },

  'overwritten state words': () => {
    const memory = create();
    const address = memory.allocate(100);
    STATE_ALL_ONES(memory);
    tryAll(uses(memory, address));
    tryAll([() => NativeMemory.attach(memory.token)]);
    memory.release();
  },

  'state words overwritten one by one with anything': () => {
    const values = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 0x12, 0x7fff_fff2, 2 ** 20];
    for (let word = 0; word < 48; word += 1) {
      for (const value of values) {
        const memory = NativeMemory.create({ reserve: MIB, commit: MIB / 2 });
        const address = memory.allocate(100);
        memory.allocate(200_000);
        memory.deallocate(address);
        memory.i32[word] = value;
        tryAll(uses(memory, address));
        memory.release();
      }
    }
  },

  'an overwritten page map that claims all the address space to be free': () => {
    for (const word of [16, 17, 18, 20]) {
      for (const tag of [0x7fff_fff2, 0x2000_0002, 0x0100_0002, -14]) {
        const memory = NativeMemory.create({ reserve: 2 ** 20, pageSize: PAGE });
        memory.i32[9] = 2 ** 30;
        memory.i32[word] = tag;
        tryAll([() => memory.purge(), () => memory.decommit(0), ...uses(memory)]);
        memory.release();
      }
    }
  },

  'a page map whose first page is negative': () => {
    const memory = create();
    memory.i32[8] = -(2 ** 20);
    memory.i32[10] = -(2 ** 20);
    tryAll([() => memory.purge(), () => memory.decommit(0), ...uses(memory)]);
    memory.release();
  },

  'all bytes overwritten': () => {
    for (const byte of [0xff, 0x22, 0x12, 0]) {
      const memory = create();
      memory.u8.fill(byte);
      tryAll(uses(memory));
      memory.release();
    }
  },

  'absurd sizes': () => {
    const values: unknown[] = [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 32 + 1, 2 ** 53, '1', null, undefined, {}, [], 1n, Symbol.iterator, true];
    const memory = create();
    for (const value of values as number[]) {
      // What is missing has a default.
      const given = [value, -1].find((each) => each as unknown !== undefined)!;
      for (const call of [
        () => NativeMemory.create({ reserve: value }),
        () => NativeMemory.create({ reserve: RESERVE, pageSize: given }),
        () => NativeMemory.create({ reserve: RESERVE, commit: given }),
        () => memory.commit(value),
        () => memory.allocate(value),
        () => memory.deallocate(value),
        () => memory.usableSize(value),
        () => memory.decommit(value),
        () => memory.lock(given),
        () => memory.resident(0, given),
        () => memory.resident(MIB, MIB - 1),
      ]) {
        throws(call, (error: Error) => error instanceof TypeError || error instanceof RangeError, String(call));
      }
    }
    strictEqual(memory.allocate(2 ** 32 - 1), 0);
    strictEqual(memory.commit(2 ** 32), false);
    memory.checkInvariants();
    memory.release();
  },

  'forged tokens': () => {
    const { processId } = create().token;
    const junk: unknown[] = [undefined, null, 0, 'token', {}, [], new SharedArrayBuffer(32), { processId }, { processId, control: null }, { processId, control: new ArrayBuffer(32) }, { processId, control: {} }];
    for (const token of junk) throws(() => NativeMemory.attach(token as NativeMemoryToken), TypeError);
    for (const size of [0, 4, 28, 32, 36, 64, 2 ** 20]) {
      throws(() => NativeMemory.attach({ processId, control: new SharedArrayBuffer(size) }), TypeError);
      const control = new SharedArrayBuffer(size);
      new Uint8Array(control).fill(0xff);
      throws(() => NativeMemory.attach({ processId, control }), TypeError);
    }
    throws(() => NativeMemory.attach({ processId, control: new SharedArrayBuffer(3) }), Error);
    throws(() => NativeMemory.attach({ processId, control: new SharedArrayBuffer(32, { maxByteLength: 64 }) }), Error);
    refuses('bad-header', () => NativeMemory.attach({ ...create().token, processId: processId + 1 }));
    refuses('bad-header', () => NativeMemory.attach({ control: create().token.control } as NativeMemoryToken));
  },

  'a stale token': async () => {
    const memory = create();
    const { token } = memory;
    memory.release();
    refuses('released', () => NativeMemory.attach(token), () => memory.token);
    strictEqual(await message(worker({ role: 'attach', token })), 'released');
  },

  'a token whose memory is damaged': async () => {
    const memory = create();
    memory.i32[9] = -5;
    refuses('corrupt', () => NativeMemory.attach(memory.token));
    STATE_ALL_ONES(memory);
    refuses('bad-header', () => NativeMemory.attach(memory.token));
    strictEqual(await message(worker({ role: 'attach', token: memory.token })), 'bad-header');
    memory.release();
  },

  'a token from another process, as JSON and by advanced serialisation': async () => {
    const path = fileURLToPath(import.meta.url);
    for (const serialization of ['json', 'advanced'] as const) {
      const child = fork(path, ['the other process'], { execArgv: process.execArgv, serialization });
      const [token] = (await once(child, 'message')) as [NativeMemoryToken | string];
      if (typeof token !== 'string') throws(() => NativeMemory.attach(token), TypeError);
      const control = new SharedArrayBuffer(32);
      const { processId } = typeof token === 'string' ? { processId: child.pid! } : token;
      refuses('bad-header', () => NativeMemory.attach({ processId, control }));
      child.disconnect();
      await once(child, 'exit');
    }
  },

  'the other process': () => {
    const memory = create();
    try {
      process.send!(memory.token);
    } catch (error) {
      process.send!(String(error));
    }
  },

  'release while a worker reads and writes': async () => {
    const memory = create(2 ** 26, 8 * MIB);
    const signal = new SharedArrayBuffer(8);
    const other = worker({ role: 'touch until released', token: memory.token, signal });
    strictEqual(await message(other), 'touching');
    const { u8 } = memory;
    memory.release();
    strictEqual(u8.length, 0);
    Atomics.store(new Int32Array(signal), 0, 1);
    deepStrictEqual(await message(other), Array.from({ length: 6 }, () => 'released'));
    deepStrictEqual(await message(other), [0, true, 'released']);
  },

  'decommit while a worker is attached': async () => {
    const memory = create();
    const other = worker({ role: 'hold', token: memory.token });
    strictEqual(await message(other), 'holding');
    const { u8 } = memory;
    deepStrictEqual([memory.decommit(0), u8.length], [false, MIB]);
    memory.checkInvariants();
    await other.terminate();
    memory.release();
    strictEqual(u8.length, 0);
  },

  'a worker that is terminated while attached': async () => {
    const memory = create();
    const other = worker({ role: 'hold', token: memory.token });
    await message(other);
    await other.terminate();
    const address = memory.allocate(MIB);
    memory.u8.fill(1, address, address + MIB);
    memory.checkInvariants();
    memory.release();
    refuses('released', ...uses(memory));
  },

  'a worker that is terminated in the middle of allocations': async () => {
    for (let round = 0; round < 6; round += 1) {
      // All committed: koffi ends the process when a thread is terminated at the moment in which it makes a view.
      const memory = create(2 ** 25, 2 ** 25);
      const other = worker({ role: 'allocate for ever', token: memory.token });
      await message(other);
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await other.terminate();
      tryAll([() => memory.checkInvariants(), ...uses(memory)]);
      memory.release();
    }
  },

  'an owner that exits while another thread is attached': async () => {
    for (const role of ['own', 'own and hold views'] as const) {
      const signal = new SharedArrayBuffer(8);
      const other = worker({ role, signal });
      const { token, address } = (await message(other)) as { token: NativeMemoryToken; address: number };
      const memory = NativeMemory.attach(token);
      if (role === 'own') {
        Atomics.store(new Int32Array(signal), 0, 1);
        Atomics.notify(new Int32Array(signal), 0);
        await once(other, 'exit');
      } else await other.terminate();
      strictEqual(memory.u8[address + 99], 42);
      const more = memory.allocate(4 * MIB);
      memory.u8.fill(1, more, more + 4 * MIB);
      memory.checkInvariants();
      const { u8 } = memory;
      memory.release();
      strictEqual(u8.length, 0);
    }
  },

  'both threads release at the same time': async () => {
    const signal = new SharedArrayBuffer(8);
    const words = new Int32Array(signal);
    const other = worker({ role: 'release together', signal });
    await message(other);
    for (let round = 0; round < 200; round += 1) {
      const memory = create();
      const { u8 } = memory;
      other.postMessage(memory.token);
      while (Atomics.load(words, 0) % 2 === 0);
      Atomics.add(words, 0, 1);
      memory.release();
      deepStrictEqual([u8.length, await message(other)], [0, 0]);
    }
    other.postMessage(null);
    await once(other, 'exit');
  },

  'allocation by turns in two threads, with growth': async () => {
    const memory = create(2 ** 28);
    const signal = new SharedArrayBuffer(8);
    const words = new Int32Array(signal);
    const other = worker({ role: 'take turns', token: memory.token, signal });
    const done = message(other);
    for (let turn = 0; turn < 60; turn += 2) {
      while (Atomics.load(words, 0) < turn) Atomics.wait(words, 0, turn - 1);
      memory.refresh();
      if (turn > 0) {
        const theirs = Atomics.load(words, 1);
        deepStrictEqual([memory.usableSize(theirs), memory.u8[theirs], memory.u8[theirs + (turn - 1) * 65_536 - 1]], [(turn - 1) * 65_536, turn - 1, turn - 1]);
      }
      const own = memory.allocate((turn + 1) * 65_536);
      memory.u8.fill(200, own, own + (turn + 1) * 65_536);
      memory.checkInvariants();
      Atomics.store(words, 0, turn + 1);
      Atomics.notify(words, 0);
    }
    strictEqual(await done, 'done');
    memory.refresh();
    memory.checkInvariants();
    memory.release();
  },

  'memory beyond the limit of the address space': () => {
    const memories: NativeMemory[] = [];
    refuses('out-of-memory', () => {
      for (;;) memories.push(NativeMemory.create({ reserve: 2 ** 32 }));
    });
    for (const memory of memories) memory.release();
    NativeMemory.create({ reserve: RESERVE }).release();
  },

  'memory beyond the limit of data': () => {
    refuses('out-of-memory', () => NativeMemory.create({ reserve: 2 ** 32, commit: 'all' }));
    const memory = NativeMemory.create({ reserve: 2 ** 32 });
    let address = memory.allocate(16 * MIB);
    while (address !== 0) address = memory.allocate(16 * MIB);
    deepStrictEqual([memory.lastRefusal?.code, memory.stats().failureCount], ['out-of-memory', 1]);
    memory.checkInvariants();
    strictEqual(memory.commit(2 ** 32), false);
    memory.release();
    create().release();
  },

  'more mappings than the system has': () => {
    const os = requireOperatingSystem();
    const memory = create();
    // Every other page is made accessible, which takes a mapping each.
    const size = 2 ** 30;
    const wasted = os.reserve(size, PAGE);
    throws(() => {
      for (let at = 0; at < size; at += 2 * os.pageSize) os.commit(wasted + BigInt(at), os.pageSize);
    }, { code: 'out-of-memory' });
    const kept: NativeMemory[] = [];
    refuses('out-of-memory', () => {
      for (;;) {
        const other = create();
        kept.push(other);
        other.commit(2 * MIB);
      }
    });
    tryAll([() => FileMemory.create(newPath(), { reserve: RESERVE }), ...uses(memory)]);
    memory.checkInvariants();
    os.release(wasted, size);
    for (const other of [memory, ...kept]) {
      other.checkInvariants();
      other.release();
    }
    create().release();
  },

  'an exit with live memories': () => {
    const kept = Array.from({ length: 20 }, () => create());
    const file = createFile();
    for (const memory of [...kept, file]) memory.u8.fill(1, MIB / 2);
    writeSync(1, 'ended well');
    process.exit(0);
  },

  'an uncaught error with live memories': () => {
    const kept = Array.from({ length: 20 }, () => create());
    process.once('uncaughtException', () => process.exit(kept.every(({ u8 }) => u8.length === MIB) ? 0 : 2));
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
  },

  'file: every use after release': () => {
    const memory = createFile();
    const { u8 } = memory;
    memory.release();
    memory.release();
    strictEqual(u8.length, 0);
    refuses('released', ...uses(memory));
  },

  'file: missing, a directory, a foreign one, an empty one, one that is there already': () => {
    const path = newPath();
    refuses('system', () => FileMemory.attach(path), () => FileMemory.attach(join(path, 'inside')), () => FileMemory.create(join(path, 'inside'), { reserve: RESERVE }));
    mkdirSync(newPath('folder'));
    throws(() => FileMemory.attach(newPath('folder')), { name: 'AllocatorError' });
    refuses('already-initialised', () => FileMemory.create(newPath('folder'), { reserve: RESERVE }));
    for (const content of ['', 'x', 'A'.repeat(47), 'ALLOKITF', 'ALLOKITF'.repeat(6), 'A text of somebody else. '.repeat(1000)]) {
      writeFileSync(path, content);
      refuses('bad-header', () => FileMemory.attach(path));
      refuses('already-initialised', () => FileMemory.create(path, { reserve: RESERVE }));
      strictEqual(readFileSync(path, 'latin1'), content);
    }
    unlinkSync(path);
    for (const strange of ['/dev/null', '/dev/zero', '/proc/self/maps', '/proc/self/mem', '/dev/full', '/dev/tty', '/dev/stdin', '/proc', '/']) {
      for (const open of [() => FileMemory.attach(strange), () => FileMemory.attach(strange, { shared: true, acceptTorn: true })]) {
        throws(open, (error) => error instanceof AllocatorError && ['bad-header', 'system'].includes(error.code), strange);
      }
      if (existsSync(strange)) refuses('already-initialised', () => FileMemory.create(strange, { reserve: RESERVE }));
    }
  },

  'file: read-only': () => {
    const path = filledFile();
    chmodSync(path, 0o444);
    if (process.getuid!() === 0) FileMemory.attach(path).release();
    else refuses('system', () => FileMemory.attach(path));
    if (existsSync('/proc/version')) refuses('system', () => FileMemory.create('/proc/new', { reserve: RESERVE }));
  },

  'file: truncated anywhere': () => {
    const path = filledFile();
    const whole = readFileSync(path);
    for (const length of [0, 1, 47, 48, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 10 * PAGE + 5, MIB, whole.length - PAGE, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      throws(() => FileMemory.attach(path), (error: Error) => 'code' in error && ['bad-header', 'corrupt'].includes(error.code as string), `${length} bytes`);
      strictEqual(statSync(path).size, length);
    }
    writeFileSync(path, whole);
    const memory = FileMemory.attach(path);
    strictEqual(memory.u8[memory.root + 2 * MIB - 1], 7);
    memory.release();
  },

  'file: longer than it was': () => {
    const path = filledFile();
    for (const more of [1, PAGE, 5 * PAGE + 3, RESERVE, 2 ** 33]) {
      truncateSync(path, statSync(path).size + more);
      const memory = FileMemory.attach(path);
      ok(memory.committed <= RESERVE);
      memory.checkInvariants();
      strictEqual(memory.u8[memory.root + 2 * MIB - 1], 7);
      const address = memory.allocate(MIB);
      memory.deallocate(address);
      memory.checkInvariants();
      memory.release();
    }
  },

  'file: every byte and bit of the header flipped': () => {
    const path = filledFile(newPath(), 16 * PAGE);
    const whole = readFileSync(path);
    const descriptor = openSync(path, 'r+');
    for (let bit = 0; bit < 48 * 8; bit += 1) {
      const byte = bit >>> 3;
      writeSync(descriptor, Buffer.of(whole[byte]! ^ (1 << (bit & 7))), 0, 1, byte);
      const open = (): void => {
        const memory = FileMemory.attach(path);
        tryAll(uses(memory, memory.root));
        memory.release();
      };
      if (byte < 24) refuses('bad-header', open);
      else tryAll([open]);
      ftruncateSync(descriptor, 0);
      writeSync(descriptor, whole, 0, whole.length, 0);
    }
    closeSync(descriptor);
  },

  'file: a header that was forged with its checksum': () => {
    const path = filledFile();
    const whole = readFileSync(path);
    for (const [pageSize, pages] of [[0, 0], [1, 1], [64, 100], [PAGE, 0], [PAGE, 1], [PAGE, 2], [PAGE, 2 ** 20], [PAGE, 2 ** 32 - 1], [2 * PAGE, 2048], [2 ** 31, 1], [2 ** 31, 2], [2 ** 30, 4], [3 * PAGE, 5]] as const) {
      const forged = Buffer.from(whole);
      forged.writeUInt32LE(pageSize, 12);
      forged.writeUInt32LE(pages, 16);
      let hash = 0x811c9dc5;
      for (const byte of forged.subarray(0, 20)) hash = Math.imul(hash ^ byte, 0x01000193);
      forged.writeUInt32LE(hash >>> 0, 20);
      writeFileSync(path, forged);
      throws(() => FileMemory.attach(path), { name: 'AllocatorError' }, `${pages} pages of ${pageSize}`);
    }
  },

  'file: state overwritten, in memory and on the disk': () => {
    const path = filledFile();
    const memory = FileMemory.attach(path);
    STATE_ALL_ONES(memory);
    tryAll(uses(memory));
    memory.release();
    throws(() => FileMemory.attach(path), { name: 'AllocatorError' });
    unlinkSync(path);
    filledFile(path, 16 * PAGE);
    const whole = readFileSync(path);
    for (let word = 0; word < 40; word += 1) {
      for (const value of [0xffff_ffff, 0, 0x7fff_ffff, 0x1000_0002]) {
        const damaged = Buffer.from(whole);
        damaged.writeUInt32LE(value, PAGE + word * 4);
        writeFileSync(path, damaged);
        tryAll([
          () => {
            const opened = FileMemory.attach(path);
            tryAll(uses(opened));
            opened.release();
          },
        ]);
      }
    }
  },

  'file: open when the machine went down': () => {
    const path = filledFile();
    const descriptor = openSync(path, 'r+');
    // The run of the machine is another one.
    writeSync(descriptor, Buffer.alloc(16, 0x5a), 0, 16, 32);
    FileMemory.attach(path).release();
    writeSync(descriptor, Buffer.alloc(16, 0x5a), 0, 16, 32);
    writeSync(descriptor, Buffer.of(1), 0, 1, 28);
    refuses('corrupt', () => FileMemory.attach(path));
    closeSync(descriptor);
  },

  'file: the root overwritten': () => {
    const memory = createFile();
    throws(() => (memory.root = -1), RangeError);
    throws(() => (memory.root = 'a' as unknown as number), TypeError);
    refuses('foreign-address', () => (memory.root = RESERVE));
    strictEqual(memory.root, 0);
    memory.release();
  },

  'file: opened twice': () => {
    const path = newPath();
    const memory = createFile(path);
    refuses('system', () => FileMemory.attach(path), () => FileMemory.attach(path, { shared: true }));
    memory.release();
    const one = FileMemory.attach(path, { shared: true });
    refuses('system', () => FileMemory.attach(path));
    const two = FileMemory.attach(path, { shared: true });
    const address = one.allocate(5 * MIB);
    one.u8.fill(8, address, address + 5 * MIB);
    two.refresh();
    deepStrictEqual([two.usableSize(address), two.u8[address + 5 * MIB - 1], two.committed], [5 * MIB, 8, one.committed]);
    one.release();
    two.u8[address] = 9;
    two.deallocate(address);
    two.checkInvariants();
    two.release();
    FileMemory.attach(path).release();
  },

  'file: locked by another process': async () => {
    const path = newPath();
    const child = fork(fileURLToPath(import.meta.url), ['file: the other process', path], { execArgv: process.execArgv });
    await once(child, 'message');
    refuses('system', () => FileMemory.attach(path), () => FileMemory.attach(path, { shared: true }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const memory = FileMemory.attach(path);
    strictEqual(memory.u8[memory.root], 6);
    memory.release();
  },

  'file: the other process': () => {
    const memory = createFile(process.argv[3]);
    memory.root = memory.allocate(10);
    memory.u8[memory.root] = 6;
    process.send!('open');
    process.on('disconnect', () => process.exit(0));
  },

  'file: removed while open': () => {
    const path = newPath();
    const memory = createFile(path);
    unlinkSync(path);
    const address = memory.allocate(4 * MIB);
    memory.u8.fill(3, address, address + 4 * MIB);
    memory.flush();
    memory.checkInvariants();
    memory.release();
    strictEqual(existsSync(path), false);
  },

  'file: larger than files may be': () => {
    process.on('SIGXFSZ', () => undefined);
    const memory = FileMemory.create(newPath(), { reserve: 2 ** 30 });
    let address = memory.allocate(MIB);
    while (address !== 0) {
      memory.u8.fill(1, address, address + MIB);
      address = memory.allocate(MIB);
    }
    strictEqual(memory.lastRefusal?.code, 'out-of-memory');
    memory.checkInvariants();
    memory.release();
    refuses('out-of-memory', () => FileMemory.create(newPath('b.memory'), { reserve: 2 ** 30, commit: 2 ** 29 }));
    strictEqual(existsSync(newPath('b.memory')), false);
  },

  'file: a full disk': () => {
    const disk = process.argv[3]!;
    const path = join(disk, 'a.memory');
    const memory = FileMemory.create(path, { reserve: 2 ** 30, pageSize: PAGE });
    let address = memory.allocate(MIB);
    let count = 0;
    for (; address !== 0; count += 1) {
      memory.u8.fill(1, address, address + MIB);
      address = memory.allocate(MIB);
    }
    ok(count >= 4);
    strictEqual(memory.lastRefusal?.code, 'out-of-memory');
    memory.checkInvariants();
    memory.release();
    refuses('out-of-memory', () => FileMemory.create(join(disk, 'b.memory'), { reserve: RESERVE, commit: RESERVE }));
    strictEqual(existsSync(join(disk, 'b.memory')), false);
    FileMemory.attach(path).release();
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = process.argv[2]!;
  await SCENARIOS[name]!();
  if (!name.includes('the other process')) writeSync(1, 'ended well');
}
