/** Commands that measure something else than one allocator: copies, collectors, virtual memory, instances, threads, assemblies. */

import type { ComposeResult } from '../../commands/compose.ts';
import type { CopyResult } from '../../copy/measurement.ts';
import { FACT_TITLES, type Fact as GcFact } from '../../gc/facts.ts';
import type { GcResult } from '../../gc/measurement.ts';
import { FRESH, FRESH_HUGE } from '../../instances/large.ts';
import type { InstanceRow } from '../../instances/measurement.ts';
import { ORIGINAL } from '../../instances/slowdown.ts';
import { PLAIN } from '../../instances/small.ts';
import { formatNumber } from '../../report/number.ts';
import type { SubjectKind } from '../../subject.ts';
import type { ThreadsResult } from '../../threads/measurement.ts';
import { C } from '../../vmem/c-program.ts';
import { rowName, type Measurement } from '../../vmem/measurement.ts';
import type { Axis } from '../../report/plot.ts';
import type { Exhibit, Fact, Reading, Row } from '../exhibit.ts';
import { readingOf, type Output } from './output.ts';
import { distinct, formatBytes, pointsOf } from './points.ts';

const MIB = 2 ** 20;

const COPY_TITLES: Readonly<Record<CopyResult['operation'], string>> = {
  copy: 'So many bytes copied from one place to another',
  fill: 'So many bytes set to a value',
  equal: 'Two ranges of so many bytes compared that do not differ',
  find: 'So many bytes searched for one that is not there',
  bulk: 'So many bytes copied in a batch, for each copy',
};

/** A curve over the sizes for each operation. */
export function readCopies(outputs: readonly Output<CopyResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const exhibits = distinct(results, ({ operation }) => operation).map((operation): Exhibit => {
    const own = results.filter((result) => result.operation === operation);
    return {
      name: operation,
      title: COPY_TITLES[operation],
      unit: 'ns',
      axis: { title: 'size [bytes]', scale: 'log', labels: 'bytes' },
      points: pointsOf(own, ({ sizeBytes }) => sizeBytes, formatBytes, ({ subject, kind, status, reason, medianNs, bestNs }) => ({ subject, kind, status, reason, median: medianNs, best: bestNs })),
    };
  });
  return readingOf(outputs, exhibits);
}

const GC_TITLES: Readonly<Record<string, string>> = {
  trees: 'binary-trees, as in the Benchmarks Game',
  survival: '400,000 objects of 64 bytes, of which so many stay in a list for a while',
  array: '500,000 new objects into random places of an array of 200,000',
  table: '500,000 entries put into and taken out of 65,536 chains',
};

interface GcOutput extends Output<GcResult> {
  readonly facts: readonly GcFact[];
}

/** A table for each program, a curve over the survivors, and the facts. */
export function readCollectors(outputs: readonly GcOutput[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const rowOf = ({ subject, status, reason, medianMs, bestMs }: GcResult): Row => ({ subject, kind: subject === 'allokit-gc' ? 'allokit' : 'peer', status, reason, median: medianMs, best: bestMs });
  const exhibits = distinct(results, ({ workload }) => workload).map((workload): Exhibit => {
    const own = results.filter((result) => result.workload === workload);
    const exhibit = { name: workload, title: GC_TITLES[workload] ?? workload, unit: 'ms' } as const;
    if (workload !== 'survival') return { ...exhibit, points: [{ label: '', rows: own.map(rowOf) }] };
    const survivors = ({ parameters }: GcResult): number => Number(parameters.split(' ').at(-1));
    return { ...exhibit, axis: { title: 'survivors [%]', scale: 'linear' }, points: pointsOf(own, survivors, (percent) => `${percent}%`, rowOf) };
  });
  const facts = outputs.flatMap((output) => output.facts);
  return readingOf(outputs, facts.length === 0 ? exhibits : [...exhibits, ...factExhibits(facts)]);
}

/** Times are comparable with nobody's; bytes are said beside them. */
function factExhibits(facts: readonly GcFact[]): Exhibit[] {
  const exhibitOf = (name: string, title: string, unit: 'ns' | 'ms', own: readonly GcFact[], notes: readonly string[]): Exhibit[] => {
    const rows = own.map((fact): Row => ({
      subject: FACT_TITLES[fact.name],
      kind: 'allokit',
      status: 'ok',
      median: fact.median,
      best: fact.best,
      facts: [factOf('p99', fact.p99), factOf('slowest', fact.max), { head: 'of', value: fact.count, text: formatNumber(fact.count, 0) }],
    }));
    return rows.length === 0 ? [] : [{ name, title, unit, points: [{ label: '', rows }], notes }];
  };
  const factOf = (head: string, value: number | null): Fact => ({ head, ...(value === null ? { text: '-' } : { value, text: formatNumber(value, 2) }) });
  const memory = facts.find(({ name }) => name === 'memory');
  return [
    ...exhibitOf('allocation', 'What an allocation costs in the generational heap', 'ns', facts.filter(({ unit }) => unit === 'ns'), []),
    ...exhibitOf('pauses', 'What it stops the program for', 'ms', facts.filter(({ unit }) => unit === 'ms'), [
      ...(memory === undefined ? [] : [`${FACT_TITLES.memory}: ${formatNumber(memory.median, 1)} ${memory.unit}.`]),
      'Percentiles of pauses contain whatever else the machine did meanwhile.',
    ]),
  ];
}

const VMEM_TITLES: Readonly<Record<Measurement['experiment'], string>> = {
  setup: '1 GiB reserved, committed, and made an O1Heap, beside touching 512 MiB',
  'pre-touch': 'Memory made resident, from no mapping at all to its last page',
  follow: 'A heap of 1 GiB, of which so much is written',
  upkeep: 'Asking what is resident, and giving memory back',
};

/** What in C does the same as a step: for each, by what it starts with. */
const C_STEPS: readonly (readonly [step: RegExp, c: readonly string[]])[] = [
  [/^reserve$/, ['reserve (mmap)']],
  [/^commit$/, ['commit (mprotect)']],
  [/^populate, before it grows$/, ['madvise(POPULATE_WRITE)']],
  [/^populate, huge pages$/, ['madvise(POPULATE_WRITE), huge pages']],
  [/^populate$/, ['mmap(MAP_POPULATE)', 'madvise(POPULATE_WRITE)']],
  [/^(write|parallel).*, huge pages$/, ['write, huge pages']],
  [/^(write$|parallel)/, ['write']],
];

/** A table for each experiment. */
export function readVmem(outputs: readonly (Output<Measurement> & { readonly options: { readonly sizeBytes: number } })[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const rowOf = (measurement: Measurement): Row => {
    const { kind, status, reason, medianNs, bestNs, ratio, residentBytes, rssBytes, verified, step, experiment, base } = measurement;
    const rivals = experiment === 'upkeep' ? (base === undefined ? [] : [base]) : (C_STEPS.find(([pattern]) => pattern.test(step))?.[1].map((name) => rowName({ subject: C, step: name })) ?? []);
    const bytes = (head: string, value: number | undefined): Fact => ({ head, value, text: value === undefined ? '-' : formatNumber(value / MIB, 1) });
    return {
      subject: rowName(measurement),
      kind,
      status,
      reason,
      median: medianNs,
      best: bestNs,
      rivals,
      facts: [
        { head: 'x base', value: ratio, text: formatNumber(ratio, ratio !== undefined && ratio < 0.1 ? 5 : 2) },
        bytes('resident MiB', residentBytes),
        bytes('process grew by MiB', rssBytes),
        { head: 'verified', text: verified === undefined ? '-' : verified ? 'yes' : 'NO' },
      ],
    };
  };
  const size = outputs[0]?.options.sizeBytes;
  const exhibits = distinct(results, ({ experiment }) => experiment).map((experiment): Exhibit => {
    const title = `${VMEM_TITLES[experiment]}${experiment === 'pre-touch' && size !== undefined ? `: ${formatBytes(size)}` : ''}`;
    return { name: experiment, title, unit: 'ns', points: [{ label: '', rows: results.filter((result) => result.experiment === experiment).map(rowOf) }] };
  });
  return readingOf(outputs, exhibits);
}

const INSTANCE_TITLES: Readonly<Record<string, string>> = {
  large: 'A clean instance with a large memory, every page of it resident; runs dirty 1 MiB',
  small: 'A clean instance with 64 MiB, of which runs dirty 64 KiB',
  slowdown: 'What the rewriting costs the module itself: a sort of 20,000 numbers',
  memory: 'A reset after 64 KiB were dirtied, in ever larger memories',
  dirt: 'A reset of ever more dirt',
};

/** What a pool is compared with. */
const INSTANCE_PEERS: ReadonlySet<string> = new Set([FRESH, FRESH_HUGE, PLAIN, ORIGINAL]);

/** Tables for what is compared, curves for what grows. */
export function readInstances(outputs: readonly (Output<InstanceRow> & { readonly options: { readonly sizeBytes: number } })[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const kindOf = (subject: string): SubjectKind => (INSTANCE_PEERS.has(subject) ? 'peer' : 'allokit');
  const tables = (['large', 'small', 'slowdown'] as const).flatMap((name): Exhibit[] => {
    const own = results.filter(({ experiment }) => experiment === name);
    if (own.length === 0) return [];
    const peers = own.filter(({ subject }) => kindOf(subject) === 'peer');
    const rows = own.map((row): Row => {
      const { subject, step, medianNs, bestNs, memoryBytes, dirtyBytes } = row;
      // Creating stands against resetting; where both have a step of the same name, those do.
      const same = peers.filter((peer) => peer.step === step);
      const rivals = (same.length > 0 ? same : peers).filter((peer) => peer.subject.endsWith('huge pages') === subject.endsWith('huge pages')).map(rowName);
      const facts = [
        { head: 'memory', value: memoryBytes, text: formatBytes(memoryBytes) },
        { head: 'dirty', value: dirtyBytes, text: dirtyBytes === 0 ? '-' : formatBytes(dirtyBytes) },
      ];
      return { subject: rowName(row), kind: kindOf(subject), status: 'ok', median: medianNs, best: bestNs, rivals, facts };
    });
    return [{ name, title: INSTANCE_TITLES[name]!, unit: 'ns', points: [{ label: '', rows }] }];
  });
  const curves = (['memory', 'dirt'] as const).flatMap((name): Exhibit[] => {
    const own = results.filter(({ experiment, step }) => experiment === 'growth' && step === name);
    if (own.length === 0) return [];
    const axis: Axis = { title: name === 'memory' ? 'size of the memory' : 'dirty bytes', scale: 'log', labels: 'bytes' };
    const points = pointsOf(own, (row) => (name === 'memory' ? row.memoryBytes : row.dirtyBytes), formatBytes, ({ subject, medianNs, bestNs }) => ({ subject, kind: 'allokit', status: 'ok', median: medianNs, best: bestNs }));
    return [{ name, title: INSTANCE_TITLES[name]!, unit: 'ns', axis, points }];
  });
  return readingOf(outputs, [...tables, ...curves]);
}

const THREAD_TITLES: Readonly<Record<ThreadsResult['task'], string>> = {
  spin: 'Threads that count and do nothing else: what this machine gives to more than one',
  pair: 'A block of 64 bytes allocated and freed',
  mix: 'A block of 16-1039 bytes allocated and freed',
  churn: 'One of 1024 blocks of 64 bytes freed, another one allocated; each thread has its own',
  'hand-over': 'Blocks sent to another thread, freed by who allocated them, or (together) by who got them',
  'few-slabs': 'One of 160 blocks of 64 bytes freed, another one allocated, each thread in a place of its own, or (together) all in one',
};

/** A curve over the threads for each task. */
export function readThreads(outputs: readonly Output<ThreadsResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const nameOf = ({ subject, sharing }: ThreadsResult): string => (sharing === 'together' ? `${subject}, together` : subject);
  const exhibits = distinct(results, ({ task }) => task).map((task): Exhibit => {
    const own = results.filter((result) => result.task === task);
    const rowOf = (result: ThreadsResult): Row => {
      const { kind, status, reason, medianNs, bestNs } = result;
      const rivals = own.filter((other) => other.kind !== 'allokit' && other.sharing === result.sharing).map(nameOf);
      return { subject: nameOf(result), kind, status, reason, median: medianNs, best: bestNs, rivals: [...new Set(rivals)] };
    };
    return {
      name: task,
      title: THREAD_TITLES[task],
      unit: 'ns',
      axis: { title: 'threads', scale: 'log', ticks: distinct(own, ({ threadCount }) => threadCount) },
      points: pointsOf(own, ({ threadCount }) => threadCount, (count) => `${count} thread${count === 1 ? '' : 's'}`, rowOf),
      notes: ['Nanoseconds an operation of each thread: where threads do not hinder each other, the line is flat.'],
    };
  });
  return readingOf(outputs, exhibits);
}

/** A curve over the assemblies that are alive, for each place of the calls. */
export function readCompose(outputs: readonly Output<ComposeResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const exhibits = distinct(results, ({ site }) => site).map(
    (site): Exhibit => ({
      name: site,
      title: site === 'own' ? 'A call through an assembly, from a function of its own, while others are alive' : 'The same through one call site that all assemblies share',
      unit: 'ns',
      axis: { title: 'assemblies alive', scale: 'log', ticks: distinct(results, ({ aliveCount }) => aliveCount) },
      points: pointsOf(
        results.filter((result) => result.site === site),
        ({ aliveCount }) => aliveCount,
        (count) => `${count} alive`,
        ({ isCompiled, medianNs, bestNs, failureCount }) => {
          const outcome = failureCount === 0 ? { status: 'ok' as const } : { status: 'failed' as const, reason: `${failureCount} requests were refused` };
          return { subject: isCompiled ? 'compiled' : 'plain', kind: 'allokit', ...outcome, median: medianNs, best: bestNs };
        },
      ),
    }),
  );
  return readingOf(outputs, exhibits);
}
