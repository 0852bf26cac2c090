/** What people read: the life of the heap line by line, tables, and what was claimed beside what was measured. */

import { arch, cpus, platform, release, totalmem } from 'node:os';
import Table from 'cli-table3';
import { FRAME_MS, frameTimes, type Contender } from './comparison.ts';
import { POLICY_NAMES, PRE_TOUCH_SIZE, type Beginning } from './policy.ts';
import type { Exhaustion, Pairs } from './scenarios.ts';
import type { Sample, SessionResult } from './session.ts';

const MIB = 2 ** 20;
const UNKNOWN = 'unknown';

/** Something that must be so. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
}

/** This machine in one line: without it, no figure means anything. */
export function machine(): string {
  const processors = cpus();
  const system = `${platform()} ${release()} ${arch()}`;
  const processor = `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} cores`;
  return `${processor}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB; ${system}; Node ${process.versions.node}`;
}

export function beginningLines({ reserveMs, commitMs, initMs, residentAfterInit }: Beginning, size: number): string[] {
  return [
    `  reserve  ${ms(reserveMs)}   ${mib(size)} of addresses`,
    `  commit   ${ms(commitMs)}   all of it`,
    `  init     ${ms(initMs)}   one heap over the whole: ${mib(residentAfterInit)} resident`,
  ];
}

export const SAMPLE_HEAD = `  ${'frame'.padStart(6)} ${'capacity'.padStart(12)} ${'allocated'.padStart(20)} ${'peak'.padStart(20)} ${'resident'.padStart(12)}`;

export function sampleLine({ frame, capacity, allocated, peak, resident }: Sample): string {
  const part = (bytes: number): string => `${mib(bytes)} (${((100 * bytes) / capacity).toFixed(1)}%)`;
  const use = `${part(allocated).padStart(20)} ${part(peak).padStart(20)}`;
  return `  ${String(frame).padStart(6)} ${mib(capacity).padStart(12)} ${use} ${mib(resident).padStart(12)}`;
}

export function timesLine({ frameMs }: SessionResult): string {
  const { p50, p95, p99, worst, dropped } = frameTimes(frameMs);
  return `  frames: p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, worst ${ms(worst)}; ${dropped} of ${frameMs.length} over ${FRAME_MS.toFixed(2)} ms`;
}

export function comparisonTable(contenders: readonly Contender[], colour: boolean): string {
  const table = new Table({
    head: ['', 'before frame 1', '= frames', 'resident then', 'p50', 'p95', 'p99', 'worst', 'dropped', 'resident at end'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const { policy, beginning, startMs, startFrames, times, runs } of contenders) {
    if (beginning === undefined || times === undefined || startMs === undefined || startFrames === undefined) {
      table.push([POLICY_NAMES[policy], { content: runs[0]?.absence ?? runs[0]?.failure ?? 'did not run', colSpan: 9 }]);
      continue;
    }
    const { p50, p95, p99, worst, dropped } = times;
    const residentAtEnd = runs[0]?.samples.at(-1)?.resident;
    table.push([
      POLICY_NAMES[policy],
      ms(startMs),
      String(startFrames),
      mib(beginning.residentAtStart),
      ms(p50),
      ms(p95),
      ms(p99),
      ms(worst),
      `${dropped} of ${runs[0]!.frameMs.length}`,
      mib(residentAtEnd),
    ]);
  }
  return table.toString();
}

/** What was claimed of the design, beside what was seen here. */
export function claimsTable(main: SessionResult, contenders: readonly Contender[], { count }: Exhaustion, { medianMs }: Pairs, colour: boolean): string {
  const table = new Table({ head: ['', 'claimed', 'here'], style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true } });
  const { beginning } = main;
  const [all, touch] = ['all', 'touch'].map((policy) => contenders.find((contender) => contender.policy === policy));
  const dropped = (contender: Contender | undefined): string =>
    contender?.startMs === undefined ? UNKNOWN : `${ms(contender.startMs)}, ${contender.startFrames} frames`;
  if (beginning !== undefined)
    table.push(['reserve, commit, init of the heap', '0.01, < 1, 0.1 ms', [beginning.reserveMs, beginning.commitMs, beginning.initMs].map(ms).join(', ')]);
  table.push(
    ['before the first frame, commit only', '< 1 ms, 0 frames', dropped(all)],
    [`before the first frame, pre-touch of up to ${mib(PRE_TOUCH_SIZE)}`, '150 ms, 9 frames', dropped(touch)],
    ['blocks of 20 KiB in the heap', '32,767 in 1 GiB', count.toLocaleString('en')],
    ['1,000,000 pairs of 100 bytes', '< 100 ms', ms(medianMs)],
  );
  return table.toString();
}

/** What the comparison's columns mean. */
export function legend(rounds: number): string {
  const lines = [
    `  before frame 1: everything from reserve to the last page touched; = frames: how many frames at 60 Hz that is. dropped: over ${FRAME_MS.toFixed(2)} ms.`,
    rounds === 1
      ? '  Each policy ran in a fresh process, once: with more rounds interruptions drop out.'
      : `  Each policy ran in ${rounds} fresh processes, all in turn. Medians before frame 1; of each frame the best round counts, against interruptions.`,
  ];
  return lines.join('\n');
}

export function checkLines(checks: readonly Check[]): string[] {
  return checks.map(({ name, holds }) => `  ${holds ? 'yes' : 'NO '}  ${name}`);
}

export function ms(value: number): string {
  return `${value.toFixed(value < 0.1 ? 3 : value < 100 ? 2 : 0)} ms`;
}

export function mib(bytes: number | undefined): string {
  if (bytes === undefined) return UNKNOWN;
  const amount = bytes / MIB;
  return `${amount.toFixed(Number.isInteger(amount) ? 0 : amount < 10 ? 2 : 1)} MiB`;
}
