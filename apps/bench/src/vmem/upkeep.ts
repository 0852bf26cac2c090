/** `upkeep`: what it takes to ask what is resident, and to give memory back. */

import { preTouch, resident, type PagedMemory } from '@allokit/vmem';
import type { NativeMemory } from '@allokit/vmem/native';

import { C, cDiscard } from './c-program.ts';
import type { Experiment, Observation, Probe, ResidentBounds } from './experiment.ts';
import { rowName } from './measurement.ts';
import { MIB, NATIVE, WASM, withNative, withWasm } from './memories.ts';
import type { Platform } from './platform.ts';

const SIZES = [MIB, 16 * MIB, 256 * MIB, 1024 * MIB];

/** What the memory's own state may take, which nobody gives back: eight of its pages. */
const STATE_SIZE_MAX = MIB / 2;

const PAGE_SIZE = 4096;

/** `resident` is asked so many times a round: it takes microseconds. */
const QUESTIONS = 5;

/** Sizes beyond `sizeBytes` are left out. */
export function upkeepExperiment({ hasNative, program, hugePages }: Platform, sizeBytes: number): Experiment {
  const sizes = SIZES.filter((size) => size <= sizeBytes);
  const probes = sizes.flatMap((size) => {
    const text = `${size / MIB} MiB`;
    const discardStep = `madvise(DONTNEED), ${text}`;
    const base = program === undefined ? undefined : rowName({ subject: C, step: discardStep });
    return [
      ...(hasNative ? [nativeProbe(size, text, base), wasmProbe(size, text)] : []),
      ...(program === undefined ? [] : [cDiscard(program, size, discardStep)]),
    ];
  });
  return {
    name: 'upkeep',
    title: 'upkeep: asking what is resident, and giving memory back',
    facts: [
      'resident(): all pages are; then every second one is.',
      'purge: the memory of free pages goes back, they stay committed; decommit: they go too, and views die.',
      ...(program === undefined ? [] : [`x: over ${C}'s madvise of the same size`]),
      ...(hasNative ? [] : ['Nothing but native memory can do either.']),
      `Transparent huge pages: ${hugePages}.`,
    ],
    unit: 'us',
    probes,
  };
}

function nativeProbe(sizeBytes: number, text: string, base: string | undefined): Probe {
  const range = (min: number): ResidentBounds => ({ min, max: min + STATE_SIZE_MAX });
  return {
    subject: NATIVE.name,
    kind: 'allokit',
    steps: [
      { name: `resident(), ${text}`, sizeBytes, bounds: range(sizeBytes) },
      { name: `purge, ${text}`, sizeBytes, base, bounds: range(0) },
      { name: `resident(), every second page of ${text}`, sizeBytes, bounds: { min: sizeBytes / 2, max: sizeBytes + STATE_SIZE_MAX } },
      { name: `decommit, ${text}`, sizeBytes, base, bounds: range(0) },
    ],
    run: () => withNative({ reserve: sizeBytes + STATE_SIZE_MAX, commit: 'all' }, (memory) => keepUp(memory, sizeBytes)),
  };
}

async function keepUp(memory: NativeMemory, sizeBytes: number): Promise<Observation[]> {
  const from = memory.committed - sizeBytes;
  await preTouch(memory, { strategy: 'write', from });
  const dense = askResident(memory);
  const purge = timed(memory, () => memory.purge());
  const words = memory.i32;
  for (let offset = from; offset < memory.committed; offset += 2 * PAGE_SIZE) words[offset >>> 2] = offset;
  const sparse = askResident(memory);
  await preTouch(memory, { strategy: 'write', from });
  const decommit = timed(memory, () => {
    if (!memory.decommit(0)) throw new Error('the memory could not be decommitted');
  });
  return [dense, purge, sparse, decommit];
}

function wasmProbe(sizeBytes: number, text: string): Probe {
  return {
    subject: WASM.name,
    kind: 'allokit',
    steps: [{ name: `resident(), ${text}`, sizeBytes, bounds: { min: sizeBytes, max: Infinity } }],
    run: () =>
      withWasm({ reserve: sizeBytes, commit: sizeBytes }, async (memory) => {
        await preTouch(memory, { strategy: 'write' });
        return [askResident(memory)];
      }),
  };
}

/** The fastest of several times, so that interruptions drop out. */
function askResident(memory: PagedMemory): Observation {
  let bestMs = Infinity;
  let residentBytes: number | undefined;
  for (let i = 0; i < QUESTIONS; i += 1) {
    const startMs = performance.now();
    residentBytes = resident(memory);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return { nanoseconds: bestMs * 1e6, residentBytes };
}

function timed(memory: PagedMemory, action: () => void): Observation {
  const startMs = performance.now();
  action();
  const nanoseconds = (performance.now() - startMs) * 1e6;
  return { nanoseconds, residentBytes: resident(memory) };
}
