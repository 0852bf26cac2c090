/** What other threads do in `native-moved-child.ts`. */

import { AllocatorError } from '@allokit/allocator';
import { parentPort, workerData } from 'node:worker_threads';
import { NativeMemory, type NativeMemoryToken } from '../src/native/index.ts';

const MIB = 2 ** 20;

/** What a thread does, and with what. */
export interface MovingTask {
  readonly role: 'move' | 'use moved bytes' | 'make and fill' | 'make and release many' | 'make, wait and end' | 'use at exit';
  readonly end?: 'end' | 'release' | 'exit' | 'throw';
  readonly token?: NativeMemoryToken;
  readonly signal?: SharedArrayBuffer;
}

const { role, end, token, signal } = workerData as MovingTask;
const port = parentPort!;

function transferred(memory: NativeMemory): Uint8Array {
  return new Uint8Array(ArrayBuffer.prototype.transfer.call(memory.buffer as ArrayBuffer));
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'returned';
  } catch (error) {
    return error instanceof AllocatorError ? error.code : String(error);
  }
}

switch (role) {
  case 'move': {
    const memory = NativeMemory.attach(token!);
    const bytes = transferred(memory);
    port.postMessage(bytes.length === MIB);
    if (end === 'release') memory.release();
    if (end === 'exit') process.exit();
    break;
  }
  case 'use moved bytes': {
    const words = new Int32Array(signal!);
    const memory = NativeMemory.attach(token!);
    const bytes = transferred(memory);
    port.postMessage('moved');
    for (let after = 0; after < 100; ) {
      for (let at = 0; at < bytes.length; at += 512) bytes[at] = bytes[at]! + 1;
      if (Atomics.load(words, 0) !== 0) after += 1;
    }
    memory.release();
    bytes.fill(5);
    port.postMessage(bytes[MIB - 1]);
    break;
  }
  case 'make and fill': {
    const memory = NativeMemory.create({ reserve: 64 * MIB, commit: 'all' });
    memory.u8.fill(1, MIB);
    port.postMessage('filled');
    // The message must be on its way.
    setTimeout(() => {
      if (end === 'exit') process.exit(memory.u8[MIB]! - 1);
      if (end === 'throw') throw new Error('nobody catches this');
    }, 10);
    break;
  }
  case 'make and release many':
    for (let i = 0; i < 100; i += 1) NativeMemory.create({ reserve: 256 * MIB, commit: MIB }).release();
    break;
  case 'make, wait and end': {
    const memory = NativeMemory.create({ reserve: 64 * MIB, commit: MIB });
    memory.u8.fill(7, 2 ** 17);
    port.postMessage(memory.token);
    port.once('message', () => port.close());
    break;
  }
  case 'use at exit': {
    const memory = NativeMemory.create({ reserve: 16 * MIB, commit: MIB });
    const view = memory.u8;
    const address = memory.allocate(100);
    process.once('exit', () => {
      const calls = [
        () => (view[0] = 1),
        () => memory.u8.fill(1),
        () => memory.allocate(100),
        () => memory.commit(4 * MIB),
        () => memory.deallocate(address),
        () => memory.resident(),
        () => memory.purge(),
        () => memory.decommit(0),
        () => memory.lock(),
        () => memory.token,
        () => NativeMemory.attach(memory.token),
        () => memory.release(),
        () => memory.refresh(),
        () => NativeMemory.create({ reserve: 16 * MIB }).release(),
      ];
      port.postMessage(calls.map(codeOf));
    });
    break;
  }
}
