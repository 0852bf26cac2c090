/** What a session took, for people and as JSON. */

import type { HeapStats, PauseStats, TypeCensus } from '@allokit/generational-gc';
import Table from 'cli-table3';
import type { RecordSpaceStats } from './records/index.ts';
import type { Session } from './session.ts';

/** Figures of the machine's heap. */
export interface HeapReport {
  /** Allocated since the beginning. */
  readonly allocatedBytes: number;
  /** Collections of each kind, and their pauses. */
  readonly pauses: HeapStats['pauses'];
  /** Milliseconds in collections, and their share of the machine's time, 0..1. */
  readonly collectionMs: number;
  readonly collectionShare: number;
  readonly survivalRate: number;
  readonly promotedBytes: number;
  readonly barrierHitCount: number;
  /** The most that the heap ever took, nursery included. */
  readonly peakBytes: number;
  /** What is alive in the end. */
  readonly liveBytes: number;
  /** By type, in the end. */
  readonly live: readonly TypeCensus[];
  readonly strings: number;
}

/** Everything there is to say. */
export interface Report {
  readonly compile: { readonly ms: number; readonly records: RecordSpaceStats | undefined };
  readonly run?: { readonly ms: number; readonly heap: HeapReport };
}

/** Collects the figures; and the heap, to tell what is alive. */
export function reportOf(session: Session): Report {
  const { compileMs, runMs, records } = session.figures();
  const compile = { ms: compileMs, records };
  const { machine } = session;
  if (machine === undefined) return { compile };
  const { pauses, allocatedBytes, survivalRate, promotedBytes, barrierHitCount, takenBytesMax } = machine.heap.stats();
  const collectionMs = Object.values(pauses).reduce((sum: number, { totalMs }: PauseStats) => sum + totalMs, 0);
  machine.heap.collect();
  const live = machine.heap.census().filter(({ count }) => count > 0);
  const heap: HeapReport = {
    allocatedBytes,
    pauses,
    collectionMs,
    collectionShare: runMs === 0 ? 0 : collectionMs / runMs,
    survivalRate,
    promotedBytes,
    barrierHitCount,
    peakBytes: takenBytesMax,
    liveBytes: live.reduce((sum, { bytes }) => sum + bytes, 0),
    live,
    strings: machine.stringCount(),
  };
  return { compile, run: { ms: runMs, heap } };
}

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const style = { head: [], border: [], compact: true };
  const result = new Table({ head: [...head], style, colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')) });
  for (const row of rows) result.push(row.map((cell) => (typeof cell === 'number' ? number.format(cell) : cell)));
  return result.toString();
}

/** The report as text. */
export function formatReport({ compile, run }: Report): string {
  const parts = [`compiled in ${milliseconds(compile.ms)}`];
  if (compile.records !== undefined) {
    const { kinds, count, requestedBytes, peakBytes, takenBytes, collectionMs } = compile.records;
    parts.push(table(['record', 'count', 'bytes'], [...kinds.map((kind) => [kind.name, kind.count, kind.bytes]), ['all', count, requestedBytes]]));
    const memory = `${number.format(peakBytes)} bytes at once at most, in ${number.format(takenBytes)} bytes of memory`;
    parts.push(`${memory}; ${milliseconds(collectionMs)} in collections`);
  }
  if (run === undefined) return `${parts.join('\n')}\n`;
  const { heap } = run;
  parts.push('', `ran for ${milliseconds(run.ms)}, ${milliseconds(heap.collectionMs)} of it (${percent(heap.collectionShare)}) in collections`);
  const pauses = Object.entries(heap.pauses).filter(([, { count }]) => count > 0);
  const rows = pauses.map(([kind, { count, p50Ms, p99Ms, maxMs, totalMs }]) => [kind, count, ...[p50Ms, p99Ms, maxMs, totalMs].map(milliseconds)]);
  if (rows.length > 0) parts.push(table(['collection', 'count', 'p50', 'p99', 'longest', 'all'], rows));
  const all = ['all', heap.live.reduce((sum, { count }) => sum + count, 0), heap.liveBytes];
  parts.push(table(['alive in the end', 'count', 'bytes'], [...heap.live.map(({ name, count, bytes }) => [name, count, bytes]), all]));
  parts.push(
    `strings, each once: ${number.format(heap.strings)}`,
    `allocated ${number.format(heap.allocatedBytes)} bytes in the nursery, of which ${percent(heap.survivalRate)} survived each collection`,
    `${number.format(heap.promotedBytes)} bytes became old; the write barrier remembered ${number.format(heap.barrierHitCount)} objects`,
    `the heap took ${number.format(heap.peakBytes)} bytes at most, nursery included`,
  );
  return `${parts.join('\n')}\n`;
}
