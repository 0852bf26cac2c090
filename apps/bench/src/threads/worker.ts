/** A worker of `threads`: one of the threads of one subject, at one task. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { CheckedHeap } from './checked-heap.ts';
import { attachTo, type Hands } from './grounds.ts';
import { makeLoop } from './loops.ts';
import { Mailbox } from './mailbox.ts';
import { fail, meet } from './meeting.ts';
import type { ThreadsAssignment, ThreadsCommand, ThreadSample, ThreadsVerdict } from './protocol.ts';

const { task, sharing, thread, ground, control, mail, isChecked } = workerData as ThreadsAssignment;
const mailbox = new Mailbox(control, thread);
const hands = ground === undefined ? undefined : attachTo(ground, thread);
const loop = makeLoop(task, isChecked ? checked(hands) : hands, { sharing, thread, mail, mailbox });

function checked(bare: Hands | undefined): Hands | undefined {
  if (bare === undefined) return undefined;
  const words = bare.memory.i32;
  return { ...bare, heap: new CheckedHeap(bare.heap, words), other: new CheckedHeap(bare.other, words) };
}

function round(threadCount: number, count: number): ThreadSample {
  const before = loop.refusedCount();
  mailbox.listenTo((thread + threadCount - 1) % threadCount);
  meet(control, threadCount);
  const start = process.hrtime.bigint();
  loop.run(count);
  const end = process.hrtime.bigint();
  return { start: Number(start), end: Number(end), refusedCount: loop.refusedCount() - before, checksum: loop.checksum() };
}

/** Everything is free now, in the opinion of whoever kept count. */
function settle(): ThreadsVerdict {
  const liveBytes = hands?.settle() ?? 0;
  return liveBytes === 0 ? {} : { problem: `${liveBytes} bytes are live after all was freed` };
}

function obey(command: ThreadsCommand): ThreadSample | ThreadsVerdict {
  try {
    if (command.what === 'round') return round(command.threadCount, command.count);
    if (command.what === 'settle') return settle();
    loop.finish();
    return {};
  } catch (error) {
    fail(control);
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const port = parentPort!;
port.on('message', (command: ThreadsCommand) => {
  port.postMessage(obey(command));
});
port.postMessage('ready');
