/** Commands that measure programs on top of allocators: a compiler, a loader of assets, programs that somebody looks at. */

import type { AssetResult } from '../../assets/measurement.ts';
import { ASSETS_LEGEND } from '../../assets/report.ts';
import type { CompileClaim } from '../../compile-mode/claims.ts';
import type { CompileResult } from '../../compile-mode/compile-measurement.ts';
import type { MixResult } from '../../compile-mode/mix-measurement.ts';
import { MIX_COUNT, MIX_SUBJECTS } from '../../compile-mode/mix.ts';
import { COMPILE_BASES, COMPILE_SUBJECTS, type CompileSubject } from '../../compile-mode/subjects.ts';
import { INSPECT_LEGEND, WAY_NAMES } from '../../inspect/report.ts';
import type { InspectResult } from '../../inspect/measurement.ts';
import type { InspectCase, ProgramName, Way } from '../../inspect/protocol.ts';
import { formatNumber } from '../../report/number.ts';
import type { SubjectKind } from '../../subject.ts';
import type { Exhibit, Fact, Reading, Row } from '../exhibit.ts';
import { readingOf, type Output } from './output.ts';
import { distinct, formatBytes, pointsOf } from './points.ts';

const MIB = 2 ** 20;

/** Lines of the program of which something is claimed. */
const CLAIMED_LINES = 1000;

const UNITS: Readonly<Record<CompileClaim['unit'], string>> = { '%': ' [%]', times: '', 'ops/ms': ' [ops/ms]' };

const LASTING_AND_FRESH =
  'Those that end in -fresh compile each program in memory that nobody has touched, as a process does that compiles one program and ends; ' +
  'the others one program after the other in one heap, where V1 gets back only what it collects. Each is held against V1 in the same situation.';

const COMPILE_TITLES = {
  lines: 'A generated Lox program of so many lines compiled',
  thousand: 'One of 1000 lines, and what its records take',
  written: 'Programs that people wrote, compiled',
  mix: `The documented mix: one of ${formatNumber(MIX_COUNT, 0)} objects of 24 to 128 bytes, all of them alive until the end`,
} as const;

interface CompileOutput {
  readonly claims: readonly CompileClaim[];
  readonly programs: readonly CompileResult[];
  readonly mix: readonly MixResult[];
}

/** A curve over the lines, memory at 1000 of them, a table of the written programs, and the mix. */
export function readCompilers(outputs: readonly CompileOutput[]): Reading {
  const programs = outputs.flatMap((output) => output.programs);
  const generated = programs.filter(({ origin }) => origin === 'generated');
  const written = programs.filter(({ origin }) => origin === 'written');
  const mix = outputs.flatMap((output) => output.mix);
  const claimed = generated.filter(({ lineCount }) => lineCount === CLAIMED_LINES);
  const exhibits: Exhibit[] = [];
  if (generated.length > 0) {
    exhibits.push({
      name: 'lines',
      title: COMPILE_TITLES.lines,
      unit: 'ms',
      axis: { title: 'lines of the program', scale: 'log' },
      points: pointsOf(generated, ({ lineCount }) => lineCount, (count) => `${formatNumber(count, 0)} lines`, compilationOf),
      notes: [LASTING_AND_FRESH],
    });
  }
  if (claimed.length > 0) {
    // The curve has these times as well: they are compared there, once.
    const rows = claimed.map((result): Row => ({ ...compilationOf(result), rivals: [], facts: memoryOf(result) }));
    exhibits.push({
      name: 'thousand',
      title: COMPILE_TITLES.thousand,
      unit: 'ms',
      points: [{ label: '', rows }],
      notes: [
        'In records: the most that they took at once, headers and rounding included; of objects, what is alive at the end. ' +
          'Taken: whole pages, slabs and chunks; of objects, what the heap grew by before the next collection. ' +
          'Resident: physical memory that the first compilation touched. Searched: free objects that V1 looked at for each record.',
      ],
    });
  }
  if (written.length > 0) {
    const points = distinct(written, ({ program }) => program).map((program) => ({
      label: program,
      rows: written.filter((result) => result.program === program).map(compilationOf),
    }));
    exhibits.push({ name: 'written', title: COMPILE_TITLES.written, unit: 'ms', points, notes: [LASTING_AND_FRESH] });
  }
  if (mix.length > 0) exhibits.push({ name: 'mix', title: COMPILE_TITLES.mix, unit: 'ns', points: [{ label: '', rows: mix.map(mixRowOf) }] });
  const compilers = distinct(programs, ({ subject }) => subject).map((subject) => `${subject}: ${COMPILE_SUBJECTS[subject]}`);
  const holders = distinct(mix, ({ subject }) => subject).map((subject) => `${subject}, in the mix: ${MIX_SUBJECTS[subject]}`);
  const claims = outputs.flatMap((output) =>
    output.claims.map((claim) => ({ ...claim, text: `${claim.text}${UNITS[claim.unit]}`, bound: 'at least' as const })),
  );
  return { ...readingOf([{ results: [], claims }], exhibits), participants: [...compilers, ...holders] };
}

function kindOfCompiler(subject: CompileSubject | MixResult['subject']): SubjectKind {
  return subject.startsWith('v1') || subject === 'objects' ? 'peer' : 'allokit';
}

function compilationOf({ subject, status, reason, medianMs, bestMs }: CompileResult): Row {
  const subjects = Object.keys(COMPILE_BASES) as CompileSubject[];
  const rivals = subjects.filter((other) => kindOfCompiler(other) === 'peer' && COMPILE_BASES[other] === COMPILE_BASES[subject]);
  return { subject, kind: kindOfCompiler(subject), status, reason, median: medianMs, best: bestMs, rivals };
}

function memoryOf({ subject, ratio, collectionShare, searchesPerRecord, peakBytes, takenBytes, residentBytes }: CompileResult): Fact[] {
  return [
    { head: 'x V1', value: ratio, text: formatNumber(ratio, 2) },
    { head: 'collecting', value: collectionShare, text: `${formatNumber(collectionShare * 100, 1)}%` },
    subject.startsWith('v1') ? { head: 'searched', value: searchesPerRecord, text: formatNumber(searchesPerRecord, 0) } : { head: 'searched', text: '-' },
    kilobytesOf('KB in records', peakBytes),
    kilobytesOf('KB taken', takenBytes),
    kilobytesOf('KB resident', residentBytes),
  ];
}

function mixRowOf({ subject, status, reason, medianNs, bestNs, objectBytes, heldBytes }: MixResult): Row {
  const facts = [kilobytesOf('KB in objects', objectBytes), kilobytesOf('KB taken', heldBytes)];
  return { subject, kind: kindOfCompiler(subject), status, reason, median: medianNs, best: bestNs, facts };
}

function kilobytesOf(head: string, value: number | undefined): Fact {
  return { head, value, text: formatNumber(value === undefined ? undefined : value / 1000, 0) };
}

interface AssetOutput extends Output<AssetResult> {
  readonly options: { readonly count: number; readonly sizeBytes: number };
}

/** A table for each run. */
export function readAssets(outputs: readonly AssetOutput[]): Reading {
  const exhibits = outputs.map(({ results, options: { count, sizeBytes } }, run): Exhibit => ({
    name: run === 0 ? 'load' : `load-${run + 1}`,
    title: `${formatNumber(count, 0)} assets of ${formatBytes(sizeBytes)} loaded over loopback`,
    unit: 'ns',
    points: [{ label: '', rows: results.map(loadOf) }],
    notes: [ASSETS_LEGEND.join(' ')],
  }));
  return readingOf(outputs, exhibits);
}

function loadOf({ subject, kind, status, reason, medianNs, bestNs, bestCpuNs, base, ratio, cpuRatio, peakBytes, excessBytes }: AssetResult): Row {
  const scaled = (head: string, value: number | undefined, unit: number, digits: number): Fact => ({
    head,
    value,
    text: formatNumber(value === undefined ? undefined : value / unit, digits),
  });
  return {
    subject,
    kind,
    status,
    reason,
    median: medianNs,
    best: bestNs,
    // Nobody else looks at hashes, and who forgets what was read has not loaded it.
    rivals: subject.endsWith('sha256') ? [] : [base],
    facts: [
      scaled('x', ratio, 1, 2),
      scaled('CPU ms', bestCpuNs, 1e6, 0),
      scaled('x CPU', cpuRatio, 1, 2),
      scaled('peak MiB', peakBytes, MIB, 1),
      scaled('MiB beyond the assets', excessBytes, MIB, 1),
    ],
  };
}

const INSPECT_TITLES: Readonly<Record<ProgramName, string>> = {
  churn: 'One of 4096 blocks of 16-1039 bytes freed and another one allocated, under inspection',
  trees: 'A node of a binary tree allocated, added up and freed, under inspection',
  trace: 'A block of a replayed trace allocated and freed, under inspection',
};

/** Who on plain objects comes to know as much: V8 has no recorder of operations, and notes the place of each object or of none. */
const OBJECT_WAYS: Partial<Record<Way, Way>> = { plain: 'objects', off: 'objects', sampled: 'objects sampled', exact: 'objects recorded' };

/** A table for each program. */
export function readInspections(outputs: readonly Output<InspectResult>[]): Reading {
  const results = outputs.flatMap((output) => output.results);
  const exhibits = distinct(results, ({ program }) => program).map((program): Exhibit => {
    const rows = results.filter((result) => result.program === program).map(inspectionOf);
    return { name: program, title: INSPECT_TITLES[program], unit: 'ns', points: [{ label: '', rows }], notes: [INSPECT_LEGEND.join(' ')] };
  });
  const reading = readingOf(outputs, exhibits);
  return { ...reading, promises: reading.promises.map((promise) => ({ ...promise, text: `${promise.text} (time over that of nobody looking)` })) };
}

function inspectionOf(result: InspectResult): Row {
  const { way, medianNs, bestNs, ratio } = result;
  const isOnObjects = way.startsWith('objects');
  const other = OBJECT_WAYS[way];
  return {
    subject: inspectionName(result),
    kind: isOnObjects ? 'peer' : 'allokit',
    status: 'ok',
    median: medianNs,
    best: bestNs,
    rivals: other === undefined ? [] : [inspectionName({ way: other, isCompiled: false })],
    facts: [{ head: 'x not at all', value: ratio, text: formatNumber(ratio, 2) }],
  };
}

function inspectionName({ way, isCompiled }: Pick<InspectCase, 'way' | 'isCompiled'>): string {
  return `${WAY_NAMES[way]} (${way.startsWith('objects') ? 'plain objects' : isCompiled ? 'heap, compiled' : 'heap'})`;
}
