/** The same loops where a block is an object: a slot that lets go of it is all the freeing there is, the collector does the rest. */

import type { ObjectSubject } from '../subject.ts';
import { KIND, OPERATION_WORDS } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

type Slots = (Uint8Array | undefined)[];

/** Steps over `count` items; what the engine cannot give throws, so that nothing fails silently. */
function runner(count: number, stepSize: number, slots: Slots, run: (from: number, to: number) => number, fillCount = 0): Runner {
  let checksum = 0;
  return {
    stepCount: Math.ceil((count - fillCount) / stepSize),
    begin: () => {
      if (fillCount > 0) checksum += run(0, fillCount);
    },
    step: (index) => {
      const from = fillCount + index * stepSize;
      checksum += run(from, Math.min(from + stepSize, count));
    },
    end: () => slots.fill(undefined),
    failureCount: () => 0,
    damageCount: () => 0,
    checksum: () => checksum,
  };
}

function slotTable(length: number): Slots {
  return Array.from<Uint8Array | undefined>({ length });
}

export function bindReplay(subject: ObjectSubject, { trace }: Workload): Runner {
  const { words } = trace;
  const slots = slotTable(trace.slotCount);
  return runner(trace.operationCount, 8192, slots, (from, to) => {
    let sum = 0;
    for (let at = from * OPERATION_WORDS, end = to * OPERATION_WORDS; at < end; at += OPERATION_WORDS) {
      const kind = words[at]! & 0xff;
      const slot = words[at + 1]!;
      if (kind === KIND.free) {
        slots[slot] = undefined;
        continue;
      }
      const size = words[at + 2]!;
      const block = kind === KIND.calloc ? subject.allocateZeroed(size) : subject.allocate(size);
      if (kind === KIND.realloc) {
        const old = slots[slot]!;
        block.set(old.length <= size ? old : old.subarray(0, size));
      }
      if (size !== 0) block[0] = at;
      slots[slot] = block;
      sum += block.length;
    }
    return sum;
  });
}

export function bindPair(subject: ObjectSubject, { sizes }: Workload): Runner {
  const slots = slotTable(1);
  return runner(sizes.length, 4096, slots, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const block = subject.allocate(size);
      block[size - 1] = i;
      block[0] = i;
      // Kept until the next one comes: a block that nobody can see might never be made.
      slots[0] = block;
      sum += block.length;
    }
    return sum;
  });
}

export function bindChurn(subject: ObjectSubject, { sizes, slots: order, width }: Workload): Runner {
  const slots = slotTable(width);
  const run = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const slot = order[i]!;
      const size = sizes[i]!;
      const block = subject.allocate(size);
      block[size - 1] = slot;
      block[0] = slot;
      slots[slot] = block;
      sum += block.length;
    }
    return sum;
  };
  return runner(sizes.length, 4096, slots, run, width);
}

export function bindBulk(subject: ObjectSubject, { sizes }: Workload): Runner {
  const slots = slotTable(sizes.length);
  return runner(sizes.length, 4096, slots, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const block = subject.allocate(size);
      block[size - 1] = i;
      block[0] = i;
      slots[i] = block;
      sum += block.length;
    }
    if (to === sizes.length) slots.fill(undefined);
    return sum;
  });
}

export function bindReuse(subject: ObjectSubject, { sizes, width }: Workload): Runner {
  const slots = slotTable(width);
  return runner(sizes.length, 20 * width, slots, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const block = subject.allocate(size);
      block[size - 1] = i;
      block[0] = i;
      slots[i % width] = block;
      sum += block.length;
    }
    return sum;
  });
}

/** All of the loops where nobody touches the blocks: they differ in which slot a block goes to, and so in how long it lives. */
export function bindBare(subject: ObjectSubject, { loop, sizes, slots: order, width }: Workload): Runner {
  const targets = loop === 'churn' ? order : Int32Array.from(sizes, (_, i) => (loop === 'pair' ? 0 : loop === 'reuse' ? i % width : i));
  const slots = slotTable(loop === 'pair' ? 1 : loop === 'bulk' ? sizes.length : width);
  const dieTogether = loop === 'bulk';
  const run = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const block = subject.allocate(sizes[i]!);
      slots[targets[i]!] = block;
      sum += block.length;
    }
    if (dieTogether && to === sizes.length) slots.fill(undefined);
    return sum;
  };
  return runner(sizes.length, 4096, slots, run, loop === 'churn' ? width : 0);
}
