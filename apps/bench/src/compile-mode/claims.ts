/** What is claimed of compiler mode, beside what this run has found. */

import type { Result } from '../result.ts';
import type { CompileResult } from './compile-measurement.ts';
import type { MixResult } from './mix-measurement.ts';
import type { CompileSubject } from './subjects.ts';

/** One claim. */
export interface CompileClaim {
  readonly text: string;
  /** As it was published; empty for what is promised here alone. */
  readonly claimed: string;
  readonly measured: number;
  readonly unit: '%' | 'times' | 'ops/ms';
  /** What it must be at least. */
  readonly limit: number;
  readonly isMet: boolean;
}

/** The sizes for which something is promised. */
const LINES: readonly number[] = [1000, 10_000];
const MEMORY_LEAST = 60;
const TIME_LEAST = 50;

interface Expectation {
  readonly text: string;
  readonly claimed: string;
  readonly unit: CompileClaim['unit'];
  readonly limit: number;
}

/** Of generated programs. */
export function programClaims(results: readonly CompileResult[]): CompileClaim[] {
  return LINES.flatMap((lines) => {
    const find = (subject: CompileSubject): CompileResult | undefined =>
      results.find((result) => result.origin === 'generated' && result.lineCount === lines && result.subject === subject && result.status === 'ok');
    const [v1, arena, pool] = [find('v1'), find('arena'), find('pool+arena')];
    const [v1Fresh, v1Best, arenaFresh, poolFresh] = [find('v1-fresh'), find('v1-fresh-64'), find('arena-fresh'), find('pool+arena-fresh')];
    if (v1 === undefined || arena === undefined || pool === undefined) return [];
    if (v1Fresh === undefined || v1Best === undefined || arenaFresh === undefined || poolFresh === undefined) return [];
    const memory = (of: CompileResult): number => of.residentBytes ?? of.peakBytes;
    const below = (
      what: string,
      claimed: string,
      limit: number,
      own: CompileResult,
      base: CompileResult,
      of: (result: CompileResult) => number,
    ): CompileClaim =>
      claim(
        { text: `${lines.toLocaleString('en')} lines, ${what}: ${own.subject} below ${base.subject}`, claimed, unit: '%', limit },
        (1 - of(own) / of(base)) * 100,
      );
    const time = ({ medianMs }: CompileResult): number => medianMs;
    return [
      below('memory', '-73%', MEMORY_LEAST, poolFresh, v1Fresh, memory),
      below('memory', '-70%', MEMORY_LEAST, arenaFresh, v1Fresh, memory),
      below('time', '-56%', TIME_LEAST, pool, v1, time),
      below('time', '-50%', TIME_LEAST, arena, v1, time),
      below('time', '-56%', TIME_LEAST, poolFresh, v1Fresh, time),
      below('time', '-50%', TIME_LEAST, arenaFresh, v1Fresh, time),
      below('time', '', TIME_LEAST, poolFresh, v1Best, time),
      below('time', '', TIME_LEAST, arenaFresh, v1Best, time),
      below('bytes in records', '', 0, pool, arena, ({ peakBytes }) => peakBytes),
      below('resident', '', 0, pool, arena, memory),
    ];
  });
}

/** Of the documented mix. */
export function mixClaims(results: readonly MixResult[]): CompileClaim[] {
  const find = (subject: MixResult['subject']): MixResult | undefined => results.find((result) => result.subject === subject && result.status === 'ok');
  const [v1, documented, own, arena] = [find('v1'), find('arena-16'), find('arena-8'), find('arena')];
  if (v1 === undefined || documented === undefined || own === undefined || arena === undefined) return [];
  const lower = (of: MixResult): number => (1 - of.objectBytes / v1.objectBytes) * 100;
  return [
    claim({ text: 'mix: an allocation in V1 / in an arena', claimed: '10-40', unit: 'times', limit: 10 }, v1.medianNs / arena.medianNs),
    claim({ text: 'mix, memory: headers of 16 bytes below V1', claimed: '-67 to -72%', unit: '%', limit: 67 }, lower(documented)),
    claim({ text: 'mix, memory: headers of 8 bytes below V1', claimed: '', unit: '%', limit: lower(documented) }, lower(own)),
    claim({ text: 'mix, memory: an arena without headers below V1', claimed: '-67 to -72%', unit: '%', limit: MEMORY_LEAST }, lower(arena)),
  ];
}

/** Of the allocators themselves, by the workloads of the commands `pool` and `hybrid`. */
export function allocatorClaims(results: readonly Result[]): CompileClaim[] {
  const median = (workload: string, subject: string): number | undefined =>
    results.find((one) => one.workload === workload && one.subject === subject && one.status === 'ok')?.medianNs;
  const ratios = ['native-malloc', 'sql.js-dlmalloc', 'rust-dlmalloc'].flatMap((malloc) => {
    const [of, own] = [median('pool', malloc), median('pool', 'slab-pool')];
    if (of === undefined || own === undefined) return [];
    return [claim({ text: `50,000 x 64 bytes allocated and freed: ${malloc} / slab-pool`, claimed: '3.1', unit: 'times', limit: 1 }, of / own)];
  });
  const reuse = median('reuse', 'slab-pool');
  const hybrid = median('hybrid', 'hybridPool');
  return [
    ...ratios,
    ...(reuse === undefined
      ? []
      : [claim({ text: '1000 times 100 of 64 bytes allocated and freed in slab-pool', claimed: '1,111', unit: 'ops/ms', limit: 1111 }, 1e6 / reuse)]),
    ...(hybrid === undefined ? [] : [claim({ text: '40,000 objects in hybridPool', claimed: '850', unit: 'ops/ms', limit: 850 }, 1e6 / hybrid)]),
  ];
}

function claim(expectation: Expectation, measured: number): CompileClaim {
  return { ...expectation, measured, isMet: measured >= expectation.limit };
}
