/** `pre-touch`: each way to make memory resident, from no mapping at all to the last page, against the same in C. */

import { availableParallelism } from 'node:os';

import { preTouch, resident, type PagedMemory, type PreTouchOptions } from '@allokit/vmem';

import type { NativeProgram } from '../native/program.ts';
import { C, cTouch } from './c-program.ts';
import type { Experiment, Observation, Probe } from './experiment.ts';
import { rowName } from './measurement.ts';
import { NATIVE, rssBytes, WASM, withNative, withWasm } from './memories.ts';
import type { Platform } from './platform.ts';

/** More system calls do not run at once in Node.js, unless UV_THREADPOOL_SIZE says so. */
const THREADS_DEFAULT_MAX = 4;

/** Committed at first where pages are brought in behind the current size. */
const STATE_SIZE = 2 ** 20;

/**
 * The kernel hands out what was freed last. What was free for some seconds, a virtual machine may have lost to its host, or never got: then a first touch takes
 * ten times as long. Small pages that were freed do not serve the next huge ones. So each kind is warmed by its own.
 */
const SMALL = 'small pages';
const HUGE = 'huge pages';

/** How one row does it. */
interface Way {
  readonly step: string;
  readonly options: PreTouchOptions;
}

/** What was noted before there was a mapping. */
interface Beginning {
  readonly rssBefore: number;
  readonly startMs: number;
}

/** A step of `parallel` with so many threads. */
export function parallelStep(threads: number, hugePages: boolean): string {
  return `parallel, threads: ${threads}${hugePages ? ', huge pages' : ''}`;
}

/** 1, 2, 4 ... and all processors, as far as system calls run side by side. */
export function threadCounts(): number[] {
  const callsAtOnce = Number(process.env['UV_THREADPOOL_SIZE'] ?? THREADS_DEFAULT_MAX);
  const max = Math.max(1, Math.min(availableParallelism(), callsAtOnce || THREADS_DEFAULT_MAX));
  const counts: number[] = [];
  for (let threads = 1; threads < max; threads *= 2) counts.push(threads);
  return [...counts, max];
}

export function preTouchExperiment({ hasNative, program, hugePages }: Platform, sizeBytes: number): Experiment {
  const base = rowName({ subject: hasNative ? NATIVE.name : WASM.name, step: 'write' });
  const probes = [
    ...(hasNative ? nativeWays().map((way) => nativeProbe(way, sizeBytes, base)) : []),
    ...wasmProbes(hasNative, sizeBytes, base),
    ...(program === undefined ? [] : cProbes(program, sizeBytes, base)),
  ];
  return {
    name: 'pre-touch',
    title: `pre-touch: ${formatGiB(sizeBytes)} GiB made resident`,
    facts: [
      `x: over ${base}`,
      'The time is that from making the mapping until its last page is resident.',
      'In Allokit rows, limits are looked at first, and the system is asked afterwards.',
      'Rows with huge pages take turns among themselves, after as much was touched and given back that way, untimed; and so do those without.',
      `Transparent huge pages: ${hugePages}${hugePages === 'always' ? ': the rows that do not ask for huge pages get them too' : ''}.`,
      ...(hasNative ? ['before it grows: pages behind the current size, which are brought in as huge ones where the kernel gives them.'] : []),
      ...(program === undefined ? [] : [`${C}: a process of its own. MAP_POPULATE comes before huge pages could be asked for.`]),
    ],
    unit: 'ms',
    probes,
    prime: (group) => prime(hasNative, sizeBytes, group === HUGE),
  };
}

function nativeWays(): Way[] {
  const counts = threadCounts();
  return [
    { step: 'write', options: { strategy: 'write' } },
    { step: 'write, huge pages', options: { strategy: 'write', hugePages: true } },
    { step: 'pattern', options: { strategy: 'pattern' } },
    { step: 'populate', options: { strategy: 'populate' } },
    { step: 'populate, huge pages', options: { strategy: 'populate', hugePages: true } },
    ...counts.map((threads): Way => ({ step: parallelStep(threads, false), options: { strategy: 'parallel', threads } })),
    ...counts.map((threads): Way => ({ step: parallelStep(threads, true), options: { strategy: 'parallel', threads, hugePages: true } })),
  ];
}

function nativeProbe({ step, options }: Way, sizeBytes: number, base: string): Probe {
  return {
    ...probeOf(NATIVE.name, step, sizeBytes, base),
    group: options.hugePages === true ? HUGE : SMALL,
    run: () => {
      const start = beginning();
      const hugePages = options.hugePages ?? false;
      return withNative({ reserve: sizeBytes, commit: 'all', hugePages }, (memory) => touch(memory, options, sizeBytes, start));
    },
  };
}

function wasmProbes(hasNative: boolean, sizeBytes: number, base: string): Probe[] {
  const probe = ({ step, options }: Way, { commit = sizeBytes, shared = false } = {}): Probe => ({
    ...probeOf(WASM.name, step, sizeBytes, base),
    group: (options.hugePages ?? commit < sizeBytes) ? HUGE : SMALL,
    run: () => {
      const start = beginning();
      return withWasm({ reserve: sizeBytes, commit, shared }, (memory) => touch(memory, options, sizeBytes, start));
    },
  });
  const threads = Math.max(...threadCounts());
  const parallel = probe({ step: `${parallelStep(threads, false)}, shared`, options: { strategy: 'parallel', threads } }, { shared: true });
  const write = probe({ step: 'write', options: { strategy: 'write' } });
  if (!hasNative) return [write, parallel];
  return [
    write,
    probe({ step: 'populate', options: { strategy: 'populate' } }),
    probe({ step: 'populate, huge pages', options: { strategy: 'populate', hugePages: true } }),
    probe({ step: 'populate, before it grows', options: { strategy: 'populate' } }, { commit: STATE_SIZE }),
    parallel,
  ];
}

function cProbes(program: NativeProgram, sizeBytes: number, base: string): Probe[] {
  const small = { hugePages: false, base, group: SMALL };
  const huge = { hugePages: true, base, group: HUGE };
  return [
    cTouch(program, sizeBytes, 'm', small),
    cTouch(program, sizeBytes, 'w', small),
    cTouch(program, sizeBytes, 'p', small),
    cTouch(program, sizeBytes, 'w', huge),
    cTouch(program, sizeBytes, 'p', huge),
  ];
}

async function prime(hasNative: boolean, sizeBytes: number, hugePages: boolean): Promise<void> {
  const touchAll = (memory: PagedMemory): Promise<unknown> => preTouch(memory);
  if (!hasNative) await withWasm({ reserve: sizeBytes, commit: sizeBytes }, touchAll);
  else await withNative({ reserve: sizeBytes, commit: 'all', hugePages }, touchAll);
}

function probeOf(subject: string, step: string, sizeBytes: number, base: string): Pick<Probe, 'subject' | 'kind' | 'steps'> {
  return { subject, kind: 'allokit', steps: [{ name: step, sizeBytes, base, bounds: { min: sizeBytes, max: Infinity } }] };
}

function beginning(): Beginning {
  return { rssBefore: rssBytes(), startMs: performance.now() };
}

async function touch(memory: PagedMemory, options: PreTouchOptions, sizeBytes: number, { rssBefore, startMs }: Beginning): Promise<Observation[]> {
  await preTouch(memory, { ...options, to: sizeBytes });
  const nanoseconds = (performance.now() - startMs) * 1e6;
  return [{ nanoseconds, residentBytes: resident(memory, 0, sizeBytes), rssBytes: rssBytes() - rssBefore }];
}

function formatGiB(bytes: number): string {
  return String(Math.round((bytes / 2 ** 30) * 1000) / 1000);
}
