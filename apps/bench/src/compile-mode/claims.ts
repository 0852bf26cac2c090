/** What is claimed of compiler mode, beside what this run has found. */

import type { Result } from '../result.ts';
import type { CompileResult } from './compile-measurement.ts';
import type { MixResult } from './mix-measurement.ts';
import { COMPILE_BASE, type CompileSubject } from './subjects.ts';

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
    const [lasting, fresh, best, arena, pool] = [find('v1'), find('v1-fresh'), find(COMPILE_BASE), find('arena'), find('pool+arena')];
    if (lasting === undefined || fresh === undefined || best === undefined || arena === undefined || pool === undefined) return [];
    const where = `${lines.toLocaleString('en')} lines`;
    const memory = (of: CompileResult): number => of.residentBytes ?? of.peakBytes;
    const lower = (of: number, than: number): number => (1 - of / than) * 100;
    return [
      claim({ text: `${where}, memory: pool+arena below v1-fresh`, claimed: '-73%', unit: '%', limit: MEMORY_LEAST }, lower(memory(pool), memory(fresh))),
      claim({ text: `${where}, memory: arena below v1-fresh`, claimed: '-70%', unit: '%', limit: MEMORY_LEAST }, lower(memory(arena), memory(fresh))),
      claim({ text: `${where}, time: pool+arena below v1`, claimed: '-56%', unit: '%', limit: TIME_LEAST }, lower(pool.medianMs, lasting.medianMs)),
      claim({ text: `${where}, time: pool+arena below v1-fresh`, claimed: '-56%', unit: '%', limit: TIME_LEAST }, lower(pool.medianMs, fresh.medianMs)),
      claim({ text: `${where}, time: pool+arena below ${COMPILE_BASE}`, claimed: '-56%', unit: '%', limit: TIME_LEAST }, lower(pool.medianMs, best.medianMs)),
      claim({ text: `${where}, time: arena below ${COMPILE_BASE}`, claimed: '-50%', unit: '%', limit: TIME_LEAST }, lower(arena.medianMs, best.medianMs)),
      claim({ text: `${where}, memory: pool+arena below arena, most bytes in records`, claimed: '', unit: '%', limit: 0 }, lower(pool.peakBytes, arena.peakBytes)),
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
    claim({ text: 'mix, memory: headers of 16 bytes below V1', claimed: '-67 to -72%', unit: '%', limit: 50 }, lower(documented)),
    claim({ text: 'mix, memory: headers of 8 bytes below V1', claimed: '', unit: '%', limit: lower(documented) }, lower(own)),
    claim({ text: 'mix, memory: an arena without headers below V1', claimed: '', unit: '%', limit: MEMORY_LEAST }, lower(arena)),
  ];
}

/** Of the allocators themselves, by the workloads of the commands `pool` and `hybrid`. */
export function allocatorClaims(results: readonly Result[]): CompileClaim[] {
  const median = (workload: string, subject: string): number | undefined => results.find((one) => one.workload === workload && one.subject === subject && one.status === 'ok')?.medianNs;
  const ratios = ['native-malloc', 'sql.js-dlmalloc', 'rust-dlmalloc'].flatMap((malloc) => {
    const [of, own] = [median('pool', malloc), median('pool', 'slab-pool')];
    if (of === undefined || own === undefined) return [];
    return [claim({ text: `50,000 x 64 bytes allocated and freed: ${malloc} / slab-pool`, claimed: '3.1', unit: 'times', limit: 1 }, of / own)];
  });
  const reuse = median('reuse', 'slab-pool');
  const hybrid = median('hybrid', 'hybridPool');
  return [
    ...ratios,
    ...(reuse === undefined ? [] : [claim({ text: '1000 times 100 of 64 bytes allocated and freed in slab-pool', claimed: '1,111', unit: 'ops/ms', limit: 1111 }, 1e6 / reuse)]),
    ...(hybrid === undefined ? [] : [claim({ text: '40,000 objects in hybridPool', claimed: '850', unit: 'ops/ms', limit: 850 }, 1e6 / hybrid)]),
  ];
}

function claim(expectation: Expectation, measured: number): CompileClaim {
  return { ...expectation, measured, isMet: measured >= expectation.limit };
}
