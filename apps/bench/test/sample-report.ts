/** A report of figures that nobody measured: every family of the report with a few rows, in the form in which its commands print them. */

import { mixClaims, programClaims } from '../src/compile-mode/claims.ts';
import type { CompileResult } from '../src/compile-mode/compile-measurement.ts';
import type { MixResult } from '../src/compile-mode/mix-measurement.ts';
import { MIX_SUBJECTS, type MixSubject } from '../src/compile-mode/mix.ts';
import { COMPILE_SUBJECTS, type CompileSubject } from '../src/compile-mode/subjects.ts';
import { claimsOfInspect } from '../src/inspect/report.ts';
import { casesOf, type InspectResult } from '../src/inspect/measurement.ts';
import { judgeClaims } from '../src/page/claims.ts';
import { Evidence } from '../src/page/evidence.ts';
import { FAMILIES } from '../src/page/families.ts';
import { balanceOf } from '../src/page/losses.ts';
import type { Report } from '../src/page/report.ts';
import type { Chapter } from '../src/page/run-family.ts';
import { randomSource } from '../src/random.ts';
import { thisMachine } from '../src/report/machine.ts';

const random = randomSource(7);

/** Never twice the same. */
function figure(): number {
  return 10 + (random() % 1e6) / 997;
}

/** A median and a best, as all rows have them. */
function times(): { medianNs: number; bestNs: number } {
  const bestNs = figure();
  return { bestNs, medianNs: bestNs + figure() / 10 };
}

const SUBJECTS = [
  ['o1heap', 'allokit'],
  ['slab-pool', 'allokit'],
  ['hybridPool', 'allokit'],
  ['rust-dlmalloc', 'peer'],
  ['native-malloc', 'native'],
] as const;

function results(workload: string): object[] {
  return SUBJECTS.map(([subject, kind]) => ({ workload, subject, kind, status: 'ok', verified: true, failedOperations: 0, ratio: figure(), ...times(), roundCount: 1, operationCount: 1, peakFootprint: 2000, peakLive: 1000, worstNs: figure() }));
}

function tables(...workloads: readonly string[]): object {
  const allocators = SUBJECTS.map(([name]) => ({ name, description: `${name} <of no version> & "quoted"` }));
  return { allocators, absences: ['native-mimalloc is absent'], results: workloads.flatMap(results) };
}

function growing(values: readonly number[], rowOf: (value: number) => object): object[] {
  return values.flatMap((value) => SUBJECTS.map(([subject, kind]) => ({ subject, kind, status: 'ok', ...times(), ...rowOf(value) })));
}

/** Milliseconds of a median and a best. */
function milliseconds(): { medianMs: number; bestMs: number } {
  const { medianNs, bestNs } = times();
  return { medianMs: medianNs, bestMs: bestNs };
}

function compilations(program: string, origin: CompileResult['origin'], lineCount: number): CompileResult[] {
  return (Object.keys(COMPILE_SUBJECTS) as CompileSubject[]).map((subject) => ({
    ...{ program, origin, lineCount, sourceBytes: 35_000, subject, status: 'ok', roundCount: 1 },
    ...milliseconds(),
    ...{ ratio: figure(), collectionShare: 0.05, searchesPerRecord: figure(), recordCount: 10, requestedBytes: 1000, kinds: [] },
    ...{ peakBytes: figure(), takenBytes: figure(), ...(subject === 'objects' ? {} : { residentBytes: figure() }) },
  }));
}

/** What compile-mode prints, with the claims that it makes of it. */
function compileMode(): object {
  const programs = [...compilations('100', 'generated', 100), ...compilations('1000', 'generated', 1000), ...compilations('chess <3>.lox', 'written', 300)];
  const mix = (Object.keys(MIX_SUBJECTS) as MixSubject[]).map(
    (subject): MixResult => ({ subject, status: 'ok', ...times(), objectBytes: figure(), heldBytes: figure(), roundCount: 1 }),
  );
  return { claims: [...programClaims(programs), ...mixClaims(mix)], programs, mix, allocators: [] };
}

function assets(): object {
  const common = { status: 'ok', count: 200, sizeBytes: 65_536, roundCount: 1 };
  const measured = (): object => ({ ...times(), bestCpuNs: figure(), ratio: figure(), cpuRatio: figure() });
  return {
    options: { count: 200, sizeBytes: 65_536 },
    claims: [{ text: 'tiers: time, over that of arrayBuffer() alone', measured: 1.1, limit: 1.2, isMet: true }],
    results: [
      { subject: 'arrayBuffer', kind: 'peer', base: 'arrayBuffer', ...common, ...measured(), peakBytes: figure(), excessBytes: -figure() },
      { subject: 'tiers', kind: 'allokit', base: 'arrayBuffer', ...common, ...measured(), peakBytes: figure(), excessBytes: figure() },
      { subject: 'tiers-sha256', kind: 'allokit', base: 'arrayBuffer', ...common, ...measured() },
      { subject: 'heap', kind: 'allokit', base: 'arrayBuffer', ...common, status: 'failed', reason: 'the process ended with 1' },
    ],
  };
}

function inspections(): object {
  const results = [...casesOf('churn'), ...casesOf('trace')].map((what): InspectResult => ({ ...what, ...times(), ratio: figure() }));
  return { claims: claimsOfInspect(results), results };
}

const OUTPUTS: Readonly<Record<string, readonly object[]>> = {
  traces: [tables('small')],
  pair: [tables('pair'), tables('pair')],
  churn: [{ ...tables(), results: [...results('churn'), { workload: 'churn', subject: 'thi.ng-malloc', kind: 'peer', status: 'stopped', reason: 'too slow: stopped after 5% of the first round', medianNs: figure(), roundCount: 0, operationCount: 1, peakLive: 1 }] }],
  worst: [
    {
      results: SUBJECTS.map(([subject, kind]) => {
        const distribution = { p50Ns: figure(), p99Ns: figure(), p999Ns: figure(), p9999Ns: figure(), maxNs: figure(), clockNs: 30, operationCount: 10, curve: [{ ns: 50, share: 1 }, { ns: 90, share: 0.01 }] };
        return { workload: 'churn', subject, kind, status: 'ok', passCount: 1, distribution };
      }),
    },
  ],
  pool: [tables('pool', 'reuse')],
  arena: [tables('arena')],
  hybrid: [tables('hybrid')],
  compose: [{ results: ['own', 'shared'].flatMap((site) => [1, 8].flatMap((aliveCount) => [false, true].map((isCompiled) => ({ site, aliveCount, isCompiled, ...times(), failureCount: 0 })))) }],
  sweep: [{ results: [...growing([100, 1e6], (value) => ({ sweep: 'live', value })), ...growing([8, 2 ** 20], (value) => ({ sweep: 'size', value }))] }],
  gc: [
    {
      claims: [{ text: 'a million objects of 32 bytes: at most 44 MB in all', isMet: true, found: 43 }],
      facts: [
        { name: 'allocation', unit: 'ns', count: 1, best: figure(), median: figure(), p99: figure(), max: figure() },
        { name: 'minor', unit: 'ms', count: 1, best: figure(), median: figure(), p99: figure(), max: figure() },
        { name: 'memory', unit: 'MB', count: 1, best: 43, median: 43, p99: null, max: 43 },
      ],
      results: ['trees 8', 'survival 0', 'survival 90'].flatMap((program) =>
        ['allokit-gc', 'v8-objects'].map((subject) => ({ workload: program.split(' ')[0], parameters: program.replace(' ', ' 1 '), subject, status: 'ok', medianMs: figure(), bestMs: figure() })),
      ),
    },
  ],
  'compile-mode': [compileMode()],
  copy: [
    {
      claims: [{ text: 'at most 3 times memcpy up to 256 bytes', isMet: false, worst: 3.5, sizeBytes: 64 }],
      results: [6, 65_536].flatMap((sizeBytes) => [
        { operation: 'copy', subject: 'copier', kind: 'allokit', sizeBytes, status: 'ok', ...times() },
        { operation: 'copy', subject: 'copyWithin', kind: 'peer', sizeBytes, status: 'failed', medianNs: null, bestNs: null, reason: '1 call came out wrong' },
        { operation: 'copy', subject: 'memcpy', kind: 'native', sizeBytes, status: 'ok', ...times() },
      ]),
    },
  ],
  vmem: [
    {
      options: { sizeBytes: 2 ** 27 },
      claims: [{ text: 'NativeMemory: resident off 10, 100, 500 MiB written, at the most', limit: 0.05, measured: 0.01, isMet: true }],
      results: [
        ...['reserve', 'commit', 'init', 'reserve + commit + init', 'touch 512 MiB (write)'].map((step) => ({ experiment: 'setup', subject: 'NativeMemory', step, kind: 'allokit', status: 'ok', ...times() })),
        { experiment: 'setup', subject: 'C', step: 'reserve (mmap)', kind: 'native', status: 'ok', ...times() },
        { experiment: 'pre-touch', subject: 'NativeMemory', step: 'write', kind: 'allokit', status: 'ok', ...times(), residentBytes: 2 ** 27, verified: true },
        { experiment: 'pre-touch', subject: 'NativeMemory', step: 'pattern', kind: 'allokit', status: 'unsupported', reason: 'no such pages' },
      ],
    },
  ],
  reset: [
    {
      options: { sizeBytes: 2 ** 23 },
      claims: [{ text: 'large', atLeast: 200, measured: 300.5, isMet: true }],
      results: [
        { experiment: 'large', subject: 'fresh, pre-touched', step: 'create', memoryBytes: 2 ** 23, dirtyBytes: 0, ...times() },
        { experiment: 'large', subject: 'pooled, stores', step: 'reset, scattered', memoryBytes: 2 ** 23, dirtyBytes: 2 ** 20, ...times() },
        ...[2 ** 20, 2 ** 23].map((memoryBytes) => ({ experiment: 'growth', subject: 'pooled, stores', step: 'memory', memoryBytes, dirtyBytes: 65_536, ...times() })),
      ],
    },
  ],
  threads: [{ results: ['apart', 'together'].flatMap((sharing) => growing([1, 2], (threadCount) => ({ task: 'hand-over', sharing, threadCount }))) }],
  assets: [assets()],
  inspect: [inspections()],
};

/** As if a run had been. */
export function sampleReport(): Report {
  const chapters = FAMILIES.map(({ name, title, about, read }): Chapter => {
    const outputs = JSON.parse(JSON.stringify(OUTPUTS[name])) as unknown[];
    return { name, title, about, commands: [`pnpm bench ${name} <&>`], seconds: 1, problems: [], outputs, reading: read(outputs) };
  });
  const broken: Chapter = { name: 'broken', title: 'A broken one', about: 'It <throws>.', commands: [], seconds: 0, problems: ['broken: it <ended> & "died"'], outputs: [] };
  const all = [...chapters, broken];
  const origin = {
    mode: 'quick' as const,
    commandLine: 'pnpm bench report',
    date: '2026-01-02T03:04:05.000Z',
    commit: 'abcdef',
    machine: { ...thisMachine(), clockMhz: 3000 },
    versions: { Peers: 'none' },
    load: { before: 0, after: 100 },
    seconds: 14,
  };
  return { origin, chapters: all, claims: judgeClaims(new Evidence(all, { processorCount: 2, clockMhz: 3000 })), ...balanceOf(all) };
}
