/** A worker of `copy`: one tool doing one operation on one memory, in all sizes. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { makeAreas, OFFSET_COUNT } from './ground.ts';
import { makeLoop } from './loops.ts';
import type { CopyAssignment, Sample, Verdict } from './protocol.ts';
import { callCount, COPY_SIZES, type Operation } from './subjects.ts';

const { operation, tool, ground } = workerData as CopyAssignment;
const areas = await makeAreas(ground);
const loop = makeLoop(operation, tool, areas);
const { memory, source, target, to, from } = areas;

/** Whether the call of index `last` left what it should behind, one byte after the other. */
function isDone(what: Operation, size: number, last: number): boolean {
  const { u8 } = memory;
  const [start, origin] = [to[last % OFFSET_COUNT]!, from[last % OFFSET_COUNT]!];
  if (what === 'equal' || what === 'find') return true;
  for (let i = 0; i < size; i += 1) if (u8[start + i] !== (what === 'fill' ? last & 255 : u8[origin + i])) return false;
  return true;
}

/** A few calls of each size on bytes that only these calls can have put there; for the two that look, with a byte that must be seen. */
function verify(): Verdict {
  for (const size of COPY_SIZES) {
    if (operation === 'equal' || operation === 'find') {
      if (loop(size, OFFSET_COUNT) !== 0) return { mistake: `${size} bytes: it sees what is not there` };
      // The last byte of the first range, and of none before it that does not hold it.
      const changed = from[0]! + size - 1;
      const before = memory.u8[changed]!;
      memory.u8[changed] = 0xaa;
      const seen = loop(size, 1);
      memory.u8[changed] = before;
      if (seen !== 1) return { mistake: `${size} bytes: it does not see what is there` };
      continue;
    }
    for (const count of [1, 64, 77]) {
      memory.u8.fill(252, target, target + size);
      loop(size, count);
      if (!isDone(operation, size, count - 1)) return { mistake: `${size} bytes, ${count} calls: not what was asked for` };
    }
    if (memory.u8.subarray(source, source + size).includes(252)) return { mistake: `${size} bytes: the source was written to` };
  }
  return {};
}

function round(): Sample[] {
  return COPY_SIZES.map((size) => {
    const count = callCount(size);
    const start = performance.now();
    const mistakes = loop(size, count);
    const nanoseconds = (performance.now() - start) * 1e6;
    return { nanoseconds, mistakeCount: mistakes + (isDone(operation, size, count - 1) ? 0 : 1) };
  });
}

const port = parentPort!;
port.on('message', (command: 'verify' | 'round') => {
  port.postMessage(command === 'verify' ? verify() : round());
});
port.postMessage('ready');
