/** `setup`: what it takes until a heap of 1 GiB is ready, against touching half as much. */

import { O1Heap } from '@allokit/o1heap';
import { preTouch, resident, type PagedMemory } from '@allokit/vmem';

import { C, cSetup } from './c-program.ts';
import type { Experiment, Observation, Probe, Step } from './experiment.ts';
import { rowName } from './measurement.ts';
import { GIB, MIB, NATIVE, rssBytes, WASM, type MemoryKind } from './memories.ts';
import type { Platform } from './platform.ts';

const HEAP_SIZE = GIB;
const TOUCHED_SIZE = 512 * MIB;

/** For the memory's own state, beside the heap. */
const STATE_SIZE_MAX = MIB;

export const READY_STEP = 'reserve + commit + init';
export const TOUCH_STEP = 'touch 512 MiB (write)';

export function setupExperiment({ hasNative, program, hugePages }: Platform): Experiment {
  const kinds = hasNative ? [NATIVE, WASM] : [WASM];
  const base = rowName({ subject: kinds[0]!.name, step: TOUCH_STEP });
  const probes = kinds.flatMap((kind) => [heapProbe(kind, base), touchProbe(kind, base)]);
  return {
    name: 'setup',
    title: 'setup: 1 GiB reserved, committed, and made an O1Heap',
    facts: [
      `x: over ${base}`,
      'init: O1Heap.create. Once the heap is ready, less than 1 MiB may be resident.',
      `Transparent huge pages: ${hugePages}.`,
      ...(program === undefined ? [] : [`${C}: the same system calls, without a heap`]),
    ],
    unit: 'us',
    probes: program === undefined ? probes : [...probes, cSetup(program, HEAP_SIZE, base)],
  };
}

function heapProbe({ name, use }: MemoryKind, base: string): Probe {
  const row = (step: string): Step => ({ name: step, sizeBytes: HEAP_SIZE, base });
  return {
    subject: name,
    kind: 'allokit',
    steps: [row('reserve'), row('commit'), row('init'), { ...row(READY_STEP), bounds: { min: 0, max: STATE_SIZE_MAX } }],
    run: () => {
      const rssBefore = rssBytes();
      const startMs = performance.now();
      return use({ reserve: HEAP_SIZE + STATE_SIZE_MAX, commit: 0 }, (memory) => Promise.resolve(makeHeap(memory, startMs, rssBefore)));
    },
  };
}

function makeHeap(memory: PagedMemory, startMs: number, rssBefore: number): Observation[] {
  const reservedMs = performance.now();
  if (!memory.commit(HEAP_SIZE + STATE_SIZE_MAX)) throw new Error(`${HEAP_SIZE} bytes could not be committed`);
  const committedMs = performance.now();
  const heap = O1Heap.create(memory, { size: HEAP_SIZE });
  const readyMs = performance.now();
  if (heap.stats().liveBytes !== 0) throw new Error('a new heap is not empty');
  return [
    { nanoseconds: (reservedMs - startMs) * 1e6 },
    { nanoseconds: (committedMs - reservedMs) * 1e6 },
    { nanoseconds: (readyMs - committedMs) * 1e6 },
    { nanoseconds: (readyMs - startMs) * 1e6, residentBytes: resident(memory), rssBytes: rssBytes() - rssBefore },
  ];
}

function touchProbe({ name, use }: MemoryKind, base: string): Probe {
  return {
    subject: name,
    kind: 'allokit',
    steps: [{ name: TOUCH_STEP, sizeBytes: TOUCHED_SIZE, base, bounds: { min: TOUCHED_SIZE, max: Infinity } }],
    run: () => {
      const rssBefore = rssBytes();
      return use({ reserve: TOUCHED_SIZE, commit: TOUCHED_SIZE }, async (memory) => {
        const startMs = performance.now();
        await preTouch(memory, { strategy: 'write' });
        const nanoseconds = (performance.now() - startMs) * 1e6;
        return [{ nanoseconds, residentBytes: resident(memory), rssBytes: rssBytes() - rssBefore }];
      });
    },
  };
}
