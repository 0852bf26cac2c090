/** What the designs that Allokit re-creates claim of themselves, beside what was measured here: as ratios in one run wherever a claim can be read as one. */

import { FACT_TITLES } from '../gc/facts.ts';
import { FRESH } from '../instances/large.ts';
import { READY_STEP, TOUCH_STEP } from '../vmem/setup.ts';
import { formatDuration, formatSignificant } from './duration.ts';
import type { Evidence, FigureKey } from './evidence.ts';

/** What became of a claim. */
export interface ClaimResult {
  readonly system: string;
  readonly text: string;
  readonly claimed: string;
  /** In words with figures; absent where it was not measured. */
  readonly measured?: string;
  /** The figure that decides, in the unit of the claim. */
  readonly figure?: number;
  readonly isMet?: boolean;
  /** Why it is as it is, where that is known and lasts. */
  readonly reason?: string;
}

/** What decides. */
interface Finding {
  readonly figure: number;
  readonly measured: string;
  readonly isMet: boolean;
}

interface SystemClaim {
  readonly text: string;
  readonly claimed: string;
  /** `undefined` where what it needs was not measured. */
  readonly find: (evidence: Evidence) => Finding | undefined;
  /** Said where it is not met. */
  readonly whenMissed?: string;
  /** Said where it was not measured. */
  readonly whenAbsent?: string;
}

const GIB = 2 ** 30;
const FRAME_NS = 1e9 / 60;
const TOUCHED_PAGES = (512 * 2 ** 20) / 4096;

const ABSOLUTE = 'An absolute time: it is a matter of the machine, its memory and its hypervisor as much as of the program.';
const V1_ALONE =
  'In memory that nobody has touched the first version has nothing to search and nothing to collect: what can be saved is the writing of its headers, ' +
  "and their pages. The compiler's own work, the same in both, is more than half of its time.";

const vmem = (exhibit: string, subject: string): FigureKey => ({ family: 'vmem', exhibit, subject });
const setup = (step: string): FigureKey => vmem('setup', `NativeMemory: ${step}`);

/**
 * Of a source file of 1000 lines in compiler mode. A process that compiles one file and ends decides, where less can be saved; what one heap for many files
 * comes to is said beside.
 */
function v1Claims(title: string, subject: string, claimed: { readonly memory: number; readonly time: number }): SystemClaim[] {
  const text = `A source file of 1000 lines in compiler mode, ${title} against the first version`;
  const saved = (evidence: Evidence, what: string): number | undefined => evidence.promise('compile-mode', `1,000 lines, ${what}`)?.measured;
  return [
    {
      text: `${text}: memory`,
      claimed: `-${claimed.memory}%`,
      find: (evidence) => {
        const own = saved(evidence, `memory: ${subject}-fresh below v1-fresh`);
        return own === undefined ? undefined : { figure: own, measured: percentLess(own), isMet: own >= claimed.memory };
      },
    },
    {
      text: `${text}: time`,
      claimed: `-${claimed.time}%`,
      find: (evidence) => {
        const [fresh, lasting] = [saved(evidence, `time: ${subject}-fresh below v1-fresh`), saved(evidence, `time: ${subject} below v1`)];
        if (fresh === undefined || lasting === undefined) return undefined;
        const measured = `${percentLess(fresh)} in untouched memory; ${percentLess(lasting)} with one heap for one file after the other`;
        return { figure: fresh, measured, isMet: fresh >= claimed.time };
      },
      whenMissed: V1_ALONE,
    },
  ];
}

/** All of them, by system. */
const SYSTEMS: readonly { readonly system: string; readonly claims: readonly SystemClaim[] }[] = [
  {
    system: 'O1Heap in a game runtime',
    claims: [
      {
        text: '1 GiB is reserved, committed and initialised in next to no time',
        claimed: '0.01, < 1 and 0.1 ms: 0.0074 of touching 512 MiB (150 ms)',
        find: (evidence) =>
          from(evidence, [setup('reserve'), setup('commit'), setup('init'), setup(READY_STEP), setup(TOUCH_STEP)], ([reserve, commit, init, ready, touch]) => ({
            figure: ready / touch,
            measured: `${formatDuration(reserve)}, ${formatDuration(commit)} and ${formatDuration(init)}: ${formatSignificant(ready / touch)} of touching 512 MiB (${formatDuration(touch)})`,
            isMet: ready / touch <= 1.11 / 150,
          })),
        whenMissed: 'Each step is one call into the system or a few writes; that it happens once in a process\'s life, before the engine has optimised it, is most of its cost.',
      },
      {
        text: 'Committing is nothing beside touching 512 MiB in advance',
        claimed: '< 1 ms against 150 ms: at least 150 times',
        find: (evidence) =>
          from(evidence, [setup('commit'), setup(TOUCH_STEP)], ([commit, touch]) => ({
            figure: touch / commit,
            measured: `${formatDuration(commit)} against ${formatDuration(touch)}: ${formatSignificant(touch / commit)} times`,
            isMet: touch / commit >= 150,
          })),
      },
      {
        text: 'Touching in advance drops frames, committing drops none',
        claimed: '9 frames against 0, at 60 Hz',
        find: (evidence) =>
          from(evidence, [setup('commit'), setup(TOUCH_STEP)], ([commit, touch]) => {
            const [without, withTouch] = [Math.floor(commit / FRAME_NS), Math.floor(touch / FRAME_NS)];
            return { figure: withTouch, measured: `${withTouch} frames against ${without}`, isMet: without === 0 && withTouch >= 1 };
          }),
      },
      {
        text: 'An allocation takes about a microsecond',
        claimed: '1 µs',
        find: (evidence) =>
          from(evidence, [{ family: 'pair', exhibit: 'pair', subject: 'o1heap' }], ([ns]) => ({
            figure: ns,
            measured: `${formatDuration(ns)} for an allocation and its free, 16-1039 bytes`,
            isMet: ns <= 1000,
          })),
      },
      {
        text: 'The first touch of a page costs a microsecond more',
        claimed: '+1 µs',
        find: (evidence) =>
          from(evidence, [setup(TOUCH_STEP)], ([touch]) => ({
            figure: touch / TOUCHED_PAGES,
            measured: `+${formatDuration(touch / TOUCHED_PAGES)}, over 512 MiB`,
            isMet: touch / TOUCHED_PAGES <= 1000,
          })),
        whenMissed: 'It is the page fault, which is the kernel\'s and, in a virtual machine, the hypervisor\'s; no allocator has a part in it.',
      },
      {
        text: 'A million pairs of 100 bytes',
        claimed: '< 100 ms',
        find: (evidence) =>
          from(evidence, [{ family: 'pair', exhibit: 'pair-2', subject: 'o1heap' }], ([ns]) => ({ figure: ns, measured: formatDuration(ns * 1e6), isMet: ns < 100 })),
        whenMissed: ABSOLUTE,
      },
      {
        text: 'Memory follows use: 10, 100 and 500 MB used are resident',
        claimed: 'within 5%',
        find: (evidence) => {
          const promise = evidence.promise('vmem', 'NativeMemory: resident off') ?? evidence.promise('vmem', 'WasmMemory: RSS of the process off');
          return promise && { figure: promise.measured, measured: `within ${formatSignificant(promise.measured * 100)}%`, isMet: promise.isMet };
        },
      },
    ],
  },
  {
    system: 'Pre-committed memory of an indexer',
    claims: [
      {
        text: 'Of making 4 GiB resident, writing is the small part and zeroing the large one',
        claimed: '0.1 s and 1.4 s: zeroing takes 14 times as long',
        find: (evidence) =>
          from(evidence, [vmem('pre-touch', 'NativeMemory: write'), vmem('pre-touch', 'NativeMemory: pattern')], ([write, pattern]) => ({
            figure: pattern / write - 1,
            measured: `writing every page, then zeroing them: zeroing takes ${formatSignificant(Math.max(0, pattern / write - 1))} times as long as writing`,
            isMet: pattern / write - 1 >= 14,
          })),
        whenMissed: 'The original\'s first pass wrote to one page in sixteen, so its zeroing pass was what made the others resident. Where the first pass writes to every page, it is the one that costs.',
      },
      {
        text: '4 GiB are resident in 1.5 s',
        claimed: '1.5 s: 2.7 GiB/s',
        find: (evidence) => {
          const size = evidence.sizeBytes('vmem');
          return size === undefined
            ? undefined
            : from(evidence, [vmem('pre-touch', 'NativeMemory: write')], ([write]) => ({
                figure: size / GIB / (write / 1e9),
                measured: `${formatSignificant(size / GIB / (write / 1e9))} GiB/s: ${formatDuration((write / size) * 4 * GIB)} for 4 GiB`,
                isMet: (write / size) * 4 * GIB <= 1.5e9,
              }));
        },
        whenMissed: ABSOLUTE,
      },
      {
        text: 'Several threads make it resident in a fraction of the time',
        claimed: '200-400 ms instead of 1.5 s: at most 0.27',
        find: (evidence) => {
          const promise = evidence.promise('vmem', 'NativeMemory: parallel');
          return promise && { figure: promise.measured, measured: `${formatSignificant(promise.measured)} of the time, ${evidence.processorCount} processors`, isMet: promise.isMet };
        },
        whenMissed: 'Work that is divided among n processors takes at least an nth of the time: fewer than four cannot keep this claim by dividing. With huge pages fewer do.',
      },
      {
        text: 'Resetting an instance instead of making another one, for each block',
        claimed: '1-10 ms instead of 100-500 ms: 10 to 500 times cheaper',
        find: (evidence) =>
          from(evidence, [{ family: 'reset', exhibit: 'large', subject: `${FRESH}: create` }, { family: 'reset', exhibit: 'large', subject: 'pooled, stores: reset, scattered' }], ([create, reset]) => ({
            figure: create / reset,
            measured: `${formatDuration(reset)} instead of ${formatDuration(create)}: ${formatSignificant(create / reset)} times cheaper`,
            isMet: create / reset >= 10,
          })),
      },
      {
        text: 'The same over 100 blocks',
        claimed: '0.1-1 s instead of 10-50 s: at least 50 times cheaper',
        find: (evidence) =>
          from(evidence, [{ family: 'reset', exhibit: 'large', subject: `${FRESH}: create` }, { family: 'reset', exhibit: 'large', subject: 'pooled, stores: reset, scattered' }], ([create, reset]) => ({
            figure: create / reset,
            measured: `${formatDuration(reset * 100)} instead of ${formatDuration(create * 100)}`,
            isMet: create / reset >= 50,
          })),
      },
    ],
  },
  {
    system: 'Tiered lock-free allocator',
    claims: [
      {
        text: 'Native copies are faster than those of WebAssembly, up to 1 KiB',
        claimed: 'by 6-13 times',
        find: (evidence) => {
          const ratios = ['6 B', '32 B', '100 B', '256 B', '1 KiB'].map((point) => copyRatio(evidence, point)).filter((ratio) => ratio !== undefined);
          if (ratios.length === 0) return undefined;
          const worst = Math.max(...ratios);
          return { figure: worst, measured: `memcpy by ${formatSignificant(Math.min(...ratios))} to ${formatSignificant(worst)} times: no more than claimed is what is asked of simd-copy`, isMet: worst <= 13 };
        },
      },
      {
        text: 'The same at 64 KiB',
        claimed: 'by 1.9 times',
        find: (evidence) => {
          const ratio = copyRatio(evidence, '64 KiB');
          return ratio === undefined ? undefined : { figure: ratio, measured: `memcpy by ${formatSignificant(ratio)} times`, isMet: ratio <= 1.9 };
        },
      },
      {
        text: 'Without a lock, two threads that allocate at once get further than with one',
        claimed: 'faster',
        find: (evidence) =>
          from(evidence, [threads('tiered-arena'), threads('locked-o1heap')], ([free, locked]) => ({
            figure: locked / free,
            measured: `${formatSignificant(locked / free)} times as many operations as an O1Heap behind a lock`,
            isMet: locked > free,
          })),
        whenMissed: 'Where the processors were not theirs alone, which the task "spin" shows, threads wait for their turn more than for a lock.',
      },
    ],
  },
  {
    system: 'Generational heap and compiler mode',
    claims: [
      {
        text: 'Allocating a young object',
        claimed: '10-20 cycles',
        find: (evidence) =>
          evidence.clockMhz === 0
            ? undefined
            : from(evidence, [{ family: 'gc', exhibit: 'allocation', subject: FACT_TITLES.allocation }], ([ns]) => {
                const cycles = (ns * evidence.clockMhz) / 1000;
                return { figure: cycles, measured: `${formatSignificant(cycles)} cycles (${formatDuration(ns)}), minor collections included`, isMet: cycles <= 20 };
              }),
        whenAbsent: 'The system does not tell the clock of its processors, or the family is not in this run.',
      },
      {
        text: 'A minor collection of 2 MB',
        claimed: '1-5 ms instead of 50-200 ms',
        find: (evidence) =>
          from(evidence, [{ family: 'gc', exhibit: 'pauses', subject: FACT_TITLES.minor }], ([ns]) => ({ figure: ns / 1e6, measured: formatDuration(ns), isMet: ns <= 5e6 })),
        whenMissed: ABSOLUTE,
      },
      {
        text: 'A million objects of 32 bytes',
        claimed: '48 MB instead of 104',
        find: (evidence) => {
          const promise = evidence.promise('gc', 'a million objects of 32 bytes');
          return promise && { figure: promise.measured, measured: `${formatSignificant(promise.measured)} MB, with all tables`, isMet: promise.measured <= 48 };
        },
      },
      {
        text: 'An arena against the first version, for each allocation',
        claimed: '10-40 times faster',
        find: (evidence) =>
          from(evidence, [mix('v1'), mix('arena')], ([v1, arena]) => ({
            figure: v1 / arena,
            measured: `${formatDuration(arena)} against ${formatDuration(v1)}, in the documented mix: ${formatSignificant(v1 / arena)} times as fast`,
            isMet: v1 / arena >= 10,
          })),
        whenMissed:
          'Every object of the mix stays alive, so that the first version never has a free one to search for: its header, its clearing and ' +
          'one collection in vain are all that an arena saves; what the program itself writes is in both figures.',
      },
      {
        text: 'The documented mix of 100,000 objects, each with a header of 16 bytes, against the first version',
        claimed: 'memory -67 to -72%',
        find: (evidence) => {
          const saved = (what: string): number | undefined => evidence.promise('compile-mode', `mix, memory: ${what}`)?.measured;
          const [own, bare] = [saved('headers of 16 bytes'), saved('an arena without headers')];
          if (own === undefined || bare === undefined) return undefined;
          return { figure: own, measured: `${percentLess(own)}; ${percentLess(bare)} without headers`, isMet: own >= 67 };
        },
        whenMissed:
          'The headers count: they are 1.6 MB, beside 3.9 MB of objects. The objects by themselves are more than a third of what the first version takes, ' +
          'so that no allocator comes to what is claimed.',
      },
      ...v1Claims('an arena', 'arena', { memory: 70, time: 50 }),
      ...v1Claims('pool and arena', 'pool+arena', { memory: 73, time: 56 }),
    ],
  },
  {
    system: 'Pool allocator',
    claims: [
      {
        text: 'The pool against malloc, 50,000 objects of 64 bytes',
        claimed: '3.1 times faster',
        find: (evidence) =>
          from(evidence, [pool('pool', 'slab-pool'), pool('pool', 'native-malloc')], ([own, malloc]) => ({
            figure: malloc / own,
            measured: `${formatSignificant(malloc / own)} times as fast as malloc of the C library, from JavaScript`,
            isMet: malloc / own >= 3.1,
          })),
        whenMissed: 'The original\'s own program, run again with the malloc of glibc, came to 1.46 times; here the pool runs in JavaScript, and malloc in C.',
      },
      {
        text: 'Reuse: 1000 times 100 objects',
        claimed: '1,111 operations per millisecond',
        find: (evidence) => from(evidence, [pool('reuse', 'slab-pool')], ([ns]) => rate(1e6 / ns, 1111)),
        whenMissed: ABSOLUTE,
      },
      {
        text: 'Hybrid: 40,000 objects',
        claimed: '850 allocations per millisecond',
        find: (evidence) => from(evidence, [{ family: 'hybrid', exhibit: 'hybrid', subject: 'hybridPool' }], ([ns]) => rate(1e6 / ns, 850)),
        whenMissed: ABSOLUTE,
      },
    ],
  },
];

/** All claims, held against what was measured. */
export function judgeClaims(evidence: Evidence): ClaimResult[] {
  return SYSTEMS.flatMap(({ system, claims }) =>
    claims.map(({ text, claimed, find, whenMissed, whenAbsent }): ClaimResult => {
      const finding = find(evidence);
      if (finding === undefined) return { system, text, claimed, reason: whenAbsent ?? 'What it needs is not in this run.' };
      return { system, text, claimed, ...finding, ...(finding.isMet || whenMissed === undefined ? {} : { reason: whenMissed }) };
    }),
  );
}

/** A finding from figures of which none may be missing. */
function from<Keys extends readonly FigureKey[]>(evidence: Evidence, keys: readonly [...Keys], judge: (values: { [Index in keyof Keys]: number }) => Finding): Finding | undefined {
  const values = keys.map((key) => evidence.ns(key));
  if (values.some((value) => value === undefined)) return undefined;
  return judge(values as { [Index in keyof Keys]: number });
}

function copyRatio(evidence: Evidence, point: string): number | undefined {
  const [own, library] = ['copier', 'memcpy'].map((subject) => evidence.ns({ family: 'copy', exhibit: 'copy', subject, point }));
  return own === undefined || library === undefined ? undefined : own / library;
}

function threads(subject: string): FigureKey {
  return { family: 'threads', exhibit: 'churn', subject, point: '2 threads' };
}

function mix(subject: string): FigureKey {
  return { family: 'compile-mode', exhibit: 'mix', subject };
}

/** @param saved - What is less; below zero where it is more. */
function percentLess(saved: number): string {
  return `${saved < 0 ? '+' : '-'}${formatSignificant(Math.abs(saved))}%`;
}

function pool(exhibit: string, subject: string): FigureKey {
  return { family: 'pool', exhibit, subject };
}

function rate(perMs: number, claimed: number): Finding {
  return { figure: perMs, measured: `${formatSignificant(perMs)} per millisecond`, isMet: perMs >= claimed };
}
