/** `follow`: memory follows use. A heap of 1 GiB, in which some of one block is written, and then more of it. */

import { O1Heap } from '@allokit/o1heap';
import { resident, type PagedMemory } from '@allokit/vmem';

import type { Experiment, Observation, Probe } from './experiment.ts';
import { GIB, MIB, NATIVE, rssBytes, WASM, type MemoryKind } from './memories.ts';
import type { Platform } from './platform.ts';

export const TOUCHED_SIZES = [10 * MIB, 100 * MIB, 500 * MIB] as const;
export const INIT_STEP = 'after init';

/** How far what is resident may be from what was touched. */
export const TOLERANCE = 0.05;

/** How far off it may be in any case: where huge pages come unasked, one begins before the block and one ends behind it. */
const UNASKED_HUGE_PAGES = 4 * MIB;

const STATE_SIZE_MAX = MIB;
const PAGE_SIZE = 4096;

export function followExperiment({ hasNative, hugePages }: Platform): Experiment {
  const slack = hugePages === 'always' ? UNASKED_HUGE_PAGES : 0;
  return {
    name: 'follow',
    title: 'follow: 1 GiB ready as an O1Heap, of which so much is written',
    facts: [
      'resident, RSS: what this memory, and the process, gained since before it was made',
      `verified: within ${TOLERANCE * 100}% of what was written; at most 1 MiB after init`,
      'The time is that of writing what the row before had not.',
      `Transparent huge pages: ${hugePages}.`,
    ],
    unit: 'ms',
    probes: (hasNative ? [NATIVE, WASM] : [WASM]).map((kind) => followProbe(kind, slack)),
  };
}

/** A step of so much touched. */
export function touchedStep(sizeBytes: number): string {
  return `${sizeBytes / MIB} MiB written`;
}

function followProbe({ name, use }: MemoryKind, slack: number): Probe {
  const touched = TOUCHED_SIZES.map((sizeBytes) => {
    const deviation = sizeBytes * TOLERANCE + slack;
    return { name: touchedStep(sizeBytes), sizeBytes, bounds: { min: sizeBytes - deviation, max: sizeBytes + deviation } };
  });
  return {
    subject: name,
    kind: 'allokit',
    steps: [{ name: INIT_STEP, sizeBytes: GIB, bounds: { min: 0, max: MIB + slack } }, ...touched],
    run: () => {
      const rssBefore = rssBytes();
      const startMs = performance.now();
      const size = GIB + STATE_SIZE_MAX;
      return use({ reserve: size, commit: size }, (memory) => Promise.resolve(follow(memory, startMs, rssBefore)));
    },
  };
}

function follow(memory: PagedMemory, startMs: number, rssBefore: number): Observation[] {
  const heap = O1Heap.create(memory, { size: GIB });
  const observe = (nanoseconds: number): Observation => ({ nanoseconds, residentBytes: resident(memory), rssBytes: rssBytes() - rssBefore });
  const observations = [observe((performance.now() - startMs) * 1e6)];
  const size = TOUCHED_SIZES[TOUCHED_SIZES.length - 1]!;
  const block = heap.allocate(size);
  let done = 0;
  for (const end of TOUCHED_SIZES) {
    const words = memory.i32;
    const touchMs = performance.now();
    for (; done < end; done += PAGE_SIZE) words[(block + done) >>> 2] = done;
    observations.push(observe((performance.now() - touchMs) * 1e6));
  }
  heap.deallocate(block, size);
  return observations;
}
