/** What other threads do in `native-misuse-child.ts`. */

import { AllocatorError } from '@allokit/allocator';
import { parentPort, workerData } from 'node:worker_threads';
import { NativeMemory, type NativeMemoryToken } from '../src/native/index.ts';

/** What a thread does, and with what. */
export interface Task {
  readonly role: 'touch until released' | 'attach' | 'own' | 'hold' | 'allocate for ever' | 'own and hold views' | 'release together' | 'take turns';
  readonly token?: NativeMemoryToken;
  /** Two words that both threads look at. */
  readonly signal?: SharedArrayBuffer;
}

const { role, token, signal } = workerData as Task;
const port = parentPort!;
const words = new Int32Array(signal ?? new SharedArrayBuffer(8));

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'nothing';
  } catch (error) {
    return error instanceof AllocatorError ? error.code : String(error);
  }
}

function touchUntilReleased(memory: NativeMemory): void {
  const { u8 } = memory;
  const address = memory.allocate(2 ** 20);
  u8.fill(7, address, address + 2 ** 20);
  port.postMessage('touching');
  let rounds = 0;
  // A while after the owner has let go, too.
  for (let after = 0; after < 200; rounds += 1) {
    for (let at = address; at < address + 2 ** 20; at += 512) u8[at] = u8[at]! + 1;
    if (Atomics.load(words, 0) !== 0) after += 1;
  }
  const calls = [() => memory.allocate(1), () => memory.refresh(), () => memory.commit(2 ** 20), () => memory.resident(), () => memory.purge(), () => memory.stats()];
  port.postMessage(calls.map(codeOf));
  memory.release();
  port.postMessage([u8.length, rounds > 0, codeOf(() => memory.u8)]);
}

switch (role) {
  case 'touch until released':
    touchUntilReleased(NativeMemory.attach(token!));
    break;
  case 'attach':
    port.postMessage(codeOf(() => NativeMemory.attach(token!)));
    break;
  case 'hold': {
    const memory = NativeMemory.attach(token!);
    memory.u8[memory.allocate(1)] = 1;
    port.postMessage('holding');
    setInterval(() => memory.committed, 1000);
    break;
  }
  case 'own':
  case 'own and hold views': {
    const memory = NativeMemory.create({ reserve: 2 ** 24, commit: 2 ** 20 });
    const address = memory.allocate(100);
    memory.u8.fill(42, address, address + 100);
    port.postMessage({ token: memory.token, address });
    if (role === 'own and hold views') setInterval(() => memory.u8[address], 1000);
    else Atomics.wait(words, 0, 0);
    break;
  }
  case 'allocate for ever': {
    const memory = NativeMemory.attach(token!);
    port.postMessage('allocating');
    for (;;) {
      const address = memory.allocate(2 ** 18);
      if (address === 0) memory.reset();
      else memory.u8.fill(1, address, address + 2 ** 18);
    }
  }
  case 'release together':
    port.on('message', (given: NativeMemoryToken | null) => {
      if (given === null) {
        port.close();
        return;
      }
      const memory = NativeMemory.attach(given);
      const { u8 } = memory;
      Atomics.add(words, 0, 1);
      while (Atomics.load(words, 0) % 2 !== 0);
      memory.release();
      port.postMessage(u8.length);
    });
    port.postMessage('ready');
    break;
  case 'take turns': {
    const memory = NativeMemory.attach(token!);
    for (let turn = 1; turn < 60; turn += 2) {
      while (Atomics.load(words, 0) < turn) Atomics.wait(words, 0, turn - 1);
      memory.refresh();
      const address = memory.allocate(turn * 65_536);
      memory.u8.fill(turn, address, address + turn * 65_536);
      Atomics.store(words, 1, address);
      Atomics.store(words, 0, turn + 1);
      Atomics.notify(words, 0);
    }
    port.postMessage('done');
    break;
  }
}
