/**
 * The functions of `Atomics`, replaced: each announces itself to the scheduler before it does what it always did.
 *
 * Only operations on the scenario's memory count. What a thread does in memory of its own nobody can see, and needs no scheduling.
 */

import { KIND, type Operation } from './operation.ts';
import { real } from './real.ts';
import { unobserved } from './unobserved.ts';
import type { Participant } from './participant.ts';

/** What threads of a scenario share. */
export type SharedMemory = SharedArrayBuffer | WebAssembly.Memory;

/** The words that `Atomics` works on, whatever their width. */
type Words = Int32Array;
type AtomicFunction = (words: Words, index: number, a?: number, b?: number) => number;

let participant: Participant | undefined;
let memory: SharedMemory | undefined;
// A WebAssembly memory has another buffer object after each growth; all of them are the same memory.
let buffers = new WeakSet();

/** Says whose operations these are; without a participant none is a scheduling point. */
export function setParticipant(value: Participant | undefined): void {
  participant = value;
}

/** Says which memory is shared. */
export function setMemory(value: SharedMemory): void {
  memory = value;
  buffers = new WeakSet([value instanceof SharedArrayBuffer ? value : value.buffer]);
}

function isShared(buffer: object): boolean {
  if (buffers.has(buffer)) return true;
  if (memory === undefined || memory instanceof SharedArrayBuffer || buffer !== memory.buffer) return false;
  buffers.add(buffer);
  return true;
}

/** Runs `call` without scheduling points. */
export function quietly<T>(call: () => T): T {
  const thread = participant;
  if (thread?.isWatched !== true) return call();
  thread.isWatched = false;
  try {
    return call();
  } finally {
    thread.isWatched = true;
  }
}

/** A scheduling point that is no operation of `Atomics`. Nothing where none are due. */
export function announce(kind: number, view: ArrayBufferView | undefined, offset: number, value: number): Participant | undefined {
  const thread = participant;
  if (thread === undefined || (!thread.isWatched && !thread.isUnwinding)) return undefined;
  if (view !== undefined && !isShared(view.buffer)) return undefined;
  thread.arrive(kind, view === undefined ? -1 : view.byteOffset + offset, value, 0);
  return thread;
}

/** The number for a value in the log: 64-bit words lose what a number cannot hold. */
function toNumber(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

function hooked(name: Operation, call: AtomicFunction): AtomicFunction {
  const kind = KIND[name];
  return (observed, index, a, b) => {
    const words = unobserved(observed);
    const thread = participant;
    if (thread === undefined || (!thread.isWatched && !thread.isUnwinding) || !isShared(words.buffer)) return call(words, index, a, b);
    const address = words.byteOffset + index * words.BYTES_PER_ELEMENT;
    const first = toNumber(a);
    const second = toNumber(b);
    thread.arrive(kind, address, first, second);
    if (kind === KIND.load) {
      const value = call(words, index);
      thread.record(kind, address, first, second, toNumber(value));
      return value;
    }
    // Nobody else runs, so this is exactly what the operation finds and leaves.
    const before = real.load(words, index);
    const result = call(words, index, a, b);
    thread.done(real.load(words, index) !== before);
    thread.record(kind, address, first, second, toNumber(result));
    return result;
  };
}

function wait(observed: Words, index: number, value: number, timeout?: number): 'ok' | 'not-equal' | 'timed-out' {
  const words = unobserved(observed);
  const thread = participant;
  // The comparison, and every refusal, is the real one's.
  if (thread === undefined || !(thread.isWatched || thread.isUnwinding)) return waitOutside(words, index, value, timeout);
  const isOurs = isShared(words.buffer);
  const address = isOurs ? words.byteOffset + index * words.BYTES_PER_ELEMENT : -1;
  thread.arrive(KIND.wait, address, toNumber(value), 0);
  const answer = real.wait(words, index, value, 0);
  thread.record(KIND.wait, address, toNumber(value), 0, 0);
  if (answer === 'not-equal') return answer;
  if (timeout !== undefined && timeout <= 0) return 'timed-out';
  return thread.sleep(address, !isForEver(timeout)) ? 'ok' : 'timed-out';
}

/** Whether a timeout is none, as `Atomics.wait` takes it. */
function isForEver(timeout: number | undefined): boolean {
  return timeout === undefined || timeout === Infinity || Number.isNaN(timeout);
}

/** Outside of a schedule nobody else runs: time passes at once, and whoever waits for ever has made a mistake. */
function waitOutside(words: Words, index: number, value: number, timeout?: number): 'ok' | 'not-equal' | 'timed-out' {
  const answer = real.wait(words, index, value, 0);
  if (answer === 'timed-out' && isForEver(timeout)) {
    throw new Error(`Atomics.wait at index ${index} would wait for ever: no other thread runs in setup, in a check, and while a thread is quiet`);
  }
  return answer;
}

function notify(observed: Words, index: number, count?: number): number {
  const words = unobserved(observed);
  const thread = participant;
  if (thread === undefined || (!thread.isWatched && !thread.isUnwinding) || !isShared(words.buffer)) return real.notify(words, index, count);
  const address = words.byteOffset + index * words.BYTES_PER_ELEMENT;
  thread.arrive(KIND.notify, address, 0, 0);
  // The real one refuses what is wrong, and finds nobody: sleepers sleep at the gates.
  real.notify(words, index, count);
  const woken = thread.notify(address, count === undefined ? Infinity : Math.trunc(count));
  thread.done(woken > 0);
  thread.record(KIND.notify, address, 0, 0, woken);
  return woken;
}

function waitAsync(): never {
  throw new Error('Atomics.waitAsync is not modelled: threads of a scenario run to their end without returning to the event loop');
}

/** Replaces the functions of `Atomics` in this worker, for good. Call it before the code under test is loaded, which may keep them. */
export function installHooks(): void {
  for (const name of ['load', 'store', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange'] as const) {
    Object.defineProperty(Atomics, name, { value: hooked(name, real[name] as AtomicFunction), writable: true, configurable: true });
  }
  Object.defineProperty(Atomics, 'wait', { value: wait, writable: true, configurable: true });
  Object.defineProperty(Atomics, 'notify', { value: notify, writable: true, configurable: true });
  if ('waitAsync' in Atomics) Object.defineProperty(Atomics, 'waitAsync', { value: waitAsync, writable: true, configurable: true });
}
