/** A heap whose memory went first, here and in another thread: `native-misuse.test.ts` looks at how this process ends. */

import { AllocatorError } from '@allokit/allocator';
import { NativeMemory, type NativeMemoryToken } from '@allokit/vmem/native';
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { O1Heap } from '../src/index.ts';

const MIB = 2 ** 20;

/** What a thread works on. */
interface Task {
  readonly token: NativeMemoryToken;
  readonly heap: number;
  readonly signal: SharedArrayBuffer;
}

function uses(heap: O1Heap, address: number): (() => unknown)[] {
  return [
    () => heap.allocate(100),
    () => heap.allocate(100, 4096),
    () => heap.allocate(0),
    () => heap.deallocate(address),
    () => heap.deallocate(address, 100),
    () => heap.resize(address, 100, 50),
    () => heap.reallocate(address, 100, 5000),
    () => heap.usableSize(address),
    () => heap.stats(),
    () => heap.reset(),
    () => heap.trim(),
    () => heap.checkInvariants(),
  ];
}

function codeOf(call: () => unknown): string {
  try {
    return `returned ${String(call())}`;
  } catch (error) {
    return error instanceof AllocatorError ? error.code : String(error);
  }
}

function churn(heap: O1Heap, count: number): void {
  for (let i = 0; i < count; i += 1) heap.deallocate(heap.allocate((i & 1023) + 1));
}

function releasedHere(): void {
  const memory = NativeMemory.create({ reserve: 16 * MIB });
  const heap = O1Heap.create(memory, { size: MIB, growth: { step: 65_536 } });
  const inner = O1Heap.create(heap, { size: 8192 });
  const addresses = [heap.allocate(100), inner.allocate(100)];
  // Optimised on the view that is about to die.
  churn(heap, 100_000);
  churn(inner, 100_000);
  memory.release();
  for (const [i, each] of [heap, inner].entries()) {
    deepStrictEqual(new Set(uses(each, addresses[i]!).map(codeOf)), new Set(['released']));
    strictEqual(codeOf(() => churn(each, 10)), 'released');
    strictEqual(each.owns(addresses[i]!), false);
    each.release();
  }
  strictEqual(codeOf(() => O1Heap.create(memory)), 'released');
  strictEqual(codeOf(() => O1Heap.attach(memory, heap.address)), 'released');
}

function decommitted(): void {
  const memory = NativeMemory.create({ reserve: 16 * MIB, commit: 8 * MIB });
  const heap = O1Heap.create(memory, { size: MIB });
  const address = heap.allocate(100);
  churn(heap, 100_000);
  // The heap's view dies; the heap lies in what is left.
  strictEqual(memory.decommit(heap.address + MIB), true);
  churn(heap, 100_000);
  heap.deallocate(address);
  heap.checkInvariants();
  heap.release();
  memory.release();
}

/** The other thread works until its memory turns into zeros under it. */
async function releasedByAnother(): Promise<void> {
  const memory = NativeMemory.create({ reserve: 16 * MIB });
  const heap = O1Heap.create(memory, { size: MIB });
  const signal = new SharedArrayBuffer(4);
  const workerOf = new Worker(fileURLToPath(import.meta.url), { workerData: { token: memory.token, heap: heap.address, signal } satisfies Task });
  await once(workerOf, 'message');
  memory.release();
  Atomics.store(new Int32Array(signal), 0, 1);
  const [codes] = (await once(workerOf, 'message')) as [string[]];
  // The heap may have written into the pages of zeros before it noticed: then it may hand out what lies there. All that counts is that every call comes back.
  ok(codes.every((code) => /^(released|corrupt|bad-header|invalid-address|double-free|foreign-address|returned (\d+|undefined|false))$/.test(code)), codes.join());
  strictEqual(codeOf(() => heap.allocate(1)), 'released');
}

function workUntilReleased({ token, heap: address, signal }: Task): void {
  const memory = NativeMemory.attach(token);
  const heap = O1Heap.attach(memory, address);
  const block = heap.allocate(100);
  const words = new Int32Array(signal);
  parentPort!.postMessage('working');
  let code = '';
  for (let after = 0; after < 100 && code === ''; ) {
    code = codeOf(() => churn(heap, 100)).replace('returned undefined', '');
    if (Atomics.load(words, 0) !== 0) after += 1;
  }
  parentPort!.postMessage(['', ...uses(heap, block).map(codeOf)].slice(1).map((each) => (each.includes('object') ? 'returned undefined' : each)));
}

if (isMainThread) {
  releasedHere();
  decommitted();
  await releasedByAnother();
  process.stdout.write('ended well');
} else workUntilReleased(workerData as Task);
