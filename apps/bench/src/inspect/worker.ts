/** A worker of `inspect`: one program, looked at in one way. Nothing else ever ran in its isolate. */

import { Session } from 'node:inspector/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { compile, type Allocator } from '@allokit/allocator';
import { Profiled, Recorded, SAMPLE_INTERVAL, SAMPLE_TIME_SHARE, inspected } from '@allokit/inspect';
import { generalPurpose } from 'allokit';

import { onHeap, onObjects, type Program } from './programs.ts';
import type { InspectAssignment, InspectRound } from './protocol.ts';

/** Milliseconds of a round at the least, of the thread's own processor time: what others do at the same time counts less. */
const ROUND_MS = 20;

const { program: name, way, isCompiled, seed } = workerData as InspectAssignment;

/** What a round records at the most: more than it has time for, as what is beyond the limit costs less. */
const RECORDED_LIMIT = 2 ** 24;

/** Told before each round. */
let beforeRound = (): void => undefined;

/** The heap as it is looked at. */
function look(heap: Allocator): Allocator {
  switch (way) {
    case 'recorded':
      return recorded(heap);
    case 'sampled':
      return Profiled.create(heap, { interval: SAMPLE_INTERVAL, timeShareMax: SAMPLE_TIME_SHARE });
    case 'leaks':
      return Profiled.create(heap, { totals: false });
    case 'exact':
      return Profiled.create(heap);
    case 'off':
      return inspected(heap);
    default:
      return heap;
  }
}

/** Records each round anew: a recorder that is past its limit throws away what it is given, and would be measured doing that. */
function recorded(heap: Allocator): Allocator {
  const recorder = Recorded.create(heap, { limit: RECORDED_LIMIT });
  beforeRound = () => {
    if (recorder.operationCount === RECORDED_LIMIT) throw new Error('a round was not recorded to its end');
    recorder.restart();
  };
  return recorder;
}

async function prepare(): Promise<Program> {
  if (!way.startsWith('objects')) {
    const heap = look(generalPurpose());
    return onHeap(name, isCompiled ? compile(heap) : heap, seed);
  }
  if (name === 'trace') throw new Error('there is no trace of plain objects');
  if (way !== 'objects') {
    const session = new Session();
    session.connect();
    if (way === 'objects sampled') await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_INTERVAL });
    else await session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  }
  return onObjects(name, seed);
}

const { count, step } = await prepare();

/** Milliseconds of processor time that this thread has had. */
function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function round(): InspectRound {
  beforeRound();
  let [steps, checksum] = [0, 0];
  const start = spentMs();
  let spent = 0;
  while (spent < ROUND_MS) {
    checksum = step();
    steps += 1;
    spent = spentMs() - start;
  }
  return { nanoseconds: (spent * 1e6) / (steps * count), checksum };
}

const port = parentPort!;
port.on('message', () => {
  port.postMessage(round());
});
port.postMessage('ready');
